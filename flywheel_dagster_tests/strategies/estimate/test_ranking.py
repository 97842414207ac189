import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import RATES, Strategy
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.ranking import Ranked, ranked
from flywheel_dagster_tests.strategies.estimate.making import EVEN, STRATEGIES, market, one_segment

EMAIL = {("email", "", "", ""): 1.0}


def _rows(counts: dict[Strategy, tuple[float, float]]) -> list[Ranked]:
    return ranked({"reply_rate": fit(one_segment(counts))}, metric="reply_rate", mix=EMAIL, evidence=counts)


@pytest.mark.parametrize("keys", [1, 2, 3])
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1])
def test_one_reply_of_one_never_leads_a_strategy_with_forty_of_two_hundred_where_that_is_a_good_rate(
    rate: float, keys: int
) -> None:
    lucky, proven, others = ("lucky",) * keys, ("proven",) * keys, [(f"other {k}",) * keys for k in range(3)]
    rows = _rows({lucky: (1, 1), proven: (200, 40), **dict.fromkeys(others, (200, 200 * rate))})
    found = {row.strategy: row for row in rows}
    assert rows[0].strategy == proven
    assert found[lucky].raw == 1.0 and found[lucky].estimate < 0.2 and not found[lucky].enough_data


def test_what_got_the_good_leads_gains_nothing_by_it() -> None:
    good, bad = ("email", "SaaS", "", ""), ("email", "Retail", "", "")
    cells = Cells([("a",), ("a",), ("b",), ("b",)], [good, bad, good, bad], [900, 100, 100, 900], [180, 10, 22, 99])
    rows = ranked(
        {"reply_rate": fit(cells)}, metric="reply_rate", mix={good: 1, bad: 1}, evidence={("a",): (1000, 190), ("b",): (1000, 121)}
    )
    assert rows[0].strategy == ("b",)
    assert rows[0].raw == pytest.approx(0.121) and rows[1].raw == pytest.approx(0.19)
    assert rows[0].estimate == pytest.approx(0.16, abs=0.02) and rows[1].estimate == pytest.approx(0.15, abs=0.02)


def test_probabilities_to_be_the_best_add_up_to_one_and_intervals_hold_their_estimates() -> None:
    posteriors = {
        name: fit(market(seed, trials=30, rate=rate)) for name, seed, rate in zip(RATES, (1, 2, 3), (-2, -3, -4), strict=True)
    }
    for metric in (*RATES, "performance"):
        rows = ranked(posteriors, metric=metric, mix=EVEN, evidence=dict.fromkeys(STRATEGIES, (240.0, 10.0)))
        assert sum(row.probability_best for row in rows) == pytest.approx(1)
        assert all(0 < row.lower < row.estimate < row.upper < 1 for row in rows)
        assert [row.estimate for row in rows] == sorted((row.estimate for row in rows), reverse=True)


def test_enough_data_is_a_narrow_interval_or_a_decision_on_enough_messages_and_the_reason_is_told() -> None:
    few = _rows({("a",): (12, 3), ("b",): (400, 40)})
    assert {row.strategy: row.enough_data for row in few} == {("a",): False, ("b",): True}
    assert next(row.reason for row in few if not row.enough_data) == "12 of at least 30 messages that are old enough"
    wide = _rows({("a",): (60, 1), ("b",): (60, 1), ("c",): (60, 2)})
    assert not any(row.enough_data for row in wide)
    assert "more messages would tell" in wide[0].reason
    decided = _rows({("a",): (300, 2), ("b",): (3000, 300)})
    assert all(row.enough_data for row in decided)


def test_nothing_tried_and_one_strategy_alone_can_be_ranked() -> None:
    (alone,) = _rows({("a",): (50, 5)})
    assert alone.probability_best == 1.0 and not alone.enough_data
    (untried,) = _rows({("a",): (0, 0)})
    assert untried.raw is None and untried.reason.startswith("0 of at least 30")


@given(st.lists(st.tuples(st.integers(50, 500), st.floats(0.02, 0.3)), min_size=2, max_size=5), st.integers(0, 4))
@settings(max_examples=12, deadline=None)
def test_more_successes_of_a_strategy_never_lower_it(shares: list[tuple[int, float]], which: int) -> None:
    counts: dict[Strategy, tuple[float, float]] = {
        (f"s{k}",): (float(n), float(round(n * share))) for k, (n, share) in enumerate(shares)
    }
    chosen = (f"s{which % len(shares)}",)
    trials, successes = counts[chosen]
    better = counts | {chosen: (trials, min(trials, successes + 20))}
    before, after = ({row.strategy: row.estimate for row in _rows(each)} for each in (counts, better))
    assert after[chosen] > before[chosen]
    assert sorted(after, key=after.__getitem__).index(chosen) >= sorted(before, key=before.__getitem__).index(chosen)


def test_a_mix_of_more_segments_than_are_taken_gives_nearly_the_exact_mean() -> None:
    posterior = fit(market(1, trials=300))
    many = {("email" if k % 3 else "sms", f"i{k}", "CEO", ""): 1.0 + k % 5 for k in range(900)}
    few = {("email", "i", "CEO", ""): 0.0, ("sms", "i", "CEO", ""): 0.0}
    for (channel, *_), weight in many.items():
        few[channel, "i", "CEO", ""] += weight
    evidence = dict.fromkeys(STRATEGIES, (2400.0, 200.0))
    sampled, exact = (
        {row.strategy: row.estimate for row in ranked({"reply_rate": posterior}, metric="reply_rate", mix=mix, evidence=evidence)}
        for mix in (many, few)
    )
    assert [sampled[each] for each in STRATEGIES] == pytest.approx([exact[each] for each in STRATEGIES], rel=0.01)


def test_wrong_questions_are_refused() -> None:
    posterior = {"reply_rate": fit(market(1, trials=3))}
    with pytest.raises(InputError, match="needs the posterior of"):
        ranked(posterior, metric="performance", mix=EVEN, evidence={("PAS", "casual"): (1, 1)})
    with pytest.raises(InputError, match="no metric"):
        ranked(posterior, metric="fame", mix=EVEN, evidence={("PAS", "casual"): (1, 1)})
    with pytest.raises(InputError, match="each key"):
        ranked(posterior, metric="reply_rate", mix=EVEN, evidence={("PAS", "casual"): (1, 1), ("PAS",): (1, 1)})


def test_the_same_evidence_gives_the_same_table() -> None:
    posterior = {"reply_rate": fit(market(1, trials=30))}
    evidence = dict.fromkeys(STRATEGIES, (240.0, 10.0))
    one, two = (ranked(posterior, metric="reply_rate", mix=mix, evidence=evidence) for mix in (EVEN, dict(reversed(EVEN.items()))))
    assert one == two and np.isfinite([row.estimate for row in one]).all()
