"""Counting what changed, and learning from it: an organization's posteriors and estimates, kept where agents and dashboards read them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.strategies.counts import STALE_AFTER, Ages, performance_evidence
from flywheel_dagster.strategies.dimensions import METRICS, PERFORMANCE, RATES, Strategy
from flywheel_dagster.strategies.estimate.balance import imbalances
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.design import INTERCEPT, Name
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

    Weeks that didn't change aren't counted again. What is learnt anew: what was counted anew since, what was learnt from others than those who share now, and
    what is a day old.
    """
    now, ages = now or datetime.now(UTC), ages or Ages()
    known = connection.execute(statement("organizations_with_outcomes"), {"organization_id": organization_id}).fetchall()
    weeks = {organization: recount(connection, organization) for (organization,) in known}
    for organization, counted_again in weeks.items():
        stale = [
            tuple(keys)
            for keys, made_at in connection.execute(statement("strategy_lessons_made"), {"organization_id": organization})
            if counted_again or made_at is None or now - made_at >= STALE_AFTER
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
        if metric == PERFORMANCE:
            of_rates = {rate: self.evidence(rate) for rate in RATES}
            return {
                strategy: performance_evidence({rate: of_rates[rate][strategy] for rate in RATES})
                for strategy in of_rates[RATES[0]]
            }
        sums: dict[Strategy, tuple[float, float]] = {}
        for row in self.rows:
            trials, successes = sums.get(tuple(row["strategy"]), (0.0, 0.0))
            sums[tuple(row["strategy"])] = (trials + row[_COLUMNS[metric][0]], successes + row[_COLUMNS[metric][1]])
        return sums


def _segment(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return (row["channel"], row["industry"], row["role"], row["company_size"])


def _learn(connection: psycopg.Connection[TupleRow], organization: str, keys: Strategy, ages: Ages, now: datetime) -> None:
    """In one transaction, beside which nobody counts the organization's messages or learns from them."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(7072, hashtext(%s))", (organization,))
        _learn_alone(connection, organization, keys, ages, now)


def _learn_alone(connection: psycopg.Connection[TupleRow], organization: str, keys: Strategy, ages: Ages, now: datetime) -> None:
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"organization_id": organization, "keys": list(keys), **ages.as_of(now)}
        learner = _Learner(cursor.execute(statement("strategy_cells"), values).fetchall())
    if not learner.rows:
        connection.execute(statement("forget_strategy_lesson"), {"organization_id": organization, "keys": list(keys)})
        return
    cells = {metric: learner.cells(*_COLUMNS[metric]) for metric in RATES}
    own = fit_rates(cells)
    priors, others = _priors(connection, organization, keys, own=set(own["reply_rate"].names))
    posteriors = fit_rates(cells, priors=priors) if priors else own
    mix, strategies = learner.mix(), learner.strategies()
    connection.execute(
        statement("keep_strategy_lesson"),
        {
            "organization_id": organization,
            "keys": list(keys),
            "own": Jsonb({metric: each.to_json() for metric, each in own.items()}),
            "others": others,
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
    priors, others = _priors(connection, NOBODY, keys, own=set())
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
            "others": others,
            "posteriors": Jsonb({metric: each.to_json() for metric, each in posteriors.items()}),
            "mix": Jsonb([]),
            "strategies": Jsonb([strategy for (strategy,) in used]),
        },
    )


def _priors(
    connection: psycopg.Connection[TupleRow], organization: str, keys: Sequence[str], *, own: Collection[Name]
) -> tuple[dict[str, Prior], str]:
    """What the other consenting organizations have learnt, by metric, and a digest of who they are. Of what the organization doesn't use itself, it is told what
    two of them use: one organization's own alone stay its own."""
    rows = connection.execute(
        statement("strategy_lessons_of_others"), {"organization_id": organization, "keys": list(keys)}
    ).fetchall()
    found = {}
    for metric in RATES:
        known = [Posterior.of_json(lesson[metric]) for lesson, _ in rows]
        if prior := population_prior(known):
            users = Counter(name for each in known for name in each.names)
            found[metric] = Prior(
                {name: of for name, of in prior.effects.items() if name == INTERCEPT or name in own or users[name] > 1},
                prior.scales,
            )
    return found, rows[0][1] if rows else ""
