"""Words of a text as they are compared with names: without case, accents and marks; a character each where a script has no spaces."""

import re
import string
import unicodedata
from collections.abc import Iterator, Mapping

# Chinese, Japanese and Korean: no spaces around a name, so each character is a word of its own.
_ALONE = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
# What Python's \w leaves out: accents and marks that a name may be written without, and characters without width;
_MARKS = (
    "\xad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    "\u0730-\u074a\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u2060\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
)
# and the vowel signs of Indic scripts and Thai, which are letters to their readers.
_SIGNS = "\u0900-\u0903\u093a-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a51\u0a81-\u0acd\u0b01-\u0dff\u0e31-\u0e3a\u0e47-\u0e4e"
WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]++(?:[{_MARKS}{_SIGNS}]++[^\W_{_ALONE}]*+)*+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_UNDECOMPOSED = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "ss",
        "ø": "o",
        "Ø": "o",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "Œ": "oe",
        "ł": "l",
        "Ł": "l",
        "đ": "d",
        "Đ": "d",
        "ð": "d",
    }
    | {"Ð": "d", "þ": "th", "Þ": "th", "ı": "i", "İ": "i", "ħ": "h", "Ħ": "h"}
)
_TO_WORDS = str.maketrans(
    {chr(code): chr(code).lower() if chr(code) in string.ascii_letters + string.digits else " " for code in range(128)}
)
_DROPPED = re.compile(f"[{_MARKS}]+")


def folded_words(text: str) -> list[str]:
    """The words of the text, folded, in their order: as many as `WORD` finds."""
    if text.isascii():
        return text.translate(_TO_WORDS).split()
    return [fold(word) for word in WORD.findall(text)]


def fold(word: str) -> str:
    """A word without case, accents and marks: "José" is "jose", "Strauß" "strauss"."""
    if word.isascii():
        return word.lower()
    return _DROPPED.sub("", unicodedata.normalize("NFKD", word.translate(_UNDECOMPOSED))).casefold()


def word_starts(text: str, *wanted: Mapping[str, object]) -> list[tuple[int, str]]:
    """Where the wanted words, given folded, begin in the text. It costs the text's length, not the number of wanted words."""
    ascii_only = text.isascii()
    spaced = text.translate(_TO_WORDS) if ascii_only else ""
    words = spaced.split() if ascii_only else folded_words(text)
    present = set(words)
    hits = {word for each in wanted for word in (present if len(each) > len(present) else each) if word in each and word in present}
    if not hits:
        return []
    if not ascii_only:
        return [(found.start(), word) for found, word in zip(WORD.finditer(text), words, strict=True) if word in hits]
    spaced = f" {spaced} "
    return sorted((at, word) for word in hits for at in _occurrences(spaced, f" {word} "))


def _occurrences(text: str, sought: str) -> Iterator[int]:
    at = text.find(sought)
    while at >= 0:
        yield at
        at = text.find(sought, at + 1)
