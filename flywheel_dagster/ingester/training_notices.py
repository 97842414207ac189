"""OpenAI's webhook about fine-tuning jobs: proven, written down once, and whoever waits for the job is woken. It tells nothing of outcomes.

Signed as https://www.standardwebhooks.com says; `data` holds the job's id alone
[https://platform.openai.com/docs/api-reference/webhook-events/fine_tuning].
"""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import psycopg

from flywheel_dagster.database import statement
from flywheel_dagster.ingester.committer import AwayError
from flywheel_dagster.ingester.received import Connection, Provider, Received, UnreadableError
from flywheel_dagster.ingester.signatures import standard_webhooks

BODY_LIMIT = 64 * 1024

_JOBS = "fine_tuning.job."
_LONGEST = 200  # characters of an id or a type; theirs have about 40


@dataclass(frozen=True)
class Notice:
    """What became of a job, under the id of the delivery, which a repetition has too."""

    webhook_id: str
    event_type: str
    job_id: str


def is_genuine(received: Received, secret: str) -> bool:
    """Whether the request is signed by this secret, lately."""
    return standard_webhooks.is_genuine(
        received, Connection(id="openai", provider=Provider.GENERIC, secrets={"secrets": (secret,)})
    )


def read(received: Received) -> Notice | None:
    """The notice in a genuine request; None: the event is about something else. Raises UnreadableError for what is no event."""
    try:
        event: Any = msgspec.json.decode(received.body)
        kind, job_id = event["type"], event["data"]["id"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise UnreadableError("the body is not an event with type and data.id") from None
    if not (_is_name(kind) and _is_name(job_id)):
        raise UnreadableError(f"type and data.id have 1 to {_LONGEST} printable characters")
    return Notice(received.headers["webhook-id"][:_LONGEST], kind, job_id) if kind.startswith(_JOBS) else None


async def keep(url: str, notice: Notice) -> None:
    """Write a notice down, unless it is known, and wake who waits. Raises AwayError without the database, or another psycopg.Error."""
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
            await connection.execute(statement("insert_training_notice"), asdict(notice))
    except psycopg.OperationalError:
        raise AwayError("the database is away") from None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()
