"""What is trained when: which examples make each step's batch, and how fast it learns. Plain arithmetic: the same seed gives the same plan."""

import math
import random
from collections.abc import Sequence

_BATCHES_SORTED = 16  # so many batches' examples are sorted by length: little padding, and still another mixture each epoch
_WARM_UP = 0.1  # of all steps


def epoch_batches(lengths: Sequence[int], batch_size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """The numbers of all examples in batches of about equal length, in an order that changes with the epoch."""
    chance = random.Random(f"{seed}/{epoch}")  # noqa: S311  no secret
    numbers = list(range(len(lengths)))
    chance.shuffle(numbers)
    batches = []
    for first in range(0, len(numbers), batch_size * _BATCHES_SORTED):
        near = sorted(numbers[first : first + batch_size * _BATCHES_SORTED], key=lambda number: lengths[number])
        batches += [near[at : at + batch_size] for at in range(0, len(near), batch_size)]
    chance.shuffle(batches)
    return batches


def slices(batch: Sequence[int], lengths: Sequence[int], most_tokens: int) -> list[list[int]]:
    """A batch in parts that fit into memory together: at most so many tokens once padded, or a single example."""
    parts: list[list[int]] = []
    longest = 0
    for number in sorted(batch, key=lambda number: lengths[number]):
        longest = max(longest, lengths[number])
        if parts and longest * (len(parts[-1]) + 1) <= most_tokens:
            parts[-1].append(number)
        else:
            parts.append([number])
    return parts


def rate_at(step: int, steps: int) -> float:
    """The share of the learning rate at a step (from 0): a linear warm-up over a tenth of them, then a cosine down to zero."""
    warm_up = max(1, round(steps * _WARM_UP))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
