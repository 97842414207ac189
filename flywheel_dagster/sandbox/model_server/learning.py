"""What a fine-tuning job computes: examples to pairs, "auto" to numbers, and one EM step an epoch. No states, no HTTP."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel_dagster.sandbox.model_server import ngram
from flywheel_dagster.sandbox.model_server.tokens import count_message_tokens, message_text, prompt_text

_USUAL_EPOCHS = 3
_ENOUGH_EXAMPLES = 100
_MOST_AUTO_EPOCHS = 25


@dataclass(frozen=True)
class Pair:
    """A prompt and the answer to learn for it; `share` below 1 says that it is remembered from an earlier fine-tune."""

    prompt: str
    answer: str
    share: float = 1.0


def read_pairs(examples: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """The trained turns of checked examples: each assistant message but those of weight 0; of a preference pair the preferred one."""
    pairs: list[Pair] = []
    for example in examples:
        if "preferred_output" in example:
            prompt = prompt_text(example["input"]["messages"])
            pairs.append(Pair(prompt, message_text(example["preferred_output"][0])))
            continue
        messages = example["messages"]
        for position, message in enumerate(messages):
            if message["role"] == "assistant" and message.get("weight", 1) == 1:
                pairs.append(Pair(prompt_text(messages[:position]), message_text(message)))
    return pairs


def count_example_tokens(examples: Sequence[Mapping[str, Any]]) -> int:
    """The approximate billed tokens of one epoch: all messages of all examples."""
    total = 0
    for example in examples:
        if "preferred_output" in example:
            total += count_message_tokens([*example["input"]["messages"], *example["preferred_output"]])
            total += count_message_tokens(example["non_preferred_output"])
        else:
            total += count_message_tokens(example["messages"])
    return total


def resolve_hyperparameters(asked: Mapping[str, Any], *, examples: int, base: str) -> dict[str, Any]:
    """Put numbers for "auto", as OpenAI's cookbook describes: 3 epochs, more for few examples; batches of about 0.2 %."""
    epochs = _USUAL_EPOCHS
    if examples * _USUAL_EPOCHS < _ENOUGH_EXAMPLES:
        epochs = min(_MOST_AUTO_EPOCHS, _ENOUGH_EXAMPLES // max(examples, 1))
    automatic = {
        "n_epochs": epochs,
        "batch_size": max(1, min(256, math.ceil(examples * 0.002))),
        "learning_rate_multiplier": 1.8 if "mini" in base else 2.0,
        "beta": 0.1,
    }
    return {key: automatic[key] if value == "auto" else value for key, value in asked.items()}


@dataclass(frozen=True)
class Measured:
    """The state after an epoch. Losses are cross-entropies in nats a token; `valid_loss` is None without a validation file."""

    weights: tuple[float, ...]
    train_loss: float
    valid_loss: float | None


class Course:
    """A training set made ready: probabilities are computed once, then each epoch is one quick EM step."""

    def __init__(self, pairs: Sequence[Pair], validation: Sequence[Pair] | None) -> None:
        """Count and predict; this is the heavy part, so call it off the event loop."""
        answers = [pair.answer for pair in pairs]
        counts = ngram.count_ngrams(answers)
        self._train = ngram.predict(counts, answers, leave_one_out=True)
        self._valid = ngram.predict(counts, [pair.answer for pair in validation]) if validation is not None else None

    def measure(self, weights: Sequence[float]) -> Measured:
        """The losses under the given weights."""
        valid = ngram.cross_entropy(self._valid, weights) if self._valid is not None else None
        return Measured(tuple(weights), ngram.cross_entropy(self._train, weights), valid)

    def run_epoch(self, weights: Sequence[float]) -> Measured:
        """One EM step from the given weights, measured after it."""
        return self.measure(ngram.improve_weights(self._train, weights))
