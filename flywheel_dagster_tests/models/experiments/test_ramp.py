from dataclasses import replace

import numpy as np

from flywheel_dagster.models.experiments.ramp import may_ramp
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import random_cohort

_COHORT = random_cohort(np.random.default_rng(1), 1_000, ramp=False)


def test_a_whole_week_without_harm_is_enough() -> None:
    assert may_ramp(Totals.of(_COHORT), days=7).allowed


def test_a_worse_score_does_not_stop_the_ramp_but_time_feeds_and_guardrails_do() -> None:
    bad = replace(_COHORT, unsubscribed=_COHORT.variant & (np.arange(1_000) % 3 == 0))
    for ramp, name in (
        (may_ramp(Totals.of(_COHORT), days=6.9), "runtime"),
        (may_ramp(Totals.of(_COHORT), days=7, feeds_alive=False), "feeds"),
        (may_ramp(Totals.of(bad), days=7), "unsubscribed"),
    ):
        assert not ramp.allowed and [each.name for each in ramp.criteria if not each.passed] == [name] and ramp.reason


def test_a_mismatch_of_shares_stops_the_ramp() -> None:
    wrong = replace(_COHORT, share=np.full(1_000, 0.2))
    assert "sample-ratio mismatch" in may_ramp(Totals.of(wrong), days=7).reason
