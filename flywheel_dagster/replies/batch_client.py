"""OpenAI's Batch API through the official client: half the price, an answer within a day. Who pays for which batch, and only once, is the caller's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.model_answer import Answer
from flywheel_dagster.replies.own_words import OwnWords

MOST_REQUESTS = 50_000  # a batch
MOST_BYTES = 200_000_000  # an input file


class BatchState(StrEnum):
    """Where a batch stands. Whatever the provider says that is not an end is `running`: only ends are believed."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class BatchStatus:
    """One look at a batch: the provider's own word in `provider_status`, counts of requests, and its message if it failed.

    `output_file_id` holds the answers, `error_file_id` the requests without one; expired and cancelled batches have both too.
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
        raise NotImplementedError

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files with the lines of `request_line`; returns the file's id."""
        raise NotImplementedError

    def find(self, key: str, *, since: datetime) -> str | None:
        """The id of the batch that was created under `key` at `since` or later; the oldest one, should there be two."""
        raise NotImplementedError

    def create(self, key: str, file_id: str) -> str:
        """POST /batches; returns the batch's id. Call again for a key only when `find` shows that the call before came to nothing."""
        raise NotImplementedError

    def status(self, batch_id: str) -> BatchStatus:
        """GET /batches/{id}. Raises UnknownBatchError when the provider knows none of this id."""
        raise NotImplementedError

    def cancel(self, batch_id: str) -> None:
        """POST /batches/{id}/cancel; a batch that has ended stays as it is."""
        raise NotImplementedError

    def results(self, file_id: str) -> Iterator[tuple[str, Answer]]:
        """(custom_id, answer) for every line of an output or error file, streamed; no more than a line is held in memory."""
        raise NotImplementedError

    def delete_file(self, file_id: str) -> None:
        """DELETE /files/{id}: replies should not stay with the provider longer than they are needed."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
        raise NotImplementedError


def request_line(
    custom_id: str, words: OwnWords, original_message: str | None, context: Mapping[str, Any] | None, model: str
) -> bytes:
    """One line of a batch's input file, with its line end."""
    raise NotImplementedError
