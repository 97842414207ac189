"""The server's assembly: state, trainer, routes and what stands before them (faults, keys, errors). No behaviour of its own."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from flywheel_dagster.sandbox.model_server import azure, together
from flywheel_dagster.sandbox.model_server.adapters import Adapters
from flywheel_dagster.sandbox.model_server.adapters_answers import AdapterAnswers
from flywheel_dagster.sandbox.model_server.answers import FittedModels
from flywheel_dagster.sandbox.model_server.azure_deployments import deployed_model, deployment_routes
from flywheel_dagster.sandbox.model_server.batch_lifecycle import Batcher
from flywheel_dagster.sandbox.model_server.batch_routes import batch_routes
from flywheel_dagster.sandbox.model_server.billing import Billing
from flywheel_dagster.sandbox.model_server.chat import chat_routes
from flywheel_dagster.sandbox.model_server.connections import Connections
from flywheel_dagster.sandbox.model_server.fault_calls import FaultMiddleware, sandbox_routes
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import file_routes, sweep_contents
from flywheel_dagster.sandbox.model_server.job_routes import job_routes
from flywheel_dagster.sandbox.model_server.lifecycle import Trainer
from flywheel_dagster.sandbox.model_server.models import model_routes
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.together_endpoints import asked_model, endpoint_routes
from flywheel_dagster.sandbox.model_server.wire import ApiError, error_response

NOTICE = (
    "A sandbox for development and tests, not a language model: it remembers training examples and counts n-grams. "
    "It has OpenAI's wire format under /v1, Together's under /together/v1 and Azure's under /azure (openai/v1, management, login), and "
    "keeps everything on this machine. Tokens are counted approximately."
)
_REVOKED_KEY = "sk-revoked"
_AZURE_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active "
    "subscription and use a correct regional API endpoint for your resource."
)
_KEY_PAGE = "You can find your API key at https://platform.openai.com/account/api-keys."


@dataclass(frozen=True)
class Settings:
    """How a server runs. `job_seconds` is the least time a job or batch takes; `identity` is told by /health; `adapters` are folders."""

    state: Path
    identity: str
    job_seconds: float
    adapters: Path | None = None


def create_app(settings: Settings, connections: Connections) -> Starlette:
    """Open the state directory and assemble the app. Raises `SandboxError` when the directory is in use."""
    store = Store(settings.state)
    sweep_contents(store)
    trainer = Trainer(store, job_seconds=settings.job_seconds)
    plan, calls, fitted, billing = FaultPlan(), Counter[str](), FittedModels(), Billing(store)
    batcher = Batcher(store, fitted=fitted, faults=plan, batch_seconds=settings.job_seconds)
    adapters = Adapters(settings.adapters)
    adapter_answers = AdapterAnswers(adapters)

    @asynccontextmanager
    async def live(app: Starlette) -> AsyncIterator[None]:
        trainer.start_open_jobs()
        batcher.start_open_batches()
        yield
        adapter_answers.close()
        await batcher.close()
        await trainer.close()
        store.close()

    async def show_health(request: Request) -> Response:
        about = {"status": "ok", "pid": os.getpid(), "state": str(store.directory), "identity": settings.identity}
        return JSONResponse(about)

    async def show_notice(request: Request) -> Response:
        return JSONResponse({"name": "flywheel sandbox model server", "notice": NOTICE, "identity": settings.identity})

    routes = [
        Route("/", show_notice, methods=["GET"]),
        Route("/health", show_health, methods=["GET"]),
        *sandbox_routes(plan, calls, count=lambda table: _count(store, table)),
        *billing.routes(),
        *file_routes(store),
        *job_routes(store, trainer, plan),
        *model_routes(store, adapters),
        *batch_routes(store, batcher, plan),
        *chat_routes(store, fitted, billing, plan, adapters=adapter_answers),
        *together.together_routes(store, trainer, plan),
        *endpoint_routes(store, plan),
        *chat_routes(store, fitted, billing, plan, root=together.ROOT, find=partial(asked_model, store)),
        *azure.azure_routes(store, trainer, plan),
        *deployment_routes(store),
        *chat_routes(store, fitted, billing, plan, root=azure.ROOT, find=partial(deployed_model, store)),
    ]
    faults = Middleware(FaultMiddleware, plan=plan, calls=calls, connections=connections, routes=list(routes))
    handlers = {ApiError: _answer_api_error, HTTPException: _answer_http_error, Exception: _answer_own_failure}
    return Starlette(routes=routes, middleware=[faults, Middleware(KeyMiddleware)], exception_handlers=handlers, lifespan=live)


class KeyMiddleware:
    """Refuses calls to OpenAI's, Together's and Azure's API without a bearer token, or with the one that stands for a revoked key.

    Azure takes its key in the header api-key, too; its control plane looks after its tokens itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or answer 401."""
        error = None
        if scope["type"] == "http" and scope["path"].startswith(("/v1", together.ROOT, azure.ROOT)):
            headers = dict(scope["headers"])
            given = headers.get(b"authorization", b"")
            if scope["path"].startswith(azure.ROOT) and b"api-key" in headers:
                given = b"Bearer " + headers[b"api-key"]
            error = check_key(given.decode("latin-1"))
            if error and scope["path"].startswith(azure.ROOT):
                error = ApiError(401, _AZURE_DENIED, code="401")
        await (error_response(error) if error else self._app)(scope, receive, send)


def check_key(authorization: str) -> ApiError | None:
    """The 401 for an Authorization header, or None; any bearer token but the revoked one is good."""
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        return ApiError(401, f"You didn't provide an API key in an Authorization header using Bearer auth. {_KEY_PAGE}")
    if key == _REVOKED_KEY:
        return ApiError(401, f"Incorrect API key provided: {key}. {_KEY_PAGE}", code="invalid_api_key")
    return None


def _count(store: Store, table: str) -> int:
    count: int = store.database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 (our own table names)
    return count


async def _answer_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    call = f"{request.method} {request.url.path}"
    messages = {
        404: f"Invalid URL ({call})",
        405: f"Not allowed to {call}. (HINT: Perhaps you meant to use a different HTTP method?)",
    }
    return error_response(ApiError(error.status_code, messages.get(error.status_code, error.detail), headers=error.headers))


async def _answer_own_failure(request: Request, error: Exception) -> Response:
    message = "The server had an error while processing your request. Sorry about that!"
    return error_response(ApiError(500, message, kind="server_error"))
