"""Together's fine-tuning API under /together/v1: its jobs are jobs of this server in another wire format, and its models answer chats."""

import asyncio
from typing import Any
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.dialects import Dialect, DialectJob, find_job, list_jobs, note_dialect
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import content_path, keep_upload, require_file
from flywheel_dagster.sandbox.model_server.jobs import FINISHED, insert_job
from flywheel_dagster.sandbox.model_server.learning import count_example_tokens
from flywheel_dagster.sandbox.model_server.lifecycle import Trainer
from flywheel_dagster.sandbox.model_server.models import OPEN_MODELS
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.together_requests import read_request
from flywheel_dagster.sandbox.model_server.together_wire import (
    checkpoint_as_wire,
    event_as_wire,
    file_as_wire,
    job_as_wire,
    metrics_as_wire,
    model_name,
    whole_job_as_wire,
)
from flywheel_dagster.sandbox.model_server.validation import check_examples, find_upload_problem
from flywheel_dagster.sandbox.model_server.wire import ApiError, read_json

ROOT = "/together/v1"
_PURPOSE = "fine-tune"


def together_routes(store: Store, trainer: Trainer, faults: FaultPlan) -> list[Route]:
    """Files, jobs with their events, checkpoints and metrics, and price estimates (of nothing). A bad file fails its job, not its upload."""

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            part, name = form.get("file"), form.get("file_name")
            if form.get("purpose") != _PURPOSE:
                raise ApiError(400, f"purpose must be {_PURPOSE!r}", param="purpose")
            if form.get("file_type", "jsonl") != "jsonl":
                raise ApiError(400, "this server takes file_type 'jsonl'", param="file_type")
            if not isinstance(part, UploadFile) or not isinstance(name, str) or not name:
                raise ApiError(400, "file and file_name are required", param="file")
            part.filename = name
            file_id = await keep_upload(store, part, purpose=_PURPOSE)
        return JSONResponse(await show_file(file_id))

    async def list_files(request: Request) -> Response:
        ids = [row["id"] for row in store.database.execute("SELECT id FROM files WHERE NOT deleted AND purpose = ?", (_PURPOSE,))]
        return JSONResponse({"data": [await show_file(file_id) for file_id in ids]})

    async def get_file(request: Request) -> Response:
        return JSONResponse(await show_file(request.path_params["file"]))

    async def show_file(file_id: str) -> dict[str, Any]:
        row = require_file(store, file_id)
        problem = await asyncio.to_thread(find_upload_problem, content_path(store, file_id).read_bytes())
        return file_as_wire(row, sound=problem is None)

    async def create_job(request: Request) -> Response:
        job, asked = read_request(await read_json(request))
        if job.model not in OPEN_MODELS:
            raise ApiError(404, f"{job.model} is not a fine-tunable model", param="model")
        for file_id in filter(None, (job.training_file, job.validation_file)):
            require_file(store, file_id)
        with store.transaction() as database:
            job_id = insert_job(
                database,
                job,
                base=job.model,
                fault=faults.take_for_job(f"POST {request.url.path}"),
                job_id=f"ft-{uuid4()}",
                name=model_name(job.model, job.suffix),
            )
            note_dialect(database, job_id, Dialect.TOGETHER, asked)
        trainer.start(job_id)
        return JSONResponse(show_job(_require(store, job_id)))

    async def list_all(request: Request) -> Response:
        return JSONResponse({"data": [show_job(made) for made in list_jobs(store, Dialect.TOGETHER)]})

    async def get_job(request: Request) -> Response:
        made = _require(store, request.path_params["job"])
        trainer.note_look(made.job.id)
        return JSONResponse(whole_job_as_wire(made, rows_of(made, "events")))

    async def cancel_job(request: Request) -> Response:
        made = _require(store, request.path_params["job"])
        if made.job.status in FINISHED:
            raise ApiError(400, f"job {made.job.id} has ended already")
        trainer.cancel(made.job.id)
        return JSONResponse(show_job(_require(store, made.job.id)))

    async def list_events(request: Request) -> Response:
        rows = rows_of(_require(store, request.path_params["job"]), "events")
        return JSONResponse({"data": [event_as_wire(row) for row in rows]})

    async def list_checkpoints(request: Request) -> Response:
        rows = rows_of(_require(store, request.path_params["job"]), "checkpoints")
        return JSONResponse({"data": [checkpoint_as_wire(row) for row in rows]})

    async def show_metrics(request: Request) -> Response:
        return JSONResponse({"metrics": metrics_as_wire(_require(store, request.path_params["job"]).job)})

    async def estimate_price(request: Request) -> Response:
        job, asked = read_request({"model": next(iter(OPEN_MODELS)), **await read_json(request)})

        def tokens(file_id: str | None) -> int:
            if file_id is None:
                return 0
            content = content_path(store, require_file(store, file_id)["id"]).read_bytes()
            return count_example_tokens(check_examples(content, method=job.method, param="validation_file")[0])

        return JSONResponse(
            {
                "estimated_total_price": 0.0,
                "allowed_to_proceed": True,
                "user_limit": 100.0,
                "estimated_train_token_count": tokens(job.training_file) * asked["n_epochs"],
                "estimated_eval_token_count": tokens(job.validation_file) * asked["n_evals"],
            }
        )

    def show_job(made: DialectJob) -> dict[str, Any]:
        return job_as_wire(made, updated_at=rows_of(made, "events")[-1]["created_at"])

    def rows_of(made: DialectJob, table: str) -> list[Any]:
        select = f"SELECT * FROM {table} WHERE job_id = ? ORDER BY number"  # noqa: S608 (our own table names)
        return store.database.execute(select, (made.job.id,)).fetchall()

    jobs = f"{ROOT}/fine-tunes"
    return [
        Route(f"{ROOT}/files/upload", upload, methods=["POST"]),
        Route(f"{ROOT}/files", list_files, methods=["GET"]),
        Route(f"{ROOT}/files/{{file}}", get_file, methods=["GET"]),
        Route(jobs, create_job, methods=["POST"]),
        Route(jobs, list_all, methods=["GET"]),
        Route(f"{jobs}/estimate-price", estimate_price, methods=["POST"]),
        Route(f"{jobs}/{{job}}", get_job, methods=["GET"]),
        Route(f"{jobs}/{{job}}/cancel", cancel_job, methods=["POST"]),
        Route(f"{jobs}/{{job}}/events", list_events, methods=["GET"]),
        Route(f"{jobs}/{{job}}/checkpoints", list_checkpoints, methods=["GET"]),
        Route(f"{jobs}/{{job}}/metrics", show_metrics, methods=["GET"]),
    ]


def _require(store: Store, job_id: str) -> DialectJob:
    made = find_job(store, Dialect.TOGETHER, job_id)
    if made is None:
        raise ApiError(404, f"fine-tuning job {job_id} not found", param="id")
    return made
