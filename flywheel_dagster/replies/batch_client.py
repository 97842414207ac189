"""OpenAI's Batch API through the official client: half the price, an answer within a day. Who pays for which batch, and only once, is the
caller's matter."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import httpx2
import openai
import orjson
from openai.types import Batch

from flywheel_dagster.errors import PermanentModelError, TransientModelError, UnansweredModelError, UnknownBatchError
from flywheel_dagster.http_errors import Failures
from flywheel_dagster.openai_errors import checked_key, classified
from flywheel_dagster.replies.choice import REMEDIES, ChatModel
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered, Usage, read_completion, read_refusal
from flywheel_dagster.replies.model_prompt import chat_request
from flywheel_dagster.replies.own_words import OwnWords

MOST_REQUESTS = 50_000  # a batch
MOST_BYTES = 200_000_000  # an input file
MOST_METADATA = 512  # characters of a key

_FAILURES = Failures(PermanentModelError, TransientModelError, UnansweredModelError, REMEDIES)
_KEY = "flywheel_key"
_ENDPOINT: Final = "/v1/chat/completions"
_CLOCKS_DIFFER = timedelta(hours=1)
_LONGEST_LINE = 16_000_000  # bytes
_UPLOAD_SECONDS = 900
# Codes of the batch's own, by the published schema of an output line.
_LINE_ERRORS = {
    "batch_expired": Reason.EXPIRED,
    "batch_cancelled": Reason.CANCELLED,
    "request_timeout": Reason.TIMEOUT,
}


class BatchState(StrEnum):
    """Where a batch stands. Whatever the provider says that is not an end is `running`: only ends are believed."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_ENDS = {state.value: state for state in BatchState if state is not BatchState.RUNNING}


@dataclass(frozen=True)
class BatchStatus:
    """One look at a batch: the provider's own word in `provider_status`, counts of requests, and its message if it failed.

    `output_file_id` holds the answers, `error_file_id` the requests without one; expired and cancelled batches may have both too.
    """

    batch_id: str
    state: BatchState
    provider_status: str
    total: int
    completed: int
    failed: int
    output_file_id: str | None
    error_file_id: str | None
    error: str | None


class BatchClient:
    """The batches of one model. Nothing is retried: a repeated POST could buy a second batch.

    Every call may raise TransientModelError (call again later) or PermanentModelError; UnansweredModelError, a transient one, when
    the call may have taken effect though it failed.
    """

    def __init__(self, model: ChatModel, *, timeout: float = 120) -> None:
        self._model, self._key = model, checked_key(model.api_key)
        self._client = openai.OpenAI(api_key=self._key, base_url=model.base_url, max_retries=0, timeout=timeout)
        weakref.finalize(self, self._client.close)

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files with the lines of `request_line`; returns the file's id."""
        with self._errors("the upload"), path.open("rb") as file:
            return self._client.files.create(file=(name, file), purpose="batch", timeout=_UPLOAD_SECONDS).id

    def find(self, key: str, *, since: datetime) -> str | None:
        """The id of the batch that was created under `key` at `since` or later; the oldest one, should there be two.

        Pages through GET /batches, newest first, and stops an hour before `since`, as clocks differ; a list in any other order is read
        to its end.
        """
        earliest, found = (since - _CLOCKS_DIFFER).timestamp(), None
        with self._errors("listing batches"):
            page = self._client.batches.list(limit=100)
            while True:
                for batch in page.data:
                    if (batch.metadata or {}).get(_KEY) == key:
                        found = batch.id
                created = [batch.created_at for batch in page.data]
                newest_first = created == sorted(created, reverse=True)
                if not page.has_next_page() or (newest_first and created[-1] < earliest):
                    return found
                page = page.get_next_page()

    def create(self, key: str, file_id: str) -> str:
        """POST /batches; returns the batch's id. Call again for a key only when `find` shows that the call before came to nothing."""
        with self._errors("creating the batch"):
            return self._client.batches.create(
                input_file_id=file_id, endpoint=_ENDPOINT, completion_window="24h", metadata={_KEY: key}
            ).id

    def status(self, batch_id: str) -> BatchStatus:
        """GET /batches/{id}. Raises UnknownBatchError when the provider knows none of this id."""
        with self._errors(f"looking at batch {batch_id}"), _known(f"batch {batch_id}"):
            batch = self._client.batches.retrieve(batch_id)
        counts = batch.request_counts
        return BatchStatus(
            batch_id=batch_id,
            state=_ENDS.get(batch.status, BatchState.RUNNING),
            provider_status=batch.status,
            total=counts.total if counts else 0,
            completed=counts.completed if counts else 0,
            failed=counts.failed if counts else 0,
            output_file_id=batch.output_file_id,
            error_file_id=batch.error_file_id,
            error=_batch_error(batch),
        )

    def cancel(self, batch_id: str) -> None:
        """POST /batches/{id}/cancel. PermanentModelError for a batch that has ended."""
        with self._errors(f"cancelling batch {batch_id}"), _known(f"batch {batch_id}"):
            self._client.batches.cancel(batch_id)

    def results(self, file_id: str) -> Iterator[tuple[str, Answer]]:
        """(custom_id, answer) for every line of an output or error file, at the Batch API's price; a line at a time is held in memory.

        A TransientModelError in the middle means that the rest is missing: read again from the beginning.
        """
        price = self._model.price.batch() if self._model.price else None
        for number, line in enumerate(self._lines(file_id), start=1):
            try:
                value = orjson.loads(line)
                custom_id = value["custom_id"]
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise PermanentModelError(
                    f"line {number} of file {file_id} is not a batch's output; look at the file where the batch ran"
                ) from error
            yield str(custom_id), self._read(value, price)

    def delete_file(self, file_id: str) -> None:
        """DELETE /files/{id}: replies should not stay with the provider for longer than they are needed. A file that is gone is no error."""
        with self._errors(f"deleting file {file_id}"):
            try:
                self._client.files.delete(file_id)
            except openai.NotFoundError:
                return

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, line: Mapping[str, Any], price: Any) -> Answer:
        error, response = line.get("error"), line.get("response")
        if isinstance(error, dict):
            code = error.get("code")
            return Answer(Unanswered(_LINE_ERRORS.get(str(code), Reason.SERVER_ERROR)), Usage())
        if not isinstance(response, dict):
            return Answer(Unanswered(Reason.NONSENSE, "the line has neither response nor error"), Usage())
        status, body = response.get("status_code"), response.get("body")
        if status != 200 or not isinstance(body, dict):
            return Answer(read_refusal(status if isinstance(status, int) else 500, body), Usage())
        return read_completion(body, asked=self._model.name, price=price)

    def _lines(self, file_id: str) -> Iterator[bytes]:
        """The lines of a file as they arrive, cut at line feeds alone: JSON strings may hold the other line ends of Unicode."""
        doing = f"reading file {file_id}"
        try:
            with (
                self._errors(doing),
                _known(f"file {file_id}"),
                self._client.files.with_streaming_response.content(file_id) as answered,
            ):
                yield from _cut_lines(answered.iter_bytes(1 << 16), file_id)
        except httpx2.HTTPError as error:
            raise TransientModelError(f"{doing} failed: the connection was lost in the middle ({type(error).__name__})") from error

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return classified(doing, api_key=self._key, failures=_FAILURES)


def request_line(
    custom_id: str, words: OwnWords, original_message: str | None, context: Mapping[str, Any] | None, model: str
) -> bytes:
    """One line of a batch's input file, with its line end."""
    body = chat_request(words, original_message, context, model=model)
    line = {"custom_id": custom_id, "method": "POST", "url": _ENDPOINT, "body": body}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _known(what: str) -> Iterator[None]:
    try:
        yield
    except openai.NotFoundError:  # told without its cause, which may quote the key
        raise UnknownBatchError(
            f"OpenAI knows no {what}: it was deleted there, or belongs to another account's key; set OPENAI_API_KEY to the key that bought it"
        ) from None


def _cut_lines(pieces: Iterator[bytes], file_id: str) -> Iterator[bytes]:
    rest = bytearray()
    for piece in pieces:
        *lines, last = piece.split(b"\n")
        for line in lines:
            rest += line
            if rest.strip():
                yield bytes(rest)
            rest.clear()
        rest += last
        if len(rest) > _LONGEST_LINE:
            raise PermanentModelError(
                f"file {file_id} has a line of more than {_LONGEST_LINE} bytes; look at it where the batch ran"
            )
    if rest.strip():
        yield bytes(rest)


def _batch_error(batch: Batch) -> str | None:
    """The first errors of a batch that failed, in one line."""
    errors = [error for error in (batch.errors.data if batch.errors else None) or [] if error.code or error.message]
    told = "; ".join(f"{f'line {each.line}: ' if each.line else ''}{each.message} ({each.code})" for each in errors[:3])
    return " ".join(told.split())[:500] + (f" and {len(errors) - 3} more" if len(errors) > 3 else "") if errors else None
