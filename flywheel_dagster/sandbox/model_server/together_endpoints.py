"""Together's dedicated endpoints and their hardware, under /together/v1 (github.com/togethercomputer/openapi, 2026-04-28).

An endpoint is PENDING when it is made or started anew; each look, at it or at the list, takes it a step further: STARTING, STARTED. At
Together a fine-tuned model answers on its endpoint only; here it answers under its own name, too.
"""

import json
import sqlite3
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.models import OPEN_MODELS, ORGANISATION, KnownModel, find_model, require_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.together import ROOT
from flywheel_dagster.sandbox.model_server.together_requests import read_endpoint, read_wanted_state
from flywheel_dagster.sandbox.model_server.together_wire import endpoint_as_wire, listed_endpoint_as_wire
from flywheel_dagster.sandbox.model_server.wire import ApiError, new_id, now, read_json

_CENTS_PER_MINUTE = {"1x_nvidia_h100_80gb_sxm": 6.65, "2x_nvidia_h100_80gb_sxm": 13.3}
_STEP = "CASE state WHEN 'PENDING' THEN 'STARTING' WHEN 'STARTING' THEN iif(fails, 'ERROR', 'STARTED') WHEN 'STOPPING' THEN 'STOPPED' ELSE state END"
_CHANGES = {
    "STARTED": {"STOPPED": "PENDING", "ERROR": "PENDING"},
    "STOPPED": dict.fromkeys(("PENDING", "STARTING", "STARTED"), "STOPPING"),
}


def endpoint_routes(store: Store, faults: FaultPlan) -> list[Route]:
    """GET, POST, PATCH and DELETE of endpoints, and GET /hardware. All endpoints are dedicated ones."""

    async def create(request: Request) -> Response:
        asked = read_endpoint(await read_json(request))
        if not _is_runnable(store, asked.model):
            raise ApiError(404, f"model {asked.model} is not available for dedicated endpoints", param="model")
        if asked.hardware not in _CENTS_PER_MINUTE:
            raise ApiError(
                400, f"hardware {asked.hardware} is not available for {asked.model}; check the hardware API", param="hardware"
            )
        starts = asked.state == "STARTED"
        endpoint_id = f"endpoint-{uuid4()}"
        row = {
            "id": endpoint_id,
            "name": f"{ORGANISATION}/{asked.model.removeprefix(f'{ORGANISATION}/')}-{new_id('', length=8).lower()}",
            "created_at": now(),
            "display_name": asked.display_name,
            "model": asked.model,
            "hardware": asked.hardware,
            "autoscaling": json.dumps(asked.autoscaling),
            "state": "PENDING" if starts else "STOPPED",
            "fails": starts and faults.take_for_endpoint(f"POST {request.url.path}"),
        }
        with store.transaction() as database:
            database.execute(
                f"INSERT INTO together_endpoints ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})",  # noqa: S608 (our own names)
                row,
            )
        return JSONResponse(endpoint_as_wire(_require(store, endpoint_id)))

    async def list_all(request: Request) -> Response:
        with store.transaction() as database:
            database.execute(f"UPDATE together_endpoints SET state = {_STEP}")  # noqa: S608 (our own text)
        rows = store.database.execute("SELECT * FROM together_endpoints ORDER BY number DESC").fetchall()
        shown = [] if request.query_params.get("type") == "serverless" else [listed_endpoint_as_wire(row) for row in rows]
        return JSONResponse({"object": "list", "data": shown})

    async def get(request: Request) -> Response:
        row = _require(store, request.path_params["endpoint"])
        with store.transaction() as database:
            database.execute(f"UPDATE together_endpoints SET state = {_STEP} WHERE id = ?", (row["id"],))  # noqa: S608 (our own text)
        return JSONResponse(endpoint_as_wire(_require(store, row["id"])))

    async def change(request: Request) -> Response:
        body, row = await read_json(request), _require(store, request.path_params["endpoint"])
        if "state" in body and (state := _CHANGES[read_wanted_state(body)].get(row["state"])):
            fails = state == "PENDING" and faults.take_for_endpoint(f"PATCH {request.url.path}")
            with store.transaction() as database:
                database.execute("UPDATE together_endpoints SET state = ?, fails = ? WHERE id = ?", (state, fails, row["id"]))
        return JSONResponse(endpoint_as_wire(_require(store, row["id"])))

    async def delete(request: Request) -> Response:
        row = _require(store, request.path_params["endpoint"])
        with store.transaction() as database:
            database.execute("DELETE FROM together_endpoints WHERE id = ?", (row["id"],))
        return Response(status_code=204)

    async def list_hardware(request: Request) -> Response:
        model = request.query_params.get("model")
        if model is not None and not _is_runnable(store, model):
            raise ApiError(404, f"model {model} is not available for dedicated endpoints", param="model")
        availability = {} if model is None else {"availability": {"status": "available"}}
        return JSONResponse({"object": "list", "data": [_hardware_as_wire(name) | availability for name in _CENTS_PER_MINUTE]})

    endpoints = f"{ROOT}/endpoints"
    return [
        Route(endpoints, create, methods=["POST"]),
        Route(endpoints, list_all, methods=["GET"]),
        Route(f"{endpoints}/{{endpoint}}", get, methods=["GET"]),
        Route(f"{endpoints}/{{endpoint}}", change, methods=["PATCH"]),
        Route(f"{endpoints}/{{endpoint}}", delete, methods=["DELETE"]),
        Route(f"{ROOT}/hardware", list_hardware, methods=["GET"]),
    ]


def asked_model(store: Store, name: str) -> KnownModel:
    """The model on the endpoint of that name, which must have started, or else the model that has the name itself."""
    row = store.database.execute("SELECT * FROM together_endpoints WHERE name = ?", (name,)).fetchone()
    if row is None:
        return require_model(store, name)
    if row["state"] != "STARTED":
        message = (
            f"The dedicated endpoint for {name} is not running. Please visit https://api.together.ai/models to start the endpoint."
        )
        raise ApiError(400, message, code="dedicated_endpoint_not_running")
    return require_model(store, row["model"])


def _is_runnable(store: Store, name: str) -> bool:
    model = find_model(store, name)
    return model is not None and model.base in OPEN_MODELS


def _require(store: Store, endpoint_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = store.database.execute("SELECT * FROM together_endpoints WHERE id = ?", (endpoint_id,)).fetchone()
    if row is None:
        raise ApiError(404, f"endpoint {endpoint_id} not found", param="id")
    return row


def _hardware_as_wire(name: str) -> dict[str, Any]:
    """A HardwareWithStatus, without its availability."""
    return {
        "object": "hardware",
        "id": name,
        "pricing": {"cents_per_minute": _CENTS_PER_MINUTE[name]},
        "specs": {"gpu_type": "h100-80gb", "gpu_link": "sxm", "gpu_memory": 80, "gpu_count": int(name.partition("x")[0])},
        "updated_at": "2026-11-01T00:00:00Z",
    }
