"""Answering a batch's requests, a chunk at a time: from a place in the input file to lines at the ends of the two output files.

Everything up to the recorded progress stands; what a killed process wrote beyond it is cut off, so no line is lost or written twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from flywheel_dagster.sandbox.model_server.answers import FittedModels
from flywheel_dagster.sandbox.model_server.batches import Progress
from flywheel_dagster.sandbox.model_server.chat_requests import read_chat_request
from flywheel_dagster.sandbox.model_server.completions import complete
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.models import KnownModel
from flywheel_dagster.sandbox.model_server.wire import ApiError, new_id

# Codes and the text of the first as the API's documentation has them.
_UNDONE = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request could not be executed because the batch was cancelled.",
}


@dataclass(frozen=True)
class BatchFiles:
    """Where a batch's input is, and where its answers and errors grow."""

    input: Path
    output: Path
    errors: Path


@dataclass(frozen=True)
class Chunk:
    """What became of some requests: the new progress, the custom ids that were answered, and whether the input is at its end."""

    progress: Progress
    answered: list[str]
    at_end: bool


class Answerer:
    """Answers requests for one model. Runs off the event loop."""

    def __init__(self, model: KnownModel, *, fitted: FittedModels, models: Path, faults: FaultPlan) -> None:
        self._model, self._fitted, self._models, self._faults = model, fitted, models, faults

    def work(self, files: BatchFiles, progress: Progress, *, most: int, undone: str | None = None) -> Chunk:
        """Deal with up to `most` requests; with `undone` (a code such as batch_expired) they are given back unanswered."""
        answered: list[str] = []
        with files.input.open("rb") as source, files.output.open("ab") as output, files.errors.open("ab") as errors:
            output.truncate(progress.output_bytes)
            errors.truncate(progress.error_bytes)
            source.seek(progress.offset)
            for line in _requests(source, most):
                request = orjson.loads(line)
                custom_id = request["custom_id"]
                if undone:
                    error = {"code": undone, "message": _UNDONE[undone]}
                    good, row = False, _line(custom_id, None, error)
                else:
                    status, body = self._answer(custom_id, request["body"])
                    good = status == 200
                    row = _line(custom_id, {"status_code": status, "request_id": new_id("req_", length=32), "body": body}, None)
                    if good:
                        answered.append(custom_id)
                        progress = _with_tokens(progress, body["usage"])
                (output if good else errors).write(row)
                progress = replace(progress, completed=progress.completed + good, failed=progress.failed + (not good))
            return Chunk(
                replace(progress, offset=source.tell(), output_bytes=output.tell(), error_bytes=errors.tell()),
                answered,
                progress.done >= progress.total,
            )

    def _answer(self, custom_id: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refused = self._faults.take_for_request(custom_id)
        if refused:
            return refused.options["status"], refused.options["body"]
        try:
            asked = read_chat_request(body)
        except ApiError as error:
            return error.status, error.body
        spoilt = self._faults.take_for_answer(f"BATCH {custom_id}")
        return 200, complete(asked, self._model, fitted=self._fitted, models=self._models, fault=spoilt)[0]


def _requests(source: Any, most: int) -> Iterator[bytes]:
    """The next lines that hold a request. Read by readline, so that tell() says where the next one begins."""
    while most and (line := source.readline()):
        if line.strip():
            most -= 1
            yield line


def _line(custom_id: str, response: dict[str, Any] | None, error: dict[str, Any] | None) -> bytes:
    row = {"id": new_id("batch_req_", length=32), "custom_id": custom_id, "response": response, "error": error}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _with_tokens(progress: Progress, usage: dict[str, int]) -> Progress:
    return replace(
        progress,
        prompt_tokens=progress.prompt_tokens + usage["prompt_tokens"],
        completion_tokens=progress.completion_tokens + usage["completion_tokens"],
    )
