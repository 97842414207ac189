"""How a call suffers its fault, the count of calls, and the sandbox's own routes. Not part of OpenAI's API."""

import asyncio
from collections import Counter
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flywheel_dagster.sandbox.model_server.connections import Connections
from flywheel_dagster.sandbox.model_server.faults import FaultKind, FaultPlan
from flywheel_dagster.sandbox.model_server.ready_made import READY_MADE
from flywheel_dagster.sandbox.model_server.wire import read_json

_PROVIDERS = ("/v1", "/together/", "/azure/")


class FaultMiddleware:
    """Counts every call to a provider's API and plays the fault that waits for it."""

    def __init__(
        self, app: ASGIApp, *, plan: FaultPlan, calls: Counter[str], connections: Connections, routes: list[BaseRoute]
    ) -> None:
        self._app, self._plan, self._calls, self._connections, self._routes = app, plan, calls, connections, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or play its fault."""
        if scope["type"] != "http" or not scope["path"].startswith(_PROVIDERS):
            await self._app(scope, receive, send)
            return
        self._calls[self._route_of(scope)] += 1
        fault = self._plan.take_for_call(f"{scope['method']} {scope['path']}")
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == FaultKind.STATUS:
            answer = JSONResponse(fault.options["body"], fault.options["status"], fault.options.get("headers"))
            await answer(scope, receive, send)
        elif fault.kind == FaultKind.DELAY:
            await asyncio.sleep(fault.options["seconds"])
            await self._app(scope, receive, send)
        elif fault.kind == FaultKind.HOLD:
            await self._hold(scope, receive, send)
        else:
            if fault.kind == FaultKind.DROP_AFTER:
                await self._app(scope, receive, _send_nothing)
            self._connections.cut(scope)
            while (await receive())["type"] != "http.disconnect":
                pass

    async def _hold(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call wait until the faults are cleared; one whose client goes away before never happened."""
        released = asyncio.ensure_future(self._plan.released.wait())
        came: list[Message] = []
        while not came or came[-1].get("more_body"):
            came.append(await receive())
        gone = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                waiting = iter(came)

                async def replay() -> Message:
                    return next(waiting, None) or await gone

                await self._app(scope, replay, send)
        finally:
            released.cancel()
            gone.cancel()

    def _route_of(self, scope: Scope) -> str:
        for route in self._routes:
            if isinstance(route, Route) and route.matches(scope)[0] == Match.FULL:
                return f"{scope['method']} {route.path}"
        return f"{scope['method']} (unknown)"


def sandbox_routes(plan: FaultPlan, calls: Counter[str], *, count: Callable[[str], int]) -> list[Route]:
    """The routes for faults and calls. `count` tells how many jobs or batches were ever created in this state directory."""

    async def add_fault(request: Request) -> Response:
        return JSONResponse(plan.add(await read_json(request)).as_wire())

    async def list_faults(request: Request) -> Response:
        return JSONResponse({"faults": plan.show(), "ready_made": sorted(READY_MADE)})

    async def clear_faults(request: Request) -> Response:
        plan.clear()
        return JSONResponse({"faults": []})

    async def show_calls(request: Request) -> Response:
        created = {"jobs_created": count("jobs"), "batches_created": count("batches")}
        return JSONResponse({"calls": dict(sorted(calls.items())), **created})

    return [
        Route("/sandbox/faults", add_fault, methods=["POST"]),
        Route("/sandbox/faults", list_faults, methods=["GET"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/sandbox/calls", show_calls, methods=["GET"]),
    ]


async def _send_nothing(message: Message) -> None:
    """Swallow an answer that the client will never see."""
