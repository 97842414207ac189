"""Routes that take a form as well as JSON: the form becomes the JSON object that it means, and everything behind it knows JSON only."""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData
from starlette.types import Message

from flywheel_dagster.api.callers import GuardedRoute, admit
from flywheel_dagster.api.services import services_of

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_FIELDS = 256
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def taking_forms(read: Callable[[FormData], Mapping[str, object]]) -> type[GuardedRoute]:
    """A guarded route whose forms `read` turns into the object that JSON would be."""

    class FormRoute(GuardedRoute):
        """As a guarded route; a form is read once its sender is let in."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super(GuardedRoute, self).get_route_handler()

            async def guarded(request: Request) -> Response:
                request.state.caller = await admit(request, services_of(request))
                if request.headers.get("content-type", "").partition(";")[0].strip().lower() in FORMS:
                    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
                        _refuse_repeated(form)
                        return await handle(_as_json(request, read(form)))
                return await handle(request)

            return guarded

    return FormRoute


def given_whole(text: str) -> int | str:
    """A whole number where the text is one; else the text, which then is refused where a number is needed."""
    return int(text) if _WHOLE.fullmatch(text.strip()) else text


def given_flag(text: str) -> bool | str:
    """true or false, in any case, where the text is that."""
    return {"true": True, "false": False}.get(text.strip().lower(), text)


def _as_json(request: Request, value: Mapping[str, object]) -> Request:
    body = json.dumps(value).encode()
    headers = [(name, content) for name, content in request.scope["headers"] if name not in (b"content-type", b"content-length")]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}, receive)


def _refuse_repeated(form: FormData) -> None:
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise RequestValidationError([{"loc": ("body", name), "msg": "is given more than once", "type": "repeated"}])
