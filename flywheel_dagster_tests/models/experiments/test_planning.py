import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.planning import Design, plan, planned_units, weeks_to_decision
from flywheel_dagster.models.experiments.policies import Policy

_DESIGN = Design(units_a_week=1_000, value_mean=0.0213, value_variance=0.0085, event_share=0.08)


def test_more_weeks_find_less() -> None:
    rows = plan(_DESIGN)
    found = [each.detectable for each in rows]
    assert [each.week for each in rows] == list(range(1, 13)) and found == sorted(found, reverse=True)
    assert rows[1].detectable == np.inf and rows[1].matured_units == 0 and rows[-1].matured_units == 10_000
    assert rows[-1].variant_units == 100 + 9 * 500 and rows[-1].relative == pytest.approx(rows[-1].detectable / 0.0213)


def test_before_the_variant_has_its_events_nothing_can_be_found() -> None:
    assert plan(_DESIGN)[2].variant_units == 100 and plan(_DESIGN)[2].detectable == np.inf


def test_a_larger_effect_is_decided_sooner_and_one_within_the_margin_never() -> None:
    weeks = [weeks_to_decision(_DESIGN, effect) for effect in (1.0, 0.5, 0.33)]
    assert None not in weeks and weeks == sorted(weeks)  # type: ignore[type-var]
    assert weeks_to_decision(_DESIGN, 0.1) is None
    huge = Design(units_a_week=10_000_000, value_mean=0.0213, value_variance=0.0085, event_share=0.08)
    assert weeks_to_decision(huge, 0.04) is None and weeks_to_decision(huge, 0.06) == 3


def test_the_minimum_runtime_is_waited_for() -> None:
    quick = Design(units_a_week=100_000, value_mean=0.0213, value_variance=0.0085, event_share=0.08, maturity_weeks=0)
    assert weeks_to_decision(quick, 1.0, Policy(minimum_weeks=4)) == 4


def test_two_variants_find_less_than_one() -> None:
    two = Design(units_a_week=1_000, value_mean=0.0213, value_variance=0.0085, event_share=0.08, variants=2)
    assert plan(two)[-1].detectable > plan(_DESIGN)[-1].detectable
    assert plan(two)[-1].matured_units == pytest.approx(900 + 9 * 750)


def test_the_sequence_is_planned_for_the_middle() -> None:
    assert planned_units(_DESIGN) == 360 + 4_000


@pytest.mark.parametrize(
    "wrong", [{"value_variance": 0.0}, {"units_a_week": 0}, {"variants": 11}, {"power": 1.0}, {"event_share": 0.0}]
)
def test_a_plan_without_a_past_is_refused(wrong: dict[str, float]) -> None:
    given = {"units_a_week": 1_000, "value_mean": 0.02, "value_variance": 0.01, "event_share": 0.08} | wrong
    with pytest.raises(InputError):
        Design(**given)  # type: ignore[arg-type]
