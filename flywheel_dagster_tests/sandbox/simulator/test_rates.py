"""The oracle: what the simulator does agrees with what its truth says."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import sqrt
from uuid import UUID

import msgspec
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import EventType
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox.simulator.history import Simulated, history
from flywheel_dagster.sandbox.simulator.rates import Rates, expected_rates, strategy_ranking
from flywheel_dagster.sandbox.simulator.reactions import Reactions
from flywheel_dagster.sandbox.simulator.truth import Baseline, Effects, Truth, default_truth
from flywheel_dagster.sandbox.simulator.world import Arm, World

ANCHOR = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
IN_THE_END = ANCHOR + timedelta(days=10_000)
ARMS = (Arm(name="control"), Arm(name="variant_a"))
# Leads enough that hardly one gets a second wave: the sampling error is then nearly that of independent messages.
WORLD = World(
    messages=20_000,
    leads=4_000,
    arms=ARMS,
    truth=msgspec.structs.replace(default_truth(), models={"variant_a": Effects(reply=0.4)}),
)
STEPS = ("delivery", "open", "click", "reply", "positive_reply", "booked", "meeting", "meeting_completed", "deal")


def reached(story: Simulated) -> Iterator[str]:
    kinds = {event.event_type for event in story.events if not event.facts.get("machine")}
    names = {
        EventType.DELIVERED: "delivery", EventType.OPENED: "open", EventType.CLICKED: "click", EventType.REPLIED: "reply",
        EventType.MEETING_BOOKED: "booked", EventType.MEETING_COMPLETED: "meeting_completed", EventType.DEAL_CLOSED: "deal",
    }  # fmt: skip
    yield from (name for kind, name in names.items() if kind in kinds)
    if any(event.facts.get("label") == "positive" for event in story.events):
        yield "positive_reply"
    if EventType.MEETING_BOOKED in kinds and EventType.MEETING_CANCELLED not in kinds:
        yield "meeting"


class Tally:
    """Counts of one group of messages."""

    def __init__(self) -> None:
        self.messages = 0
        self.steps: Counter[str] = Counter()

    def agrees(self, expected: Rates, spread: float = 1.25) -> None:
        """Within 4.5 standard errors of the exact rates; `spread` allows for three messages to one lead."""
        for step in STEPS:
            p = getattr(expected, step)
            error = 4.5 * spread * sqrt(p * (1 - p) / self.messages)
            assert abs(self.steps[step] / self.messages - p) <= error, (step, self.steps[step] / self.messages, p)


@pytest.fixture(scope="module")
def tallies() -> dict[tuple[str, str | None], Tally]:
    found: defaultdict[tuple[str, str | None], Tally] = defaultdict(Tally)
    for story in history(WORLD, ANCHOR, now=IN_THE_END):
        message, steps = story.message, list(reached(story))
        groups = (
            ("all", None), ("framework", message.framework), ("tone", message.tone), ("arm", message.experiment_arm),
            ("industry", message.lead_industry), ("role", message.lead_role), ("company_size", message.company_size),
            ("channel", message.channel), ("strategy", f"{message.framework}_{message.tone}"),
        )  # fmt: skip
        for group in groups:
            found[group].messages += 1
            found[group].steps.update(steps)
    return found


def test_overall_rates_agree_with_the_truth(tallies: dict[tuple[str, str | None], Tally]) -> None:
    assert tallies["all", None].messages == 20_000
    tallies["all", None].agrees(expected_rates(WORLD))


@pytest.mark.parametrize("kind", ["framework", "tone", "arm", "industry", "role", "company_size", "channel"])
def test_rates_of_each_segment_agree_with_the_truth(tallies: dict[tuple[str, str | None], Tally], kind: str) -> None:
    names = [name for group, name in tallies if group == kind]
    assert len(names) > 1
    for name in names:
        tallies[kind, name].agrees(expected_rates(WORLD, **{kind: name}))  # type: ignore[arg-type]


def test_rates_of_each_strategy_agree_with_the_truth(tallies: dict[tuple[str, str | None], Tally]) -> None:
    for framework in WORLD.frameworks:
        for tone in WORLD.tones:
            tallies["strategy", f"{framework}_{tone}"].agrees(expected_rates(WORLD, framework=framework, tone=tone))


def test_deals_are_worth_what_the_truth_says() -> None:
    sure = Baseline(open=0.9, reply=0.9, positive=0.9, meeting=0.9, deal=0.9)
    world = World(messages=4_000, leads=4_000, truth=msgspec.structs.replace(default_truth(), base=sure))
    values = [
        float(event.facts["value"])
        for each in history(world, ANCHOR, now=IN_THE_END)
        for event in each.events
        if event.event_type is EventType.DEAL_CLOSED
    ]
    expected = expected_rates(world)
    mean = sum(values) / len(values)
    error = sqrt(sum((value - mean) ** 2 for value in values)) / len(values)
    assert abs(mean - expected.deal_value) < 4.5 * error
    assert expected.revenue == pytest.approx(expected.deal * expected.deal_value)


def test_the_default_truth_is_a_believable_cold_market() -> None:
    rates = expected_rates(World())
    assert 0.96 < rates.delivery < 0.98
    assert 0.35 < expected_rates(World(), channel="email").open < 0.45
    assert 0.05 < rates.click < 0.08
    assert 0.08 < rates.reply < 0.14
    assert 0.03 < rates.meeting < 0.06
    assert 0.01 < rates.deal < 0.02


def test_summing_over_the_segments_equals_averaging_the_segments() -> None:
    world = World()
    total = sum(world.industries.values())
    parts = sum(share / total * expected_rates(world, industry=name).meeting for name, share in world.industries.items())
    assert parts == pytest.approx(expected_rates(world).meeting, rel=1e-12)


def test_one_exact_profile_follows_the_formula() -> None:
    base = Baseline(
        delivery=0.9, open=0.5, reply=0.4, reply_unopened=0.0, positive=0.5, neutral=0.0, meeting=0.5, meeting_after_click=-50
    )
    world = World(truth=Truth(base=base))
    rates = expected_rates(world, channel="email")
    assert rates.reply == pytest.approx(0.9 * 0.4)
    assert rates.booked == pytest.approx(0.9 * 0.4 * 0.5 * 0.5)
    assert rates.meeting_completed == pytest.approx(rates.booked * base.held)
    assert rates.performance == pytest.approx(0.5 * rates.deal + 0.3 * rates.meeting + 0.2 * rates.reply)


def test_strategies_rank_by_their_true_effect_interactions_included() -> None:
    best, *_, worst = strategy_ranking(World())
    assert best[:2] == ("PAS", "consultative") and worst[:2] == ("FAB", "direct")
    odd = msgspec.structs.replace(default_truth(), strategies={"FAB_direct": Effects(reply=3.0)})
    assert strategy_ranking(World(truth=odd), "performance")[0][:2] == ("FAB", "direct")


def test_a_better_model_only_ever_adds_replies() -> None:
    def replies(effect: float) -> set[UUID]:
        truth = msgspec.structs.replace(default_truth(), models={"control": Effects(reply=effect)})
        world = World(messages=2_000, arms=(Arm(name="control"),), truth=truth)
        return {each.message.id for each in history(world, ANCHOR, now=IN_THE_END) if "reply" in set(reached(each))}

    assert replies(-0.5) < replies(0.0) < replies(0.5)


def test_a_message_written_elsewhere_gets_the_reaction_its_properties_earn() -> None:
    reactions = Reactions(WORLD)
    message = SentMessage(
        organization_id="o",
        campaign_id="c",
        lead_id="l",
        channel="email",
        message_body="Hello",
        sent_at=ANCHOR,
        framework="unheard of",
    )
    events = reactions.to(message, until=IN_THE_END)
    assert events and events == reactions.to(message, until=IN_THE_END)
    assert {event.outcome_id for event in events} == {message.id}


def test_a_property_that_the_world_lacks_is_refused_with_what_it_has() -> None:
    with pytest.raises(InputError, match="no framework 'QUEST'; use PAS or AIDA"):
        expected_rates(World(), framework="QUEST")
    with pytest.raises(InputError, match="no arm 'variant_b'"):
        expected_rates(World(), arm="variant_b")
