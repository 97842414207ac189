"""Whatever the server answers is what OpenAI's published description says, and what the official client's own types take, strictly read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openai.pagination import SyncCursorPage, SyncPage
from openai.types import Batch, FileDeleted, FileObject, Model, ModelDeleted
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.shared import ErrorObject
from pydantic import BaseModel, ValidationError

from flywheel_dagster_tests.sandbox.model_server.collecting import EVENTS, Said, collect
from flywheel_dagster_tests.sandbox.model_server.served import Served

DESCRIPTION = json.loads((Path(__file__).parents[2] / "samples/openai_openapi/schemas.json").read_text())
CALLS = sorted(DESCRIPTION["answers"])
JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
FILE_ITSELF = "GET /files/{file_id}/content"  # described as a JSON string; what comes is the file

TYPES: dict[str, type[BaseModel]] = {
    "POST /files": FileObject,
    "GET /files": SyncCursorPage[FileObject],
    "GET /files/{file_id}": FileObject,
    "DELETE /files/{file_id}": FileDeleted,
    "POST /fine_tuning/jobs": FineTuningJob,
    "GET /fine_tuning/jobs": SyncCursorPage[FineTuningJob],
    **{f"POST {JOB}/{action}": FineTuningJob for action in ("cancel", "pause", "resume")},
    f"GET {JOB}": FineTuningJob,
    f"GET {JOB}/events": SyncCursorPage[FineTuningJobEvent],
    f"GET {JOB}/checkpoints": SyncCursorPage[FineTuningJobCheckpoint],
    "GET /models": SyncPage[Model],
    "GET /models/{model}": Model,
    "DELETE /models/{model}": ModelDeleted,
    "POST /chat/completions": ChatCompletion,
    "POST /batches": Batch,
    "GET /batches": SyncCursorPage[Batch],
    "GET /batches/{batch_id}": Batch,
    "POST /batches/{batch_id}/cancel": Batch,
}

Reader = Literal["description", "types"]
LEFT_OUT = object()
BOTH: tuple[Reader, ...] = ("description", "types")
DESCRIPTION_ONLY: tuple[Reader, ...] = ("description",)


@dataclass(frozen=True)
class Reality:
    """A value that OpenAI really answers though a reader doesn't allow it; `instead` is what it would have. `source` says where it was seen."""

    object: str
    field: str
    value: Any
    instead: Any
    refused_by: tuple[Reader, ...]
    source: str


NO_ERROR = {"code": None, "message": None, "param": None}
BATCH_MOMENTS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
REALITIES = (
    Reality("fine_tuning.job", "status", "paused", "running", BOTH, "the description's own example of pausing a job"),
    Reality("fine_tuning.job", "error", NO_ERROR, None, BOTH, "captured jobs that were fine"),
    Reality("fine_tuning.job.event", "data", None, {}, DESCRIPTION_ONLY, "the description's own example of listing events"),
    Reality("file", "expires_at", None, LEFT_OUT, DESCRIPTION_ONLY, "an uploaded file, captured in May 2025"),
    Reality("file", "status_details", None, LEFT_OUT, DESCRIPTION_ONLY, "the same"),
    *(
        Reality("batch", field, None, LEFT_OUT, DESCRIPTION_ONLY, "the description's own examples of batches")
        for field in ("errors", "output_file_id", "error_file_id", *(f"{moment}_at" for moment in BATCH_MOMENTS))
    ),
    *(
        Reality("list", field, None, "", DESCRIPTION_ONLY, "assumed: the description doesn't say what an empty page's ends are")
        for field in ("first_id", "last_id")
    ),
)


def excused(document: Any, reader: Reader, *, but: Reality | None = None) -> Any:
    """The document with what the reader would have in place of what is really answered, `but` for one reality."""
    if isinstance(document, list):
        return [excused(part, reader, but=but) for part in document]
    if not isinstance(document, dict):
        return document
    known = {
        each.field: each
        for each in REALITIES
        if each != but and reader in each.refused_by and document.get("object") == each.object
    }
    found = {}
    for field, value in document.items():
        reality = known.get(field)
        if reality is None or value != reality.value:
            found[field] = excused(value, reader, but=but)
        elif reality.instead is not LEFT_OUT:
            found[field] = reality.instead
    return found


def refused_by_description(said: Said, document: Any) -> str | None:
    """What the description holds against a document."""
    schema: Any = {"$ref": "#/components/schemas/ErrorResponse"}
    if said.status == 200:
        schema = DESCRIPTION["answers"][said.call][said.media]
    validator = Draft202012Validator({**schema, "components": DESCRIPTION["components"]}, format_checker=FormatChecker())
    return next((f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(document)), None)


def refused_by_types(said: Said, document: Any) -> str | None:
    """What the client's type holds against a document: it must take it as it is, without converting, and give it back unchanged."""
    kind = ChatCompletionChunk if said.media == EVENTS else TYPES.get(said.call, ErrorObject)
    if said.status != 200:
        kind, document = ErrorObject, document["error"]
    try:
        parsed = kind.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        return str(error)
    given_back = parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return None if given_back == document else f"{given_back} is not {document}"


READERS = {"description": refused_by_description, "types": refused_by_types}


@pytest.fixture(scope="module")
def answers(_model_server: Served) -> Iterator[list[Said]]:
    """Every answer of the server, collected once."""
    _model_server.http.delete("/sandbox/faults")
    yield collect(_model_server)
    _model_server.http.delete("/sandbox/faults")


def test_every_call_that_the_server_has_is_described_and_was_asked(answers: list[Said]) -> None:
    assert {said.call for said in answers if said.status == 200} == {*CALLS} == {*TYPES, FILE_ITSELF}
    assert {said.media for said in answers if said.call == FILE_ITSELF and said.status == 200} == {"application/octet-stream"}
    assert len([said for said in answers if said.status != 200]) > 10


@pytest.mark.parametrize("reader", ["description", "types"])
@pytest.mark.parametrize("call", [call for call in CALLS if call != FILE_ITSELF])
def test_an_answer_is_what_it_should_be(answers: list[Said], call: str, reader: Reader) -> None:
    asked = [(said, document) for said in answers if said.call == call and said.status == 200 for document in said.documents]
    assert asked
    for said, document in asked:
        assert READERS[reader](said, excused(document, reader)) is None, (said.title, document)


@pytest.mark.parametrize("reader", ["description", "types"])
def test_a_refusal_is_what_it_should_be(answers: list[Said], reader: Reader) -> None:
    for said in answers:
        if said.status != 200:
            (document,) = said.documents
            assert READERS[reader](said, document) is None, (said.title, document)


@pytest.mark.parametrize("reality", REALITIES, ids=lambda each: f"{each.object} {each.field} {each.value}")
def test_no_exception_is_made_that_is_not_needed(answers: list[Said], reality: Reality) -> None:
    for reader in reality.refused_by:
        asked = [(said, document) for said in answers if said.status == 200 for document in said.documents]
        assert any(READERS[reader](said, excused(document, reader, but=reality)) for said, document in asked), reader
