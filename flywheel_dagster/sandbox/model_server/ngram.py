"""An interpolated n-gram model (orders 0 to 3) whose weights are fitted by expectation maximisation. Numbers only, no files.

Deleted interpolation after Jelinek and Mercer (1980): each training token is predicted from the counts of all the others, so that the
reported training loss is an honest cross-entropy and each EM step can only lower it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flywheel_dagster.sandbox.model_server.tokens import tokenise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_START, _END, _UNKNOWN = 0, 1, 2
ORDERS = 4  # uniform, one, two and three tokens
EVEN_WEIGHTS = (1 / ORDERS,) * ORDERS


@dataclass(frozen=True)
class NgramCounts:
    """The counts of a set of texts: what the model knows apart from its interpolation weights."""

    vocabulary: dict[str, int]
    unigrams: "NDArray[np.int64]"
    contexts_of_one: "NDArray[np.int64]"
    bigrams: tuple["NDArray[np.int64]", "NDArray[np.int64]"]
    contexts_of_two: tuple["NDArray[np.int64]", "NDArray[np.int64]"]
    trigrams: tuple["NDArray[np.int64]", "NDArray[np.int64]"]


def count_ngrams(texts: Sequence[str]) -> NgramCounts:
    """Count the tokens of the texts, alone and after one and two others. Seconds for tens of thousands of short texts."""
    import numpy as np

    cut = [tokenise(text) for text in texts]
    vocabulary = {"<s>": _START, "</s>": _END, "<unk>": _UNKNOWN}
    for tokens in cut:
        for token in tokens:
            vocabulary.setdefault(token, len(vocabulary))
    first, second, third = _triples(cut, vocabulary)
    size = len(vocabulary)
    pair = first * size + second
    return NgramCounts(
        vocabulary=vocabulary,
        unigrams=np.bincount(third, minlength=size),
        contexts_of_one=np.bincount(second, minlength=size),
        bigrams=np.unique(second * size + third, return_counts=True),
        contexts_of_two=np.unique(pair, return_counts=True),
        trigrams=np.unique(pair * size + third, return_counts=True),
    )


def predict(counts: NgramCounts, texts: Sequence[str], *, leave_one_out: bool = False) -> "NDArray[np.float64]":
    """The probability that each order gives to each token of the texts: one row a token, one column an order.

    With `leave_one_out` the texts are the counted ones, and each token is taken out of the counts before it is predicted.
    A context never seen passes the lower order's probability up, so that every column is a distribution.
    """
    import numpy as np

    size = len(counts.vocabulary)
    first, second, third = _triples([tokenise(text) for text in texts], counts.vocabulary)
    pair = first * size + second
    less = 1 if leave_one_out else 0
    uniform = np.full(len(third), 1 / size)
    columns = [uniform]
    seen_and_total = (
        (counts.unigrams[third], np.full(len(third), counts.unigrams.sum())),
        (_look_up(counts.bigrams, second * size + third), counts.contexts_of_one[second]),
        (_look_up(counts.trigrams, pair * size + third), _look_up(counts.contexts_of_two, pair)),
    )
    for seen, total in seen_and_total:
        known = total > less
        share = (seen - less) / np.where(known, total - less, 1)
        columns.append(np.where(known, share, columns[-1]))
    return np.stack(columns, axis=1)


def improve_weights(probabilities: "NDArray[np.float64]", weights: Sequence[float]) -> tuple[float, ...]:
    """One EM step: each weight becomes the mean share its order has in the mixture's probability."""
    import numpy as np

    if not len(probabilities):
        return tuple(weights)
    parts = probabilities * np.asarray(weights)
    shares = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return tuple(float(share) for share in shares / shares.sum())


def cross_entropy(probabilities: "NDArray[np.float64]", weights: Sequence[float]) -> float:
    """The mean of -ln p over the tokens, in nats; 0 for no tokens at all."""
    import numpy as np

    if not len(probabilities):
        return 0.0
    mixture: Any = probabilities @ np.asarray(weights)
    return float(-np.log(mixture).mean())


def _triples(
    cut: Sequence[Sequence[str]], vocabulary: dict[str, int]
) -> tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]:
    """Each predicted token with the two before it, as three arrays; a text begins with two starts and closes with an end."""
    import numpy as np

    flat: list[int] = []
    for tokens in cut:
        flat += (_START, _START)
        flat += [vocabulary.get(token, _UNKNOWN) for token in tokens]
        flat.append(_END)
    ids = np.array(flat, dtype=np.int64)
    predicted = ids[2:] != _START
    return ids[:-2][predicted], ids[1:-1][predicted], ids[2:][predicted]


def _look_up(table: tuple["NDArray[np.int64]", "NDArray[np.int64]"], keys: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """The counts of keys in a sorted table, 0 for those it doesn't hold."""
    import numpy as np

    known, counts = table
    if not len(known):
        return np.zeros(len(keys), dtype=np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, counts[places], 0)
