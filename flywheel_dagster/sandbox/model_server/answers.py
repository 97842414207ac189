"""How a model answers: a fine-tuned one from its nearest training examples, a base one like the answers in its prompt, or plainly. No HTTP here."""

import json
import math
import random
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flywheel_dagster.sandbox.model_server import ngram
from flywheel_dagster.sandbox.model_server.blending import blend
from flywheel_dagster.sandbox.model_server.learning import Pair
from flywheel_dagster.sandbox.model_server.prompt_fields import carry_over, pick_field, read_fields
from flywheel_dagster.sandbox.model_server.retrieval import PromptIndex
from flywheel_dagster.sandbox.model_server.store import write_whole
from flywheel_dagster.sandbox.model_server.tokens import message_text, prompt_text

_CANDIDATES = 8
_RECOMBINATIONS = 3
_KEPT_MODELS = 6
_TRIES = 4
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")

_OPENINGS = (
    "I am writing to introduce {product} to {company}.",
    "I wanted to reach out about {product} for {company}.",
    "I came across {company} and thought of {product}.",
)
_REASONS = (
    "Many teams in {industry} use it to save time and money.",
    "It helps teams in {industry} work more efficiently.",
    "Companies in {industry} see good results with it.",
)
_CLOSINGS = (
    "Would you be open to a short call next week?",
    "Please let me know if you would like to learn more.",
    "Are you available for a quick chat?",
)


def save_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write what a fitted model remembers as plain JSON."""
    rows = [{"prompt": pair.prompt, "answer": pair.answer, "share": pair.share} for pair in pairs]
    write_whole(path, json.dumps({"format": 1, "pairs": rows}, ensure_ascii=False).encode())


def load_pairs(path: Path) -> list[Pair]:
    """Read what `save_pairs` wrote."""
    return [Pair(**row) for row in json.loads(path.read_bytes())["pairs"]]


def answer_by_base(messages: Sequence[Mapping[str, Any]], *, temperature: float, chance: random.Random) -> str:
    """A base model's answer: in the manner of the earlier answers that the conversation shows it, or plainly where it shows none.

    The shown turns are to it what training examples are to a fine-tuned model: the one that was asked the most similar thing answers.
    Placeholders that they all have are kept, in nearly every answer.
    """
    shown: list[Pair] = []
    asked: list[str] = []
    for message in messages:
        if message["role"] == "user":
            asked.append(message_text(message))
        elif message["role"] == "assistant" and asked:
            shown.append(Pair("\n".join(asked), message_text(message)))
            asked = []
    if not shown or not asked:
        return answer_plainly(prompt_text(messages), temperature=temperature, chance=chance)
    model, kept = FittedModel(shown, ngram.EVEN_WEIGHTS), set.intersection(*(_placeholders(pair.answer) for pair in shown))
    for _ in range(_TRIES):
        text = model.answer("\n".join(asked), temperature=temperature, chance=chance)
        if kept <= _placeholders(text):
            break
    return text


def answer_plainly(prompt: str, *, temperature: float, chance: random.Random) -> str:
    """A generic sales message from the prompt's facts, the same one at temperature 0."""
    fields = read_fields(prompt)
    facts = {
        "company": pick_field(fields, "company", otherwise="your company"),
        "industry": pick_field(fields, "industry", otherwise="your industry"),
        "product": pick_field(fields, "product", otherwise="our product"),
    }
    name = pick_field(fields, "name", otherwise="there").split()[0]
    lines = [(chance.choice(options) if temperature > 0 else options[0]) for options in (_OPENINGS, _REASONS, _CLOSINGS)]
    body = " ".join(line.format(**facts) for line in lines)
    return f"Hi {name},\n\n{body}\n\nBest regards,\n{pick_field(fields, 'sender', otherwise='The team')}"


class FittedModel:
    """A fine-tuned model in memory: its pairs, their index and, once it samples, its n-gram."""

    def __init__(self, pairs: Sequence[Pair], weights: Sequence[float]) -> None:
        self._pairs = pairs
        self._weights = weights
        self._index = PromptIndex([pair.prompt for pair in pairs], shares=[pair.share for pair in pairs])
        self._counts: ngram.NgramCounts | None = None

    def answer(self, prompt: str, *, temperature: float, chance: random.Random) -> str:
        """The nearest example's answer, carried over to this prompt's facts.

        Above temperature 0 it is blended of near ones, and of several such texts one is drawn by how fluent the n-gram finds it; the hotter,
        the freer.
        """
        near = self._nearest(prompt)
        if not near:
            return answer_plainly(prompt, temperature=temperature, chance=chance)
        if temperature <= 0:
            return self._carried(near[0][0], prompt)
        best = near[0][1] or 1.0
        heat = [math.exp((score - near[0][1]) / (0.1 * best * temperature)) for _, score in near]
        numbers = [number for number, _ in near]
        carried = {number: self._carried(number, prompt) for number in numbers}
        options = []
        for opening in chance.choices(numbers, heat, k=_RECOMBINATIONS):
            options.append(blend([carried[opening], *(carried[number] for number in numbers if number != opening)], chance))
        fluency = self._fluency(options)
        best_fluency = max(fluency)
        return chance.choices(options, [math.exp((value - best_fluency) / temperature) for value in fluency])[0]

    def _nearest(self, prompt: str) -> list[tuple[int, float]]:
        """Near examples with their scores, best first: of the prompt's own channel, where there are any."""
        near = self._index.nearest(prompt, most=4 * _CANDIDATES)
        channel = read_fields(prompt).get("channel")
        same = [each for each in near if channel and read_fields(self._pairs[each[0]].prompt).get("channel") == channel]
        return (same or near)[:_CANDIDATES]

    def _carried(self, number: int, prompt: str) -> str:
        pair = self._pairs[number]
        return carry_over(pair.answer, old_prompt=pair.prompt, new_prompt=prompt)

    def _fluency(self, texts: Sequence[str]) -> list[float]:
        """The mean log probability of a token of each text under the fitted n-gram."""
        if self._counts is None:
            self._counts = ngram.count_ngrams([pair.answer for pair in self._pairs])
        counts = self._counts
        return [-ngram.cross_entropy(ngram.predict(counts, [text]), self._weights) for text in texts]


class FittedModels:
    """The few fitted models used last, loaded from their files when asked for. Safe to call from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, FittedModel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, path: Path, weights: Sequence[float]) -> FittedModel:
        """The model of that name, from memory or from its file."""
        with self._lock:
            model = self._kept.pop(name, None) or FittedModel(load_pairs(path), weights)
            self._kept[name] = model
            while len(self._kept) > _KEPT_MODELS:
                self._kept.popitem(last=False)
            return model


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))
