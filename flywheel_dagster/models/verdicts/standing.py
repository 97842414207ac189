"""How a scope's running experiment stands: its arms and units, what was decided last, and what would be decided now. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.models.verdicts.deciding import Decision, consider
from flywheel_dagster.models.verdicts.rules import Rules
from flywheel_dagster.models.verdicts.running import Experiment, Units, experiment_of, units_of

_DECISIONS = 10


@dataclass(frozen=True)
class Standing:
    """`arms`: rows of each epoch. `exposed` are all units as they are today, `matured` those old enough for a verdict, at that age.

    `decided`: the newest stored decisions, newest first; `called_for`: what a decision would be now, best variant first.
    """

    experiment: Experiment
    arms: list[dict[str, Any]]
    exposed: Units
    matured: Units
    decided: list[dict[str, Any]]
    called_for: list[Decision]


def standing_of(connection: psycopg.Connection[TupleRow], scope: str, rules: Rules, *, now: datetime) -> Standing | None:
    """The standing of the scope's running experiment; None without one."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        experiment = experiment_of(connection, scope=scope)
        if experiment is None:
            return None
        of_it = {"scope": scope, "experiment_id": experiment.id, "limit": _DECISIONS}
        return Standing(
            experiment,
            arms=cursor.execute(statement("experiment_arms"), of_it).fetchall(),
            exposed=units_of(connection, experiment, as_of=now, age=None),
            matured=units_of(connection, experiment, as_of=now, age=(experiment.rules or rules).age),
            decided=cursor.execute(statement("list_decisions"), of_it).fetchall(),
            called_for=consider(connection, scope, rules, now=now),
        )
