"""The style sheet and the icon, under names that change with what they hold, so that browsers keep them."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_KINDS = {".css": "text/css", ".svg": "image/svg+xml"}


def address_of(name: str) -> str:
    """Where a file of `static/` is served."""
    return f"/static/{_hashed_name(name)}"


async def serve_file(request: Request) -> Response:
    """A file by the name that holds its hash; 404 for any other."""
    found = {_hashed_name(name): name for name in _files()}.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(_files()[found], media_type=_KINDS[Path(found).suffix], headers=headers)


@cache
def _files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (Path(__file__).parent / "static").iterdir() if path.suffix in _KINDS}


@cache
def _hashed_name(name: str) -> str:
    path = Path(name)
    return f"{path.stem}.{hashlib.sha256(_files()[name]).hexdigest()[:16]}{path.suffix}"
