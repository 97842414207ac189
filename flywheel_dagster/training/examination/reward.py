"""A model of how probably a message has success, learnt from outcomes, with an honest account of whether it can tell at all.

Logistic regression on hashed words with a quadratic penalty, calibrated by a logistic curve on scores of rows it was not fitted on (Platt,
Probabilistic Outputs for Support Vector Machines, 1999). It is made anew for each examination and kept nowhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flywheel_dagster.training.examination.reward_data import Message, Outcomes, assign_folds, text_groups
from flywheel_dagster.training.examination.reward_features import audience_matrix, message_matrix
from flywheel_dagster.training.examination.statistics import Interval, mean_interval

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

_FEWEST = 100  # rows
_FEWEST_OF_A_KIND = 20  # rows with success, and without
_FEWEST_TEXTS = 20  # groups of near-duplicates
_FEWEST_LEADS = 20
_FOLDS = 4
_BINS = 5
_INVERSE_PENALTY = 0.3
_LEAST_GAIN = 1e-6  # nats a row: less is rounding
_CONFIDENCE = 0.9  # two-sided, so 95 % on the one side that counts


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of about the same prediction: their mean prediction, and the share that had success."""

    predicted: float
    observed: float
    rows: int


@dataclass(frozen=True)
class RewardReport:
    """How the reward model fared on leads and texts that it did not learn from. Losses are means of -ln p (nats a row); Brier's are squares.

    `base` is a model that always says the base rate, `audience` one that knows whom a message is for, but not the message. The gains are in
    log loss, over each of them, with an interval over leads of which the lower end is a one-sided 95 % bound. `why_not` says why it can't
    judge texts (None: it can).
    """

    rows: int
    successes: int
    why_not: str | None
    auc: float | None = None
    brier: float | None = None
    brier_base: float | None = None
    log_loss: float | None = None
    log_loss_base: float | None = None
    log_loss_audience: float | None = None
    gain_over_base: Interval | None = None
    gain_over_audience: Interval | None = None
    calibration: tuple[CalibrationBin, ...] = ()


@dataclass(frozen=True)
class RewardModel:
    """Tells the probability of success of a message to its audience."""

    classifier: Any
    slope: float
    intercept: float

    def score(self, messages: Sequence[Message]) -> list[float]:
        """Calibrated probabilities, in the messages' order."""
        if not messages:
            return []
        margins = self.classifier.decision_function(message_matrix(messages))
        return [float(value) for value in _probability(margins, self.slope, self.intercept)]


def train_reward(outcomes: Outcomes) -> tuple[RewardModel | None, RewardReport]:
    """The model and how well it tells, or None with the reason.

    It can tell if its log loss, on leads and near-duplicate texts that it was not fitted on, is significantly below that of the base rate, and
    below that of the audience alone: who is written to says much about success, but nothing about a message. The same outcomes give the same model.
    """
    import numpy as np

    won = np.array(outcomes.won, dtype=bool)
    rows, successes = len(won), int(won.sum())
    groups = text_groups([message.text for message in outcomes.messages])
    if why := _too_few(rows, successes, len(set(groups)), len(set(outcomes.leads))):
        return None, RewardReport(rows, successes, why)
    of_lead, of_text = (np.array(each) for each in assign_folds(outcomes.leads, groups, _FOLDS))
    full, audience = message_matrix(outcomes.messages), audience_matrix(outcomes.messages)
    margins = _held_out(full, won, of_lead, of_text)
    told = _cross_calibrated(margins, won, of_lead)
    by_audience = _cross_calibrated(_held_out(audience, won, of_lead, of_text), won, of_lead)
    by_base = _base_rates(won, of_lead)
    report = _report(outcomes, won, told, by_audience, by_base)
    if report.why_not is not None:
        return None, report
    slope, intercept = _calibration(margins, won)
    return RewardModel(_fitted(full, won), slope, intercept), report


def _too_few(rows: int, successes: int, texts: int, leads: int) -> str | None:
    if rows < _FEWEST or min(successes, rows - successes) < _FEWEST_OF_A_KIND:
        return f"{rows} outcomes with {successes} successes are too few to learn from (at least {_FEWEST}, and {_FEWEST_OF_A_KIND} of each kind)"
    if texts < _FEWEST_TEXTS or leads < _FEWEST_LEADS:
        return (
            f"{texts} different messages to {leads} leads are too few to learn from (at least {_FEWEST_TEXTS} to {_FEWEST_LEADS})"
        )
    return None


def _fitted(matrix: Any, won: "NDArray[Any]") -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_INVERSE_PENALTY, solver="newton-cg", tol=1e-3).fit(matrix, won)


def _held_out(matrix: Any, won: "NDArray[Any]", of_lead: "NDArray[Any]", of_text: "NDArray[Any]") -> "NDArray[float64]":
    """Each row's score by a model that knows neither its lead nor a text like its own."""
    import numpy as np

    margins = np.zeros(len(won))
    for lead_fold, text_fold in sorted(set(zip(of_lead.tolist(), of_text.tolist(), strict=True))):
        held = (of_lead == lead_fold) & (of_text == text_fold)
        known = (of_lead != lead_fold) & (of_text != text_fold)
        if 0 < won[known].sum() < known.sum():
            margins[held] = _fitted(matrix[known], won[known]).decision_function(matrix[held])
        else:
            margins[held] = _logit(won.mean())
    return margins


def _calibration(margins: "NDArray[float64]", won: "NDArray[Any]") -> tuple[float, float]:
    """Slope and intercept of Platt's curve; the base rate's where scores tell the contrary of what they should."""
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e3).fit(margins.reshape(-1, 1), won)
    slope = float(curve.coef_[0, 0])
    return (slope, float(curve.intercept_[0])) if slope > 0 else (0.0, _logit(float(won.mean())))


def _cross_calibrated(margins: "NDArray[float64]", won: "NDArray[Any]", of_lead: "NDArray[Any]") -> "NDArray[float64]":
    """Probabilities by curves that were fitted on other leads."""
    import numpy as np

    told = np.zeros(len(won))
    for fold in np.unique(of_lead):
        others = of_lead != fold
        told[~others] = _probability(margins[~others], *_calibration(margins[others], won[others]))
    return told


def _base_rates(won: "NDArray[Any]", of_lead: "NDArray[Any]") -> "NDArray[float64]":
    """The base rate, as other leads tell it."""
    import numpy as np

    rates = np.zeros(len(won))
    for fold in np.unique(of_lead):
        rates[of_lead == fold] = won[of_lead != fold].mean()
    return rates


def _report(
    outcomes: Outcomes,
    won: "NDArray[Any]",
    told: "NDArray[float64]",
    by_audience: "NDArray[float64]",
    by_base: "NDArray[float64]",
) -> RewardReport:
    from sklearn.metrics import roc_auc_score

    losses, of_audience, of_base = (_losses(each, won) for each in (told, by_audience, by_base))
    over_base = mean_interval(list(of_base - losses), outcomes.leads, confidence=_CONFIDENCE)
    over_audience = mean_interval(list(of_audience - losses), outcomes.leads, confidence=_CONFIDENCE)
    why_not = None
    if over_base.low <= _LEAST_GAIN:
        why_not = "it tells success no better than the base rate does"
    elif over_audience.low <= _LEAST_GAIN:
        why_not = "it tells success no better from message and audience than from the audience alone"
    return RewardReport(
        rows=len(won),
        successes=int(won.sum()),
        why_not=why_not,
        auc=float(roc_auc_score(won, told)),
        brier=float(((told - won) ** 2).mean()),
        brier_base=float(((by_base - won) ** 2).mean()),
        log_loss=float(losses.mean()),
        log_loss_base=float(of_base.mean()),
        log_loss_audience=float(of_audience.mean()),
        gain_over_base=over_base,
        gain_over_audience=over_audience,
        calibration=_bins(told, won),
    )


def _bins(told: "NDArray[float64]", won: "NDArray[Any]") -> tuple[CalibrationBin, ...]:
    """As many rows in each, from the least to the most probable."""
    import numpy as np

    parts = np.array_split(np.argsort(told, kind="stable"), _BINS)
    return tuple(CalibrationBin(float(told[part].mean()), float(won[part].mean()), len(part)) for part in parts)


def _losses(told: "NDArray[float64]", won: "NDArray[Any]") -> "NDArray[float64]":
    import numpy as np

    right = np.where(won, told, 1 - told)
    found: NDArray[float64] = -np.log(np.clip(right, 1e-6, 1))
    return found


def _probability(margins: "NDArray[float64]", slope: float, intercept: float) -> "NDArray[float64]":
    import numpy as np

    found: NDArray[float64] = 1 / (1 + np.exp(-(slope * margins + intercept)))
    return found


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
