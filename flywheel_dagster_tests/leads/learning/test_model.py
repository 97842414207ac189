import numpy as np
import pytest
from scipy.special import logit

from flywheel_dagster.leads.learning.choosing import Rows, fit
from flywheel_dagster.leads.learning.learn import learn
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster_tests.leads.learning.making import leads, made


@pytest.fixture(scope="module")
def model() -> LeadModel:
    return learn(made(600)).model


@pytest.fixture(scope="module")
def trees() -> LeadModel:
    return fit(Rows.of(made(2_000))).candidates["trees"].model


def test_a_score_is_the_same_alone_and_among_others(model: LeadModel, trees: LeadModel) -> None:
    features, _ = leads(1_100, seed=4)

    for each in (model, trees):
        together = each.score(features)
        assert [each.score([row])[0] for row in features[:20]] == pytest.approx(together[:20].tolist(), rel=1e-12)


def test_no_rows_have_no_scores(model: LeadModel) -> None:
    assert model.score([]).shape == (0,)


def test_unknown_words_and_fields_and_missing_values_are_scored(model: LeadModel) -> None:
    known = {"website_visits": 4, "age": 40, "lead_source": "Webinar"}

    scores = model.score([{**known, "lead_source": "Carrier pigeon"}, {}, {**known, "shoe size": 44}, known])

    assert np.all((scores > 0) & (scores < 1))
    assert scores[2] == scores[3]


def test_reasons_are_the_strongest_effects_in_calibrated_log_odds(model: LeadModel, trees: LeadModel) -> None:
    row = {"website_visits": 9, "age": 45, "lead_source": "Referral"}
    for each in (model, trees):
        usual = {code.name: code.usual for code in each.encoder.codes}

        reasons = each.reasons(row)

        assert [reason.field for reason in reasons[:2]] == ["website_visits", "lead_source"]
        assert reasons[0].effect > 0
        assert reasons[1].effect > 0
        for reason in reasons:
            assert reason.value == row[reason.field]
            own, other = each.score([row, {**row, reason.field: usual[reason.field]}])
            assert reason.effect == pytest.approx(logit(own) - logit(other), abs=1e-9)
        assert each.reasons(row, most=1) == reasons[:1]


def test_a_reason_shows_the_leads_own_value_or_none(model: LeadModel) -> None:
    shown = {
        reason.field: reason.value
        for reason in model.reasons({"website_visits": " 12 ", "lead_source": ["Webinar"], "secret": 5}, most=9)
    }

    assert shown["website_visits"] == " 12 "
    assert shown.get("lead_source") is None
    assert "secret" not in shown


def test_a_lead_with_usual_values_has_no_reasons(model: LeadModel) -> None:
    assert model.reasons({code.name: code.usual for code in model.encoder.codes}) == []
