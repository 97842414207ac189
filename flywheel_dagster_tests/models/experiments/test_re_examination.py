"""A promotion on early outcomes, when deals have closed elsewhere."""

import json
from dataclasses import replace

import numpy as np
import pytest

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.re_examination import Finding, ReExamination, re_examine
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import random_cohort


def _cohort(lift: float, seed: int = 1) -> Cohort:
    return random_cohort(np.random.default_rng(seed), 16_000, lift=lift)


def _found(cohort: Cohort, policy: Policy | None = None) -> ReExamination:
    return re_examine(Totals.of(cohort), policy=policy or Policy())


def test_it_is_confirmed_when_older_outcomes_still_show_it() -> None:
    assert _found(_cohort(0.6)).finding is Finding.CONFIRMED


def test_it_stays_open_when_they_show_nothing() -> None:
    found = _found(_cohort(0.1))
    assert found.finding is Finding.OPEN and "neither" in found.reason and found.estimate is not None


def test_it_is_reversed_when_they_prove_it_worse() -> None:
    found = _found(_cohort(-0.6))
    assert found.finding is Finding.REVERSED and found.upper < 0 and "prove" in found.reason


def test_late_deals_of_control_reverse_it_before_there_is_proof() -> None:
    early = _cohort(0.1)
    won = ~early.variant & early.replied & (np.arange(len(early)) % 3 == 0)
    late = replace(early, deal=early.deal | won, value=np.where(won, np.maximum(early.value, 0.7), early.value))
    found = _found(late, Policy(planned_units=1_000, alpha=0.001))
    assert found.finding is Finding.REVERSED and found.upper > 0 and "probable" in found.reason
    assert found.posterior is not None and 1 - found.posterior.probability_better >= 0.9


@pytest.mark.parametrize("units", [0, 40])
def test_a_few_old_units_decide_nothing(units: int) -> None:
    young = _cohort(-0.6)
    found = _found(Cohort(**{name: column[:units] for name, column in vars(young).items()}))
    assert found.finding is Finding.OPEN and found.lower == -np.inf
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert record["finding"] == "open" and record["lower"] is None and record["criteria"][0]["name"] == "events"
