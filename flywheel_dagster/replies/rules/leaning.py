"""Which way words lean that make no phrase of the lists: by the company that each of them keeps there. What follows is decided in verdict.py."""

from collections import Counter
from collections.abc import Collection, Mapping
from math import exp, log

_FAMILIES = {
    "refusal": ("unsubscribe", "hostile", "sarcasm", "reject", "bye"),
    "no_need": ("no_need",),
    "competitor": ("competitor",),
    "price": ("price",),
    "later": ("timing", "when", "defer", "maybe", "door"),
    "others": ("authority", "referral", "forwarded", "wrong_person", "left"),
    "warmth": ("meeting", "ask", "interest", "price_question"),
    "thanks": ("ack",),
}
FAMILIES = tuple(_FAMILIES)
_FAMILY_OF = {category: family for family, categories in _FAMILIES.items() for category in categories}
_CAUTION = 4.0  # uses in phrases that a word is thought to have besides, spread as those of all words are


class Leanings:
    """For every word of the lists, how much more often than others it stands in the phrases of each of FAMILIES."""

    def __init__(self, uses: Mapping[str, Mapping[str, int]]) -> None:
        by_word = {word: _by_family(counts) for word, counts in uses.items() if word[0].isalpha()}
        overall: Counter[str] = Counter()
        for counts in by_word.values():
            overall.update(counts)
        everything = max(1, overall.total())
        usual = [max(overall[family], 1) / everything for family in FAMILIES]
        self._of = {
            word: tuple(
                log((counts[family] / share + _CAUTION) / (counts.total() + _CAUTION))
                for family, share in zip(FAMILIES, usual, strict=True)
            )
            for word, counts in by_word.items()
        }

    def shares(self, words: Collection[str]) -> dict[str, float]:
        """How likely each of FAMILIES is by these words: together 1, or nothing where no word says anything."""
        known = [self._of[word] for word in words if word in self._of]
        if not known:
            return {}
        sums = list(map(sum, zip(*known, strict=True)))
        most = max(sums)
        weights = [exp(each - most) for each in sums]
        whole = sum(weights)
        return {family: weight / whole for family, weight in zip(FAMILIES, weights, strict=True)}


def _by_family(counts: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for category, count in counts.items():
        if category in _FAMILY_OF:
            found[_FAMILY_OF[category]] += count
    return found
