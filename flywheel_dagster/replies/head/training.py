"""Makes the head's weights from labelled replies: ridge regression in closed form, its strength and sharpness chosen by grouped cross-validation.

The command is python -m benchmarks.reply_head_training: run it again whenever rules, phrases, training replies or the encoder change. The same
replies give the same weights, up to the rounding of the machine's linear algebra.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.head.encoder import NAME, encoder_version
from flywheel_dagster.replies.head.features import BLOCKS, features
from flywheel_dagster.replies.head.weights import HEAD_VERSION, TASKS, Origin, Weights
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import RULES_VERSION, SIGNALS, signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRENGTHS = (0.3, 0.5, 1.0, 2.0, 4.0)  # of the regularisation
SHARPNESS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
FOLDS = 5
_NO_WORSE = 0.005  # of two that are so near in accuracy, the stronger regularisation is taken
_SHARES = {"whole": 0.5, "sentences": 0.5, "last": 0.5, "signals": 0.3, "pairs": 0.1}  # of a reply's mean square length, by block


class Fit(NamedTuple):
    """Weights, and how they were chosen: the mean accuracy over TASKS by strength, in cross-validation on the replies that count."""

    weights: Weights
    strength: float
    accuracies: Mapping[float, float]


@dataclass(frozen=True)
class _Scaled:
    """Features centred and scaled block by block, and what undoes that."""

    rows: "NDArray[np.float64]"
    mean: "NDArray[np.float64]"
    scale: "NDArray[np.float64]"


def fit(
    replies: Sequence[Mapping[str, Any]], groups: Sequence[str], counts: Sequence[bool], *, strength: float | None = None
) -> Fit:
    """The head of these labelled replies (reply_text and the fields of TASKS).

    Replies of one group, such as translations of one another, are never on both sides in cross-validation. `counts` marks those whose accuracy
    decides: replies that the rules were not made on, because on others the rules' signals look better than they are. A `strength` given here is
    not searched for. Raises InputError where there are fewer than FOLDS groups, or no reply counts.
    """
    import numpy as np

    if len(set(groups)) < FOLDS or not any(counts):
        raise InputError(
            f"{len(replies)} replies in {len(set(groups))} groups are too few to train the reply head; give {FOLDS} groups or more"
        )
    scaled = _scale(features([own_words(reply["reply_text"]) for reply in replies]))
    labels = np.array([[values.index(reply[name]) for name, values in TASKS] for reply in replies])
    targets = np.hstack([np.eye(len(values))[labels[:, task]] for task, (_, values) in enumerate(TASKS)])
    possible = np.unique(labels, axis=0)
    folds = np.array([int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS for group in groups])
    deciding = np.array(counts)
    held_out = {each: _held_out(scaled.rows, targets, folds, each) for each in ((strength,) if strength else STRENGTHS)}
    accuracies = {each: _accuracy(scores[deciding], labels[deciding]) for each, scores in held_out.items()}
    best = max(each for each in accuracies if accuracies[each] >= max(accuracies.values()) - _NO_WORSE)
    sharpness = [_sharpness(scores[deciding], labels[deciding, task]) for task, scores in enumerate(by_task(held_out[best]))]
    coefficients, middle = _ridge(scaled.rows, targets, best)
    matrix = coefficients * scaled.scale[:, None]
    origin = Origin(
        HEAD_VERSION,
        NAME,
        encoder_version() or "",
        RULES_VERSION,
        SIGNALS,
        len(replies),
        replies_hash(replies),
        signals_hash(replies),
    )
    weights = Weights(
        origin,
        matrix.astype(np.float32),
        (middle - scaled.mean @ matrix).astype(np.float32),
        np.array(sharpness, np.float32),
        possible.astype(np.int8),
    )
    return Fit(weights, best, accuracies)


def replies_hash(replies: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the training replies and their labels, in order."""
    told = [[reply["reply_text"], *(reply[name] for name, _ in TASKS)] for reply in replies]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def signals_hash(replies: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the rules' signals on these replies: another one means that the head was made with other rules."""
    told = [[round(value, 6) for value in signals(own_words(reply["reply_text"])).values()] for reply in replies]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def by_task(scores: "NDArray[Any]") -> "list[NDArray[Any]]":
    """The columns of scores, task by task as TASKS has them."""
    import numpy as np

    return np.split(scores, np.cumsum([len(values) for _, values in TASKS])[:-1], axis=1)


def _scale(rows: "NDArray[np.float64]") -> _Scaled:
    import numpy as np

    mean = rows.mean(axis=0)
    centred = rows - mean
    scale = np.empty(rows.shape[1])
    start = 0
    for name, width in BLOCKS:
        block = centred[:, start : start + width]
        scale[start : start + width] = np.sqrt(_SHARES[name] / max((block**2).sum() / len(rows), 1e-12))
        start += width
    return _Scaled(centred * scale, mean, scale)


def _ridge(
    rows: "NDArray[np.float64]", targets: "NDArray[np.float64]", strength: float
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Coefficients and intercept, by the dual form, which is smaller here: (XXᵀ + λI)⁻¹ (Y - mean)."""
    import numpy as np

    middle = targets.mean(axis=0)
    dual = np.linalg.solve(rows @ rows.T + strength * np.eye(len(rows)), targets - middle)
    return rows.T @ dual, middle


def _held_out(
    rows: "NDArray[np.float64]", targets: "NDArray[np.float64]", folds: "NDArray[np.int64]", strength: float
) -> "NDArray[np.float64]":
    """Each reply's scores from the other folds."""
    import numpy as np

    scores = np.empty_like(targets)
    for fold in np.unique(folds):
        inside = folds == fold
        coefficients, middle = _ridge(rows[~inside], targets[~inside], strength)
        scores[inside] = rows[inside] @ coefficients + middle
    return scores


def _accuracy(scores: "NDArray[np.float64]", labels: "NDArray[np.int64]") -> float:
    import numpy as np

    return float(np.mean([(each.argmax(axis=1) == labels[:, task]).mean() for task, each in enumerate(by_task(scores))]))


def _sharpness(scores: "NDArray[np.float64]", labels: "NDArray[np.int64]") -> float:
    """That which makes the held-out labels likeliest."""
    import numpy as np

    def loss(sharpness: float) -> float:
        odds = scores * sharpness
        total = np.log(np.exp(odds - odds.max(axis=1, keepdims=True)).sum(axis=1)) + odds.max(axis=1)
        return float((total - odds[np.arange(len(labels)), labels]).mean())

    return min(SHARPNESS, key=loss)
