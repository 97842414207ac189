"""Randomness without a state: the numbers of a thing come from a hash of its key, so that nothing depends on what was drawn before."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from math import exp
from statistics import NormalDist
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

DRAWS = 16  # as many 32-bit numbers as one BLAKE2b digest holds
_DIGEST = Struct(f"<{DRAWS}I")
_SCALE = 2.0**-32
_normal = NormalDist().inv_cdf


def stream(seed: int, purpose: bytes) -> Callable[[bytes], list[float]]:
    """A function from a key to its 16 uniform numbers in (0, 1). `purpose` (at most 16 bytes) separates streams of one seed."""
    start = blake2b(digest_size=4 * DRAWS, person=purpose, salt=seed.to_bytes(8, "little", signed=True))

    def draw(key: bytes) -> list[float]:
        digest = start.copy()
        digest.update(key)
        return [(number + 0.5) * _SCALE for number in _DIGEST.unpack(digest.digest())]

    return draw


def pick(options: Sequence[T], draw: float) -> T:
    """One of the options, all equally likely."""
    return options[int(draw * len(options))]


class Choice:
    """One of several words with given shares; the shares need not add up to 1."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        total = sum(shares.values())
        self._steps = [(top / total, word) for word, top in zip(shares, accumulate(shares.values()), strict=True)]
        self._last = self._steps[-1][1]

    def __call__(self, draw: float) -> str:
        for top, word in self._steps:
            if draw < top:
                return word
        return self._last


def lognormal(median: float, sigma: float, draw: float) -> float:
    """A lognormal value by inversion: `draw` 0.5 gives the median."""
    return median * exp(sigma * _normal(draw))
