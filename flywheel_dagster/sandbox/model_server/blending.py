"""A text made of several: it goes over from one to another where both have the same word at about the same place. Knows nothing of models."""

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"\S+\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?\n])(?=\s)")
_GOES_OVER = 0.7
_NEAR = 3  # words
_TRIES = 8


def blend(texts: Sequence[str], chance: random.Random) -> str:
    """Begins as the first text and ends as one of them; the first text itself only where it shares no word with another.

    Where nothing was taken over on the way, the second half of the sentences comes from another text.
    """
    split = [_WORD.findall(text) for text in texts]
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, found in enumerate(split):
        for at, word in enumerate(found):
            places[word].append((number, at))
    for _ in range(_TRIES):
        if (blended := _walk(split, places, chance)) not in texts:
            return blended
    return _halves(texts[0], chance.choice(texts))


def _walk(split: Sequence[Sequence[str]], places: Mapping[str, Sequence[tuple[int, int]]], chance: random.Random) -> str:
    number, at, said = 0, 0, list[str]()
    while at < len(split[number]):  # it comes to an end: a text is followed from about as many words as were said
        word = split[number][at]
        said.append(word)
        others = [(other, there) for other, there in places[word] if other != number and abs(there + 1 - len(said)) <= _NEAR]
        if others and chance.random() < _GOES_OVER:
            number, at = chance.choice(others)
        at += 1
    return "".join(said)


def _halves(opening: str, ending: str) -> str:
    """The first half of one text's sentences, then the second half of another's."""
    first, second = _SENTENCE_END.split(opening), _SENTENCE_END.split(ending)
    return "".join(first[: (len(first) + 1) // 2] + second[(len(second) + 1) // 2 :])
