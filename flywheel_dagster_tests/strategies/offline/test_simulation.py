"""The benchmark in small: a policy's value from another's log, where the truth is known."""

import numpy as np
import pytest

from benchmarks.strategy_offline import gathered, offline, targets, truth_of


def test_the_true_value_of_a_policy_is_what_it_earns() -> None:
    of, _ = gathered(1, 300, adaptive=False)
    even = targets(of)["each alike"]
    assert truth_of(of, even) == pytest.approx(float((of.values() @ of.mix).mean()))


@pytest.mark.acceptance
@pytest.mark.parametrize("adaptive", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say_where_the_log_tells_enough(adaptive: bool) -> None:
    found = [offline(seed, 3_000, adaptive=adaptive)["each alike"] for seed in range(100)]
    for method in ("ips", "snips", "dr"):
        values = [(getattr(each, method), truth) for each, truth in found]
        assert np.mean([value.lower <= truth <= value.upper for value, truth in values]) >= 0.88
