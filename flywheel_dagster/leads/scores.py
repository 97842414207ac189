"""What is answered about a lead: a score with its reasons, from the deployed version or from the prior."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import DatabaseError, FlywheelError
from flywheel_dagster.settings import Settings

if TYPE_CHECKING:
    from flywheel_dagster.leads.learning.model import LeadModel

Risk = Literal["high", "medium", "low"]
PRIOR = "prior"
"""What answers while no version is deployed."""
PRIOR_WEIGHT = 10
"""The prior rate counts as much as so many told leads."""


@dataclass(frozen=True)
class Reason:
    """Why a score is what it is. `effect` is the change of log-odds against the field's usual value; None for what isn't about a field."""

    said: str
    field: str | None = None
    value: object = None
    effect: float | None = None

    def as_json(self) -> dict[str, object]:
        """As answers and the history have it."""
        return {"field": self.field, "value": self.value, "effect": self.effect, "said": self.said}


@dataclass(frozen=True)
class Score:
    """How likely a lead is to convert, 0..1."""

    conversion_score: float
    risk_category: Risk
    reasons: list[dict[str, object]]


@dataclass(frozen=True)
class Thresholds:
    """From where on a score is called high, and medium."""

    high: float
    medium: float

    @classmethod
    def of(cls, settings: Settings) -> "Thresholds":
        """As they are set."""
        return cls(settings.lead_high, settings.lead_medium)

    def category(self, score: float) -> Risk:
        """The word for a score."""
        return "high" if score >= self.high else "medium" if score >= self.medium else "low"


class Scorer(Protocol):
    """Scores leads. `version` says who it was."""

    @property
    def version(self) -> str: ...

    def score(self, leads: Sequence[Mapping[str, Any]], *, explained: bool = True) -> list[Score]:
        """A score for each lead's features, in order."""
        ...


@dataclass(frozen=True)
class Prior:
    """The rate at which leads convert: as it was set, drawn to the organization's own with every told lead."""

    set_rate: float
    told: int
    converted: int
    thresholds: Thresholds
    version: str = PRIOR

    @property
    def rate(self) -> float:
        """The posterior mean of a Beta prior that counts as PRIOR_WEIGHT leads."""
        return (self.converted + PRIOR_WEIGHT * self.set_rate) / (self.told + PRIOR_WEIGHT)

    def score(self, leads: Sequence[Mapping[str, Any]], *, explained: bool = True) -> list[Score]:
        """The same for all."""
        said = (
            f"no model is deployed yet, so this is the rate at which leads convert: {100 * self.set_rate:g} % as set, "
            f"counted as {PRIOR_WEIGHT} leads, and {self.converted} of {self.told} told leads"
        )
        reasons = [Reason(said).as_json()] if explained else []
        return [Score(self.rate, self.thresholds.category(self.rate), reasons) for _ in leads]


@dataclass(frozen=True)
class Deployed:
    """A version that was learnt."""

    model: "LeadModel"
    version: str
    thresholds: Thresholds

    def score(self, leads: Sequence[Mapping[str, Any]], *, explained: bool = True) -> list[Score]:
        """By the model. Reasons cost several times the score."""
        return [
            Score(score, self.thresholds.category(score), _reasons(self.model, lead) if explained else [])
            for lead, score in zip(leads, self.model.score(leads).tolist(), strict=True)
        ]


def _reasons(model: "LeadModel", lead: Mapping[str, Any]) -> list[dict[str, object]]:
    return [
        Reason(_said(reason.field, reason.value, reason.effect), reason.field, reason.value, reason.effect).as_json()
        for reason in model.reasons(lead)
    ]


def _said(field: str, value: object, effect: float) -> str:
    """A sentence: how many times the odds are what they would be with the field's usual value."""
    what = f"{field} is missing" if value is None else f"{field} is {value}"
    times = math.exp(min(abs(effect), 10.0))
    return f"{what}: {'raises' if effect > 0 else 'lowers'} the odds {times:.1f} times"


def scorer_of(connection: psycopg.Connection[TupleRow], organization_id: str, settings: Settings) -> Scorer:
    """Who scores an organization's leads now: its deployed version, or the prior."""
    with connection.cursor(row_factory=dict_row) as cursor:
        state = cursor.execute(statement("lead_scoring_state"), {"organization_id": organization_id}).fetchone()
        assert state is not None
        if state["model_id"] is None:
            return Prior(settings.lead_prior, state["told"], state["converted"], Thresholds.of(settings))
        row = cursor.execute(statement("lead_artifact"), {"model_id": state["model_id"]}).fetchone()
    assert row is not None
    return Deployed(load_model(row["artifact"], state["version"]), state["version"], Thresholds.of(settings))


def load_model(artifact: bytes, version: str) -> "LeadModel":
    """The model that was stored. Raises DatabaseError with the remedy for one that can't be read."""
    from flywheel_dagster.leads.learning.storage import load  # numpy and scipy take a while

    try:
        return load(bytes(artifact))
    except FlywheelError as error:
        raise DatabaseError(
            f"version {version} can't be read ({error}); go back to another with flywheel leads roll-back"
        ) from error
