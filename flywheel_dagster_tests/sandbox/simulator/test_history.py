"""The stream of messages: the same for the same seed however it is read, and nothing from the future."""

import gc
import hashlib
import re
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import EventType, json_bytes
from flywheel_dagster.outcomes.ledger import events_json, messages_json
from flywheel_dagster.sandbox.simulator.history import Simulated, history
from flywheel_dagster.sandbox.simulator.world import Arm, World, demo_world

ANCHOR = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
JUDGED = msgspec.structs.replace(demo_world(), classified=1)


def digest(stories: list[Simulated]) -> str:
    messages = messages_json(each.message for each in stories)
    events = events_json(event for each in stories for event in each.events)
    leads = json_bytes([msgspec.to_builtins(each.lead) for each in stories]).decode()
    return hashlib.sha256((messages + events + leads).encode()).hexdigest()


@pytest.fixture(scope="module")
def demo() -> list[Simulated]:
    return list(history(demo_world(), ANCHOR))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(demo: list[Simulated]) -> None:
    assert digest(demo) == digest(list(history(demo_world(), ANCHOR)))
    other = msgspec.structs.replace(demo_world(), seed=8)
    assert not {each.message.id for each in demo} & {each.message.id for each in history(other, ANCHOR)}


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_give_the_same_bytes_as_the_whole(demo: list[Simulated], chunk: int) -> None:
    parts = [
        each for start in range(0, 300, chunk) for each in history(demo_world(), ANCHOR, start=start, stop=min(start + chunk, 300))
    ]
    assert digest(parts) == digest(demo[:300])


def test_a_message_can_be_made_again_alone(demo: list[Simulated]) -> None:
    for index in (0, 617, 1_199):
        assert digest(list(history(demo_world(), ANCHOR, start=index, stop=index + 1))) == digest([demo[index]])


def test_messages_come_in_order_of_sending_in_working_hours_before_the_anchor(demo: list[Simulated]) -> None:
    times = [each.message.sent_at for each in demo]
    assert times == sorted(times)
    assert ANCHOR - timedelta(weeks=12) <= times[0] and times[-1] < ANCHOR
    assert all(time.weekday() < 5 and 8 <= time.hour < 18 for time in times)
    weeks = Counter(time.isocalendar()[:2] for time in times)
    assert len(weeks) in (12, 13)


def test_nothing_happens_after_the_anchor(demo: list[Simulated]) -> None:
    assert all(event.occurred_at <= ANCHOR for each in demo for event in each.events)


def test_a_later_now_adds_events_to_the_same_messages(demo: list[Simulated]) -> None:
    later = list(history(demo_world(), ANCHOR, now=ANCHOR + timedelta(days=40)))
    assert [each.message for each in later] == [each.message for each in demo]
    before = {event.event_key for each in demo for event in each.events}
    after = {event.event_key: event for each in later for event in each.events}
    assert before < after.keys()
    assert all(after[key].occurred_at > ANCHOR for key in after.keys() - before)


def test_a_naive_anchor_and_a_now_before_it_are_refused() -> None:
    with pytest.raises(InputError, match="no time zone"):
        next(history(demo_world(), datetime(2025, 6, 2)))  # noqa: DTZ001
    with pytest.raises(InputError, match="no earlier than the anchor"):
        next(history(demo_world(), ANCHOR, now=ANCHOR - timedelta(seconds=1)))


def test_effects_follow_their_causes() -> None:
    causes = {
        EventType.OPENED: {EventType.DELIVERED},
        EventType.CLICKED: {EventType.OPENED},
        EventType.UNSUBSCRIBED: {EventType.OPENED},
        EventType.REPLIED: {EventType.DELIVERED},
        EventType.REPLY_CLASSIFIED: {EventType.REPLIED},
        EventType.MEETING_BOOKED: {EventType.REPLIED, EventType.CLICKED, EventType.DELIVERED},
        EventType.MEETING_COMPLETED: {EventType.MEETING_BOOKED},
        EventType.MEETING_NO_SHOW: {EventType.MEETING_BOOKED},
        EventType.MEETING_CANCELLED: {EventType.MEETING_BOOKED},
        EventType.DEAL_OPENED: {EventType.MEETING_COMPLETED, EventType.REPLIED},
        EventType.DEAL_CLOSED: {EventType.DEAL_OPENED},
        EventType.DEAL_LOST: {EventType.DEAL_OPENED},
    }
    seen: Counter[EventType] = Counter()
    for each in history(JUDGED, ANCHOR, now=ANCHOR + timedelta(days=2_000)):
        first: dict[EventType, datetime] = {}
        times = [event.occurred_at for event in each.events]
        assert times == sorted(times) and times[0] > each.message.sent_at
        for event in each.events:
            first.setdefault(event.event_type, event.occurred_at)
            seen[event.event_type] += 1
        for effect, possible in causes.items():
            if effect in first:
                assert any(cause in first and first[cause] < first[effect] for cause in possible), effect
        assert EventType.BOUNCED not in first or len(each.events) == 1
    unseen = {EventType.SNAPSHOT, EventType.NOTED, EventType.MERGED, EventType.DEAL_UPDATED, EventType.SPAM_REPORTED}
    assert set(EventType) - seen.keys() <= unseen


def test_events_carry_what_the_ledger_folds(demo: list[Simulated]) -> None:
    ranges = {"positive": (0.5, 1), "neutral": (-0.2, 0.5), "negative": (-1, -0.2)}
    keys: set[object] = set()
    for each in history(JUDGED, ANCHOR, now=ANCHOR + timedelta(days=2_000)):
        for event in each.events:
            facts = event.facts
            assert event.source == "simulator" and event.outcome_id == each.message.id
            keys.add((event.source, event.source_event_id))
            match event.event_type:
                case EventType.OPENED:
                    assert isinstance(facts["machine"], bool)
                case EventType.REPLIED | EventType.AUTO_REPLIED:
                    assert facts["text"].strip() and "<" not in facts["text"].replace("<team@mail.example.com>", "")
                case EventType.REPLY_CLASSIFIED:
                    low, high = ranges[facts["label"]]
                    assert facts["method"] == "simulated" and low < facts["score"] < high
                    assert datetime.fromisoformat(facts["replied_at"]) < event.occurred_at
                case EventType.MEETING_BOOKED | EventType.MEETING_COMPLETED:
                    assert facts["meeting_id"] and datetime.fromisoformat(facts["meeting_at"]).minute in (0, 30)
                case EventType.DEAL_CLOSED:
                    assert facts["deal_id"] and re.fullmatch(r"\d+\.\d\d", facts["value"]) and facts["currency"] == "USD"
    assert len(keys) == sum(len(each.events) for each in history(JUDGED, ANCHOR, now=ANCHOR + timedelta(days=2_000)))


def test_leads_get_several_touches_in_one_campaign_and_keep_who_they_are(demo: list[Simulated]) -> None:
    touches: defaultdict[tuple[str, str], list[Simulated]] = defaultdict(list)
    for each in demo:
        touches[each.message.campaign_id, each.message.lead_id].append(each)
    assert Counter(len(messages) for messages in touches.values()).most_common(1)[0][0] == 3
    for messages in touches.values():
        assert len({each.lead for each in messages}) == 1
        steps = [each.message.agent_decisions["CopywriterAgent"]["sequence_step"] for each in messages]
        assert steps == list(range(1, len(steps) + 1))
        if len(messages) > 1:
            assert messages[1].message.sent_at - messages[0].message.sent_at > timedelta(days=4)
    assert len({each.message.campaign_id for each in demo}) == 6


def test_leads_keep_their_arm_of_the_experiment() -> None:
    world = msgspec.structs.replace(demo_world(), arms=(Arm(name="control"), Arm(name="variant_a")))
    arms: defaultdict[str, set[str | None]] = defaultdict(set)
    for each in history(world, ANCHOR):
        arms[each.message.lead_id].add(each.message.experiment_arm)
    assert all(len(found) == 1 for found in arms.values())
    assert 0.4 < sum(found == {"control"} for found in arms.values()) / len(arms) < 0.6


def test_texts_are_many_complete_and_different_between_strategies(demo: list[Simulated]) -> None:
    bodies = [each.message.message_body for each in demo]
    assert len(set(bodies)) > 0.98 * len(bodies)
    assert all("<" not in body and "{{first_name}}" in body for body in bodies)
    emails = [each.message for each in demo if each.message.channel == "email"]
    assert all(message.subject_line and "<" not in message.subject_line for message in emails)
    assert all(message.subject_line is None for message in (each.message for each in demo) if message.channel != "email")
    words: defaultdict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for message in emails:
        words[message.framework, message.tone].update(re.split(r"[.?!\n]+\s*", message.message_body))
    assert len(words) == 16
    own = {pair: said - set().union(*(words[other] for other in words if other != pair)) for pair, said in words.items()}
    assert all(len(sentences) > 20 for sentences in own.values())


def test_decisions_are_nested_by_agent(demo: list[Simulated]) -> None:
    for message in (each.message for each in demo):
        decisions = message.agent_decisions
        assert decisions["PersonalizerAgent"]["framework"] == message.framework
        assert decisions["PersonalizerAgent"]["tone"] == message.tone
        assert decisions["CopywriterAgent"]["subject_line"] == message.subject_line
        assert decisions["CopywriterAgent"]["hooks_used"] and decisions["CopywriterAgent"]["cta"]
        assert decisions["DeliverabilityAgent"]["domain_selected"].endswith("example.com")


def test_every_address_is_under_example_com(demo: list[Simulated]) -> None:
    everything = messages_json(each.message for each in demo) + events_json(event for each in demo for event in each.events)
    found = re.findall(r"[\w.+-]+@[\w.-]+\w", everything) + [each.lead.email for each in demo]
    assert found and all(address.endswith(("@example.com", ".example.com")) for address in found)
    assert len({each.lead.email for each in demo}) == len({each.lead.lead_id for each in demo})


def test_memory_stays_flat_however_long_the_history() -> None:
    # Counting the interpreter's blocks costs nothing; tracemalloc makes this five times slower.
    blocks = []
    for index, _ in enumerate(history(World(messages=20_001, leads=100), ANCHOR)):
        if index and index % 5_000 == 0:
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert len(blocks) == 4
    assert max(blocks) - blocks[0] < 1_000  # a message alone takes more than 30
