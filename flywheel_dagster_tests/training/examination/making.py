"""Makes what an examination needs: outcomes with messages of many words, their dataset, and chats whose answers a test decides."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.models.chat import Answer, Messages
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.training.examination.asking import Examinee
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

Connection = psycopg.Connection[TupleRow]
HALF = Selection(test_share=0.5, validation_share=0.0)
INDUSTRIES, ROLES = ("SaaS", "retail", "logistics", "finance"), ("CEO", "CTO", "Head of Sales")
_WORDS = tuple(
    """
margin backlog forecast ledger onboarding renewal audit freight parcel checkout pipeline churn shelf invoice carrier quota desk branch
inventory plant supplier tender workload calendar signal benchmark trial partner region season store route claim policy portfolio ticket
""".split()  # noqa: SIM905
)
_VERBS = ("cuts", "moves", "shows", "saves", "finds", "keeps", "links", "turns", "lifts", "clears")
HOOK = "We measured it in a benchmark report for you."


def body(draw: random.Random, *, hook: bool = False) -> str:
    """A message of about fifty words, of which no eight in a row are those of another one."""
    sentences = [
        f"The {draw.choice(_WORDS)} {draw.choice(_VERBS)} every {draw.choice(_WORDS)} and the {draw.choice(_WORDS)} "
        f"{draw.choice(_VERBS)} a {draw.choice(_WORDS)}."
        for _ in range(4)
    ]
    return "\n\n".join(["Hi {{first_name}},", " ".join(sentences), *([HOOK] if hook else []), "Shall we talk on Tuesday?"])


def subject(draw: random.Random) -> str:
    """Three words."""
    return f"Your {draw.choice(_WORDS)} {draw.choice(_WORDS)}"


def write_outcomes(
    connection: Connection,
    count: int,
    *,
    kind: str = "won",
    hooked: float = 0.0,
    wins: bool = True,
    organization: str = "acme",
    written_as: str | None = None,
) -> None:
    """Send messages, e-mails with a subject and linkedin messages without, which led to meetings (`wins`) or were opened and no more.

    `hooked` is the share that holds HOOK. The same call gives the same rows, and `written_as` another kind the same messages to other leads.
    """
    messages = []
    for number in range(count):
        draw = random.Random(f"{organization}/{written_as or kind}/{number}")
        linkedin = number % 3 == 0
        messages.append(
            message(
                id=uuid5(NAMESPACE_URL, f"{organization}/{kind}/{number}"),
                organization_id=organization,
                lead_id=f"{kind}-{number}",
                channel="linkedin" if linkedin else "email",
                subject_line=None if linkedin else subject(draw),
                message_body=body(draw, hook=draw.random() < hooked),
                lead_industry=draw.choice(INDUSTRIES),
                lead_role=draw.choice(ROLES),
                framework=draw.choice(("PAS", "AIDA")),
                sent_at=MONDAY + timedelta(minutes=number),
            )
        )
    send(connection, messages)
    became = ("opened", "clicked", "meeting_booked") if wins else ("opened",)
    record(connection, [event(sent.id, each, day) for sent in messages for day, each in enumerate(became, 2)])
    connection.commit()


def build(connection: Connection, directory: Path, selection: Selection = HALF, scope: str = "acme") -> Dataset:
    """Score the week and assemble the dataset."""
    score_weeks(connection, MONDAY.date(), MONDAY.date())
    return assemble(connection, scope, directory, selection)


def healthy(messages: Messages, seed: int) -> str:
    """A message as the training messages are, of its own words."""
    draw = random.Random(f"{seed} answers")
    text = body(draw)
    return text if "linkedin" in messages[-1]["content"] else f"Subject: {subject(draw)}\n\n{text}"


class Scripted:
    """A chat whose answers a function of messages and seed decides. It raises an error instead of answer `fails_at` (from 1)."""

    def __init__(
        self, say: Callable[[Messages, int], str | Answer] = healthy, *, name: str = "candidate", fails_at: int | None = None
    ) -> None:
        self.name, self.say, self._fails_at = name, say, fails_at
        self.asked: list[tuple[str, int]] = []
        self.closed = False

    async def answer(self, messages: Messages, *, max_tokens: int | None = None, seed: int | None = None) -> Answer:
        """What the function says."""
        assert not self.closed and seed is not None and max_tokens is not None
        if self._fails_at is not None and len(self.asked) + 1 >= self._fails_at:
            raise ConnectionError("gone")
        self.asked.append((messages[-1]["content"], seed))
        said = self.say(messages, seed)
        return said if isinstance(said, Answer) else Answer(said, None, "stop", 50, 60, 0.5)

    async def close(self) -> None:
        """Nothing is answered any more."""
        self.closed = True

    def examinee(self, trainer: str = "openai") -> Examinee:
        """This chat as a model to examine."""
        return Examinee(trainer, self.name, self)


def spoiling(spoil: Callable[[str], str], *, every: int = 1) -> Callable[[Messages, int], str]:
    """Healthy messages, of which each n-th (by seed) is spoilt."""
    return lambda messages, seed: spoil(healthy(messages, seed)) if seed % every == 0 else healthy(messages, seed)
