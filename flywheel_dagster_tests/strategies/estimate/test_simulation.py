"""The benchmark in small: rankings and suggestions where the truth is known."""

import numpy as np
import pytest

from benchmarks.simulated_strategies import by_segment, drawn_world, market, send, unevenly
from benchmarks.strategies import ranking_rows
from benchmarks.strategy_ranking import SETTINGS, Setting, ranks
from benchmarks.strategy_regret import regret
from flywheel_dagster.sandbox.simulator.rates import expected_rates
from flywheel_dagster.strategies.estimate.balance import imbalances
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.held import held

_SEEDS = range(10)


def test_the_markets_chances_are_the_simulators() -> None:
    world = drawn_world(3, small=True)
    of = market(world)
    for place in (0, 7):
        framework, tone = of.strategies[place]
        exact = expected_rates(world, framework=framework, tone=tone)
        assert of.rates()[:, place] == pytest.approx([exact.reply, exact.meeting, exact.deal])
        assert (of.values() @ of.mix)[place] == pytest.approx(exact.performance)


def test_where_some_strategies_get_the_good_leads_the_comparison_within_segments_is_nearer_to_the_truth_and_a_warning_is_given() -> (
    None
):
    of = market(drawn_world(1, small=True))
    sent = send(np.random.default_rng(1), of, 20_000, by_segment)
    cells = Cells(
        [of.strategies[k] for k in sent.strategy], [of.segments[k] for k in sent.segment], np.ones(20_000), sent.outcomes[0]
    )
    tried = np.bincount(sent.strategy, minlength=16)
    mean, truth = sent.outcomes[0].mean(), of.rates()[0]
    raw = np.bincount(sent.strategy, sent.outcomes[0], 16) / tried
    raw_off, held_off = [], []
    for place, strategy in enumerate(of.strategies):
        others = np.delete(np.arange(16), place)
        expected = truth[place] - np.average(truth[others], weights=tried[others])
        found = held(cells, strategy).difference
        assert found is not None
        raw_off.append(raw[place] - (mean * 20_000 - raw[place] * tried[place]) / (20_000 - tried[place]) - expected)
        held_off.append(found - expected)
    assert np.sqrt(np.mean(np.square(held_off))) < 0.8 * np.sqrt(np.mean(np.square(raw_off)))
    assert sum(bool(imbalances(cells, strategy)) for strategy in of.strategies) >= 12


@pytest.mark.acceptance
@pytest.mark.parametrize("messages", [200, 2_000, 20_000])
def test_estimates_rank_strategies_better_than_raw_rates(messages: int) -> None:
    for setting in (Setting("uneven", unevenly), Setting("confounded", by_segment)):
        found = [ranks(seed, messages, setting) for seed in _SEEDS]
        gained = np.array([each.shrunken - each.raw for each in found])
        assert (gained.mean(axis=0) > 0).all()
        assert np.mean([each.covered for each in found]) == pytest.approx(0.95, abs=0.04)


@pytest.mark.acceptance
def test_the_sampler_loses_less_than_greedy_and_uniform() -> None:
    thompson, greedy, uniform = (
        np.array([regret(seed, policy).mean() for seed in _SEEDS]) for policy in ("thompson", "greedy", "uniform")
    )
    assert thompson.mean() < greedy.mean() < uniform.mean()
    assert (thompson < uniform).all()


@pytest.mark.acceptance
def test_the_tables_have_a_row_for_every_setting_size_and_metric() -> None:
    assert len(list(ranking_rows(2, lambda: None))) == len(SETTINGS) * 3 * 4
