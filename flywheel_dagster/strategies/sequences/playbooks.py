"""Playbooks as they are kept and read: made anew from the outcomes of each campaign, told in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow, class_row, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.strategies.sequences.judging import Counted, Judged, Step, judge, without_repeats
from flywheel_dagster.strategies.sequences.rules import USUAL, Level, Metric, Rules


@dataclass(frozen=True)
class Playbook:
    """A sequence of a campaign's touches and what its leads achieved, as stored. Rates are 0..1; what the numbers mean is in `sql/0025_playbooks.sql`."""

    organization_id: str
    campaign_id: str
    metric: str
    level: str
    length: int
    steps: list[Step]
    leads: int
    successes: int
    alone: int
    rate: float
    expected_rate: float
    shrunken_rate: float
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    p_value: float
    q_value: float
    supported: bool
    window_days: float
    as_of: datetime
    made_at: datetime

    @property
    def words(self) -> str:
        """Such as "email PAS professional → 3-4 days → linkedin AIDA casual"."""
        return in_words(self.steps)


@dataclass(frozen=True)
class Refreshed:
    """How many campaigns were looked through, and how many playbooks were found and supported by metric."""

    campaigns: int
    found: dict[Metric, int]
    supported: dict[Metric, int]


def refresh_playbooks(
    connection: psycopg.Connection[TupleRow],
    organization_id: str | None = None,
    *,
    now: datetime,
    rules: Rules = USUAL,
    metrics: Sequence[Metric] = tuple(Metric),
) -> Refreshed:
    """Make the playbooks of all campaigns anew, of one organization or of all. A campaign and metric is one transaction, so readers see the old
    playbooks or the new ones; who is killed begins again."""
    campaigns = connection.execute(statement("playbooks_campaigns"), {"organization_id": organization_id}).fetchall()
    connection.commit()
    found, supported = dict.fromkeys(metrics, 0), dict.fromkeys(metrics, 0)
    for organization, campaign in campaigns:
        for metric in metrics:
            with connection.transaction():
                counted = without_repeats(count_sequences(connection, organization, campaign, metric, now=now, rules=rules))
                judged = judge(counted, false_discoveries=rules.false_discoveries)
                _replace(connection, organization, campaign, metric, judged, now=now, window=rules.window(metric))
            found[metric] += len(judged)
            supported[metric] += sum(each.supported for each in judged)
    return Refreshed(len(campaigns), found, supported)


def count_sequences(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    campaign_id: str,
    metric: Metric,
    *,
    now: datetime,
    rules: Rules = USUAL,
) -> list[Counted]:
    """The sequences of a campaign that enough leads got, as of `now`. The database counts; here comes one row a sequence."""
    values = {
        "organization_id": organization_id,
        "campaign_id": campaign_id,
        "metric": metric,
        "as_of": now,
        "success_window": rules.window(metric),
        "longest": rules.longest,
        "least": rules.least_leads,
    }
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")
        return [_counted(row) for row in cursor.execute(statement("playbooks_counts"), values)]


def playbooks_of(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    campaign_id: str | None = None,
    *,
    metric: Metric = Metric.MEETING,
    level: Level | None = None,
    only_supported: bool = False,
    limit: int = 100,
) -> list[Playbook]:
    """An organization's playbooks, of one campaign or all: supported ones first, then by the lift that is left after shrinking."""
    values = {"organization_id": organization_id, "campaign_id": campaign_id, "metric": metric, "level": level}
    with connection.transaction(), connection.cursor(row_factory=class_row(Playbook)) as cursor:
        return cursor.execute(statement("playbooks"), values | {"only_supported": only_supported, "limit": limit}).fetchall()


def best_playbooks(connection: psycopg.Connection[TupleRow], metric: Metric = Metric.MEETING, *, limit: int = 50) -> list[Playbook]:
    """The best playbooks of all organizations: for who runs the pipeline, never for a tenant."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Playbook)) as cursor:
        return cursor.execute(statement("playbooks_best"), {"metric": metric, "limit": limit}).fetchall()


def in_words(steps: Sequence[Step]) -> str:
    """Steps as a person says them; "any strategy" and the like are left out."""
    told = []
    for step in steps:
        if step.get("gap"):
            told.append(step["gap"])
        strategy = (step["strategy"] or "no known strategy").replace("_", " ") if "strategy" in step else None
        told.append(" ".join(part for part in (step.get("channel"), strategy) if part))
    return " → ".join(told)


def _counted(row: dict[str, Any]) -> Counted:
    channels, strategies, gaps = row["channels"], row["strategies"], row["gaps"]
    steps: list[Step] = []
    for place in range(row["length"]):
        step = Step(order=place + 1)
        if gaps is not None and place:
            step["gap"] = gaps[place]
        if channels is not None:
            step["channel"] = channels[place]
        if strategies is not None:
            step["strategy"] = strategies[place]
        steps.append(step)
    arrays = {name: np.array(row[name], dtype=np.int64) for name in ("leads", "successes", "all_leads", "all_successes")}
    return Counted(Level(row["level"]), tuple(steps), **arrays, alone=row["alone"])


def _replace(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    campaign_id: str,
    metric: Metric,
    judged: Sequence[Judged],
    *,
    now: datetime,
    window: timedelta,
) -> None:
    where = {"organization_id": organization_id, "campaign_id": campaign_id, "metric": metric}
    common = where | {"window_days": window / timedelta(days=1), "as_of": now}
    with connection.cursor() as cursor:
        cursor.execute("lock table playbooks in share row exclusive mode")  # two at once would both add theirs; readers go on
        cursor.execute(statement("playbooks_forget"), where)
        cursor.executemany(
            statement("playbooks_keep"),
            [asdict(each) | common | {"length": len(each.steps), "steps": Jsonb(list(each.steps))} for each in judged],
        )
