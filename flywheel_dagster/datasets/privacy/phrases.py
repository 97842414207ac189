"""Known values as sequences of words, and where a text holds them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.placeholders import PLACEHOLDER, placeholder
from flywheel_dagster.datasets.privacy.word_lists import (
    ALSO_WORDS,
    ARTICLES,
    FREE_MAIL,
    GREETINGS,
    LEGAL_FORMS,
    NO_NAMES,
    PARTICLES,
    TITLES,
    WORDS_AFTER,
)
from flywheel_dagster.datasets.privacy.words import WORD, fold, folded_words
from flywheel_dagster.replies.closing_words import is_ordinary

_MOST_WORDS = 40  # of a value; what follows is not compared
_GAP = 3  # characters between two words of a value, where it was not stored with more
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_GREETED = re.compile(rf"(?:^|\W)(?:{GREETINGS})\W{{1,2}}$", re.IGNORECASE)


class Phrase(NamedTuple):
    """What stands for the words of a value, and how they have to be written to be it."""

    fields: tuple[str, ...]  # merge fields, one or first and last name
    loud: tuple[bool, ...]  # which words must not be all lower-case
    gap: int  # the most characters between two words, where these are more than _GAP
    name: bool  # of a person: it may be a word as well


class Phrases:
    """Phrases by their words."""

    def __init__(self) -> None:
        self.lengths: dict[str, tuple[int, ...]] = {}  # of the phrases that begin with a word, longest first
        self.phrases: dict[tuple[str, ...], Phrase] = {}

    def add_all(self, found: Iterable[tuple[tuple[str, ...], Phrase]]) -> None:
        """Add phrases; of those with the same words, the first stays."""
        for words, phrase in found:
            if words in self.phrases:
                continue
            self.phrases[words] = phrase
            lengths = self.lengths.get(words[0], ())
            if len(words) not in lengths:
                self.lengths[words[0]] = tuple(sorted((*lengths, len(words)), reverse=True))

    def named_in(self, link: str) -> bool:
        """Whether a phrase stands in a link, in which all words are lower-case: one of several words, or one that is no ordinary word."""
        words = folded_words(link)
        for at, word in enumerate(words):
            for length in self.lengths.get(word, ()):
                if tuple(words[at : at + length]) in self.phrases and (length > 1 or (len(word) > 3 and word not in ALSO_WORDS)):
                    return True
        return False


Found = Iterator[tuple[tuple[str, ...], Phrase]]


def value_phrase(value: str | None, name: str) -> Found:
    """A value that is the same in any case."""
    words = tuple(folded_words(value or ""))[:_MOST_WORDS]
    if value and _says_something(words):
        yield words, Phrase((name,), (False,) * len(words), _gap(value), False)


def name_phrases(first: str | None, last: str | None, prefix: str) -> Found:
    """A person's names: both, each, and each part of one that has several."""
    firsts, lasts = (list(_spellings(value)) for value in (first, last))
    for one in firsts:
        for other in lasts:
            together = one.words + other.words
            low = len(together) > 1 and not all(word in ALSO_WORDS or is_ordinary(word) for word in together)
            gap = max(_GAP, one.gap, other.gap)
            for words, fields in ((together, ("first_name", "last_name")), (other.words + one.words, ("last_name", "first_name"))):
                loud = (False,) * len(words) if low else (True,) * len(words)
                yield words, Phrase(tuple(prefix + each for each in fields), loud, gap, False)
    for spellings, name in ((firsts, f"{prefix}first_name"), (lasts, f"{prefix}last_name")):
        for each in spellings:
            if _says_something(each.words):
                yield each.words, Phrase((name,), each.loud, each.gap, True)
        for each in spellings[:1]:
            for word, is_loud in zip(each.words, each.loud, strict=True):
                if len(each.words) > 1 and len(word) > 2 and word not in PARTICLES and word not in NO_NAMES and word.isalpha():
                    yield (word,), Phrase((name,), (is_loud,), _GAP, True)


def company_phrases(company: str | None, email: str | None, name: str) -> Found:
    """A company with and without its legal form and article; and its first words where they are the label of the person's domain."""
    for spelling in _spellings(company):
        words, loud = spelling.words, (spelling.loud[0],) + (False,) * (len(spelling.words) - 1)
        bare = _without_legal_form(words)
        for each in (words, bare):
            if _says_something(each):
                yield each, Phrase((name,), loud[: len(each)], spelling.gap, False)
        if bare[0] in ARTICLES and _says_something(bare[1:]):
            yield bare[1:], Phrase((name,), spelling.loud[1:2] + (False,) * (len(bare) - 2), spelling.gap, False)
        label = fold(_domain(email).partition(".")[0]).replace("-", "")
        for count in range(1, len(words)):
            if len(label) > 2 and "".join(words[:count]) == label and _says_something(words[:count]):
                yield words[:count], Phrase((name,), (True,) + (False,) * (count - 1), spelling.gap, False)
                yield (label,), Phrase((name,), (True,), _GAP, False)


def domain_phrases(email: str | None, name: str) -> tuple[str, Found]:
    """The domain of an e-mail address, "" for a free mail service's."""
    domain = _domain(email)
    return domain, value_phrase(domain, name)


def replace_phrases(text: str, lead: Phrases, senders: Phrases, counts: Counter[str]) -> str:
    """The text with merge fields for the phrases, the longest first; of those with the same words, the lead's. Placeholders stay."""
    words = folded_words(text)
    present = set(words)
    if lead.lengths.keys().isdisjoint(present) and senders.lengths.keys().isdisjoint(present):
        return text
    spans = [found.span() for found in WORD.finditer(text)]
    kept = [found.span() for found in PLACEHOLDER.finditer(text)] if "{{" in text else []
    pieces: list[str] = []
    done = at = passed = 0
    while at < len(words):
        word = words[at]
        found = None
        if word in lead.lengths or word in senders.lengths:
            while passed < len(kept) and kept[passed][1] <= spans[at][0]:
                passed += 1
            if passed == len(kept) or spans[at][0] < kept[passed][0]:
                found = _phrase_at(text, words, spans, at, lead, senders)
        if found is None:
            at += 1
            continue
        phrase, length = found
        pieces += (text[done : spans[at][0]], " ".join(placeholder(name) for name in phrase.fields))
        counts.update(phrase.fields)
        done = spans[at + length - 1][1]
        at += length
    pieces.append(text[done:])
    return "".join(pieces)


def _phrase_at(
    text: str, words: list[str], spans: list[tuple[int, int]], at: int, lead: Phrases, senders: Phrases
) -> tuple[Phrase, int] | None:
    best: tuple[Phrase, int] | None = None
    for known in (lead, senders):
        for length in known.lengths.get(words[at], ()):
            if best and length <= best[1]:
                break
            phrase = known.phrases.get(tuple(words[at : at + length]))
            if phrase and _is_written(phrase, text, spans[at : at + length]):
                best = phrase, length
                break
    return best


def _is_written(phrase: Phrase, text: str, spans: list[tuple[int, int]]) -> bool:
    for (_, end), (begin, _) in pairwise(spans):
        if begin - end > max(_GAP, phrase.gap) or "{" in text[end:begin] or "}" in text[end:begin]:
            return False
    begin, end = spans[0][0], spans[-1][1]
    if any(loud and text[slice(*span)].islower() for span, loud in zip(spans, phrase.loud, strict=True)):
        return phrase.name and len(spans) == 1 and text[end : end + 1] in ",!:\n–—-" and _greets(text, begin)
    if phrase.name and len(spans) == 1 and fold(text[begin:end]) in ALSO_WORDS:
        follows = re.compile(r" ([a-z']+)").match(text, end)
        return not (follows and follows[1] in WORDS_AFTER) or _greets(text, begin)
    return True


def _greets(text: str, begin: int) -> bool:
    return _GREETED.search(text[max(0, begin - 16) : begin]) is not None


class _Spelling(NamedTuple):
    words: tuple[str, ...]
    loud: tuple[bool, ...]
    gap: int


def _spellings(value: str | None) -> Iterator[_Spelling]:
    """A value's words as stored, and other ways to write them: without hyphen or apostrophe, "ue" for "ü"."""
    if not value:
        return
    written = WORD.findall(value)[:_MOST_WORDS]
    while len(written) > 1 and fold(written[0]) in TITLES:
        del written[0]
    if not written:
        return
    low = value.islower() and not all(fold(word) in ALSO_WORDS or is_ordinary(word) for word in written)
    loud = (False,) * len(written) if low else tuple(value.islower() or not word.islower() for word in written)
    words = tuple(map(fold, written))
    gap = _gap(value)
    yield _Spelling(words, loud, gap)
    if len(words) > 1 and any(sign in value for sign in "'’-‐‑ʼ`"):
        yield _Spelling(("".join(words),), (not low,), gap)
    respelt = value.translate(_UMLAUTS)
    if respelt != value:
        yield _Spelling(tuple(map(fold, WORD.findall(respelt)[-len(words) :])), loud, gap)


def _gap(value: str) -> int:
    spans = [found.span() for found in WORD.finditer(value)]
    return max((begin - end for (_, end), (begin, _) in pairwise(spans)), default=_GAP)


def _says_something(words: tuple[str, ...]) -> bool:
    """Two letters at least, and more than words that are no name."""
    letters = sum(character.isalpha() for word in words for character in word)
    return letters > 1 and not all(word in NO_NAMES or (len(word) == 1 and word.isascii()) for word in words)


def _without_legal_form(words: tuple[str, ...]) -> tuple[str, ...]:
    bare = words
    while len(bare) > 1:
        form = next((size for size in (4, 3, 2, 1) if len(bare) > size and _is_legal_form(bare[-size:])), 0)
        if not form:
            break
        bare = bare[:-form]
    return bare


def _is_legal_form(words: tuple[str, ...]) -> bool:
    return "".join(words) in LEGAL_FORMS and (len(words) == 1 or all(len(word) == 1 for word in words))


def _domain(email: str | None) -> str:
    domain = (email or "").rpartition("@")[2].strip().lower()
    return "" if domain in FREE_MAIL or "." not in domain else domain
