import json

import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.draws import JointDraws, correlations
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster_tests.strategies.estimate.making import market


def test_json_and_back_is_the_same_posterior_to_the_bit() -> None:
    posterior = fit(market(1, trials=20))
    back = Posterior.of_json(json.loads(json.dumps(posterior.to_json())))
    assert back.digest == posterior.digest
    assert np.array_equal(back.prior_variance, posterior.prior_variance) and back.scales == posterior.scales


def test_another_versions_json_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="refresh the strategies"):
        Posterior.of_json({"version": 0})


def test_draws_have_the_posteriors_mean_and_covariance_and_follow_from_it_alone() -> None:
    posterior = fit(market(1, trials=20))
    drawn = JointDraws({"reply_rate": posterior}, number=20_000)
    rows = np.stack([drawn.of("reply_rate", name) for name in posterior.names[:12]]).astype(np.float64)
    assert rows.mean(axis=1) == pytest.approx(posterior.mean[:12], abs=0.02)
    assert np.cov(rows) == pytest.approx(posterior.covariance[:12, :12], abs=0.003)
    again = JointDraws({"reply_rate": Posterior.of_json(posterior.to_json())}, number=20_000)
    assert np.array_equal(again.of("reply_rate", posterior.names[3]), drawn.of("reply_rate", posterior.names[3]))
    other = JointDraws({"reply_rate": fit(market(2, trials=20))}, number=20_000)
    assert not np.array_equal(other.of("reply_rate", posterior.names[3]), drawn.of("reply_rate", posterior.names[3]))


def test_a_level_never_seen_is_as_uncertain_as_its_group() -> None:
    posterior = fit(market(1, trials=20))
    drawn = JointDraws({"reply_rate": posterior}, number=20_000)
    assert drawn.of("reply_rate", ("value_0", "new")).std() == pytest.approx(posterior.scales["value_0"], rel=0.03)
    assert drawn.known("reply_rate", ("value_0", "new")) is None


def test_metrics_are_drawn_together_as_nested_events_are_correlated() -> None:
    posteriors = {"close_rate": fit(market(2, trials=400, rate=-4.5)), "reply_rate": fit(market(1, trials=400, rate=-2.5))}
    wanted = correlations(posteriors)[0, 1]
    assert 0.3 < wanted < 0.45
    drawn = JointDraws(posteriors, number=20_000)
    intercept = [drawn.of(metric, ("intercept",)) for metric in posteriors]
    assert np.corrcoef(intercept)[0, 1] == pytest.approx(wanted, abs=0.03)
