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
# "Jane M. Doe", and "Acme" that is stored without its "GmbH & Co. KG": both belong to what is replaced.
_INITIAL = re.compile(r" [^\W\d_]\.? ")
_LEGAL_FORM = re.compile(
    r",? (?:(?:Inc|Incorporated|LLC|LLP|Ltd|Limited|PLC|plc|Corp|Corporation|g?GmbH|mbH|AG|KG|KGaA|UG|OHG|SE|SAS|SARL|SL|SLU|SRL|SpA|BV|NV|AB|ApS|"
    r"Oy|Lda|Ltda|LTDA|Eireli|Pty Ltd|Pte Ltd|SA)(?!\w)(?: & Co\.? (?:KG|OHG)(?:aA)?(?!\w))?|S\.? ?A\.? ?S|S\.A|S\.L\.U|S\.L|S\.p\.A|S\.r\.l|B\.V|N\.V|"
    r"L\.L\.C)(?!\w)(?:\.(?=,| [a-z]))?"
)
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

    def written(self, text: str, words: list[re.Match[str]], folded: tuple[str, ...]) -> tuple[int, Phrase] | None:
        """The longest phrase that begins with the first of these words and is written as it has to be; before it, its words' number."""
        for length in self.lengths.get(folded[0], ()):
            phrase = self._phrases.get(folded[:length]) if length <= len(folded) else None
            if phrase and _is_written(phrase, text, words[:length], folded[0]):
                return length, phrase
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
    done, last = 0, ""
    with_placeholders = "{{" in text
    for begin, word in word_starts(text, lead.lengths, senders.lengths):
        if begin < done or (with_placeholders and within_placeholder(text, begin)):
            continue
        of_lead, of_senders = lead.lengths.get(word), senders.lengths.get(word)
        words = list(islice(WORD.finditer(text, begin), max(of_lead[0] if of_lead else 0, of_senders[0] if of_senders else 0)))
        folded = (word, *[fold(each[0]) for each in words[1:]])
        found = lead.written(text, words, folded) if of_lead else None
        other = senders.written(text, words, folded) if of_senders else None
        if other and (not found or other[0] > found[0]):
            found = other
        if found:
            at = 0
            for field, count in found[1].fields:
                between = text[done : words[at].start()]
                if field.endswith("last_name") and last == field.replace("last", "first") and _INITIAL.fullmatch(between):
                    between = " "
                pieces += (between, placeholder(field))
                counts[field] += 1
                at += count
                done = words[at - 1].end()
                last = field
            if last.endswith("company") and (form := _LEGAL_FORM.match(text, done)):
                done = form.end()
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _is_written(phrase: Phrase, text: str, words: list[re.Match[str]], first: str) -> bool:
    if len(words) == 1:
        return _is_name(text, words[0], first, phrase.loud[0]) if phrase.name else not (phrase.loud[0] and words[0][0].islower())
    for one, other in pairwise(words):
        if other.start() - one.end() > phrase.gap or _BRACES.search(text, one.end(), other.start()):
            return False
    if phrase.exact:
        return text[words[0].start() : words[-1].end()] == phrase.exact
    return not any(loud and word[0].islower() for word, loud in zip(words, phrase.loud, strict=True))


def _is_name(text: str, word: re.Match[str], folded: str, loud: bool) -> bool:
    """A single word as a name: capitalised or greeted, and not an ordinary word as what follows it shows."""
    begin, end = word.span()
    if loud and word[0].islower():
        return (end == len(text) or text.startswith(_ENDS_GREETING, end)) and _greets(text, begin)
    if folded in ALSO_WORDS and (follows := _FOLLOWED.match(text, end)):
        return follows[1].lower() not in WORDS_AFTER or _greets(text, begin)
    return True


def _greets(text: str, begin: int) -> bool:
    return _GREETED.search(text[max(0, begin - 16) : begin]) is not None
