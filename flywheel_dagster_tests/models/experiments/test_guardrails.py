"""The e-process for rare events is exact: its expectation is computed, not simulated. Cost a meeting by simulation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.confidence_sequence import standard_errors
from flywheel_dagster.models.experiments.guardrails import cost_a_meeting, e_values, guardrails
from flywheel_dagster.models.experiments.policies import EVIDENCE
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import random_cohort

_SHARES = np.array([0.1, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.2, 1.0))
def test_it_expects_no_more_than_one_while_the_variant_is_no_worse(first: int, second: int, ratio: float) -> None:
    """Over all ways in which the events of two epochs may fall on the arms, at any ratio of risks up to 1; at 1 it expects exactly 1."""
    chances = [
        stats.binom.pmf(np.arange(n + 1), n, share * ratio / (1 - share + share * ratio))
        for n, share in zip((first, second), _SHARES, strict=True)
    ]
    variant = np.stack(np.meshgrid(np.arange(first + 1.0), np.arange(second + 1.0), indexing="ij"), axis=-1)
    counts = np.stack([np.array([first, second]) - variant, variant], axis=-1)
    expected = float((np.outer(*chances) * e_values(counts, _SHARES)).sum())
    assert expected <= 1 + 1e-9
    if ratio == 1.0:
        assert expected == pytest.approx(1)


def test_it_is_a_product_over_events_so_looks_can_be_anywhere() -> None:
    """Given what was seen before, the next event multiplies it by an amount that expects 1."""
    before = np.array([[9.0, 4.0], [20.0, 26.0]])
    for epoch, share in enumerate(_SHARES):
        after = [e_values(before + np.eye(2)[epoch][:, None] * np.eye(2)[arm], _SHARES) for arm in (0, 1)]
        assert (1 - share) * after[0] + share * after[1] == pytest.approx(e_values(before, _SHARES))


def test_many_events_do_not_overflow() -> None:
    assert np.isfinite(e_values(np.array([[0.0, 1e5], [10.0, 1e6]]), _SHARES))


def _with(cohort: Cohort, *, rate: float, ratio: float, random: np.random.Generator) -> Cohort:
    return replace(cohort, bounced=random.random(len(cohort)) < np.where(cohort.variant, ratio * rate, rate))


def test_twice_the_bounces_are_found_and_named() -> None:
    random = np.random.default_rng(7)
    totals = Totals.of(_with(random_cohort(random, 8_000), rate=0.02, ratio=2.0, random=random))
    found = {each.name: each for each in guardrails(totals, totals, EVIDENCE)}
    assert found["bounced"].breached and found["bounced"].threshold == 100
    assert found["bounced"].variant == pytest.approx(2 * (found["bounced"].control or 0), rel=0.4)
    assert not any(each.breached for name, each in found.items() if name != "bounced")


def test_alpha_is_split_between_variants_too() -> None:
    totals = Totals.of(random_cohort(np.random.default_rng(8), 400))
    assert guardrails(totals, totals, EVIDENCE, variants=2)[0].threshold == 200


def test_looking_after_every_event_breaches_no_oftener_than_promised() -> None:
    random = np.random.default_rng(9)
    variant = random.random((1_000, 300)) < np.where(np.arange(300) < 60, 0.1, 0.5)
    late = np.arange(300) >= 60
    counts = np.stack(
        [np.cumsum((variant == bool(arm))[..., None] & np.stack([~late, late], axis=-1), axis=1) for arm in (0, 1)], axis=-1
    )
    highest = np.concatenate([e_values(part.astype(float), _SHARES).max(axis=1) for part in np.array_split(counts, 10)])
    assert np.mean(highest >= 20) <= 0.05


def test_without_units_nothing_is_breached() -> None:
    totals = Totals.of(Cohort.of([], epoch=[], share=[], value=[]))
    assert not any(each.breached or each.control is not None for each in guardrails(totals, totals, EVIDENCE))


def test_a_meeting_that_costs_twice_as_much_is_found() -> None:
    cohort = random_cohort(np.random.default_rng(10), 40_000)
    dearer = Totals.of(replace(cohort, cost_usd=np.where(cohort.variant, 2.5, 1.0) * cohort.cost_usd))
    found = cost_a_meeting(dearer, alpha=0.01, policy=EVIDENCE)
    assert found.breached and found.control is not None and found.variant == pytest.approx(2.5 * found.control, rel=0.25)
    assert not cost_a_meeting(Totals.of(cohort), alpha=0.01, policy=EVIDENCE).breached


def test_a_few_meetings_say_nothing_about_their_cost() -> None:
    cohort = random_cohort(np.random.default_rng(11), 1_000)
    found = cost_a_meeting(Totals.of(replace(cohort, cost_usd=np.where(cohort.variant, 9.0, 0.01))), alpha=0.01, policy=EVIDENCE)
    assert found.evidence == -np.inf and not found.breached


def test_the_error_of_cost_a_meeting_is_the_delta_methods() -> None:
    """(cost/meetings) of each arm has the variance (var c - 2R·cov + R²·var m)/(n·m̄²); with one epoch the linearised difference is m̄₁·(R₁ - R₀)."""
    cohort = random_cohort(np.random.default_rng(12), 30_000, ramp=False, lift=0.4, reply=0.2)
    found = cost_a_meeting(Totals.of(cohort), alpha=0.01, policy=EVIDENCE)
    ratios, variances, met = [], [], []
    for arm in (False, True):
        cost, meeting = cohort.cost_usd[cohort.variant == arm], cohort.meeting[cohort.variant == arm]
        ratio = cost.sum() / meeting.sum()
        # Both arms are linearised at control's ratio; under "no worse" that is the variant's too.
        at = ratios[0] if ratios else ratio
        ratios.append(ratio)
        met.append(meeting.mean())
        variances.append(np.var(cost - at * meeting, ddof=1) / len(cost) / meeting.mean() ** 2)
    control, variant = (int((cohort.variant == arm).sum()) for arm in (False, True))
    effective = np.array(4 * control * variant / (control + variant))
    away = standard_errors(effective, planned_units=EVIDENCE.planned_units, alpha=0.01) * met[1] * np.sqrt(sum(variances))
    assert found.evidence == pytest.approx(met[1] * (ratios[1] - ratios[0]) - away, rel=1e-3)
