"""Sequences of words that stand for a known value, and their replacement wherever a text holds them."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.placeholders import placeholder, within_placeholder
from flywheel_dagster.datasets.privacy.word_lists import ALSO_WORDS, GREETINGS, WORDS_AFTER
from flywheel_dagster.datasets.privacy.words import WORD, fold, folded_words, word_starts

MOST_WORDS = 12  # of a value; what follows is not compared
GAP = 3  # characters between two words of a value, where it was not stored with more

_BRACES = re.compile("[{}]")
_GREETED = re.compile(rf"(?:^|\W)(?:{GREETINGS})\W{{1,2}}$", re.IGNORECASE)
_FOLLOWED = re.compile(r" ([a-z']+|I)\b")
_ENDS_GREETING = (",", "!", ":", "\n", "\r", "–", "—", "-")


class Phrase(NamedTuple):
    """What stands for the words of a value, and how they have to be written to be it."""

    fields: tuple[tuple[str, int], ...]  # merge fields and how many of the words they take: one, or first and last name
    loud: tuple[bool, ...]  # which words must not be all lower-case
    gap: int  # the most characters between two words
    name: bool = False  # a first or last name, which may be an ordinary word as well
    exact: str = ""  # the only way to write it, where its words say nothing ("AT&T")


class Phrases:
    """Phrases by their words."""

    def __init__(self) -> None:
        self.lengths: dict[str, tuple[int, ...]] = {}  # in words, of the phrases that begin with a word, longest first
        self._phrases: dict[tuple[str, ...], Phrase] = {}

    def add(self, found: Iterable[tuple[tuple[str, ...], Phrase]]) -> None:
        """Add phrases; of those with the same words, the first stays."""
        for words, phrase in found:
            if words not in self._phrases:
                self._phrases[words] = phrase
                lengths = self.lengths.get(words[0], ())
                if len(words) not in lengths:
                    self.lengths[words[0]] = (len(words),) if not lengths else tuple(sorted((*lengths, len(words)), reverse=True))

    def written(self, text: str, words: list[re.Match[str]], folded: tuple[str, ...]) -> tuple[Phrase, int] | None:
        """The longest phrase that begins with the first of these words and is written as it has to be; and its words' number."""
        for length in self.lengths.get(folded[0], ()):
            phrase = self._phrases.get(folded[:length]) if length <= len(folded) else None
            if phrase and _is_written(phrase, text, words[:length]):
                return phrase, length
        return None

    def named_in(self, link: str) -> bool:
        """Whether a phrase stands in a link, in which all words are lower-case: one of several words, or one that is no ordinary word."""
        words = folded_words(link)
        for at, word in enumerate(words):
            for length in self.lengths.get(word, ()):
                if tuple(words[at : at + length]) in self._phrases and (length > 1 or (len(word) > 3 and word not in ALSO_WORDS)):
                    return True
        return False


def replace_phrases(text: str, lead: Phrases, senders: Phrases, counts: Counter[str]) -> str:
    """The text with merge fields for the phrases, the longest first; of those with the same words, the lead's. Placeholders stay."""
    pieces: list[str] = []
    done = 0
    for begin in word_starts(text, lead.lengths, senders.lengths):
        if begin < done or within_placeholder(text, begin):
            continue
        words = list(islice(WORD.finditer(text, begin), 1))
        first = fold(words[0][0])
        longest = max(lead.lengths.get(first, (0,))[0], senders.lengths.get(first, (0,))[0])
        if longest > 1:
            words = list(islice(WORD.finditer(text, begin), longest))
        folded = (first, *(fold(word[0]) for word in words[1:]))
        found, other = lead.written(text, words, folded), senders.written(text, words, folded)
        if other and (not found or other[1] > found[1]):
            found = other
        if found:
            phrase, _ = found
            at = 0
            for field, count in phrase.fields:
                pieces += (text[done : words[at].start()], placeholder(field))
                counts[field] += 1
                at += count
                done = words[at - 1].end()
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _is_written(phrase: Phrase, text: str, words: list[re.Match[str]]) -> bool:
    for one, other in pairwise(words):
        if other.start() - one.end() > phrase.gap or _BRACES.search(text, one.end(), other.start()):
            return False
    begin, end = words[0].start(), words[-1].end()
    if phrase.exact:
        return text[begin:end] == phrase.exact
    alone = phrase.name and len(words) == 1
    if any(loud and word[0].islower() for word, loud in zip(words, phrase.loud, strict=True)):
        return alone and (end == len(text) or text.startswith(_ENDS_GREETING, end)) and _greets(text, begin)
    if alone and fold(words[0][0]) in ALSO_WORDS and (follows := _FOLLOWED.match(text, end)):
        return follows[1].lower() not in WORDS_AFTER or _greets(text, begin)
    return True


def _greets(text: str, begin: int) -> bool:
    return _GREETED.search(text[max(0, begin - 16) : begin]) is not None
