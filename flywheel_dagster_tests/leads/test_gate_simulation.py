"""The gate where the truth is known: a model that is no better is seldom deployed, one that is better is. Small here, whole in `make acceptance`."""

from collections.abc import Callable

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.lead_gate import HELD_OUT, SETTINGS, one_look, real, simulated, ten_looks
from benchmarks.lead_worlds import World

_EQUAL, *_BETTER = SETTINGS


def test_of_equal_models_few_are_deployed_and_of_better_ones_more() -> None:
    with threadpool_limits(limits=1):
        equal = one_look(simulated(rows=8_000), _EQUAL, repeats=50, seed=3)
        better = one_look(simulated(rows=8_000), _BETTER[0], repeats=30, seed=3)
    assert all(tally.shares(0)[1] <= 0.05 for tally in equal.values())
    assert equal[50].shares(1)[1] > 0.05  # the plain rule's
    assert better[1_500].shares(0)[0] > 0.5


def test_ten_looks_at_one_deployed_version_do_not_wear_the_gate_down() -> None:
    with threadpool_limits(limits=1):
        found = ten_looks(simulated(rows=8_000), repeats=30, seed=3)
    assert found.shares(0)[1] <= 0.05 < found.shares(1)[1]


@pytest.mark.acceptance
@pytest.mark.parametrize("world", [simulated, real])
def test_in_at_most_five_of_a_hundred_cases_a_model_without_gain_is_deployed(world: Callable[[], World | None]) -> None:
    leads = world()
    if leads is None:
        pytest.skip("the real leads are not here")
    with threadpool_limits(limits=1):
        equal = one_look(leads, _EQUAL, repeats=300, seed=1)
        looks = ten_looks(leads, repeats=300, seed=1)
    assert {size: tally.shares(0)[1] <= 0.05 for size, tally in equal.items()} == dict.fromkeys(HELD_OUT, True)
    assert looks.shares(0)[1] <= 0.05
