from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.delong import auc
from flywheel_dagster.leads.learning.choosing import Rows, fit
from flywheel_dagster.leads.learning.learn import Options, learn
from flywheel_dagster.leads.learning.storage import dump
from flywheel_dagster.leads.learning.table import TrainingTable
from flywheel_dagster_tests.leads.learning.making import leads, made, table
from flywheel_dagster_tests.leads.learning.test_values import JSON
from flywheel_dagster_tests.thoroughness import examples


def test_what_is_learnt_ranks_new_leads_nearly_as_the_truth_does() -> None:
    learnt = learn(made(600))
    features, truth = leads(3_000, seed=7)
    converted = np.random.default_rng(8).random(3_000) < truth

    assert auc(converted, learnt.model.score(features)) > auc(converted, truth) - 0.02
    assert learnt.estimator == "logistic"
    assert learnt.report.out_of_fold.auc == pytest.approx(auc(made(600).converted, learnt.out_of_fold), abs=1e-12)
    assert learnt.report.as_json()["base_rate"] == pytest.approx(made(600).converted.mean())


def test_scores_are_calibrated_on_new_leads() -> None:
    learnt = learn(made(1_500, seed=3, strength=2))
    features, truth = leads(5_000, seed=11, strength=2)

    scores = learnt.model.score(features)

    assert np.mean((scores - truth) ** 2) < 0.005
    for part in np.array_split(np.argsort(scores), 5):
        assert scores[part].mean() == pytest.approx(truth[part].mean(), abs=0.06)


def test_where_nothing_can_be_learnt_no_lead_is_told_apart() -> None:
    random = np.random.default_rng(0)
    features, _ = leads(300)

    learnt = learn(table(features, random.random(300) < 0.3))

    assert np.ptp(learnt.model.score(features)) < 0.2
    assert learnt.model.score(features).mean() == pytest.approx(0.3, abs=0.06)
    assert abs(learnt.report.out_of_fold.auc - 0.5) < 0.12


def test_the_order_of_rows_and_fields_changes_nothing() -> None:
    given = made(200)
    order = np.random.default_rng(5).permutation(200)
    reordered = given.taken(order)
    turned = TrainingTable(
        [dict(reversed(row.items())) for row in reordered.features], reordered.converted, reordered.groups, None, reordered.lead_ids
    )

    one, other = learn(given), learn(turned)

    assert dump(one.model) == dump(other.model)
    assert np.array_equal(one.out_of_fold[order], other.out_of_fold)


def test_a_row_is_scored_by_models_that_saw_neither_its_outcome_nor_its_repeats() -> None:
    """Leads without any signal, each twice with one outcome: who has seen the repeat knows the outcome."""
    random = np.random.default_rng(0)
    features: list[dict[str, object]] = [{f"f{field}": float(random.normal()) for field in range(12)} for _ in range(60)]
    outcome = random.random(60) < 0.5
    groups = [f"group {row}" for row in range(60)]

    apart = learn(table(features * 2, np.tile(outcome, 2)))
    together = learn(table(features * 2, np.tile(outcome, 2), groups=groups * 2))

    assert apart.report.out_of_fold.auc > together.report.out_of_fold.auc + 0.1
    assert together.report.out_of_fold.auc < 0.65
    assert together.report.different == 60


def test_fifty_leads_five_of_which_converted_are_enough() -> None:
    features, truth = leads(50)
    converted = np.isin(np.arange(50), np.argsort(truth)[-5:])

    learnt = learn(table(features, converted))

    assert np.all((learnt.out_of_fold > 0) & (learnt.out_of_fold < 1))
    assert learnt.model.score(features).mean() == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(
    ("rows", "ones", "told"),
    [
        (0, 0, "0 leads"),
        (19, 9, "20 are needed"),
        (60, 0, "0 different ones converted and 60 lost"),
        (60, 57, "57 different ones converted and 3"),
    ],
)
def test_too_few_leads_are_refused_with_what_is_needed(rows: int, ones: int, told: str) -> None:
    features, _ = leads(rows)

    with pytest.raises(InputError, match=told):
        learn(table(features, np.arange(rows) < ones))


def test_repeats_are_no_evidence_of_enough() -> None:
    features, _ = leads(60)

    with pytest.raises(InputError, match="2 different ones converted"):
        learn(table(features, np.arange(60) < 30, groups=[f"g{row % 2}" if row < 30 else f"other {row}" for row in range(60)]))


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="each of its 1 rows"):
        TrainingTable([{}], np.array([True]), ["a"], [datetime(2026, 1, 1, tzinfo=UTC)] * 2, ["a"])


def test_leads_without_any_useful_field_get_the_base_rate() -> None:
    learnt = learn(table([{"constant": 1}] * 40, np.arange(40) < 10))

    assert learnt.model.fields == ()
    assert learnt.model.score([{}, {"constant": 5}]) == pytest.approx([0.25, 0.25], abs=0.02)
    assert learnt.model.reasons({"constant": 5}) == []


def test_excluded_fields_do_not_count() -> None:
    learnt = learn(made(100), options=Options(exclude=("age", "nobody has it")))

    assert learnt.model.fields == ("lead_source", "website_visits")


def test_later_rows_are_tested_by_what_was_told_before_them() -> None:
    """The effect of visits turns round after two fifths of the time: random parts average it out, a forecast fails."""
    random = np.random.default_rng(0)
    visits = random.integers(0, 10, 400)
    turned = np.where(np.arange(400) < 160, 1.0, -1.0)
    converted = random.random(400) < expit(0.8 * turned * (visits - 4.5))

    report = learn(table([{"visits": int(each)} for each in visits], converted, days=True)).report

    assert report.forward is not None
    assert report.forward.rows == 240
    assert report.forward_auc[0] < 0.4
    assert len(report.forward_auc) == 3


def test_choices_are_made_forward_in_time_where_rows_suffice() -> None:
    rows = Rows.of(made(2_000, days=True))

    assert "trees" in fit(rows).candidates
    assert "rows told later" in fit(rows).why
    assert "3 random parts" in fit(Rows.of(made(2_000))).why


def test_trees_are_chosen_only_where_they_are_better() -> None:
    random = np.random.default_rng(0)
    one, other = random.uniform(-1, 1, (2, 2_000))
    features: list[dict[str, object]] = [{"one": a, "other": b} for a, b in zip(one.tolist(), other.tolist(), strict=True)]

    crossed = fit(Rows.of(table(features, random.random(2_000) < expit(8 * one * other))))
    straight = fit(Rows.of(table(features, random.random(2_000) < expit(2 * one + other))))

    assert crossed.estimator == "trees"
    assert straight.estimator == "logistic"
    assert "standard error" in straight.why


_ROW = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), JSON, max_size=4)


@settings(max_examples=examples(30, quick=4))
@given(st.lists(st.tuples(_ROW, st.booleans()), min_size=12, max_size=30), st.lists(_ROW, min_size=1, max_size=5))
def test_any_json_is_learnt_from_and_scored(told: list[tuple[dict[str, object], bool]], new: list[dict[str, object]]) -> None:
    features = [row for row, _ in told] + [{"a": place} for place in range(12)]
    converted = np.array([each for _, each in told] + [place % 2 == 0 for place in range(12)])

    model = fit(Rows.of(table(features, converted))).model

    scores = model.score(new)
    assert np.all((scores > 0) & (scores < 1))
    for row in new:
        assert all(np.isfinite(reason.effect) for reason in model.reasons(row))
