"""The application: its routes, its one shape of errors, and what every request passes on its way in."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flywheel_dagster.api.body_limit import BodyLimit
from flywheel_dagster.api.errors import add_error_answers
from flywheel_dagster.api.metrics import Metrics
from flywheel_dagster.api.pages import pages
from flywheel_dagster.api.parameters import refuse_unknown_parameters
from flywheel_dagster.api.routes import experiments, health, leads, models, standings, strategies, tracking, training
from flywheel_dagster.api.services import opened
from flywheel_dagster.settings import Settings

_LOG = logging.getLogger(__name__)
BODY_LIMIT = 64 * 2**10  # bytes; nearly every request is a small object
LARGER_BODIES = {"/strategies/messages": 4 * 2**20, "/strategies/replies": 2**20, "/score": 2**20, "/score/batch": 8 * 2**20}
ROUTERS = (
    training.router, models.router, experiments.router, strategies.router, tracking.router, standings.router, leads.router, health.router
)  # fmt: skip


def build_app(url: str, settings: Settings) -> FastAPI:
    """The ASGI application on the database at `url` (the service role's)."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(url, settings, metrics) as app.state.services:
            yield

    app = FastAPI(
        title="flywheel_dagster",
        summary="Train, deploy and compare the models that write sales messages, and learn which strategies work.",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # the page would load its scripts from elsewhere
        redoc_url=None,
        dependencies=[refuse_unknown_parameters],
    )
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.extend(pages())
    add_error_answers(app)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT, larger=LARGER_BODIES)
    app.add_middleware(Observed, metrics=metrics)
    app.openapi()  # makes the routes ready, which the first request would wait for
    return app


class Observed:
    """Counts and logs each request, by the pattern of its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            seconds, route = perf_counter() - begun, getattr(scope.get("route"), "path", "unknown")
            self._metrics.observe(scope["method"], route, status, seconds)
            caller = scope.get("state", {}).get("caller")
            facts = {
                "method": scope["method"], "route": route, "status": status, "milliseconds": round(seconds * 1000, 1),
                "caller": caller.name if caller else None,
            }  # fmt: skip
            _LOG.log(logging.INFO if status < 400 else logging.WARNING, "request", extra={"facts": facts})
