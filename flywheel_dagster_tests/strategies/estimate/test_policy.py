from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import RATES
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.policy import LEAST, Policy, above_floor, drawn, thompson
from flywheel_dagster_tests.strategies.estimate.making import EVEN, STRATEGIES, market, one_segment

HERE = ("email", "SaaS", "CEO", "1-10")
POSTERIORS = {
    name: fit(market(seed, trials=60, rate=rate)) for name, seed, rate in zip(RATES, (1, 2, 3), (-2, -3, -4), strict=True)
}
POLICY = Policy(POSTERIORS, mix=EVEN)


@given(
    st.sets(st.sampled_from(STRATEGIES), min_size=1),
    st.floats(0, 1),
    st.sampled_from([*EVEN, ("email", "", "", ""), ("fax", "new", "", "x")]),
)
@settings(max_examples=30, deadline=None)
def test_probabilities_add_up_to_one_and_none_is_below_the_floor(
    allowed: set[tuple[str, ...]], floor: float, segment: tuple[str, str, str, str]
) -> None:
    found = POLICY.probabilities(segment, list(allowed), floor=floor)
    assert set(found) == allowed
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert min(found.values()) >= max(floor / len(allowed), LEAST) - 1e-12


def test_the_same_evidence_gives_the_same_probabilities_in_any_order() -> None:
    one = Policy(POSTERIORS, mix=EVEN)
    first = one.probabilities(HERE, STRATEGIES)
    one.probabilities(("sms", "", "", ""), STRATEGIES[:2])
    assert one.probabilities(HERE, STRATEGIES[::-1]) == first
    assert thompson(POSTERIORS, HERE, STRATEGIES, mix=dict(reversed(EVEN.items()))) == first


def test_the_best_gets_most_and_more_the_more_is_known() -> None:
    shares = []
    for trials in (1, 20, 400):
        posteriors = {"reply_rate": fit(market(4, trials=trials))}
        shares.append(thompson(posteriors, HERE, STRATEGIES, mix=EVEN, metric="reply_rate")["PAS", "casual"])
    assert shares == sorted(shares) and shares[0] < 0.5 and shares[2] > 0.85


def test_without_any_evidence_all_are_nearly_as_likely() -> None:
    nothing = {name: fit(Cells.empty(2)) for name in RATES}
    found = thompson(nothing, ("email", "", "", ""), STRATEGIES, mix={})
    assert max(found.values()) / min(found.values()) < 1.5


def test_a_strategy_that_was_never_tried_has_its_chance() -> None:
    known = {"reply_rate": fit(one_segment({("a",): (2_000, 100), ("b",): (2_000, 110)}))}
    found = thompson(known, ("email", "", "", ""), [("a",), ("b",), ("new",)], mix={}, metric="reply_rate")
    assert 0.1 < found["new",] < 0.7


def test_what_is_unknown_of_a_lead_is_averaged_over_the_mix() -> None:
    segments = [("email", "SaaS", "", ""), ("email", "Retail", "", "")]
    cells = Cells([("a",), ("a",), ("b",), ("b",)], segments * 2, [4_000] * 4, [800, 100, 250, 300])
    policy = {
        share: Policy({"reply_rate": fit(cells)}, mix=dict(zip(segments, (share, 1 - share), strict=True)), metric="reply_rate")
        for share in (0.9, 0.1)
    }
    for share, best in ((0.9, ("a",)), (0.1, ("b",))):
        found = policy[share].probabilities(("email", "", "", ""), [("a",), ("b",)])
        assert max(found, key=found.__getitem__) == best
    assert policy[0.9].probabilities(segments[0], [("a",), ("b",)]) == policy[0.1].probabilities(segments[0], [("a",), ("b",)])


def test_many_strategies_each_keep_the_least() -> None:
    best = np.eye(1, 100)[0]
    assert above_floor(best, 0.1).min() == pytest.approx(LEAST)
    assert above_floor(np.eye(1, 4)[0], 0.1).min() == pytest.approx(0.025)
    assert above_floor(np.eye(1, 1000)[0], 0.1).min() == pytest.approx(0.0005)


def test_suggestions_are_drawn_with_the_probabilities_that_are_told() -> None:
    probabilities = {("a",): 0.7, ("b",): 0.25, ("c",): 0.05}
    found = Counter(drawn(probabilities, f"request {k}") for k in range(20_000))
    for strategy, probability in probabilities.items():
        assert found[strategy, probability] / 20_000 == pytest.approx(probability, abs=0.012)
    assert drawn(probabilities, "one") == drawn(dict(reversed(probabilities.items())), "one")


def test_wrong_questions_are_refused() -> None:
    policy = Policy(POSTERIORS, mix=EVEN)
    for allowed, told in (([], "at least one"), ([("PAS",)], "isn't one of this dimension"), ([STRATEGIES[0]] * 2, "each once")):
        with pytest.raises(InputError, match=told):
            policy.probabilities(HERE, allowed)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="between 0 and 1"):
        policy.probabilities(HERE, STRATEGIES, floor=1.2)
    with pytest.raises(InputError, match="needs the posterior of"):
        Policy({"reply_rate": POSTERIORS["reply_rate"]}, mix=EVEN)


def test_three_keys_are_a_dimension_too() -> None:
    strategies = list(product("ab", "xy", "12"))
    cells = Cells(strategies, [HERE] * 8, [500] * 8, [50, 50, 50, 50, 20, 20, 20, 20])
    found = thompson({"reply_rate": fit(cells)}, HERE, strategies, mix={HERE: 1}, metric="reply_rate")
    assert sum(share for strategy, share in found.items() if strategy[0] == "a") > 0.85
