import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import Segment
from flywheel_dagster.strategies.offline.estimate import estimate
from flywheel_dagster.strategies.offline.logged import Logged

A, B = ("a",), ("b",)
SEGMENTS: list[Segment] = [("email", "SaaS", "", ""), ("email", "Retail", "", "")]
_RATES = {A: (0.5, 0.1), B: (0.2, 0.3)}
_BEST = {SEGMENTS[0]: {A: 1.0}, SEGMENTS[1]: {B: 1.0}}


def _log(messages: int, seed: int) -> Logged:
    """A is sent with 0.8 to SaaS and 0.3 to Retail; three messages a lead."""
    random = np.random.default_rng(seed)
    lead = np.arange(messages) // 3
    segment = random.integers(2, size=messages)
    chance_of_a = np.where(segment == 0, 0.8, 0.3)
    is_a = random.random(messages) < chance_of_a
    strategies = [A if each else B for each in is_a]
    rewards = [float(random.random() < _RATES[strategy][where]) for strategy, where in zip(strategies, segment, strict=True)]
    return Logged(
        strategies, [SEGMENTS[k] for k in segment], lead.astype(str).tolist(), np.where(is_a, chance_of_a, 1 - chance_of_a), rewards
    )


def test_weighted_means_and_their_clustered_errors_are_statsmodels() -> None:
    """statsmodels 0.15.0: OLS(w·r, 1) and WLS(r, 1, weights=w).fit(cov_type="cluster", cov_kwds={"groups": lead})."""
    place = np.arange(60)
    logged = Logged(
        [A if k % 2 == 0 else B for k in place],
        [SEGMENTS[0]] * 60,
        (place // 3).astype(str).tolist(),
        np.where(place % 2 == 0, 0.8, 0.2),
        np.array([0, 0.2, 0.5, 1])[(place * 7) % 4],
    )
    found = estimate(logged, lambda segment: {A: 0.3, B: 0.7})
    assert found.ips[::3] == pytest.approx((1.0968750000000003, 0.10789463933903032), abs=1e-12)
    assert found.snips[::3] == pytest.approx((0.5661290322580648, 0.03943873840608983), abs=1e-12)
    assert (found.messages, found.leads, found.largest_weight) == (60, 20, pytest.approx(3.5))


def test_all_three_find_the_value_of_a_policy_that_was_never_followed() -> None:
    found = estimate(_log(30_000, 1), _BEST)
    for value in (found.ips, found.snips, found.dr):
        assert value.lower < 0.4 < value.upper
        assert value.estimate == pytest.approx(0.4, abs=0.02)
    assert found.dr.standard_error < found.ips.standard_error


def test_the_value_of_what_was_done_is_the_mean_of_what_came_of_it() -> None:
    logged = _log(600, 2)
    found = estimate(logged, {SEGMENTS[0]: {A: 0.8, B: 0.2}, SEGMENTS[1]: {A: 0.3, B: 0.7}})
    mean = float(np.mean(np.asarray(logged.rewards)))
    assert found.ips.estimate == pytest.approx(mean) and found.snips.estimate == pytest.approx(mean)
    assert found.effective_sample_size == pytest.approx(600) and found.largest_weight == pytest.approx(1)


def test_weights_are_cut_only_where_asked_and_it_is_told() -> None:
    logged = _log(600, 3)
    whole, cut = estimate(logged, _BEST), estimate(logged, _BEST, clip=1.3)
    assert whole.clipped == 0 and whole.largest_weight == pytest.approx(1 / 0.7)
    assert 0 < cut.clipped < 0.5 and cut.ips.estimate < whole.ips.estimate
    assert cut.effective_sample_size > whole.effective_sample_size
    with pytest.raises(InputError, match="largest weight above 0"):
        estimate(logged, _BEST, clip=0)


def test_a_policy_that_sends_what_the_log_never_sent_is_told_to_be_unsupported() -> None:
    found = estimate(_log(90, 4), lambda segment: {A: 0.5, ("new",): 0.5})
    assert found.unsupported == pytest.approx(0.5)
    none = estimate(_log(90, 4), lambda segment: {("new",): 1.0})
    assert none.unsupported == 1 and none.ips.estimate == 0 and np.isnan(none.snips.estimate) and none.effective_sample_size == 0


def test_a_policy_that_sends_what_was_not_always_allowed_is_told_to_be_unsupported() -> None:
    """Half of the messages were drawn from A and B, the other half from two others: always sending A could be seen in the one half only."""
    strategies = [[A, B, ("c",), ("d",)][k % 4] for k in range(2_000)]
    logged = Logged(
        strategies, [SEGMENTS[0]] * 2_000, [str(k) for k in range(2_000)], [0.5] * 2_000, [float(k % 7 == 0) for k in range(2_000)]
    )
    assert 0.4 < estimate(logged, lambda segment: {A: 1.0}).unsupported <= 0.5
    assert estimate(logged, lambda segment: dict.fromkeys([A, B, ("c",), ("d",)], 0.25)).unsupported == pytest.approx(0.5)
    assert estimate(_log(600, 3), _BEST).unsupported == 0


@pytest.mark.parametrize("propensity", [0.0, float("nan"), -0.1, 1.2])
def test_a_missing_or_impossible_propensity_is_refused_with_the_remedy(propensity: float) -> None:
    with pytest.raises(InputError, match="1 of 2 messages have no propensity"):
        Logged([A, A], SEGMENTS, ["1", "2"], [0.5, propensity], [0, 1])


def test_other_logs_that_say_nothing_are_refused() -> None:
    for leads, rewards, told in (
        (["1"], [0, 1], "as many"),
        (["1", "2"], [0, 1.5], "between 0 and 1"),
        (["1", "2"], [0, np.nan], "between 0 and 1"),
    ):
        with pytest.raises(InputError, match=told):
            Logged([A, A], SEGMENTS, leads, [0.5, 0.5], rewards)
    with pytest.raises(InputError, match="no logged messages"):
        Logged([], [], [], [], [])
    with pytest.raises(InputError, match="at least two leads"):
        estimate(Logged([A, A], SEGMENTS, ["1", "1"], [0.5, 0.5], [0, 1]), lambda segment: {A: 1.0})
    with pytest.raises(InputError, match="says nothing on the segment"):
        estimate(_log(30, 5), {SEGMENTS[0]: {A: 1.0}})
    with pytest.raises(InputError, match="with the sum 1"):
        estimate(_log(30, 5), lambda segment: {A: 0.9})
