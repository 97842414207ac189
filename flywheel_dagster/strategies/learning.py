"""Counting what changed, and learning from it: an organization's posteriors and estimates, kept where agents and dashboards read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.strategies.counts import Ages
from flywheel_dagster.strategies.dimensions import METRICS, PERFORMANCE, RATES, WEIGHTS, Strategy
from flywheel_dagster.strategies.estimate.balance import imbalances
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.fit import fit_rates
from flywheel_dagster.strategies.estimate.held import Held, held
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.prior import Prior, population_prior
from flywheel_dagster.strategies.estimate.ranking import ranked

NOBODY = ""  # whose lessons are those of an organization that has sent nothing yet
_COLUMNS = {
    "reply_rate": ("reply_trials", "replied"),
    "meeting_rate": ("meeting_trials", "meetings"),
    "close_rate": ("deal_trials", "deals"),
}
_STALE = timedelta(days=1)  # messages mature, and others learn


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did for an organization: weeks counted again, and dimensions learnt anew."""

    organization_id: str
    weeks: int
    dimensions: int


def refresh(
    connection: psycopg.Connection[TupleRow],
    organization_id: str | None = None,
    *,
    ages: Ages | None = None,
    now: datetime | None = None,
) -> Iterator[Refreshed]:
    """Bring counts and lessons in step with the outcomes, of one organization or of all, each in its own transactions.

    Weeks that didn't change aren't counted again. What is learnt anew: what counted anew, and what is a day old.
    """
    now, ages = now or datetime.now(UTC), ages or Ages()
    known = connection.execute(statement("organizations_with_outcomes"), {"organization_id": organization_id}).fetchall()
    weeks = {organization: recount(connection, organization) for (organization,) in known}
    for organization, counted_again in weeks.items():
        stale = [
            tuple(keys)
            for keys, made_at in connection.execute(statement("strategy_lessons_made"), {"organization_id": organization})
            if counted_again or made_at is None or now - made_at >= _STALE
        ]
        connection.commit()
        for keys in stale:
            _learn(connection, organization, keys, ages, now)
            connection.commit()
        yield Refreshed(organization, counted_again, len(stale))
    if weeks:
        for (keys,) in connection.execute("select keys from strategy_dimensions order by keys").fetchall():
            _learn_for_nobody(connection, tuple(keys))


def recount(connection: psycopg.Connection[TupleRow], organization_id: str) -> int:
    """Count an organization's changed weeks again, without learning from them; returns how many, in a transaction of its own."""
    counted = connection.execute("select refresh_strategies(%s)", (organization_id,)).fetchone()
    connection.commit()
    assert counted is not None
    return int(counted[0])


@dataclass(frozen=True)
class _Learner:
    """An organization's rows of a dimension by kind of lead."""

    rows: list[dict[str, Any]]

    def cells(self, trials: str, successes: str) -> Cells:
        return Cells(
            [tuple(row["strategy"]) for row in self.rows],
            [_segment(row) for row in self.rows],
            [row[trials] for row in self.rows],
            [row[successes] for row in self.rows],
        )

    def mix(self) -> dict[tuple[str, str, str, str], float]:
        sums: dict[tuple[str, str, str, str], float] = {}
        for row in self.rows:
            sums[_segment(row)] = sums.get(_segment(row), 0.0) + row["sent"]
        return sums

    def strategies(self) -> list[Strategy]:
        sums: dict[Strategy, float] = {}
        for row in self.rows:
            sums[tuple(row["strategy"])] = sums.get(tuple(row["strategy"]), 0.0) + row["sent"]
        return sorted(sums, key=lambda each: (-sums[each], each))

    def evidence(self, metric: str) -> dict[Strategy, tuple[float, float]]:
        """Trials and successes a strategy; of performance, the trials of deals and their mean value as a sum."""
        sums: dict[Strategy, dict[str, float]] = {}
        for row in self.rows:
            of = sums.setdefault(tuple(row["strategy"]), dict.fromkeys((name for pair in _COLUMNS.values() for name in pair), 0.0))
            for name in of:
                of[name] += row[name]
        if metric != PERFORMANCE:
            trials, successes = _COLUMNS[metric]
            return {strategy: (of[trials], of[successes]) for strategy, of in sums.items()}
        return {
            strategy: (
                of["deal_trials"],
                of["deal_trials"]
                * sum(WEIGHTS[name] * of[successes] / of[trials] for name, (trials, successes) in _COLUMNS.items() if of[trials]),
            )
            for strategy, of in sums.items()
        }


def _segment(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return (row["channel"], row["industry"], row["role"], row["company_size"])


def _learn(connection: psycopg.Connection[TupleRow], organization: str, keys: Strategy, ages: Ages, now: datetime) -> None:
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"organization_id": organization, "keys": list(keys), **ages.as_of(now)}
        learner = _Learner(cursor.execute(statement("strategy_cells"), values).fetchall())
    if not learner.rows:
        connection.execute(statement("forget_strategy_lesson"), {"organization_id": organization, "keys": list(keys)})
        return
    cells = {metric: learner.cells(*_COLUMNS[metric]) for metric in RATES}
    own = fit_rates(cells)
    priors = _priors(connection, organization, keys)
    posteriors = fit_rates(cells, priors=priors) if priors else own
    mix, strategies = learner.mix(), learner.strategies()
    with connection.transaction():
        connection.execute(
            statement("keep_strategy_lesson"),
            {
                "organization_id": organization,
                "keys": list(keys),
                "own": Jsonb({metric: each.to_json() for metric, each in own.items()}),
                "posteriors": Jsonb({metric: each.to_json() for metric, each in posteriors.items()}),
                "mix": Jsonb(list(mix.items())),
                "strategies": Jsonb(strategies),
            },
        )
        connection.cursor().executemany(
            statement("keep_strategy_estimate"),
            [
                {
                    "organization_id": organization,
                    "keys": list(keys),
                    "metric": metric,
                    "strategy": list(each.strategy),
                    "estimate": each.estimate,
                    "low": each.lower,
                    "high": each.upper,
                    "probability_best": each.probability_best,
                    "enough_data": each.enough_data,
                    "reason": each.reason or None,
                    **_held(cells[metric] if metric in RATES else None, each.strategy),
                    "warnings": [found.text for found in imbalances(cells["reply_rate"], each.strategy)],
                }
                for metric in METRICS
                for each in ranked(posteriors, metric=metric, mix=mix, evidence=learner.evidence(metric))
            ],
        )


def _held(cells: Cells | None, strategy: Strategy) -> dict[str, float | None]:
    """Performance is no count of successes, so it has no such comparison."""
    found: Held | None = None if cells is None else held(cells, strategy)
    if found is None or found.difference is None:
        return {"held_difference": None, "held_low": None, "held_high": None}
    return {"held_difference": found.difference, "held_low": found.lower, "held_high": found.upper}


def _learn_for_nobody(connection: psycopg.Connection[TupleRow], keys: Strategy) -> None:
    priors = _priors(connection, NOBODY, keys)
    if not priors:
        connection.execute(statement("forget_strategy_lesson"), {"organization_id": NOBODY, "keys": list(keys)})
        return
    posteriors = fit_rates({metric: Cells.empty(len(keys)) for metric in priors}, priors=priors)
    used = connection.execute(statement("strategies_of_consenting"), {"keys": list(keys)}).fetchall()
    connection.execute(
        statement("keep_strategy_lesson"),
        {
            "organization_id": NOBODY,
            "keys": list(keys),
            "own": None,
            "posteriors": Jsonb({metric: each.to_json() for metric, each in posteriors.items()}),
            "mix": Jsonb([]),
            "strategies": Jsonb([strategy for (strategy,) in used]),
        },
    )


def _priors(connection: psycopg.Connection[TupleRow], organization: str, keys: Sequence[str]) -> dict[str, Prior]:
    """What the other consenting organizations have learnt, by metric."""
    others = connection.execute(
        statement("strategy_lessons_of_others"), {"organization_id": organization, "keys": list(keys)}
    ).fetchall()
    found = {metric: population_prior(Posterior.of_json(own[metric]) for (own,) in others) for metric in RATES}
    return {metric: prior for metric, prior in found.items() if prior is not None}
