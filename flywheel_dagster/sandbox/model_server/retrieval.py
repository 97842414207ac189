"""Finding the training prompts nearest to a new one: Okapi BM25 over words (Robertson and Zaragoza, 2009). Knows nothing of answers."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flywheel_dagster.sandbox.model_server.tokens import words

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

_SATURATION = 1.2  # k1
_LENGTH_NORMALISATION = 0.75  # b


class PromptIndex:
    """An inverted index of prompts. `shares` scales each prompt's score (1 = as it is)."""

    def __init__(self, prompts: Sequence[str], *, shares: Sequence[float]) -> None:
        import numpy as np

        self._size = len(prompts)
        self._shares = np.asarray(shares, dtype=np.float64)
        bags = [Counter(words(prompt)) for prompt in prompts]
        lengths = [bag.total() for bag in bags]
        mean = (sum(lengths) / len(lengths)) or 1.0 if lengths else 1.0
        postings: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for number, bag in enumerate(bags):
            norm = _SATURATION * (1 - _LENGTH_NORMALISATION + _LENGTH_NORMALISATION * lengths[number] / mean)
            for word, times in bag.items():
                numbers, gains = postings[word]
                numbers.append(number)
                gains.append(times * (_SATURATION + 1) / (times + norm))
        self._postings: dict[str, tuple[NDArray[int64], NDArray[float64]]] = {}
        for word, (numbers, gains) in postings.items():
            rarity = math.log(1 + (self._size - len(numbers) + 0.5) / (len(numbers) + 0.5))
            self._postings[word] = (np.array(numbers), np.array(gains) * rarity)

    def nearest(self, prompt: str, *, most: int) -> list[tuple[int, float]]:
        """The numbers and scores of up to `most` nearest prompts, best first.

        Equally near prompts are ordered by the asked prompt's hash: always the same for one prompt, spread over different ones.
        """
        import numpy as np

        scores = np.zeros(self._size)
        for word in set(words(prompt)):
            if word in self._postings:
                numbers, gains = self._postings[word]
                scores[numbers] += gains
        scores = np.round(scores * self._shares, 9)
        start = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:8]) % max(self._size, 1)
        turned = (np.arange(self._size) - start) % max(self._size, 1)
        order = np.lexsort((turned, -scores))[:most]
        return [(int(number), float(scores[number])) for number in order]
