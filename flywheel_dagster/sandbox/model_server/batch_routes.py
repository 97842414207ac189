"""The routes under /v1/batches: they read, check, record and call the batcher; the work happens in `batch_lifecycle`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.batch_lifecycle import Batcher
from flywheel_dagster.sandbox.model_server.batches import (
    FINISHED,
    BatchStatus,
    insert_batch,
    read_batch,
    read_batch_request,
    require_batch,
    update_batch,
)
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import require_file
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import ApiError, Page, read_json, read_limit


def batch_routes(store: Store, batcher: Batcher, faults: FaultPlan) -> list[Route]:
    """Create, list, read and cancel batches."""

    async def create_batch(request: Request) -> Response:
        input_file, metadata = read_batch_request(await read_json(request))
        purpose = require_file(store, input_file, param="input_file_id")["purpose"]
        if purpose != "batch":
            message = f"File {input_file} has purpose {purpose!r}, but must have purpose 'batch'."
            raise ApiError(400, message, code="invalid_value", param="input_file_id")
        with store.transaction() as database:
            batch_id = insert_batch(database, input_file, metadata=metadata, fault=faults.take_for_batch())
        batcher.start(batch_id)
        return JSONResponse(require_batch(store, batch_id).as_wire())

    async def list_batches(request: Request) -> Response:
        limit, after = read_limit(request, default=20, largest=100), request.query_params.get("after")
        before = None if after is None else require_batch(store, after).number
        newest_first = "SELECT * FROM batches WHERE number < ifnull(?, 9e18) ORDER BY number DESC LIMIT ?"
        rows = store.database.execute(newest_first, (before, limit + 1)).fetchall()
        return Page([read_batch(row).as_wire() for row in rows[:limit]], len(rows) > limit).response()

    async def get_batch(request: Request) -> Response:
        batch = require_batch(store, request.path_params["batch"])
        batcher.note_look(batch.id)
        return JSONResponse(batch.as_wire())

    async def cancel_batch(request: Request) -> Response:
        batch = require_batch(store, request.path_params["batch"])
        if batch.status in FINISHED:
            raise ApiError(409, f"Cannot cancel a batch with status '{batch.status}'.")
        with store.transaction() as database:
            batch = update_batch(database, batch, status=BatchStatus.CANCELLING)
        batcher.wake()
        return JSONResponse(batch.as_wire())

    return [
        Route("/v1/batches", create_batch, methods=["POST"]),
        Route("/v1/batches", list_batches, methods=["GET"]),
        Route("/v1/batches/{batch}", get_batch, methods=["GET"]),
        Route("/v1/batches/{batch}/cancel", cancel_batch, methods=["POST"]),
    ]
