"""The routes under /v1/fine_tuning/jobs: they read, check, record and call the trainer; the work happens in `lifecycle`."""

import json
import re
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import require_file
from flywheel_dagster.sandbox.model_server.job_requests import read_job_request
from flywheel_dagster.sandbox.model_server.jobs import (
    FINISHED,
    Job,
    JobStatus,
    add_event,
    insert_job,
    read_job,
    require_job,
    update_job,
)
from flywheel_dagster.sandbox.model_server.lifecycle import Trainer
from flywheel_dagster.sandbox.model_server.models import find_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import ApiError, Page, read_json, read_limit

_METADATA_FILTER = re.compile(r"metadata\[(.+)\]")


def job_routes(store: Store, trainer: Trainer, faults: FaultPlan) -> list[Route]:
    """Create, list, read, cancel, pause and resume jobs; list their events and checkpoints."""

    async def create_job(request: Request) -> Response:
        asked = read_job_request(await read_json(request))
        model = find_model(store, asked.model)
        if model is None or not model.trainable:
            message = f"Model {asked.model} is not available for fine-tuning or does not exist."
            raise ApiError(400, message, code="model_not_available", param="model")
        for file_id in filter(None, (asked.training_file, asked.validation_file)):
            purpose = require_file(store, file_id)["purpose"]
            if purpose != "fine-tune":
                raise ApiError(
                    400, f"File {file_id} has purpose {purpose!r}, but must have purpose 'fine-tune'.", param="training_file"
                )
        with store.transaction() as database:
            job_id = insert_job(database, asked, base=model.base, fault=faults.take_for_job(f"POST {request.url.path}"))
        trainer.start(job_id)
        return JSONResponse(require_job(store, job_id).as_wire())

    async def list_jobs(request: Request) -> Response:
        limit = read_limit(request, default=20, largest=100)
        wheres: list[str] = []
        values: list[Any] = []
        for key, value in request.query_params.multi_items():
            named = _METADATA_FILTER.fullmatch(key)
            if named:
                wheres.append("EXISTS (SELECT 1 FROM json_each(jobs.metadata) AS pair WHERE pair.key = ? AND pair.value = ?)")
                values += [named[1], value]
            elif key == "metadata" and value == "null":
                wheres.append("metadata IS NULL")
            elif key == "after":
                wheres.append("number < ?")
                values.append(require_job(store, value).number)
        select = " AND ".join(["SELECT * FROM jobs WHERE TRUE", *wheres])
        rows = store.database.execute(select + " ORDER BY number DESC LIMIT ?", (*values, limit + 1)).fetchall()
        return Page([read_job(row).as_wire() for row in rows[:limit]], len(rows) > limit).response()

    async def get_job(request: Request) -> Response:
        job = require_job(store, request.path_params["job"])
        trainer.note_look(job.id)
        return JSONResponse(job.as_wire())

    async def change_job(request: Request) -> Response:
        job = require_job(store, request.path_params["job"])
        action = request.url.path.rsplit("/", 1)[-1]
        if job.status in FINISHED:
            raise ApiError(400, f"Job has already completed: {job.id}", code="invalid_job_state")
        if (job.status == JobStatus.PAUSED) != (action == "resume") and action != "cancel":
            raise ApiError(400, f"Cannot {action} a job whose status is {job.status.value}: {job.id}", code="invalid_job_state")
        if action == "cancel":
            trainer.cancel(job.id)
            return JSONResponse(require_job(store, job.id).as_wire())
        trainer.stop(job.id)
        status, past = {
            "pause": (JobStatus.PAUSED, "paused"),
            "resume": (JobStatus.QUEUED if job.checked else JobStatus.VALIDATING, "resumed"),
        }[action]
        with store.transaction() as database:
            update_job(database, job.id, status=status.value)
            add_event(database, job.id, f"Fine-tuning job {past}")
        if action == "resume":
            trainer.start(job.id)
        return JSONResponse(require_job(store, job.id).as_wire())

    async def list_events(request: Request) -> Response:
        return list_of_job(store, request, require_job(store, request.path_params["job"]), "events")

    async def list_checkpoints(request: Request) -> Response:
        return list_of_job(store, request, require_job(store, request.path_params["job"]), "checkpoints")

    jobs = "/v1/fine_tuning/jobs"
    return [
        Route(jobs, create_job, methods=["POST"]),
        Route(jobs, list_jobs, methods=["GET"]),
        Route(jobs + "/{job}", get_job, methods=["GET"]),
        *(Route(f"{jobs}/{{job}}/{action}", change_job, methods=["POST"]) for action in ("cancel", "pause", "resume")),
        Route(jobs + "/{job}/events", list_events, methods=["GET"]),
        Route(jobs + "/{job}/checkpoints", list_checkpoints, methods=["GET"]),
    ]


def list_of_job(store: Store, request: Request, job: Job, table: Literal["events", "checkpoints"]) -> Response:
    """A page of a job's events or checkpoints, newest first."""
    limit = read_limit(request, default=20 if table == "events" else 10, largest=100)
    after = request.query_params.get("after")
    select = f"SELECT * FROM {table} WHERE job_id = ?"  # noqa: S608 (our own table names)
    last = None
    if after is not None:
        last = store.database.execute(select + " AND id = ?", (job.id, after)).fetchone()
        if last is None:
            raise ApiError(404, f"No such object: {after}", param="after")
    values = (job.id, last["number"] if last else None, limit + 1)
    newest_first = select + " AND number < ifnull(?, 9e18) ORDER BY number DESC LIMIT ?"
    rows = store.database.execute(newest_first, values).fetchall()
    show = _event_as_wire if table == "events" else _checkpoint_as_wire
    return Page([show(row) for row in rows[:limit]], len(rows) > limit).response()


def _event_as_wire(row: Any) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.event",
        "id": row["id"],
        "created_at": row["created_at"],
        "level": row["level"],
        "message": row["message"],
        "data": json.loads(row["data"]) if row["data"] else None,
        "type": row["type"],
    }


def _checkpoint_as_wire(row: Any) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": row["id"],
        "created_at": row["created_at"],
        "fine_tuned_model_checkpoint": row["model_id"],
        "metrics": json.loads(row["metrics"]),
        "fine_tuning_job_id": row["job_id"],
        "step_number": row["step_number"],
    }
