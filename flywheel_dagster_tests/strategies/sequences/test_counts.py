"""The statement that counts sequences, against a plain reference and on histories whose counts one can tell by hand."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_dagster.datasets.erasure import erase
from flywheel_dagster.strategies.sequences.judging import Counted, Step
from flywheel_dagster.strategies.sequences.playbooks import count_sequences
from flywheel_dagster.strategies.sequences.rules import Level, Metric, Rules
from flywheel_dagster_tests.strategies.sequences.making import LATER, Connection, Touch, at, store
from flywheel_dagster_tests.strategies.sequences.reference import Key, Told, reference_counts

ANY = Rules(least_leads=1)


def told(counted: list[Counted]) -> dict[Key, Told]:
    """As the reference tells it."""
    found: dict[Key, Told] = {}
    for each in counted:
        steps = []
        for step in each.steps:
            said: tuple[str | None, ...] = () if each.level is Level.STRATEGY else (step.get("gap"), step["channel"])
            steps.append(said if each.level is Level.CHANNEL_GAP else (*said, step["strategy"]))
        points = zip(*(column.tolist() for column in (each.leads, each.successes, each.all_leads, each.all_successes)), strict=True)
        found[each.level, tuple(steps)] = sorted(points), each.alone
    return found


_ELSEWHERE = UUID(int=0), UUID(int=1)
_days = st.sampled_from([0.0, 0.5, 0.5, 1.0, 2.9, 3.0, 4.0, 5.0, 9.5, 10.0, 20.0, 26.0, 35.0, 60.0])
_touches = st.builds(
    Touch,
    lead_id=st.sampled_from(["ada", "bob", "cyd", "dan", "eve", "fay"]),
    sent=_days,
    channel=st.sampled_from(["email", "linkedin"]),
    framework=st.sampled_from(["PAS", "AIDA", None, ""]),
    tone=st.sampled_from(["casual", None]),
    facts=st.dictionaries(
        st.sampled_from(
            [
                "bounced", "opened", "clicked", "unsubscribed", "spam_reported", "replied", "replied", "meeting_booked", "meeting_booked", "deal_closed", "deal_lost",
            ]
        ),
        st.one_of(st.none(), _days, st.floats(0, 100)),
        max_size=2,
    ),
    sentiment_label=st.sampled_from([None, "positive", "neutral", "negative"]),
    interest_signal=st.sampled_from([None, True, False]),
    id=st.integers(2, 2**128 - 1).map(lambda number: UUID(int=number)),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    touches=st.lists(_touches, min_size=1, max_size=14, unique_by=lambda touch: touch.id),
    metric=st.sampled_from(Metric),
    day=st.sampled_from([10.0, 40.0, 500.0]),
    longest=st.sampled_from([1, 3, 4]),
    least=st.sampled_from([1, 2]),
)
def test_the_counts_are_those_of_the_plain_reference(
    connection: Connection, touches: list[Touch], metric: Metric, day: float, longest: int, least: int
) -> None:
    rules = replace(ANY, longest=longest, least_leads=least)
    with connection.transaction(force_rollback=True):
        store(connection, touches)
        store(connection, [replace(touches[0], organization_id="rival", id=_ELSEWHERE[0])])
        store(connection, [replace(touches[0], campaign_id="autumn", id=_ELSEWHERE[1])])
        counted = count_sequences(connection, "acme", "spring", metric, now=at(day), rules=rules)
    expected = reference_counts(touches, metric, now=at(day), window=rules.window(metric), longest=longest, least=least)
    assert told(counted) == expected


def of(
    connection: Connection, *steps: Step, rules: Rules = ANY, metric: Metric = Metric.MEETING, now: float = 500
) -> tuple[int, int] | None:
    """Leads and successes of the sequence with these steps."""
    for each in count_sequences(connection, "acme", "spring", metric, now=at(now), rules=rules):
        if [{**step, "order": place} for place, step in enumerate(steps, 1)] == list(each.steps):
            return int(each.leads.sum()), int(each.successes.sum())
    return None


EMAIL, LINKEDIN = Step(channel="email"), Step(channel="linkedin")


def test_further_touches_take_nothing_from_a_prefix(connection: Connection) -> None:
    store(connection, [Touch("ada", 0), Touch("ada", 4, facts={"meeting_booked": 6}), Touch("bob", 0, "linkedin")])
    assert of(connection, EMAIL) == (1, 1)  # the meeting came of the second touch, within the first one's window


def test_who_succeeded_or_left_before_a_touch_does_not_count_with_it(connection: Connection) -> None:
    store(connection, [Touch("ada", 0, facts={"meeting_booked": 1}), Touch("bob", 0, facts={"unsubscribed": 1}), Touch("cyd", 0)])
    store(connection, [Touch(lead, 4) for lead in ("ada", "bob", "cyd")] + [Touch("dan", 0), Touch("dan", 4, "linkedin")])
    assert of(connection, EMAIL, Step(gap="3-4 days", channel="email")) == (1, 0)
    assert of(connection, EMAIL, Step(gap="3-4 days", channel="linkedin")) == (1, 0)


@pytest.mark.parametrize(("now", "leads"), [(29.9, None), (30.0, (1, 1))])
def test_a_lead_counts_when_its_window_is_over(connection: Connection, now: float, leads: tuple[int, int] | None) -> None:
    store(connection, [Touch("ada", 0, facts={"meeting_booked": 2}), Touch("bob", 0, "linkedin")])
    assert of(connection, EMAIL, now=now) == leads


def test_a_success_after_the_window_is_none(connection: Connection) -> None:
    store(connection, [Touch("ada", 0, facts={"meeting_booked": 30.1}), Touch("bob", 0, "linkedin")])
    assert of(connection, EMAIL) == (1, 0)
    assert of(connection, EMAIL, rules=replace(ANY, meeting_window=timedelta(days=31))) == (1, 1)


def test_whichever_message_got_it_the_success_is_the_leads(connection: Connection) -> None:
    store(connection, [Touch("ada", 0), Touch("ada", 0.5, "linkedin", facts={"meeting_booked": 0.2}), Touch("bob", 0, "linkedin")])
    assert of(connection, EMAIL) == (1, 1)
    assert of(connection, EMAIL, Step(gap="within a day", channel="linkedin")) is None


def test_leads_are_compared_within_month_gaps_and_answer_only(connection: Connection) -> None:
    store(connection, [Touch("ada", 0), Touch("bob", 40, "linkedin")])
    assert of(connection, EMAIL) is None  # nobody else was sent a first touch in January
    store(connection, [Touch("cyd", 1, "linkedin")])
    assert of(connection, EMAIL) == (1, 0)


def test_an_erased_lead_still_counts(connection: Connection, tmp_path: Path) -> None:
    store(connection, [Touch("ada", 0, facts={"meeting_booked": 2}), Touch("ada", 4), Touch("bob", 0, "linkedin"), Touch("bob", 4)])
    connection.commit()
    before = told(count_sequences(connection, "acme", "spring", Metric.MEETING, now=LATER, rules=ANY))
    connection.commit()
    erase(connection, "acme", "ada", tmp_path)
    assert told(count_sequences(connection, "acme", "spring", Metric.MEETING, now=LATER, rules=ANY)) == before
