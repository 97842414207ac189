"""Makes what training needs: outcomes that are good enough to learn from, trainers, and patience that takes no time."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.patience import Patience
from flywheel_dagster.training.trainer import Recipe
from flywheel_dagster.training.trainers.openai import OpenAITrainer
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.sandbox.model_server.served import Served

KEY = "sk-secret-of-the-tests"


def score_good_outcomes(connection: psycopg.Connection[TupleRow], *, organization: str = "acme", count: int = 60) -> None:
    """Send messages that were answered and led to meetings, over three weeks, and score these weeks. The same call gives the same rows."""
    outcomes = [uuid5(NAMESPACE_URL, f"{organization}/{number}") for number in range(count)]
    send(
        connection,
        [
            message(
                id=outcome,
                organization_id=organization,
                lead_id=f"lead-{number}",
                subject_line=f"Routes at firm {number}",
                message_body=f"Hello person {number}, shall we talk about the routes of firm {number}?",
                sent_at=MONDAY + timedelta(days=number % 21),
            )
            for number, outcome in enumerate(outcomes)
        ],
    )
    record(
        connection,
        [event(outcome, kind, day) for outcome in outcomes for day, kind in enumerate(("opened", "clicked", "meeting_booked"), 22)],
    )
    first: date = MONDAY.date()
    score_weeks(connection, first, first + timedelta(weeks=2))
    connection.commit()


def trainer_at(provider: Served, *, key: str = KEY, **options: Any) -> OpenAITrainer:
    """A trainer for this server, whose settings no other one has: jobs that other tests bought are not its own."""
    recipe = {"base_model": "gpt-4o-mini-2024-07-18", "epochs": 1, "seed": uuid4().int % 2**31}
    recipe |= {name: options.pop(name) for name in Recipe.__dataclass_fields__ if name in options}
    return OpenAITrainer(Recipe(**recipe), api_key=key, **({"base_url": f"{provider.url}/v1", "local": True} | options))


class Time:
    """A clock that only its own sleeps move, so that patience takes no time; `slept` lists them in seconds."""

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self.slept: list[float] = []
        self._during = during

    def sleep(self, seconds: float) -> None:
        """Pass the time, and do what happens during it."""
        self.slept.append(seconds)
        self._during()

    def patience(self, **hours_and_polls: timedelta) -> Patience:
        """Patience by this clock."""
        return Patience(sleep=self.sleep, clock=lambda: sum(self.slept), **hours_and_polls)
