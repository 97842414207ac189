"""Whether answers are copies of single training messages. What several messages share, as those of a campaign do, is a template and no copy."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator

from flywheel_dagster.datasets.near_duplicates import words
from flywheel_dagster.training.examination.criteria import Rule

COPIES = Rule("copied text", 0.05, "copies of one training message")
_SHINGLE = 8  # words
_COPIED = 0.5  # of a text's shingles
_SAMPLE = 200
_REMEMBERED = 3  # messages a shingle: more are as many as this

Shingle = tuple[str, ...]


class Copying:
    """Compares texts with training messages that go by once; memory holds the texts' shingles, not the messages.

    A shingle is a run of eight words. A text is a copy when more than half of its shingles stand in one training message and in no other:
    what occurs in one training document only is what memorisation is told by (k-eidetic with k = 1: Carlini et al., Extracting Training Data from
    Large Language Models, 2021, section 2), and what occurs in several is a campaign's own language, which a model is meant to learn.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._shingles = {text: shingles(text) for text in texts}
        self._messages: dict[Shingle, list[int]] = {each: [] for found in self._shingles.values() for each in found}
        self._first: dict[str, int] = {}
        self._count = 0

    def pass_by(self, message: str) -> None:
        """Takes note of a training message."""
        for each in shingles(message):
            if (seen := self._messages.get(each)) is not None and len(seen) < _REMEMBERED:
                seen.append(self._count)
        if message in self._shingles:
            self._first.setdefault(message, self._count)
        self._count += 1

    def is_copy(self, text: str) -> bool:
        """Whether it is a copy of a training message."""
        return self._is_copy(text, None)

    def is_copy_of_another(self, message: str) -> bool:
        """Whether a training message is a copy of another one, measured as answers are: it is left out itself."""
        return self._is_copy(message, self._first[message])

    def _is_copy(self, text: str, but: int | None) -> bool:
        found = self._shingles[text]
        alone: Counter[int] = Counter()
        for each in found:
            where = [number for number in self._messages[each] if number != but]
            if len(where) == 1:
                alone[where[0]] += 1
        return any(count > _COPIED * len(found) for count in alone.values())


def copies_rule(sample: Iterable[str], copying: Copying) -> Rule:
    """As many answers may be copies as training messages are copies of each other, at least 5 %."""
    measured = [copying.is_copy_of_another(message) for message in sample]
    usual = sum(measured) / len(measured) if measured else 0.0
    return Rule(COPIES.name, max(COPIES.most, usual), f"{COPIES.measured} (of which {usual:.0%} are such copies of each other)")


def sample_of(messages: Iterable[str]) -> list[str]:
    """Up to 200 different ones, always the same."""
    return heapq.nsmallest(_SAMPLE, _different(messages), key=_digest)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _different(messages: Iterable[str]) -> Iterator[str]:
    seen: set[int] = set()
    for message in messages:
        if (key := hash(message)) not in seen:
            seen.add(key)
            yield message


def shingles(text: str) -> set[Shingle]:
    """The runs of eight words of a text; the text itself where it is shorter."""
    found = words(text)
    if len(found) <= _SHINGLE:
        return {tuple(found)} if found else set()
    return {tuple(found[at : at + _SHINGLE]) for at in range(len(found) - _SHINGLE + 1)}
