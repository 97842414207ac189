"""What is answered when a request isn't taken: one JSON shape for every error, with the remedy and nothing of the inside."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from flywheel_dagster.errors import DatabaseError

_LOG = logging.getLogger(__name__)


class ErrorDetail(BaseModel):
    """What went wrong."""

    type: str = Field(description="A word for programs, such as not_found.", examples=["not_found"])
    message: str = Field(description="A sentence for people: what happened, and what to do.")
    field: str | None = Field(None, description="With 422: what of the request is wrong, such as body.min_quality_score.")


class ErrorAnswer(BaseModel):
    """The answer to a request that is not taken."""

    error: ErrorDetail


class RefusedError(Exception):
    """The request is not taken, for a reason that its sender may know. `retry_after` in seconds."""

    def __init__(
        self, status: int, kind: str, message: str, *, field: str | None = None, retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.detail = status, ErrorDetail(type=kind, message=message, field=field)
        self.headers = dict(headers or {}) | ({} if retry_after is None else {"Retry-After": str(retry_after)})


def answers_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI description; those that any route may give are always among them."""
    return {
        status: {"model": ErrorAnswer, "description": HTTPStatus(status).phrase}
        for status in (400, 401, 403, 413, 422, 429, 503, *statuses)
    }


def add_error_answers(app: FastAPI) -> None:
    """Make the application answer every error in the one shape."""
    app.exception_handler(RefusedError)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(psycopg.OperationalError)(_away)
    app.exception_handler(DatabaseError)(_away)
    app.exception_handler(Exception)(_unexpected)


def answer(status: int, detail: ErrorDetail, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The one shape."""
    return JSONResponse(ErrorAnswer(error=detail).model_dump(exclude_none=True), status, dict(headers or {}))


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return answer(error.status, error.detail, error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = _field(first["loc"], first["type"])
    said = "is not a field that this route knows" if first["type"] == "extra_forbidden" else str(first["msg"])
    return answer(422, ErrorDetail(type="invalid_request", message=f"{field}: {said}; see /openapi.json", field=field))


async def _http(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: unknown paths, wrong methods, bodies that are too large or can't be read."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    messages = {404: "there is no such route; see /openapi.json", 405: "this route takes another method; see /openapi.json"}
    message = messages.get(error.status_code, f"{error.detail or phrase}; see /openapi.json")
    return answer(error.status_code, ErrorDetail(type=phrase.lower().replace(" ", "_"), message=message), error.headers)


async def _away(_: Request, error: Exception) -> JSONResponse:
    _LOG.error("the database is away: %s", type(error).__name__)
    return answer(
        503, ErrorDetail(type="database_away", message="the database does not answer; ask again in a moment"), {"Retry-After": "5"}
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, getattr(request.scope.get("route"), "path", ""), exc_info=error)
    return answer(500, ErrorDetail(type="internal_error", message="the fault is ours, and it is logged; ask again later"))


def _field(place: Sequence[str | int], kind: str) -> str:
    """Where in the request, as body.min_quality_score. What can't be parsed has a position instead of a name."""
    return str(place[0]) if kind == "json_invalid" else ".".join(str(part)[:100] for part in place)
