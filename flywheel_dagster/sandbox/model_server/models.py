"""The models on offer: the base models of late 2026, and the fine-tunes made here. Training them is `lifecycle`'s."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.adapters import Adapters
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import ApiError

ORGANISATION = "flywheel-sandbox"
_END_OF_FINE_TUNES = "2027-01-14"


@dataclass(frozen=True)
class BaseModel:
    """A model of the provider: when it was made, when it will be switched off, and whether it may be fine-tuned."""

    name: str
    created: int
    shutdown_date: str | None
    trainable: bool


# Shutdown dates as announced on 2026-10-14 (developers.openai.com/api/docs/deprecations); no GPT-5 or 6 model can be fine-tuned.
_BASE_MODELS = {
    model.name: model
    for model in (
        BaseModel("gpt-4o-2024-08-06", 1722814719, _END_OF_FINE_TUNES, True),
        BaseModel("gpt-4o-2024-11-20", 1739331543, _END_OF_FINE_TUNES, False),
        BaseModel("gpt-4o-mini-2024-07-18", 1721172717, _END_OF_FINE_TUNES, True),
        BaseModel("gpt-4.1-2025-04-14", 1744315746, _END_OF_FINE_TUNES, True),
        BaseModel("gpt-4.1-mini-2025-04-14", 1744317547, _END_OF_FINE_TUNES, True),
        BaseModel("gpt-5-mini", 1754425928, None, False),
        BaseModel("gpt-6-luna", 1785542400, None, False),
    )
}
# Open weights that Together trains (docs.together.ai/docs/fine-tuning/supported-models); OpenAI neither lists nor trains them.
OPEN_MODELS = {
    name: BaseModel(name, created, None, False)
    for name, created in (
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", 1721692800),
        ("meta-llama/Llama-3.3-70B-Instruct-Reference", 1733443200),
        ("Qwen/Qwen3-8B", 1745884800),
    )
}
_ALIASES = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
}


@dataclass(frozen=True)
class KnownModel:
    """A model that can answer. For a fine-tune `job_id` names the job that made it and `weights` are its n-gram's."""

    name: str
    base: str
    created: int
    shutdown_date: str | None
    trainable: bool
    job_id: str | None = None
    weights: tuple[float, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        """The model object of the API."""
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": ORGANISATION if self.job_id else "system",
            "shutdown_date": self.shutdown_date,
        }


def find_model(store: Store, name: str) -> KnownModel | None:
    """The base model, alias, fine-tune or checkpoint of that name, or None."""
    base = _BASE_MODELS.get(_ALIASES.get(name, name)) or OPEN_MODELS.get(name)
    if base:
        return KnownModel(name, base.name, base.created, base.shutdown_date, base.trainable)
    row = store.database.execute("SELECT * FROM models WHERE id = ? AND NOT deleted", (name,)).fetchone()
    return _fine_tune(row) if row else None


def base_model_names() -> set[str]:
    """The names and aliases of the base models."""
    return {*_BASE_MODELS, *_ALIASES}


def require_model(store: Store, name: str) -> KnownModel:
    """Like `find_model`, with OpenAI's 404 for an unknown name."""
    model = find_model(store, name)
    if model is None:
        raise ApiError(
            404, f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found", param="model"
        )
    return model


def model_routes(store: Store, adapters: Adapters) -> list[Route]:
    """GET /v1/models, GET and DELETE of one. Checkpoints aren't listed, but can be read by name; adapters are only listed and read."""

    async def list_models(request: Request) -> Response:
        rows = store.database.execute("SELECT * FROM models WHERE NOT deleted AND step_number IS NULL ORDER BY created_at, id")
        models = [require_model(store, name) for name in (*_BASE_MODELS, *_ALIASES)] + [_fine_tune(row) for row in rows]
        known = [model.as_wire() for model in models] + [adapter.as_wire() for adapter in adapters.served()]
        return JSONResponse({"object": "list", "data": known})

    async def get_model(request: Request) -> Response:
        name = request.path_params["model"]
        return JSONResponse((adapters.find(name) or require_model(store, name)).as_wire())

    async def delete_model(request: Request) -> Response:
        model = require_model(store, request.path_params["model"])
        if model.job_id is None:
            raise ApiError(403, "You have insufficient permissions for this operation: only fine-tuned models can be deleted.")
        with store.transaction() as database:
            database.execute("UPDATE models SET deleted = 1 WHERE id = ?", (model.name,))
        return JSONResponse({"id": model.name, "object": "model", "deleted": True})

    return [
        Route("/v1/models", list_models, methods=["GET"]),
        Route("/v1/models/{model}", get_model, methods=["GET"]),
        Route("/v1/models/{model}", delete_model, methods=["DELETE"]),
    ]


def _fine_tune(row: Any) -> KnownModel:
    base = _BASE_MODELS.get(row["base"]) or OPEN_MODELS[row["base"]]
    weights = tuple(json.loads(row["weights"]))
    return KnownModel(row["id"], base.name, row["created_at"], base.shutdown_date, base.trainable, row["job_id"], weights)
