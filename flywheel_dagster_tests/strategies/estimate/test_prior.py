import json

import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.fit import fit, fit_rates
from flywheel_dagster.strategies.estimate.prior import Prior, population_prior
from flywheel_dagster.strategies.estimate.ranking import ranked
from flywheel_dagster_tests.strategies.estimate.making import EVEN, STRATEGIES, market, one_segment


def _others(number: int, trials: int = 300) -> Prior:
    found = population_prior([fit(market(seed, trials=trials)) for seed in range(number)])
    assert found is not None
    return found


def test_an_organization_without_data_starts_from_what_worked_elsewhere() -> None:
    posterior = fit(Cells.empty(2), prior=_others(3))
    rows = ranked({"reply_rate": posterior}, metric="reply_rate", mix=EVEN, evidence=dict.fromkeys(STRATEGIES, (0.0, 0.0)))
    assert rows[0].strategy == ("PAS", "casual") and rows[-1].strategy == ("FAB", "direct")
    assert not rows[0].enough_data and rows[0].raw is None


def test_its_own_data_take_over() -> None:
    reverse = {("PAS", "casual"): (3_000.0, 90.0), ("FAB", "casual"): (3_000.0, 300.0), ("AIDA", "casual"): (3_000.0, 180.0)}
    for trials, best in ((0.0, "PAS"), (3_000.0, "FAB")):
        counts = {strategy: (n * trials / 3_000, s * trials / 3_000) for strategy, (n, s) in reverse.items()}
        posterior = fit(one_segment(counts), prior=_others(3))
        rows = ranked({"reply_rate": posterior}, metric="reply_rate", mix={("email", "", "", ""): 1.0}, evidence=counts)
        assert rows[0].strategy[0] == best


def test_effects_are_measured_from_their_own_mean_and_more_organizations_know_them_better() -> None:
    few, many = _others(2), _others(12)
    for prior in (few, many):
        assert prior.effects["value_0", "PAS"][0] - prior.effects["value_0", "FAB"][0] == pytest.approx(0.8, abs=0.25)
    assert many.effects["value_0", "PAS"][1] < few.effects["value_0", "PAS"][1]
    assert many.effects["value_0", "PAS"][1] >= 0.1**2


def test_organizations_that_disagree_make_a_wide_prior() -> None:
    one = {("a",): (2_000.0, 100.0), ("b",): (2_000.0, 300.0)}
    agreeing = population_prior([fit(one_segment(one))] * 2)
    opposed = population_prior([fit(one_segment(one)), fit(one_segment({("a",): one[("b",)], ("b",): one[("a",)]}))])
    assert agreeing is not None and opposed is not None
    assert opposed.effects["value_0", "a"][1] > 5 * agreeing.effects["value_0", "a"][1]
    assert opposed.effects["value_0", "a"][0] == pytest.approx(0, abs=0.05)


def test_an_organization_whose_evidence_says_nothing_adds_nothing() -> None:
    told = fit(one_segment({("a",): (2_000.0, 100.0), ("b",): (2_000.0, 300.0)}))
    silent = fit(one_segment({("a",): (0.0, 0.0), ("b",): (0.0, 0.0)}))
    alone, together = population_prior([told]), population_prior([told, silent])
    assert alone is not None and together is not None
    assert together.effects["value_0", "a"] == pytest.approx(alone.effects["value_0", "a"])


def test_nobody_is_counted_twice() -> None:
    own = fit(market(1, trials=50))
    with pytest.raises(InputError, match="without a prior"):
        population_prior([fit(market(2, trials=50), prior=population_prior([own]))])
    with pytest.raises(InputError, match="different dimensions"):
        population_prior([own, fit(Cells.empty(1))])
    assert population_prior([]) is None


def test_json_and_back_is_the_same_prior() -> None:
    prior = _others(2, trials=30)
    back = Prior.of_json(json.loads(json.dumps(prior.to_json())))
    assert back == prior
    assert np.array_equal(fit(market(5, trials=9), prior=back).mean, fit(market(5, trials=9), prior=prior).mean)
    with pytest.raises(InputError, match="refresh the strategies"):
        Prior.of_json({})


def test_replies_lead_deals_until_deals_say_otherwise() -> None:
    replies = one_segment({("a",): (3_000, 600), ("b",): (3_000, 150)})
    silent = fit_rates({"reply_rate": replies, "close_rate": one_segment({("a",): (0, 0), ("b",): (0, 0)})})
    told = fit_rates({"reply_rate": replies, "close_rate": one_segment({("a",): (20_000, 100), ("b",): (20_000, 400)})})
    for posteriors, best in ((silent, "a"), (told, "b")):
        rows = ranked(posteriors, metric="close_rate", mix={("email", "", "", ""): 1.0}, evidence={("a",): (0, 0), ("b",): (0, 0)})
        assert rows[0].strategy == (best,)
    assert silent["close_rate"].mean[0] < silent["reply_rate"].mean[0]
    assert silent["close_rate"].variance[0] > 1


def test_what_replies_led_to_believe_of_deals_is_no_evidence_for_others() -> None:
    replies = one_segment({("a",): (3_000, 600), ("b",): (3_000, 150)})
    own = fit_rates({"reply_rate": replies, "close_rate": one_segment({("a",): (0, 0), ("b",): (0, 0)})})
    of_replies, of_deals = population_prior([own["reply_rate"]]), population_prior([own["close_rate"]])
    assert of_replies is not None and of_deals is not None
    assert ("value_0", "a") in of_replies.effects and ("value_0", "a") not in of_deals.effects


def test_a_metric_led_by_one_that_holds_others_evidence_holds_it_too() -> None:
    cells = {"reply_rate": market(1, trials=9), "meeting_rate": market(2, trials=9, rate=-4)}
    own = fit_rates(cells)
    prior = population_prior([own["reply_rate"]])
    assert prior is not None
    found = fit_rates(cells, priors={"reply_rate": prior})
    assert not own["meeting_rate"].from_population
    assert found["meeting_rate"].from_population
