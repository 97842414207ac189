"""Tells near-duplicate messages by MinHash: what a text is hashed to. Texts are grouped by these hashes in SQL (`grouping.py`)."""

import re
import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from rensa import RMinHash  # type: ignore[import-untyped]

BANDS, ROWS = 16, 8
_SEED = 20260105
_SHINGLE = 3
# Letters and digits, placeholders whole; each character of scripts that put no spaces between words is a word.
_WORDS = re.compile(
    r"\{\{\w+\}\}|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\d_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|\d+"
)
_PACK = struct.Struct(f"<{BANDS * ROWS}I")


class Fingerprint(NamedTuple):
    """`key`: equal for texts of equal words. `bands`: 16 hashes; texts that share one are near-duplicates. All are signed 64-bit numbers."""

    key: int
    bands: Sequence[int]


def words(text: str) -> list[str]:
    """What a text is compared by: its words in lower case, numbers as one word each, without punctuation."""
    return _WORDS.findall(text.lower())


def text_key(compared: Sequence[str]) -> int:
    """A 64-bit name of a text's words; two texts share it by chance once in 10**19 pairs."""
    return _number(" ".join(compared).encode("utf-8", "surrogatepass"))


def bands(compared: Sequence[str]) -> list[int]:
    """The text's MinHash over shingles of three words, cut in 16 bands of 8 values.

    Two texts whose shingles have the Jaccard similarity s share a band with the probability 1 - (1 - s**8)**16: 6 % at 0.5, 61 % at 0.7,
    95 % at 0.8, 99.99 % at 0.9 (Broder 1997; banding as in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3).
    """
    sketch = RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
    sketch.update(_shingles(compared))
    packed = _PACK.pack(*sketch.digest())
    step = ROWS * 4
    return [_number(bytes([band]) + packed[band * step : (band + 1) * step]) for band in range(BANDS)]


def fingerprint(text: str) -> Fingerprint:
    """Key and bands of a text."""
    compared = words(text)
    return Fingerprint(text_key(compared), bands(compared))


def _shingles(compared: Sequence[str]) -> list[str]:
    if len(compared) < _SHINGLE:
        return [" ".join(compared)]
    return list(map(" ".join, zip(compared, compared[1:], compared[2:], strict=False)))


def _number(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)
