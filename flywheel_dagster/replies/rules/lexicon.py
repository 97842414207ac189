"""The lists of a language (phrases/*.txt), read and made ready: how words are respelled, and the phrases of each category."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib import resources

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.rules.automaton import Match, Phrases
from flywheel_dagster.replies.rules.leaning import Leanings
from flywheel_dagster.replies.rules.wording import ADDRESS, BEGIN, COMMA, END, LINK, NAME, NUMBER, OTHER, QUESTION, folded

LANGUAGES = ("en", "es", "fr", "de", "pt")
EVERYWHERE = "any"
CATEGORIES = frozenset(
    [
        "inert",
        "unsubscribe",
        "hostile",
        "sarcasm",
        "reject",
        "no_need",
        "competitor",
        "price",
        "price_question",
        "timing",
        "when",
        "defer",
        "authority",
        "referral",
        "forwarded",
        "wrong_person",
        "left",
        "auto",
        "meeting",
        "ask",
        "interest",
        "maybe",
        "door",
        "ack",
        "bye",
    ]
)
_SAYING_NO = frozenset({"inert", "unsubscribe", "hostile", "sarcasm", "reject"})  # "not" within their gaps changes nothing
_WORD_LISTS = frozenset({"filler", "not", "but", "although", "greeting", "common"})
_MARKS = frozenset({BEGIN, END, QUESTION, COMMA, ADDRESS, LINK, NAME, NUMBER})
_LONG_ENOUGH = 6  # letters of a word in which one typing error is forgiven
_MOST_REMEMBERED = 50_000
_UMLAUT = re.compile("ae|oe|(?<![aeq])ue(?!ll)")
_HEADING = re.compile(r"\[(\w+)\]")


class Lexicon:
    """One language's lists."""

    def __init__(self, language: str, text: str) -> None:
        self.language = language
        lists = _sections(language, text)
        self._respelled = {
            folded(wrong.strip()): folded(right).split() for wrong, right in (line.split("=") for line in lists.pop("spelling", ()))
        }
        macros = {
            folded(name.strip()): folded(value).strip() for name, value in (line.split("=") for line in lists.pop("define", ()))
        }
        words = {name: frozenset(self._single_words(lists.pop(name, ()))) for name in _WORD_LISTS}
        self.negators, self.turns, self.concessions, self.greetings = (
            words[name] for name in ("not", "but", "although", "greeting")
        )
        self.common = words["common"]
        phrases = {category: [folded(line) for line in lines] for category, lines in lists.items()}
        barriers = dict.fromkeys(CATEGORIES - _SAYING_NO, self.negators | self.turns)
        self._phrases = Phrases(phrases, macros, words["filler"], self.spelled, barriers)
        self.vocabulary = self._phrases.words.union(*words.values()) - _MARKS
        self.spellings = frozenset(self._respelled)
        self._prefixes = {length: {stem for stem in self._phrases.stems if len(stem) == length + 1} for length in range(2, 16)}
        self._nearby = _one_letter_less(self.vocabulary)
        self._symbols: dict[str, str] = {}
        self._names = language != "de"  # where every noun has a capital, it tells nothing

    def spelled(self, word: str) -> list[str]:
        """A folded word as this language's lists spell it; contractions become several words."""
        if self.language == "de":
            word = _UMLAUT.sub(lambda found: found[0][0], word)
        known = self._respelled.get(word)
        if known is not None:
            return known
        if "'" in word:
            if self.language != "en":
                return [part for each in word.split("'") for part in self._respelled.get(each, (each,))]
            word = word.removesuffix("'s").replace("'", "")
            return self._respelled.get(word, [word])
        return [word]

    def read(self, sentence: list[str]) -> list[str]:
        """A sentence in the lists' words; what no list knows is OTHER. What a greeting says is left out."""
        words = [BEGIN]
        for token in self._without_greeting(sentence):
            symbol = self._symbols.get(token)
            if symbol is not None:
                words.append(symbol)
            elif token in _MARKS:
                words.append(token)
            else:
                known = [self._symbol(word, self._names and token[0].isupper()) for word in self.spelled(token.lower())]
                words += known
                if len(known) == 1 and len(self._symbols) < _MOST_REMEMBERED:
                    self._symbols[token] = known[0]
        words.append(END)
        return words

    @cached_property
    def leanings(self) -> Leanings:
        """Which way words lean by the phrases they stand in; made when first asked for."""
        return Leanings(self._phrases.uses)

    def find(self, words: list[str]) -> Iterator[Match]:
        """The phrases in a sentence that was read."""
        return self._phrases.find(words)

    def _single_words(self, lines: Iterable[str]) -> Iterator[str]:
        """What is spelled as several words ("cannot") is none of a list: "can" alone denies nothing."""
        for word in (each for line in lines for each in folded(line).split()):
            spelled = self.spelled(word)
            if len(spelled) == 1:
                yield spelled[0]

    def _without_greeting(self, sentence: list[str]) -> list[str]:
        if sentence[0] in self.greetings and COMMA in sentence[:5]:
            rest = sentence[sentence.index(COMMA) + 1 :]
            return rest or sentence
        return sentence

    def _symbol(self, word: str, capital: bool) -> str:
        if word in self.vocabulary:
            return word
        if word[0].isdigit():
            return NUMBER
        for length in range(min(len(word), 15), 1, -1):
            if f"{word[:length]}*" in self._prefixes[length]:
                return f"{word[:length]}*"
        return NAME if capital else self._meant(word) or OTHER

    def _meant(self, word: str) -> str | None:
        if not _LONG_ENOUGH <= len(word) <= 24:
            squeezed = re.sub(r"(.)\1{2,}", r"\1", word[:24])
            return squeezed if squeezed != word and squeezed in self.vocabulary else None
        for variant in (word, *(word[:at] + word[at + 1 :] for at in range(1, len(word)))):
            near = self._nearby.get(variant) or (variant if len(variant) >= _LONG_ENOUGH and variant in self.vocabulary else None)
            if near is not None and near[0] == word[0] and abs(len(near) - len(word)) <= 1:
                return near
        squeezed = re.sub(r"(.)\1{2,}", r"\1", word)
        return squeezed if squeezed in self.vocabulary else None


@cache
def lexicon(language: str) -> Lexicon:
    """The lists of a language of LANGUAGES with those that hold EVERYWHERE, or the latter alone; read at the first call."""
    names = (language,) if language == EVERYWHERE else (language, EVERYWHERE)
    folder = resources.files(__package__).joinpath("phrases")
    return Lexicon(language, "\n".join(folder.joinpath(f"{name}.txt").read_text("utf-8") for name in names))


def _sections(language: str, text: str) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = defaultdict(list)
    name = ""
    for line in (each.strip() for each in text.splitlines()):
        heading = _HEADING.fullmatch(line)
        if heading:
            name = heading[1]
            if name not in CATEGORIES | _WORD_LISTS | {"define", "spelling"}:
                raise InputError(
                    f"phrases/{language}.txt has a section [{name}], which means nothing; sections: {', '.join(sorted(CATEGORIES))}"
                )
        elif line and not line.startswith("# ") and line != "#":
            lists[name].append(line)
    return lists


def _one_letter_less(vocabulary: set[str] | frozenset[str]) -> dict[str, str]:
    near: dict[str, str] = {}
    for word in sorted(vocabulary):
        if len(word) >= _LONG_ENOUGH:
            for at in range(1, len(word)):
                near.setdefault(word[:at] + word[at + 1 :], word)
    return near
