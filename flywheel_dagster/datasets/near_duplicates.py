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


class Sketch(NamedTuple):
    """What near-duplicates are found by: 16 hashes (signed, 64 bits) of which they share one, and 128 bits of which most are equal."""

    bands: list[int]
    signature: str


def words(text: str) -> list[str]:
    """What a text is compared by: its words in lower case, numbers as one word each, without punctuation."""
    return _WORDS.findall(text.lower())


def text_key(compared: Sequence[str]) -> int:
    """A 64-bit name of a text's words; two texts share it by chance once in 10**19 pairs."""
    return _number(" ".join(compared).encode("utf-8", "surrogatepass"))


def sketch(compared: Sequence[str]) -> Sketch:
    """The text's MinHash over shingles of three words: 128 values, cut in 16 bands of 8, and the lowest bit of each.

    Two texts whose shingles have the Jaccard similarity s share a band with the probability 1 - (1 - s**8)**16: 6 % at 0.5, 61 % at 0.7,
    95 % at 0.8, 99.99 % at 0.9 (Broder 1997; banding as in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3). Among a million
    texts a thousandth by chance is too much: of two that share a band the bits are compared, of which (1 + s) / 2 are equal (Li and König,
    b-Bit Minwise Hashing, 2010).
    """
    minima = RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
    minima.update(_shingles(compared))
    values = minima.digest()
    packed = _PACK.pack(*values)
    step = ROWS * 4
    bands = [_number(bytes([band]) + packed[band * step : (band + 1) * step]) for band in range(BANDS)]
    return Sketch(bands, "".join(["1" if value & 1 else "0" for value in values]))


def _shingles(compared: Sequence[str]) -> list[str]:
    if len(compared) < _SHINGLE:
        return [" ".join(compared)]
    return list(map(" ".join, zip(compared, compared[1:], compared[2:], strict=False)))


def _number(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)
