"""A simulated history as a stream: message after message, each with what became of it, in bounded memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox.simulator.draws import Choice, pick, stream
from flywheel_dagster.sandbox.simulator.office_hours import working_seconds, working_time
from flywheel_dagster.sandbox.simulator.people import Lead, People
from flywheel_dagster.sandbox.simulator.reactions import Reactions
from flywheel_dagster.sandbox.simulator.world import World
from flywheel_dagster.sandbox.simulator.writing.compose import compose


class Simulated(NamedTuple):
    """A sent message, what had happened to it by "now" in order of time, and the lead who got it."""

    message: SentMessage
    events: list[OutcomeEvent]
    lead: Lead


def history(
    world: World, anchor: datetime, *, now: datetime | None = None, start: int = 0, stop: int | None = None
) -> Iterator[Simulated]:
    """The messages of a world in order of sending, with their events up to `now`.

    `anchor` (aware) places the messages: the last is sent just before it. `now` defaults to it; a later one adds what happened
    since to the same messages. `start` and `stop` take a part, by position in 0..messages; a message is the same in every part.
    Raises InputError for a naive anchor, or a `now` before it.
    """
    scribe = Scribe(world, anchor)
    moment = check_now(anchor, now)
    reactions = Reactions(world)
    for index in range(start, world.messages if stop is None else min(stop, world.messages)):
        message, lead = scribe.message(index)
        yield Simulated(message, reactions.to(message, until=moment), lead)


def check_now(anchor: datetime, now: datetime | None) -> datetime:
    """`now`, or the anchor. Raises InputError for a `now` before it."""
    if now is not None and (now.tzinfo is None or now < anchor):
        raise InputError(f"now is {now}; give an aware time no earlier than the anchor, {anchor}")
    return anchor if now is None else now


class Scribe:
    """Writes the messages of a world, each from its position alone."""

    def __init__(self, world: World, anchor: datetime) -> None:
        if anchor.tzinfo is None:
            raise InputError(f"the anchor {anchor} has no time zone; give an aware datetime")
        self._world = world
        self._people = People(world)
        self._draw = stream(world.seed, b"message")
        self._framework, self._tone = Choice(world.frameworks), Choice(world.tones)
        self._channel = Choice(world.channels)
        self._round = _interleaved([each.weight for each in world.organizations])
        # For each place in the round: whose it is, how many of theirs came before it in the round.
        self._ranks = [self._round[:place].count(position) for place, position in enumerate(self._round)]
        self._wave = [
            max(1, min(world.leads, world.messages * each.weight // (len(self._round) * world.weeks)))
            for each in world.organizations
        ]
        self._begin = working_seconds(anchor - timedelta(weeks=world.weeks))
        self._span = working_seconds(anchor) - self._begin
        self._namespace = uuid5(_NAMESPACE, str(world.seed))

    def message(self, index: int) -> tuple[SentMessage, Lead]:
        """Message `index`, and its lead. Its words depend on the seed and the index; its time on the anchor too."""
        world = self._world
        rounds, place = divmod(index, len(self._round))
        position = self._round[place]
        organization = world.organizations[position]
        # Leads are written to in waves of a week: all of a wave a first time, then all a second time, and so on.
        wave = self._wave[position]
        turn, rest = divmod(rounds * organization.weight + self._ranks[place], wave * world.touches)
        touch, in_wave = divmod(rest, wave)
        lead = self._people.lead(position, (turn * wave + in_wave) % world.leads)

        u = self._draw(index.to_bytes(8, "little"))
        sent_at = working_time(self._begin + min(int((index + u[0]) / world.messages * self._span), self._span - 1))
        framework, tone, channel = self._framework(u[1]), self._tone(u[2]), self._channel(u[3])
        written = compose(
            framework=framework, tone=tone, channel=channel, industry=lead.industry, role=lead.role,
            offer=organization.offer, touch=touch, draws=u[4:],
        )  # fmt: skip
        message = SentMessage(
            id=uuid5(self._namespace, str(index)),
            organization_id=organization.id,
            campaign_id=f"{organization.id}-campaign-{turn % world.campaigns + 1}",
            lead_id=lead.lead_id,
            channel=channel,
            subject_line=written.subject,
            message_body=written.body,
            framework=framework,
            tone=tone,
            agent_decisions={
                "PersonalizerAgent": {
                    "framework": framework,
                    "tone": tone,
                    "personalization_applied": ["first_name", "company", "industry", "role"],
                },
                "CopywriterAgent": {
                    "subject_line": written.subject,
                    "hooks_used": list(written.hooks),
                    "cta": written.cta,
                    "sequence_step": touch + 1,
                },
                "DeliverabilityAgent": {
                    "domain_selected": pick(_SENDERS, u[3]),
                    "send_time": sent_at.isoformat(),
                    "warmup_score": round(0.7 + 0.3 * u[0], 2),
                },
            },
            model_registry_id=lead.arm.model_registry_id if lead.arm else None,
            experiment_arm=lead.arm.name if lead.arm else None,
            sent_at=sent_at,
            lead_industry=lead.industry,
            lead_role=lead.role,
            company_size=lead.company_size,
            icp_score=lead.icp_score,
        )
        return message, lead


_NAMESPACE = UUID("6f0f1d0e-5a55-5d1c-9c1e-0f6a7c3b2d10")
_SENDERS = ("team@mail.example.com", "hello@go.example.com", "desk@news.example.com")


def _interleaved(weights: list[int]) -> list[int]:
    """Positions, each as often as its weight says, evenly mixed (smooth weighted round robin)."""
    total, credit, mixed = sum(weights), [0] * len(weights), []
    for _ in range(total):
        credit = [have + weight for have, weight in zip(credit, weights, strict=True)]
        chosen = max(range(len(weights)), key=credit.__getitem__)
        credit[chosen] -= total
        mixed.append(chosen)
    return mixed
