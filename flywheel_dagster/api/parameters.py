"""Query parameters that a route doesn't have, or that are given twice, are refused: a filter that isn't applied must not look as if it were."""

from collections import Counter

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError


async def _refuse(request: Request) -> None:
    schema = request.app.openapi()["paths"].get(request.scope["route"].path_format, {}).get(request.method.lower(), {})
    known = {parameter["name"] for parameter in schema.get("parameters", ()) if parameter["in"] == "query"}
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            raise RequestValidationError([{"loc": ("query", name), "msg": "", "type": "extra_forbidden"}])
        if times > 1:
            raise RequestValidationError([{"loc": ("query", name), "msg": "is given more than once", "type": "repeated"}])


refuse_unknown_parameters = Depends(_refuse)
