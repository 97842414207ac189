"""Asking a model for a message: one interface for whatever a version turned out to be. Who speaks it over HTTP is in `openai_chat.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Messages = Sequence[Mapping[str, str]]
RETRIES = 3  # of a Chat by itself, unless it is told otherwise


@dataclass(frozen=True)
class Answer:
    """What a model said. `text` is empty for a refusal, which is then in `refusal`; `finish_reason` "length": it was cut off. Tokens as billed."""

    text: str
    refusal: str | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Chat(Protocol):
    """A model that can be asked. `name` is its id where it is served."""

    name: str

    async def answer(self, messages: Messages, *, max_tokens: int | None = None, seed: int | None = None) -> Answer:
        """The model's answer to messages with role and content. Raises ModelError when there is none."""
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...
