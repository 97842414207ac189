"""Turns lines of a training file into tokens: which of them are read, which are learnt, and how much each line counts. No torch here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import orjson

from flywheel_dagster.datasets.files import MANIFEST
from flywheel_dagster.errors import PermanentTrainingError
from flywheel_dagster.training.prices import Method

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """A conversation as tokens; `learnt` tells which of them the model is to say itself."""

    ids: Sequence[int]
    learnt: Sequence[bool]


@dataclass(frozen=True)
class Example:
    """A line: one text, or for DPO the preferred and the other one. `weight` is 1 on average."""

    texts: tuple[Text, ...]
    weight: float = 1.0

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(len(text.ids) for text in self.texts)

    @property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return max(len(text.ids) for text in self.texts)

    @property
    def padded(self) -> int:
        """Tokens of all texts once they are as long as the longest."""
        return self.longest * len(self.texts)


def read_examples(path: Path, tokenizer: Any, *, method: Method, most_tokens: int | None, weighted: bool = False) -> list[Example]:
    """The examples of a file, with the weights of the manifest beside it if `weighted`.

    Raises PermanentTrainingError for one that can't be learnt as it stands; nothing is cut.
    """
    try:
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        weights = line_weights(path, len(lines)) if weighted else [1.0] * len(lines)
    except OSError as error:
        raise PermanentTrainingError(
            f"{error.filename} can't be read: {error.strerror}; if the dataset was erased, materialize training_jsonl again"
        ) from error
    examples = []
    for number, (line, weight) in enumerate(zip(lines, weights, strict=True), 1):
        try:
            examples.append(Example(tuple(tokenise(messages, tokenizer) for messages in _conversations(line, method)), weight))
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentTrainingError(
                f"line {number} of {path} can't be trained on: {error}; choose another base model"
            ) from error
    _require_short(examples, path, most_tokens)
    return examples


def tokenise(messages: Sequence[Message], tokenizer: Any) -> Text:
    """A conversation in the base's chat template. What the assistant says is learnt, up to and with the token that ends it.

    Each turn is cut into tokens by itself, as it will be when the model is asked. Messages of `weight` 0 are only read.
    """
    turns: list[tuple[list[int], bool]] = []
    written = ""
    for number, message in enumerate(messages):
        if message["role"] != "assistant" or not message.get("weight", 1):
            continue
        asked, said = _rendered(messages[:number], tokenizer, ask=True), _rendered(messages[: number + 1], tokenizer, ask=False)
        for text, learn in ((asked, False), (said, True)):
            if not text.startswith(written):
                raise ValueError("the base model's chat template writes a conversation differently when it goes on")
            turns.append((tokenizer(text[len(written) :], add_special_tokens=False)["input_ids"], learn))
            written = text
    if not turns:
        raise ValueError("the assistant says nothing that is to be learnt")
    turns.append((_ended(turns.pop()[0], tokenizer.eos_token_id), True))
    return Text([each for ids, _ in turns for each in ids], [learn for ids, learn in turns for _ in ids])


def line_weights(path: Path, lines: int) -> list[float]:
    """What each line counts, by the manifest beside the file, 1 on average: an outcome's weight is shared by its copies, a pair has its winner's.

    Without a manifest all lines count the same. Raises PermanentTrainingError for one that belongs to other lines.
    """
    manifest = path.with_name(MANIFEST)
    if not manifest.exists():
        return [1.0] * lines
    weights: dict[int, float] = {}
    for row in map(orjson.loads, manifest.read_bytes().splitlines()):
        if row["side"] == path.stem and row["part"] != "rejected":
            weights |= dict.fromkeys(range(row["line"], row["line"] + row["copies"]), row["training_weight"] / row["copies"])
    if sorted(weights) != list(range(1, lines + 1)):
        raise PermanentTrainingError(
            f"{manifest} does not tell the weights of the {lines} lines of {path}; assemble the dataset again"
        )
    mean = fmean(weights.values())
    return [weights[line] / mean for line in range(1, lines + 1)]


def _conversations(line: dict[str, Any], method: Method) -> Iterable[list[Message]]:
    prompt = line["input"] if method == "dpo" else line
    if prompt.get("tools") or prompt.get("functions"):
        raise ValueError("it has tools, which this trainer doesn't teach")
    if method == "supervised":
        yield prompt["messages"]
    else:
        read_only = [{**message, "weight": 0} for message in prompt["messages"]]
        yield from ([*read_only, *line[side]] for side in ("preferred_output", "non_preferred_output"))


def _rendered(messages: Sequence[Message], tokenizer: Any, *, ask: bool) -> str:
    from jinja2 import TemplateError

    if not all(isinstance(message.get("content"), str) for message in messages):
        raise ValueError("it has messages that aren't plain text")
    plain = [{"role": message["role"], "content": message["content"]} for message in messages]
    try:
        return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=ask))
    except TemplateError as error:
        raise ValueError(f"the base model's chat template refuses it ({error})") from error


def _ended(ids: list[int], end: int) -> list[int]:
    # Some templates write a line end behind it, which nobody needs to learn; some write no end at all.
    return ids[: len(ids) - ids[::-1].index(end)] if end in ids else [*ids, end]


def _require_short(examples: Sequence[Example], path: Path, most_tokens: int | None) -> None:
    long = [
        (number, example.longest) for number, example in enumerate(examples, 1) if most_tokens and example.longest > most_tokens
    ]
    if long:
        named = ", ".join(f"line {number} has {tokens:,}" for number, tokens in long[:3])
        raise PermanentTrainingError(
            f"{len(long)} examples of {path} have more tokens than the {most_tokens:,} that the base model reads ({named}); lower "
            "FLYWHEEL_MAX_EXAMPLE_TOKENS and materialize training_jsonl again, or choose another base model"
        )
