"""Answers of real networks, by transformers and peft. They are imported, and weights loaded, when a first question comes. No HTTP here."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel_dagster.sandbox.model_server.wire import ApiError

_KEPT_BASES = 2
_KEPT_ADAPTERS = 4  # of each base


@dataclass(frozen=True)
class Asked:
    """A question: role and content of each message, to an adapter in its folder, or to its base `alone`."""

    folder: Path
    base: str
    alone: bool
    messages: tuple[tuple[str, str], ...]
    most_tokens: int
    stop: tuple[str, ...]

    @property
    def adapter(self) -> str:
        """The model's name, which the folder is in."""
        return self.folder.parent.name

    def fits(self, other: "Asked") -> bool:
        """Whether both can be answered in one go."""
        return (self.folder, self.alone, self.stop) == (other.folder, other.alone, other.stop)


@dataclass(frozen=True)
class Generated:
    """An answer; its tokens, and those of the prompt, as the model counts them. `finish_reason` "length": it was cut off."""

    text: str
    finish_reason: str
    prompt_tokens: int
    tokens: int


class Networks:
    """The bases that were used last, each with the adapters that were. Used from one thread, but for `stop`."""

    def __init__(self) -> None:
        self._bases: OrderedDict[str, _Base] = OrderedDict()
        self._stopped = False

    def stop(self) -> None:
        """Break off what is being answered, and answer nothing more."""
        self._stopped = True

    def answer(self, questions: Sequence[Asked]) -> list[Generated | ApiError]:
        """Answers to questions that fit together. Raises ModuleNotFoundError without the extra, OSError for weights that can't be loaded."""
        first = questions[0]
        base = self._bases.pop(first.base, None) or _Base(first)
        self._bases[first.base] = base
        while len(self._bases) > _KEPT_BASES:
            self._bases.popitem(last=False)
        return base.answer(questions, lambda: self._stopped)


class _Base:
    """A base in memory, with the adapters that were put on it, each with its tokenizer."""

    def __init__(self, asked: Asked) -> None:
        # Threads that wait by spinning are many times slower on cores that others use, too.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
        network = AutoModelForCausalLM.from_pretrained(asked.base, dtype=dtype, local_files_only=True)
        self._most_tokens: int | None = getattr(network.config, "max_position_embeddings", None)
        self._model = PeftModel.from_pretrained(network, asked.folder, adapter_name=asked.adapter).to(device).eval()
        self._tokenizers = OrderedDict({asked.adapter: _tokenizer(asked)})

    def answer(self, questions: Sequence[Asked], stopped: Callable[[], bool]) -> list[Generated | ApiError]:
        """Answers to questions for one adapter, or for the base alone; an error for one that can't be asked."""
        self._switch_to(questions[0])
        prompts = [self._prompt(asked) for asked in questions]
        fitting = [(asked, prompt) for asked, prompt in zip(questions, prompts, strict=True) if not isinstance(prompt, ApiError)]
        said = iter(self._generate(fitting, stopped) if fitting else ())
        return [prompt if isinstance(prompt, ApiError) else next(said) for prompt in prompts]

    def _switch_to(self, asked: Asked) -> None:
        if asked.adapter not in self._tokenizers:
            self._model.load_adapter(asked.folder, adapter_name=asked.adapter)
            self._tokenizers[asked.adapter] = _tokenizer(asked)
            while len(self._tokenizers) > _KEPT_ADAPTERS:
                self._model.delete_adapter(self._tokenizers.popitem(last=False)[0])
        self._tokenizers.move_to_end(asked.adapter)
        self._model.set_adapter(asked.adapter)

    def _prompt(self, asked: Asked) -> list[int] | ApiError:
        from jinja2 import TemplateError

        tokenizer = self._tokenizers[asked.adapter]
        messages = [{"role": role, "content": content} for role, content in asked.messages]
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            return ApiError(400, f"The model's chat template refuses these messages: {error}", param="messages")
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        if self._most_tokens is not None and len(ids) >= self._most_tokens:
            message = f"This model's maximum context length is {self._most_tokens} tokens. However, your messages resulted in {len(ids)} tokens."
            return ApiError(400, message, code="context_length_exceeded", param="messages")
        return ids

    def _generate(self, asked: Sequence[tuple[Asked, list[int]]], stopped: Callable[[], bool]) -> list[Generated]:
        import torch

        first, tokenizer = asked[0][0], self._tokenizers[asked[0][0].adapter]
        longest = max(len(prompt) for _, prompt in asked)
        room = self._most_tokens - longest if self._most_tokens is not None else max(each.most_tokens for each, _ in asked)
        padded = torch.tensor([[0] * (longest - len(prompt)) + prompt for _, prompt in asked], device=self._model.device)
        read = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for _, prompt in asked], device=self._model.device)
        with torch.inference_mode(), self._model.disable_adapter() if first.alone else nullcontext():
            written = self._model.generate(
                input_ids=padded,
                attention_mask=read,
                do_sample=False,
                max_new_tokens=min(room, max(each.most_tokens for each, _ in asked)),
                pad_token_id=tokenizer.eos_token_id,
                stopping_criteria=[lambda ids, scores, **_: torch.full((len(ids),), stopped(), device=ids.device)],
                **({"stop_strings": list(first.stop), "tokenizer": tokenizer} if first.stop else {}),
            )
        if stopped():
            raise ApiError(503, "The server is shutting down.", kind="server_error")
        ends = self._model.generation_config.eos_token_id
        ends = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        return [
            _finished(each, prompt, row[longest:], ends, tokenizer)
            for (each, prompt), row in zip(asked, written.tolist(), strict=True)
        ]


def _finished(asked: Asked, prompt: list[int], ids: list[int], ends: set[int], tokenizer: Any) -> Generated:
    """The row of a batch up to its own end: others may have gone on."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    reason = "stop" if end < len(ids) and end <= asked.most_tokens else "length"
    ids = ids[: min(end, asked.most_tokens)]
    text: str = tokenizer.decode(ids, skip_special_tokens=True)
    stops = [place for word in asked.stop if (place := text.find(word)) >= 0]
    if stops:
        text, reason = text[: min(stops)], "stop"
    return Generated(text, reason, len(prompt), len(ids))


def _tokenizer(asked: Asked) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(asked.folder, local_files_only=True)
