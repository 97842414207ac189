"""The parameters of a world, and the one for the demo."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.sandbox.simulator.draws import lognormal
from flywheel_dagster.sandbox.simulator.office_hours import next_slot, working_seconds, working_time
from flywheel_dagster.sandbox.simulator.people import People
from flywheel_dagster.sandbox.simulator.truth import Baseline, Delay, Delays, Truth
from flywheel_dagster.sandbox.simulator.world import Arm, Organization, World, demo_world

moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"messages": -1}, "messages is -1"),
        ({"weeks": 0}, "weeks is 0"),
        ({"leads": 0}, "leads is 0"),
        ({"seed": 2**63}, "64-bit"),
        ({"organizations": ()}, "there must be one"),
        ({"organizations": (Organization(id="global", name="x"),)}, "'global'"),
        ({"channels": {"pigeon": 1.0}}, "pigeon"),
        ({"tones": {}}, "tones"),
        ({"frameworks": {"PAS": -1.0}}, "frameworks"),
        ({"duplicates": 1.5}, "duplicates is 1.5"),
        ({"icp_scores": ((2.0, 1.0),)}, "ICP"),
        ({"arms": (Arm(name="x"),)}, "arms are named"),
    ],
)
def test_a_world_that_makes_no_history_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        World(**changes)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Truth(base=Baseline(reply=1.0)),
        lambda: Truth(base=Baseline(held=0.9, no_show=0.2)),
        lambda: Truth(base=Baseline(deal_value=0)),
        lambda: Truth(delays=Delays(open=Delay(-1, 1))),
    ],
)
def test_a_truth_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError):
        wrong()


def test_a_world_survives_json() -> None:
    world = msgspec.structs.replace(demo_world(), arms=(Arm(name="control"), Arm(name="variant_b", share=0.1)))
    assert msgspec.json.decode(msgspec.json.encode(world), type=World) == world


def test_the_demo_has_three_organisations_of_which_two_consent() -> None:
    assert [each.allows_global_training for each in demo_world().organizations] == [True, True, False]


def test_all_leads_of_a_world_are_distinct() -> None:
    leads = list(People(World(leads=50)).all())
    assert len(leads) == 150 == len({each.lead_id for each in leads}) == len({each.email for each in leads})


@given(moments)
def test_working_time_never_runs_backwards_and_skips_nights(moment: datetime) -> None:
    opens = working_time(working_seconds(moment))
    assert opens >= moment.replace(microsecond=0)
    assert opens.weekday() < 5 and 8 <= opens.hour < 18
    assert working_seconds(opens) == working_seconds(moment)
    slot = next_slot(moment)
    assert slot >= opens and slot.minute in (0, 30) and slot.second == 0


def test_a_lognormal_draw_of_one_half_is_the_median() -> None:
    assert lognormal(40, 1.3, 0.5) == pytest.approx(40)
