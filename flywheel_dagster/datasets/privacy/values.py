"""Known values as phrases: the ways in which a name, a company or another value is written."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.phrases import GAP, MOST_WORDS, Phrase
from flywheel_dagster.datasets.privacy.word_lists import ALSO_WORDS, ARTICLES, FREE_MAIL, LEGAL_FORMS, NO_NAMES, PARTICLES, TITLES
from flywheel_dagster.datasets.privacy.words import WORD, fold, folded_words
from flywheel_dagster.replies.closing_words import is_ordinary

_KEPT = 4096  # values whose spellings are remembered: names and companies come again and again
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_JOINED = re.compile(r"(?<=\w)['’ʼ`‐‑-](?=\w)")
_LONGEST_FORM = 4  # letters of a legal form that is written with full stops

Entry = tuple[tuple[str, ...], Phrase]


class _Spelling(NamedTuple):
    words: tuple[str, ...]
    loud: tuple[bool, ...]  # which must not be all lower-case
    gap: int


def value_phrases(value: str | None, field: str) -> tuple[Entry, ...]:
    """A value that is the same in any case."""
    words = tuple(folded_words(value or ""))[:MOST_WORDS]
    if not value or not _says_something(words):
        return ()
    return ((words, Phrase(((field, len(words)),), (False,) * len(words), _gap(value))),)


def name_phrases(first: str | None, last: str | None, prefix: str) -> Iterator[Entry]:
    """A person's names: both in either order, each, and each part of one that has several."""
    first_name, last_name = f"{prefix}first_name", f"{prefix}last_name"
    if first and last:
        for one in _spellings(first):
            for other in _spellings(last):
                yield from _full_names(one, other, first_name, last_name)
    if first:
        yield from _single_names(first, first_name)
    if last:
        yield from _single_names(last, last_name)


def _full_names(one: _Spelling, other: _Spelling, first_name: str, last_name: str) -> Iterator[Entry]:
    """Lower-case too, if one of the words can't be anything but a name."""
    words = one.words + other.words
    if not _says_something(words):
        return
    low = not all(word in ALSO_WORDS or is_ordinary(word) for word in words)
    gap, loud = max(one.gap, other.gap), (not low,) * len(words)
    first, last = (first_name, len(one.words)), (last_name, len(other.words))
    yield words, Phrase((first, last), loud, gap)
    yield other.words + one.words, Phrase((last, first), loud, gap)


@lru_cache(_KEPT)
def _single_names(name: str, field: str) -> tuple[Entry, ...]:
    spellings = _spellings(name)
    found = [
        (each.words, Phrase(((field, len(each.words)),), each.loud, each.gap, name=True))
        for each in spellings
        if _says_something(each.words)
    ]
    if spellings and len(spellings[0].words) > 1:
        for word, loud in zip(spellings[0].words, spellings[0].loud, strict=True):
            if len(word) > 2 and word not in PARTICLES and word not in NO_NAMES and word.isalpha():
                found.append(((word,), Phrase(((field, 1),), (loud,), GAP, name=True)))
    return tuple(found)


def company_phrases(company: str | None, email: str | None, field: str) -> tuple[Entry, ...]:
    """A company with and without its legal form and article; and its first words, where they are the label of the person's domain."""
    return _company_phrases(company, own_domain(email).partition(".")[0].replace("-", ""), field) if company else ()


@lru_cache(_KEPT)
def _company_phrases(company: str, label: str, field: str) -> tuple[Entry, ...]:
    found: list[Entry] = []
    for words, loud, gap in _spellings(company):
        bare = _without_legal_form(words)
        wordings = [words, bare]
        if bare[0] in ARTICLES:
            wordings.append(bare[1:])
        count = next((count for count in range(1, len(bare) + 1) if "".join(bare[:count]) == label), 0) if len(label) > 2 else 0
        if count:
            wordings += [bare[:count], (label,)]
        for each in wordings:
            if each and _says_something(each):
                found.append((each, Phrase(((field, len(each)),), (loud[0], *(False,) * (len(each) - 1)), gap)))
        if not _says_something(words) and len(words) > 1:
            found.append((words, Phrase(((field, len(words)),), loud, gap, exact=company.strip())))
    return tuple(dict(reversed(found)).items())


def own_domain(email: str | None) -> str:
    """The domain of an e-mail address, "" for that of a free mail service."""
    domain = (email or "").rpartition("@")[2].strip().lower()
    return "" if domain in FREE_MAIL or "." not in domain else domain


@lru_cache(_KEPT)
def _spellings(value: str) -> tuple[_Spelling, ...]:
    """A value's words as stored, and other ways to write them: without hyphen or apostrophe, "ue" for "ü"."""
    written = WORD.findall(value)[:MOST_WORDS]
    while len(written) > 1 and fold(written[0]) in TITLES:
        del written[0]
    if not written:
        return ()
    words = tuple(map(fold, written))
    low = value.islower()
    may_be_low = low and (
        not all(word in ALSO_WORDS or is_ordinary(word) for word in words) or re.fullmatch(r"\w+\.\w{2,3}", value) is not None
    )
    loud = (False,) * len(words) if may_be_low else tuple(low or not word.islower() for word in written)
    gap = _gap(value)
    found = [_Spelling(words, loud, gap)]
    if len(words) > 1 and (joined := _JOINED.sub("", value)) != value:
        found.append(_respelt(joined, len(words), loud, gap))
    if not value.isascii() and (respelt := value.translate(_UMLAUTS)) != value:
        found.append(_respelt(respelt, len(words), loud, gap))
    return tuple(found)


def _respelt(value: str, count: int, loud: tuple[bool, ...], gap: int) -> _Spelling:
    words = tuple(map(fold, WORD.findall(value)))[-count:]
    return _Spelling(words, (loud[0],) * len(words) if len(words) != count else loud, gap)


def _gap(value: str) -> int:
    """The most characters between two words of a value."""
    gap = end = 0
    for found in WORD.finditer(value):
        gap = max(gap, found.start() - end) if end else gap
        end = found.end()
    return max(gap, GAP)


def _says_something(words: tuple[str, ...]) -> bool:
    """More than one letter, a number, or words that are no name."""
    together = "".join(words)
    return (
        len(together) > 1
        and any(map(str.isalpha, together))
        and any(word not in NO_NAMES and (len(word) > 1 or not word.isascii()) for word in words)
    )


def _without_legal_form(words: tuple[str, ...]) -> tuple[str, ...]:
    while len(words) > 1:
        form = next((size for size in range(min(_LONGEST_FORM, len(words) - 1), 0, -1) if _is_legal_form(words[-size:])), 0)
        if not form:
            break
        words = words[:-form]
    return words


def _is_legal_form(words: tuple[str, ...]) -> bool:
    """ "GmbH", or "S.A." as two words."""
    return (len(words) == 1 or all(len(word) == 1 for word in words)) and "".join(words) in LEGAL_FORMS
