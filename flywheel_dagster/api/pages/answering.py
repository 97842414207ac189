"""How every page is answered: from a template, with headers that let nothing foreign in, and in words where something went wrong."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from flywheel_dagster.api.callers import Caller, caller_with, let_in
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.pages import words
from flywheel_dagster.api.pages.static_files import address_of
from flywheel_dagster.api.services import services_of

_LOG = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]
_PAGES = ("/", "/feedback")
_LONGEST_ADDRESS = 2_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # without any, forms would say that they come from nowhere
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SignedOutError(Exception):
    """Nobody is signed in, or no longer."""


def answered(handler: Handler) -> Handler:
    """The handler, with refusals told on a page, and a way to sign in for who isn't."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except SignedOutError:
            return moved(sign_in_address(request))
        except RefusedError as error:
            return page(
                "refused.html", error.status, error.headers, title=HTTPStatus(error.status).phrase, message=error.detail.message
            )
        except psycopg.OperationalError as error:
            _LOG.error("the database is away: %s", type(error).__name__)
            message = "The database does not answer. Come again in a moment."
            return page("refused.html", 503, {"Retry-After": "5"}, title="Away", message=message)

    return answer


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> HTMLResponse:
    """A page made from a template; every value is escaped."""
    return HTMLResponse(_templates().get_template(template).render(values), status, {**_HEADERS, **(headers or {})})


def moved(address: str) -> RedirectResponse:
    """Go on there, by GET. The address is always one of ours."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def sign_in_address(request: Request) -> str:
    """Where to sign in, and to come back from to the page that was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = way_back(asked) if request.method == "GET" else "/"
    return "/login" if back == "/" else f"/login?{urlencode({'next': back})}"


def way_back(asked: str) -> str:
    """An address of one of our pages, as it was asked for; the first page for anything else."""
    parts = urlsplit(asked) if len(asked) <= _LONGEST_ADDRESS and asked.isprintable() and "\\" not in asked else None
    if parts is None or parts.scheme or parts.netloc or parts.path not in _PAGES:
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def cookie_name(request: Request) -> str:
    """Over HTTPS one that only this host can have set (RFC 6265bis, 4.1.3)."""
    return "__Host-flywheel" if request.url.scheme == "https" else "flywheel"


async def signed_in(request: Request) -> Caller:
    """Who has signed in. The request counts as one of the key's. Raises SignedOutError; refuses with 429 beyond the requests a minute."""
    services, cookie = services_of(request), request.cookies.get(cookie_name(request))
    key_hash = None if cookie is None else await services.sessions.key_hash(cookie)
    if key_hash is None:
        raise SignedOutError
    async with services.pool.connection() as connection:
        caller = await caller_with(connection, services.environment_keys, key_hash)
        if caller is None:
            raise SignedOutError
        request.state.caller = caller
        await let_in(connection, caller.subject, services.settings.api_requests_per_minute)
    return caller


def require_own_site(request: Request) -> None:
    """Refuse with 403 a form that another site's page sent: browsers say where it comes from (Fetch Metadata, else Origin), other programs send no cookies unasked."""
    fetched, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if fetched is not None:
        own = fetched in ("same-origin", "none")
    else:
        own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise RefusedError(403, "other_site", "This form was sent by another site. Open the page here and send it again.")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "count": words.count, "per_cent": words.per_cent, "usd": words.usd, "day": words.day, "signed": words.signed, "moment": words.moment
    }  # fmt: skip
    environment.globals["static"] = address_of
    return environment
