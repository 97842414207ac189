"""Faults on demand for tests, and the count of calls: which call fails and how. Not part of OpenAI's API.

A fault is JSON: `match` ("POST /v1/fine_tuning/jobs", `*` matches anything), `kind`, `times` (1; null = always), `skip` (calls let
through first), and by kind `status`, `body`, `headers`, `seconds`, `looks`, `code`, `message`, `param`, `during`. Or `name`: a ready-made
one. A job_slow lasts `seconds`, and is not done before it was asked for `looks` times (0).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flywheel_dagster.sandbox.model_server.connections import Connections
from flywheel_dagster.sandbox.model_server.wire import ApiError, error_body, new_id, read_json

_CREATE_JOB = "POST /v1/fine_tuning/jobs"


class FaultKind(StrEnum):
    """What a fault does: to a call (the first four), or to the next job that is created (the last three)."""

    STATUS = "status"
    DROP = "drop"
    DROP_AFTER = "drop_after"
    DELAY = "delay"
    JOB_FAILS = "job_fails"
    JOB_SLOW = "job_slow"
    JOB_STUCK = "job_stuck"


_JOB_KINDS = frozenset({FaultKind.JOB_FAILS, FaultKind.JOB_SLOW, FaultKind.JOB_STUCK})

# The real errors by name. Texts as published by OpenAI or captured; the type of training_not_available is assumed.
READY_MADE: dict[str, dict[str, Any]] = {
    "training_not_available": {
        "match": _CREATE_JOB,
        "status": 403,
        "body": error_body(
            "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new fine-tuning "
            "training jobs.",
            code="training_not_available",
        ),
    },
    "rate_limit_exceeded": {
        "status": 429,
        "headers": {"retry-after": "1"},
        "body": error_body("Rate limit reached for requests. Please try again in 1s.", code="rate_limit_exceeded", kind="requests"),
    },
    "insufficient_quota": {
        "status": 429,
        "body": error_body(
            "You exceeded your current quota, please check your plan and billing details.",
            code="insufficient_quota",
            kind="insufficient_quota",
        ),
    },
    "server_error": {
        "status": 500,
        "body": error_body("The server had an error while processing your request. Sorry about that!", kind="server_error"),
    },
    "server_is_overloaded": {
        "status": 503,
        "body": error_body(
            "The engine is currently overloaded, please try again later.",
            code="server_is_overloaded",
            kind="service_unavailable_error",
        ),
    },
}


@dataclass
class Fault:
    """One fault that waits for its calls; `left` is None when it never ends."""

    match: str
    kind: FaultKind
    left: int | None
    skip: int
    options: dict[str, Any]
    id: str = field(default_factory=lambda: new_id("fault-", length=8))

    def as_wire(self) -> dict[str, Any]:
        """The fault as GET /sandbox/faults shows it."""
        return {"id": self.id, "match": self.match, "kind": self.kind.value, "times": self.left, "skip": self.skip, **self.options}


class FaultPlan:
    """The faults that wait, in order; the first that fits a call is played. Kept in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, asked: Mapping[str, Any]) -> Fault:
        """Add a fault from its JSON; 400 for one that can't be played."""
        fault = read_fault(asked)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults. A job that was created under one keeps it."""
        self._faults.clear()

    def show(self) -> list[dict[str, Any]]:
        """The faults that still wait."""
        return [fault.as_wire() for fault in self._faults]

    def take_for_call(self, call: str) -> Fault | None:
        """The fault to play on a call such as "GET /v1/models", used up by one."""
        return self._take(call, jobs=False)

    def take_for_job(self) -> dict[str, Any] | None:
        """What a job created now has to suffer, used up by one."""
        fault = self._take(_CREATE_JOB, jobs=True)
        return None if fault is None else {"kind": fault.kind.value, **fault.options}

    def _take(self, call: str, *, jobs: bool) -> Fault | None:
        for fault in self._faults:
            if (fault.kind in _JOB_KINDS) != jobs or not fnmatchcase(call, fault.match):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.left is not None:
                fault.left -= 1
                if not fault.left:
                    self._faults.remove(fault)
            return fault
        return None


def read_fault(asked: Mapping[str, Any]) -> Fault:
    """Check a fault's JSON and fill what it leaves out; raises `ApiError` (400) for one that can't be played."""
    if "name" in asked and asked["name"] not in READY_MADE:
        raise ApiError(400, f"Unknown fault name {asked['name']!r}: one of {', '.join(READY_MADE)}.", param="name")
    options = {"kind": "status", **READY_MADE[asked["name"]], **asked} if "name" in asked else dict(asked)
    try:
        kind = FaultKind(options.pop("kind", None))
    except ValueError as error:
        raise ApiError(400, f"Unknown fault kind: one of {', '.join(FaultKind)}.", param="kind") from error
    match = options.pop("match", _CREATE_JOB if kind in _JOB_KINDS else "* /v1/*")
    times, skip = options.pop("times", 1), options.pop("skip", 0)
    if (
        not isinstance(match, str)
        or not isinstance(skip, int)
        or skip < 0
        or not (times is None or (isinstance(times, int) and times > 0))
    ):
        raise ApiError(400, "A fault needs match (text), times (above 0, or null for always) and skip (0 or more).")
    if kind == FaultKind.STATUS:
        options.setdefault("status", 500)
        message = options.get("message", "A fault set for this call.")
        options.setdefault("body", error_body(message, code=options.get("code"), param=options.get("param")))
    if kind in (FaultKind.DELAY, FaultKind.JOB_SLOW) and not isinstance(options.setdefault("seconds", 0.5), int | float):
        raise ApiError(400, "seconds must be a number.", param="seconds")
    if kind == FaultKind.JOB_SLOW and not isinstance(options.setdefault("looks", 0), int):
        raise ApiError(400, "looks must be a whole number.", param="looks")
    if kind == FaultKind.JOB_FAILS:
        options.setdefault("code", "server_error")
        options.setdefault("message", "The job failed due to an internal error.")
    return Fault(match, kind, times, skip, options)


class FaultMiddleware:
    """Counts every call under /v1 and plays the fault that waits for it."""

    def __init__(
        self, app: ASGIApp, *, plan: FaultPlan, calls: Counter[str], connections: Connections, routes: list[BaseRoute]
    ) -> None:
        self._app, self._plan, self._calls, self._connections, self._routes = app, plan, calls, connections, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or play its fault."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1"):
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
        else:
            if fault.kind == FaultKind.DROP_AFTER:
                await self._app(scope, receive, _send_nothing)
            self._connections.cut(scope)
            while (await receive())["type"] != "http.disconnect":
                pass

    def _route_of(self, scope: Scope) -> str:
        for route in self._routes:
            if isinstance(route, Route) and route.matches(scope)[0] == Match.FULL:
                return f"{scope['method']} {route.path}"
        return f"{scope['method']} (unknown)"


def sandbox_routes(plan: FaultPlan, calls: Counter[str], *, count_jobs: Any) -> list[Route]:
    """The routes under /sandbox. `count_jobs` tells how many jobs were ever created in this state directory."""

    async def add_fault(request: Request) -> Response:
        return JSONResponse(plan.add(await read_json(request)).as_wire())

    async def list_faults(request: Request) -> Response:
        return JSONResponse({"faults": plan.show(), "ready_made": sorted(READY_MADE)})

    async def clear_faults(request: Request) -> Response:
        plan.clear()
        return JSONResponse({"faults": []})

    async def show_calls(request: Request) -> Response:
        return JSONResponse({"calls": dict(sorted(calls.items())), "jobs_created": count_jobs()})

    return [
        Route("/sandbox/faults", add_fault, methods=["POST"]),
        Route("/sandbox/faults", list_faults, methods=["GET"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/sandbox/calls", show_calls, methods=["GET"]),
    ]


async def _send_nothing(message: Message) -> None:
    """Swallow an answer that the client will never see."""
