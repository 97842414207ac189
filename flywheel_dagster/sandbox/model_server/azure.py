"""Azure OpenAI's data plane under /azure/openai/v1: OpenAI's API with the differences that a client has to know. Deployments are
`azure_deployments`'s. By MicrosoftDocs/azure-ai-docs (fine-tuning-rest.md) and azure-rest-api-specs (AzureOpenAI/authoring).

- A file is imported after its upload: pending when first looked at, then processed, or error, above all without a byte-order mark.
- A job keeps no metadata; it has a suffix of at most 40 letters, digits, - and _, and a trainingType.
"""

import asyncio
import codecs
import re
import uuid
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.dialects import Dialect, DialectJob, find_job, list_jobs, note_dialect
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import check_size, content_path, file_as_wire, keep_upload, require_file
from flywheel_dagster.sandbox.model_server.job_requests import JobRequest, read_job_request
from flywheel_dagster.sandbox.model_server.job_routes import list_of_job
from flywheel_dagster.sandbox.model_server.jobs import FINISHED, JobStatus, insert_job
from flywheel_dagster.sandbox.model_server.lifecycle import Trainer
from flywheel_dagster.sandbox.model_server.models import OPEN_MODELS, find_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.validation import find_upload_problem
from flywheel_dagster.sandbox.model_server.wire import ApiError, Page, read_json, read_limit

ROOT = "/azure/openai/v1"
_PURPOSE = "fine-tune"
_LOOKS_UNTIL_IMPORTED = 1
_SUFFIX = re.compile(r"[A-Za-z0-9_-]{0,40}")
_TRAINING_TYPES = ("standard", "globalstandard", "developer", "developertier")
_NO_MARK = "The file must be encoded in UTF-8 and begin with a byte-order mark (BOM)."  # (text assumed)


def azure_routes(store: Store, trainer: Trainer, faults: FaultPlan) -> list[Route]:
    """Files and fine-tuning jobs."""

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            part = form.get("file")
            if not isinstance(part, UploadFile) or form.get("purpose") != _PURPOSE:
                raise ApiError(400, f"A file and the purpose {_PURPOSE!r} are required.", code="invalidPayload", param="file")
            check_size(part.size or 0, part.filename or "upload", _PURPOSE)
            file_id = await keep_upload(store, part, purpose=_PURPOSE)
        with store.transaction() as database:
            database.execute("INSERT INTO azure_imports (file_id) VALUES (?)", (file_id,))
        return JSONResponse(await show_file(file_id), status_code=201)

    async def get_file(request: Request) -> Response:
        shown = await show_file(request.path_params["file"])
        with store.transaction() as database:
            database.execute("UPDATE azure_imports SET looks = looks + 1 WHERE file_id = ?", (shown["id"],))
        return JSONResponse(shown)

    async def list_files(request: Request) -> Response:
        ids = [
            row["file_id"]
            for row in store.database.execute("SELECT file_id FROM azure_imports JOIN files ON id = file_id WHERE NOT deleted")
        ]
        return Page([await show_file(file_id) for file_id in ids], has_more=False).response()

    async def show_file(file_id: str) -> dict[str, Any]:
        row = store.database.execute("SELECT looks FROM azure_imports WHERE file_id = ?", (file_id,)).fetchone()
        shown = file_as_wire(require_file(store, file_id if row else ""))
        if row["looks"] < _LOOKS_UNTIL_IMPORTED:
            return shown | {"status": "pending"}
        problem = await asyncio.to_thread(_find_problem, content_path(store, file_id).read_bytes())
        return shown | ({"status": "error", "status_details": problem} if problem else {"status": "processed"})

    async def create_job(request: Request) -> Response:
        body = await read_json(request)
        asked, training_type = _read_request(body)
        model = find_model(store, asked.model)
        if model is None or not model.trainable or asked.model in OPEN_MODELS:
            raise ApiError(400, "The specified base model does not support fine-tuning.", code="invalidPayload", param="model")
        for file_id in filter(None, (asked.training_file, asked.validation_file)):
            if (await show_file(file_id))["status"] != "processed":
                raise ApiError(400, f"The file {file_id} has not been imported.", code="invalidPayload", param="training_file")
        job_id = uuid.uuid4().hex
        with store.transaction() as database:
            insert_job(
                database,
                asked,
                base=model.base,
                fault=faults.take_for_job(f"POST {request.url.path}"),
                job_id=f"ftjob-{job_id}",
                name="-".join(filter(None, (f"{model.base}.ft-{job_id}", asked.suffix))),
            )
            note_dialect(database, f"ftjob-{job_id}", Dialect.AZURE, {"trainingType": training_type})
        trainer.start(f"ftjob-{job_id}")
        return JSONResponse(_as_wire(_require(store, f"ftjob-{job_id}")), status_code=201)

    async def list_all(request: Request) -> Response:
        limit, after = read_limit(request, default=20, largest=100), request.query_params.get("after")
        before = None if after is None else _require(store, after).job.number
        found = list_jobs(store, Dialect.AZURE, before=before, limit=limit + 1)
        return Page([_as_wire(made) for made in found[:limit]], len(found) > limit).response()

    async def get_job(request: Request) -> Response:
        made = _require(store, request.path_params["job"])
        trainer.note_look(made.job.id)
        return JSONResponse(_as_wire(made))

    async def cancel_job(request: Request) -> Response:
        made = _require(store, request.path_params["job"])
        if made.job.status in FINISHED:
            raise ApiError(400, f"The job {made.job.id} has ended already.", code="invalidPayload")
        trainer.cancel(made.job.id)
        return JSONResponse(_as_wire(_require(store, made.job.id)))

    async def list_events(request: Request) -> Response:
        return list_of_job(store, request, _require(store, request.path_params["job"]).job, "events")

    async def list_checkpoints(request: Request) -> Response:
        return list_of_job(store, request, _require(store, request.path_params["job"]).job, "checkpoints")

    jobs = f"{ROOT}/fine_tuning/jobs"
    return [
        Route(f"{ROOT}/files", upload, methods=["POST"]),
        Route(f"{ROOT}/files", list_files, methods=["GET"]),
        Route(f"{ROOT}/files/{{file}}", get_file, methods=["GET"]),
        Route(jobs, create_job, methods=["POST"]),
        Route(jobs, list_all, methods=["GET"]),
        Route(f"{jobs}/{{job}}", get_job, methods=["GET"]),
        Route(f"{jobs}/{{job}}/cancel", cancel_job, methods=["POST"]),
        Route(f"{jobs}/{{job}}/events", list_events, methods=["GET"]),
        Route(f"{jobs}/{{job}}/checkpoints", list_checkpoints, methods=["GET"]),
    ]


def _find_problem(content: bytes) -> str | None:
    return find_upload_problem(content) if content.startswith(codecs.BOM_UTF8) else _NO_MARK


def _read_request(body: dict[str, Any]) -> tuple[JobRequest, str]:
    """What is asked in common with OpenAI's jobs, and the training type. Metadata is neither refused nor kept."""
    training_type = body.get("trainingType", "Standard")
    if str(training_type).lower() not in _TRAINING_TYPES:
        raise ApiError(400, f"The training type {training_type!r} is not supported.", code="invalidPayload", param="trainingType")
    asked = read_job_request({name: value for name, value in body.items() if name != "metadata"})
    if not _SUFFIX.fullmatch(asked.suffix or ""):
        raise ApiError(400, "A suffix has at most 40 letters, digits, - and _.", code="invalidPayload", param="suffix")
    return asked, str(training_type)


def _as_wire(made: DialectJob) -> dict[str, Any]:
    """Azure's FineTuningJob: OpenAI's without metadata, with the suffix and the training type."""
    shown = made.job.as_wire()
    waiting = made.job.status in (JobStatus.VALIDATING, JobStatus.QUEUED)
    kept = {name: value for name, value in shown.items() if name not in ("metadata", "user_provided_suffix", "shared_with_openai")}
    return kept | {"status": "pending" if waiting else shown["status"], "suffix": made.job.suffix, **made.asked}


def _require(store: Store, job_id: str) -> DialectJob:
    made = find_job(store, Dialect.AZURE, job_id)
    if made is None:
        raise ApiError(404, f"The fine-tuning job {job_id} was not found.", code="notFound")
    return made
