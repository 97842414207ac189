"""The benchmark in small: verdicts where the truth is known."""

import numpy as np
import pytest

from benchmarks.experiments import Line as SimulatedLine
from benchmarks.experiments import crossed, misses, re_examined, rows, run
from benchmarks.simulated_experiments import AGE, DAYS, World, simulate, totals
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.planning import Design, plan
from flywheel_dagster.models.experiments.policies import EVIDENCE, SCORE
from flywheel_dagster.models.experiments.verdict import Verdict

pytestmark = pytest.mark.acceptance
_EXPERIMENTS = 200


def test_an_equal_model_is_seldom_promoted_though_one_looks_daily_and_the_plain_rule_often_does() -> None:
    days = simulate(World("equal"), experiments=_EXPERIMENTS, seed=11)
    daily, plain = run(days, every=1, policy=EVIDENCE), run(days, every=7, policy=SCORE)
    assert daily.verdicts[Verdict.PROMOTE] / _EXPERIMENTS <= 0.05
    assert plain.verdicts[Verdict.PROMOTE] / _EXPERIMENTS >= 0.30


def test_where_no_bound_is_crossed_the_verdict_is_inconclusive() -> None:
    days = simulate(World("better", 0.3), experiments=30, seed=10)
    matured, exposed = totals(days, maturity=AGE), totals(days, maturity=0)
    called_for = crossed(matured, exposed, EVIDENCE)
    for one, look in np.argwhere(~called_for):
        found = judge(matured.at(one, look), exposed=exposed.at(one, look), days=look + 1)
        assert found.verdict is Verdict.INCONCLUSIVE
    assert 0.1 < called_for.mean() < 0.9


def test_a_worse_model_is_never_promoted_and_a_better_one_mostly() -> None:
    worse = run(simulate(World("worse", -0.2), experiments=_EXPERIMENTS, seed=12), every=7, policy=EVIDENCE)
    better_days = simulate(World("better", 0.3), experiments=_EXPERIMENTS, seed=13)
    better = run(better_days, every=7, policy=EVIDENCE)
    assert worse.verdicts[Verdict.PROMOTE] == 0
    assert better.verdicts[Verdict.PROMOTE] / _EXPERIMENTS >= 0.70
    assert re_examined(better_days, better.promoted, EVIDENCE).total() == len(better.promoted)


@pytest.mark.parametrize(
    "world",
    [World("drift", drift=0.5), World("low share", ramp=False), World("better", 0.5, delays=(0.0, 0.0, 0.0), ramp=False)],
    ids=lambda world: world.name,
)
def test_bounds_cover_the_truth_at_all_looks(world: World) -> None:
    lower, upper = misses(world, simulate(world, experiments=1_000, seed=14), EVIDENCE)
    assert lower <= EVIDENCE.alpha and upper <= EVIDENCE.alpha


def test_of_two_equal_variants_one_is_seldom_promoted() -> None:
    found = run(simulate(World("two", variants=2), experiments=_EXPERIMENTS, seed=15), every=7, policy=EVIDENCE, variants=2)
    assert found.verdicts[Verdict.PROMOTE] / _EXPERIMENTS <= 0.05


def test_the_plan_tells_the_power_that_is_seen() -> None:
    days = simulate(World("planned"), experiments=_EXPERIMENTS, seed=16)
    last = totals(days, maturity=AGE)
    control = {name: getattr(last, name)[:, -1, :, 0].sum() for name in ("units", "value", "value_squared", "valued")}
    mean = control["value"] / control["units"]
    design = Design(1_000, mean, control["value_squared"] / control["units"] - mean**2, control["valued"] / control["units"])
    detectable = plan(design)[-1].relative
    found = run(simulate(World("detectable", detectable), experiments=_EXPERIMENTS, seed=17), every=7, policy=EVIDENCE)
    assert 0.7 <= found.verdicts[Verdict.PROMOTE] / _EXPERIMENTS <= 0.95


def test_the_same_seed_gives_the_same_experiments_and_a_table() -> None:
    world = World("equal")
    one, other = (simulate(world, experiments=5, seed=18) for _ in range(2))
    assert all(np.array_equal(one.sums[name], other.sums[name]) for name in one.sums) and (one.ramped <= DAYS).all()
    counted = run(one, every=7, policy=EVIDENCE)
    [row] = rows(
        [SimulatedLine(world, misses(world, one, EVIDENCE), counted, counted, counted, counted, re_examined(one, [], EVIDENCE), 5)]
    )
    assert row[0] == "equal" and len(row) == 11
