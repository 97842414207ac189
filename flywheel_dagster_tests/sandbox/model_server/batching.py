"""Batches for the tests: their lines, and patience until they have ended."""

import json
import time
from typing import Any
from uuid import uuid4

from openai.types import Batch

from flywheel_dagster_tests.sandbox.model_server.served import Served

ENDED = ("completed", "failed", "expired", "cancelled")


def make_request(custom_id: str, text: str = "Hello", *, model: str = "gpt-6-luna", **body: Any) -> dict[str, Any]:
    """One line: a chat request."""
    asked = {"model": model, "messages": [{"role": "user", "content": text}], **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": asked}


def make_requests(count: int, **body: Any) -> list[dict[str, Any]]:
    """Lines with custom ids that no other test has."""
    run = uuid4().hex
    return [make_request(f"{run}-{number}", f"Hello {number}", **body) for number in range(count)]


def as_lines(requests: list[Any]) -> bytes:
    """The input file."""
    return "".join(json.dumps(request) + "\n" for request in requests).encode()


def create(server: Served, content: bytes, **options: Any) -> Batch:
    """Upload an input file and create a batch of it."""
    file = server.client.files.create(file=("in.jsonl", content), purpose="batch")
    return server.client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", **options)


def ended(server: Served, batch_id: str, *, seconds: float = 30) -> Batch:
    """The batch once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        batch = server.client.batches.retrieve(batch_id)
        if batch.status in ENDED:
            return batch
    raise AssertionError(f"{batch_id} is still {batch.status} after {seconds} s")


def run(server: Served, requests: list[Any]) -> Batch:
    """Upload, create and wait for the end."""
    return ended(server, create(server, as_lines(requests)).id)


def read(server: Served, file_id: str | None) -> list[dict[str, Any]]:
    """The lines of an output or error file; none where there is no file."""
    return [json.loads(line) for line in server.client.files.content(file_id).read().splitlines()] if file_id else []
