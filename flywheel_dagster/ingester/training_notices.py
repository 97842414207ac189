"""OpenAI's webhook about fine-tuning jobs: proven, written down once, and whoever waits for the job is woken. It tells nothing of outcomes."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flywheel_dagster.database import statement
from flywheel_dagster.ingester import limits
from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.signatures.standard_webhooks import is_genuine
from flywheel_dagster.settings import Settings

_BODY_LIMIT = 64 * 1024
_JOBS = "fine_tuning.job."


async def receive_notice(request: Request, url: str, settings: Settings, now: datetime) -> Response:
    """Answers {"status": "processed"} for a job's notice, {"status": "ignored"} for any other event; 401 for what isn't signed by OPENAI_WEBHOOK_SECRET.

    Signed as https://www.standardwebhooks.com says; `data` holds the job's id alone
    [https://platform.openai.com/docs/api-reference/webhook-events/fine_tuning].
    """
    if settings.openai_webhook_secret is None:
        return _refused(503, "set OPENAI_WEBHOOK_SECRET to the signing secret of the webhook", retry_after=300)
    try:
        body = await limits.read_body(request, _BODY_LIMIT)
    except limits.TooLargeError:
        return _refused(413, f"the body exceeds {_BODY_LIMIT // 1024} kB")
    received = Received(headers={name.lower(): value for name, value in request.headers.items()}, body=body, at=now)
    secret = settings.openai_webhook_secret.get_secret_value()
    if not is_genuine(received, Connection(id="openai", provider=Provider.GENERIC, secrets={"secrets": (secret,)})):
        return _refused(401, "not signed by OPENAI_WEBHOOK_SECRET")
    try:
        event: Any = msgspec.json.decode(body)
        kind, job_id = str(event["type"]), str(event["data"]["id"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return _refused(400, "the body is not an event with type and data.id")
    if not kind.startswith(_JOBS):
        return JSONResponse({"status": "ignored"})
    notice = {"webhook_id": received.headers["webhook-id"][:200], "event_type": kind, "job_id": job_id.replace("\0", "")}
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
            await connection.execute(statement("insert_training_notice"), notice)
    except psycopg.OperationalError:
        return _refused(503, "the database is away", retry_after=5)
    return JSONResponse({"status": "processed"})


def _refused(status: int, why: str, *, retry_after: int | None = None) -> Response:
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"status": "refused", "error": why}, status, headers)
