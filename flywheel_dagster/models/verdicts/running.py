"""An experiment as the database has it: arms by epoch, its rules, and what became of its units as sums."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.errors import DeploymentError
from flywheel_dagster.models.experiments.posterior import Prior
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.rules import Rules, stored_rules, to_store


@dataclass(frozen=True)
class ArmInEpoch:
    """An arm's model and share (0..1) in an epoch."""

    epoch: int
    arm: Arm
    registry_id: UUID
    model_version: str
    share: float


@dataclass(frozen=True)
class Experiment:
    """A scope's experiment. `rules` are its own, None until it was judged for the first time."""

    id: UUID
    scope: str
    organization_id: str | None
    rules: Rules | None
    started_at: datetime
    ended_at: datetime | None
    arms: tuple[ArmInEpoch, ...]

    @property
    def variants(self) -> tuple[Arm, ...]:
        """All variants it ever had: the probability of error is shared among them."""
        return tuple(arm for arm in (Arm.VARIANT_A, Arm.VARIANT_B) if any(each.arm is arm for each in self.arms))

    @property
    def present(self) -> dict[Arm, ArmInEpoch]:
        """The arms of the last epoch."""
        last = max(each.epoch for each in self.arms)
        return {each.arm: each for each in self.arms if each.epoch == last}

    @property
    def compared(self) -> tuple[Arm, ...]:
        """The variants that run now."""
        return tuple(arm for arm in self.variants if arm in self.present)

    def days(self, now: datetime) -> float:
        """How long it has run."""
        return ((self.ended_at or now) - self.started_at) / timedelta(days=1)


@dataclass(frozen=True)
class Units:
    """What became of an experiment's units: rows of `experiment_totals`."""

    rows: list[dict[str, Any]]

    def totals(self, experiment: Experiment, variant: Arm) -> Totals:
        """Of control and one variant, in the epochs that had both."""
        return self._by_day(experiment, variant).at(-1)

    def path(self, experiment: Experiment, variant: Arm) -> tuple[list[int], Totals]:
        """The totals after each day of the experiment on which units began to count, the days first."""
        return self._days(), self._by_day(experiment, variant)

    def counts(self, arm: Arm) -> dict[str, float]:
        """An arm's units and what became of them, over all epochs."""
        names = (
            "units",
            "unsent",
            "replied",
            "meeting",
            "deal",
            "bounced",
            "spam_reported",
            "unsubscribed",
            "negative_reply",
            "cost",
        )
        return {name: sum(row[name] for row in self.rows if row["arm"] == arm) for name in names}

    def _days(self) -> list[int]:
        return sorted({row["day"] for row in self.rows}) or [0]

    def _by_day(self, experiment: Experiment, variant: Arm) -> Totals:
        shares = {(each.epoch, each.arm): each.share for each in experiment.arms}
        epochs = sorted(epoch for epoch, arm in shares if arm is variant and (epoch, Arm.CONTROL) in shares)
        days, place = self._days(), {epoch: number for number, epoch in enumerate(epochs)}
        names = [field.name for field in fields(Totals) if field.name != "share"]
        sums = {name: np.zeros((len(days), len(epochs), 2)) for name in names}
        for row in self.rows:
            if row["arm"] in (Arm.CONTROL, variant) and row["epoch"] in place:
                at = days.index(row["day"]), place[row["epoch"]], int(row["arm"] == variant)
                for name in names:
                    sums[name][at] += row[name]
        share = [shares[epoch, variant] / (shares[epoch, variant] + shares[epoch, Arm.CONTROL]) for epoch in epochs]
        return Totals(share=np.array(share), **{name: np.cumsum(each, axis=0) for name, each in sums.items()})


def experiment_of(
    connection: psycopg.Connection[TupleRow], *, scope: str | None = None, experiment_id: UUID | None = None
) -> Experiment | None:
    """The running experiment of a scope, or one by its id; None where there is none."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("experiment_arms"), {"scope": scope, "experiment_id": experiment_id}).fetchall()
    if not rows:
        return None
    first = rows[0]
    arms = tuple(ArmInEpoch(row["epoch"], Arm(row["arm"]), row["registry_id"], row["model_version"], row["share"]) for row in rows)
    rules = stored_rules(first["policy"]) if first["policy"] else None
    return Experiment(first["id"], first["scope"], first["organization_id"], rules, first["started_at"], first["ended_at"], arms)


def variant_of(connection: psycopg.Connection[TupleRow], scope: str, arm: str) -> UUID:
    """The registry id of a variant that serves. Raises DeploymentError for an arm that the scope doesn't have."""
    experiment = experiment_of(connection, scope=scope)
    present = {} if experiment is None else experiment.present
    if arm == Arm.CONTROL or arm not in present:
        raise DeploymentError(f"scope {scope!r} has no variant {arm!r}; see flywheel model list")
    return present[Arm(arm)].registry_id


def units_of(connection: psycopg.Connection[TupleRow], experiment: Experiment, *, as_of: datetime, age: timedelta | None) -> Units:
    """The units that are `age` old (None: all), with what had happened to them by then (None: by `as_of`)."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "select set_config('work_mem', '256MB', true), set_config('jit', 'off', true)"
        )  # hundreds of thousands of units
        values = {"experiment_id": experiment.id, "as_of": as_of, "age": age}
        return Units(cursor.execute(statement("experiment_totals"), values).fetchall())


def prior_of(
    connection: psycopg.Connection[TupleRow], experiment: Experiment, *, as_of: datetime, age: timedelta, strength: int = 200
) -> Prior | None:
    """What control's messages were worth in the three months before, worth at most `strength` units; None without any."""
    values = {
        "control_id": experiment.present[Arm.CONTROL].registry_id,
        "started_at": experiment.started_at,
        "as_of": as_of,
        "age": age,
    }
    row = connection.execute(statement("control_history"), values).fetchone()
    assert row is not None
    mean, messages = row
    return Prior(float(mean), min(messages, strength)) if messages else None


def fix_rules(connection: psycopg.Connection[TupleRow], experiment: Experiment, rules: Rules) -> None:
    """These become the experiment's own rules, unless it has some."""
    connection.execute(statement("set_experiment_policy"), {"experiment_id": experiment.id, "policy": Jsonb(to_store(rules))})


def moved_units(connection: psycopg.Connection[TupleRow], experiment: Experiment) -> int:
    """How many units a ramp moved into another arm than their first, whose effect they dilute."""
    row = connection.execute(statement("experiment_contamination"), {"experiment_id": experiment.id}).fetchone()
    assert row is not None
    return int(row[0])
