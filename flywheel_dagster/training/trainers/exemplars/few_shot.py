"""A chat model asked with the messages nearest to a request before it: few-shot prompting."""

from pathlib import Path

from flywheel_dagster.models.chat import Answer, Chat, Messages
from flywheel_dagster.training.trainers.exemplars.index import Index, load

_INSTRUCTING = ("system", "developer")


def few_shot(index: Index, messages: Messages, shots: int) -> list[dict[str, str]]:
    """The conversation with up to `shots` exemplars as turns between its instructions and the rest, chosen by its last request.

    The nearest stands last: a model leans on what it read last (Zhao et al., Calibrate Before Use, 2021).
    """
    asked = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
    turns = [
        {"role": role, "content": text}
        for exemplar in reversed(index.nearest(asked, shots))
        for role, text in (("user", exemplar.request), ("assistant", exemplar.message))
    ]
    conversation = [dict(message) for message in messages]
    begins = next((n for n, message in enumerate(conversation) if message["role"] not in _INSTRUCTING), len(conversation))
    return [*conversation[:begins], *turns, *conversation[begins:]]


class FewShotChat:
    """The model that `folder` holds the index of: `base` with its exemplars. They are looked at for each request, so none outlasts its erasure."""

    def __init__(self, folder: Path, base: Chat) -> None:
        self.name = folder.name
        self._folder, self._base = folder, base

    async def answer(self, messages: Messages, *, max_tokens: int | None = None, seed: int | None = None) -> Answer:
        """The base model's answer to the conversation with its exemplars."""
        index = load(self._folder)
        return await self._base.answer(few_shot(index, messages, index.shots), max_tokens=max_tokens, seed=seed)

    async def close(self) -> None:
        """Give the base's connections back."""
        await self._base.close()
