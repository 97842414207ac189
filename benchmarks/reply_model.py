"""Asking a model about replies beside the model's own latency: our client, and a whole run with its book-keeping, against bare requests."""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import orjson

from benchmarks.measuring import Ground, Peak, Report, seconds
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.patience import Patience
from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.model_client import ModelClient
from flywheel_dagster.replies.model_prompt import chat_request
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.prices import chat_price
from flywheel_dagster.replies.reading import Means, read_replies

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
AT_A_TIME = 8
ORIGINAL = "Hello, shall we talk about how your team plans its routes? " * 8


def measure(ground: Ground, rows: int) -> Report:
    """Ask about `rows` replies, `AT_A_TIME` at a time; the local model server answers at once, so what is left of the time is ours."""
    texts = [
        f"Thanks for the note, number {number}. Could you tell me more about the price for 20 people?" for number in range(rows)
    ]
    report = Report(f"{rows:,} replies, {AT_A_TIME} at a time, asked of a local server that answers at once")
    with _server(ground.folder) as url, ground.service() as connection, Peak() as peak:
        model = ChatModel("gpt-6-luna", "sk-bench", f"{url}/v1", chat_price("gpt-6-luna"))
        requests = [orjson.dumps(chat_request(own_words(text), ORIGINAL, {}, model=model.name)) for text in texts]
        floor, _ = seconds(lambda: asyncio.run(_bare(f"{url}/v1", requests)))
        asked, _ = seconds(lambda: asyncio.run(_ask(model, texts)))
        for week in (0, 1):
            send(connection, [_message(week, number) for number in range(rows)])
            record(connection, [_reply(week, number, text) for number, text in enumerate(texts)])
            connection.commit()
        patience = Patience(poll=timedelta(milliseconds=50))
        one_by_one, single = seconds(
            lambda: read_replies(
                connection, AT, AT + timedelta(days=7), Means(model, concurrency=AT_A_TIME, batch_from=rows + 1, patience=patience)
            )
        )
        in_batches, batched = seconds(
            lambda: read_replies(
                connection, AT + timedelta(days=7), AT + timedelta(days=14), Means(model, batch_from=1, patience=patience)
            )
        )
    assert (single.methods, batched.methods) == ({"llm": rows}, {"llm": rows}), (single, batched)
    report.add("floor: the same requests, bare", floor, rows, ratio="1")
    report.add(
        "our client: prompt, schema, answer read and checked",
        asked,
        rows,
        ratio=f"{asked / floor:.1f} × its time: {(asked - floor) / rows * 1000:.1f} ms a reply",
    )
    report.add("a run: questions and judgements in the database", one_by_one, rows, ratio=f"{one_by_one / floor:.1f} × its time")
    report.add("a run through the Batch API", in_batches, rows, ratio=f"{in_batches / floor:.1f} × its time", memory=peak.bytes)
    return report


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=folder) as state:
        ready = Path(state) / "ready.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "flywheel_dagster.sandbox.model_server", "--state", f"{state}/state", "--port", "0", "--identity", "bench",
             "--ready-file", str(ready)], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not ready.exists() or not ready.read_text():
                time.sleep(0.05)
            yield str(orjson.loads(ready.read_text())["url"])
        finally:
            process.terminate()
            process.wait()


async def _bare(url: str, requests: list[bytes]) -> None:
    async with httpx2.AsyncClient(
        timeout=60, headers={"authorization": "Bearer sk-bench", "content-type": "application/json"}
    ) as client:
        waiting = iter(requests)

        async def work() -> None:
            for body in waiting:
                (await client.post(f"{url}/chat/completions", content=body)).raise_for_status()

        await asyncio.gather(*(work() for _ in range(AT_A_TIME)))


async def _ask(model: ChatModel, texts: list[str]) -> None:
    client = ModelClient(model, timeout=60, concurrency=AT_A_TIME)
    waiting = iter(texts)

    async def work() -> None:
        for text in waiting:
            await client.ask(own_words(text), ORIGINAL)

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    await client.close()


def _id(week: int, number: int) -> UUID:
    return UUID(int=(week << 64) + number + 1)


def _message(week: int, number: int) -> SentMessage:
    return SentMessage(
        id=_id(week, number), organization_id="acme", campaign_id="bench", lead_id=f"lead-{number}", channel="email",
        message_body=ORIGINAL, sent_at=AT + timedelta(weeks=week),
    )  # fmt: skip


def _reply(week: int, number: int, text: str) -> OutcomeEvent:
    return OutcomeEvent(
        event_type=EventType.REPLIED, occurred_at=AT + timedelta(weeks=week, days=1), source="bench", organization_id="acme",
        outcome_id=_id(week, number), facts={"text": text},
    )  # fmt: skip
