"""What a scope's last weeks let an experiment find: its design for `experiments/planning.py`, from outcomes."""

from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.planning import Design, planned_units
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.verdicts.rules import Rules

_WINDOW = timedelta(weeks=8)


def design_of(
    connection: psycopg.Connection[TupleRow],
    scope: str,
    rules: Rules,
    *,
    now: datetime,
    start_percent: float = 10.0,
    variants: int = 1,
    weeks: int = 12,
) -> Design:
    """An experiment at the scope's volume and value of the last eight weeks; each variant begins with `start_percent` of the units.

    Raises InputError where too little was sent, or nothing came of it, to say anything.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("scope_past"), {"scope": scope, "now": now, "window": _WINDOW, "age": rules.age}).fetchone()
    assert row is not None
    days = rules.age / timedelta(days=1)
    if row["judged"] < 2 or not row["value_variance"]:
        raise InputError(
            f"nothing can be planned for {scope!r} yet: of {row['judged']} leads who got their first message in the last eight weeks, {days:g} days "
            "ago or more, none or all replied, met and bought alike; send messages, and ask again when their outcomes are known"
        )
    return Design(
        units_a_week=row["units_a_week"],
        value_mean=row["value_mean"],
        value_variance=row["value_variance"],
        event_share=row["event_share"],
        maturity_weeks=days / 7,
        start_share=start_percent / 100,
        full_share=max(rules.ramp_to, start_percent * variants) / 100,
        variants=variants,
        weeks=weeks,
    )


def tuned(
    connection: psycopg.Connection[TupleRow], scope: str, rules: Rules, *, now: datetime, start_percent: float, variants: int
) -> Policy:
    """The rules' policy with the sequence tightest at the scope's volume; as it is where nothing can be planned yet."""
    try:
        design = design_of(connection, scope, rules, now=now, start_percent=start_percent, variants=variants)
    except InputError:
        return rules.policy
    return replace(rules.policy, planned_units=planned_units(design))
