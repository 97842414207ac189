"""What every answer shares: OpenAI's error shape, identifiers, times and list pages. No route and no state lives here."""

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

_ALPHABET = (string.ascii_letters + string.digits).encode()
_IN_ALPHABET = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))


class ApiError(Exception):
    """An answer with an HTTP error status and a body in OpenAI's error shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, code=code, param=param, kind=kind)
        self.headers = dict(headers or {})


def error_body(
    message: str, *, code: str | None = None, param: str | None = None, kind: str = "invalid_request_error"
) -> dict[str, Any]:
    """The JSON body that carries an error: `{"error": {"message", "type", "param", "code"}}`."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(error: ApiError) -> JSONResponse:
    """Turn a raised `ApiError` into its HTTP answer."""
    return JSONResponse(error.body, status_code=error.status, headers=error.headers)


def new_id(prefix: str, *, length: int = 24) -> str:
    """A fresh identifier such as `file-Ab3...`; `length` counts the random characters."""
    return prefix + secrets.token_bytes(length).translate(_IN_ALPHABET).decode()


def now() -> int:
    """The time in whole seconds since 1970, UTC, as the API's timestamps are."""
    return int(time.time())


async def read_json(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object; 400 in OpenAI's shape when it is anything else."""
    import json

    raw = await request.body()
    try:
        value = json.loads(raw or b"{}")
    except ValueError as error:
        raise ApiError(400, "We could not parse the JSON body of your request. The API expects a JSON payload.") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The JSON body of your request must be an object.")
    return value


@dataclass(frozen=True)
class Page:
    """One page of a list: the rows, and whether more follow."""

    data: Sequence[Mapping[str, Any]]
    has_more: bool

    def response(self) -> JSONResponse:
        """The list object, with the ids of its ends (null when empty)."""
        ids = [row["id"] for row in self.data]
        return JSONResponse(
            {
                "object": "list",
                "data": list(self.data),
                "first_id": ids[0] if ids else None,
                "last_id": ids[-1] if ids else None,
                "has_more": self.has_more,
            }
        )


def read_limit(request: Request, *, default: int, largest: int) -> int:
    """The query's `limit`, 1 to `largest`; 400 outside."""
    text = request.query_params.get("limit")
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
        raise ApiError(400, f"Invalid 'limit': expected an integer from 1 to {largest}, but got {text!r}.", param="limit")
    return int(text)
