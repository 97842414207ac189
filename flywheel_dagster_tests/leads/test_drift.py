"""What counts as drift: shifts are found, chance is not taken for one."""

import numpy as np
import pytest

from flywheel_dagster.leads.drift import Shift, batch, batches, stabilities, stability


def _numbers(count: int, *, seed: int, by: float = 0.0) -> list[object]:
    return list((np.random.default_rng(seed).normal(size=count) + by).round(3).tolist())


def test_the_same_leads_have_not_shifted_and_moved_ones_have() -> None:
    learnt = _numbers(2_000, seed=1)
    assert stability("visits", learnt, learnt).psi == pytest.approx(0, abs=0.002)
    assert stability("visits", learnt, _numbers(500, seed=2)).shift is Shift.NONE
    assert stability("visits", learnt, _numbers(500, seed=3, by=0.35)).shift is Shift.SOME
    assert stability("visits", learnt, _numbers(500, seed=4, by=1.0)).shift is Shift.MUCH


def test_words_that_are_new_and_values_that_are_missing_are_shifts() -> None:
    learnt = ["Webinar", "Referral"] * 400
    assert stability("source", learnt, ["Webinar", "Referral"] * 100).shift is Shift.NONE
    assert stability("source", learnt, ["Webinar", "Referral", "Trade Show"] * 70).shift is Shift.MUCH
    assert stability("source", learnt, ["Webinar", "Referral", None] * 70).shift is Shift.MUCH
    assert stability("visits", _numbers(800, seed=1), [None] * 100).shift is Shift.MUCH


def test_a_field_may_hold_anything() -> None:
    mixed: list[object] = [True, None, "word", 3, 2.5, float("nan"), float("inf"), 10**400, [1], {"a": 1}] * 10
    found = stability("anything", mixed, mixed)
    assert found.psi == pytest.approx(0) and found.shift is Shift.NONE
    assert stability("nothing", [None] * 60, [None] * 60).shift is Shift.NONE


def test_small_samples_of_the_same_leads_are_rarely_called_shifted() -> None:
    """PSI is above 0.1 in most of these samples."""
    called = above = 0
    for seed in range(50):
        rows = [
            {f"f{place}": float(value) for place, value in enumerate(row)}
            for row in np.random.default_rng(seed).normal(size=(160, 8))
        ]
        found = stabilities(rows[:110], rows[110:], list(rows[0]))
        called += any(each.shift is not Shift.NONE for each in found)
        above += any(each.psi >= 0.1 for each in found)
    assert above > 45 and called <= 3


def test_batches_tell_rates_that_differ_and_an_auc_that_fell() -> None:
    random = np.random.default_rng(7)
    scores = random.beta(2, 4, size=1_000)
    fair = random.random(1_000) < scores
    held = batch(fair, scores)
    assert held.calibrated and held.auc is not None and not held.falls_below(held.auc.value, standard_error=0.02)
    assert not batch(random.random(1_000) < scores / 2, scores).calibrated
    assert batch(random.permutation(fair), scores).falls_below(held.auc.value, standard_error=0.02)
    assert [each.rows for each in batches(fair[:170], scores[:170])] == [57, 57, 56]
    assert batches(fair[:49], scores[:49]) == []
    one_outcome = batch(np.ones(60, dtype=bool), np.full(60, 0.9))
    assert one_outcome.auc is None and not one_outcome.falls_below(0.9, standard_error=0.01)
