"""`/login` and `/logout`: a key is traded for a cookie, and the cookie given back."""

from starlette.requests import Request
from starlette.responses import Response

from flywheel_dagster.api.callers import caller_with, let_in
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.keys import hash_of
from flywheel_dagster.api.pages.answering import SignedOutError, cookie_name, moved, page, require_own_site, signed_in, way_back
from flywheel_dagster.api.services import services_of
from flywheel_dagster.api.sessions import HOURS

TRIES_A_MINUTE = 10  # an address


async def show_form(request: Request) -> Response:
    """The form; who is signed in already goes on to the page."""
    back = way_back(request.query_params.get("next", "/"))
    try:
        await signed_in(request)
    except SignedOutError:
        return page("login.html", wrong=None, back=back)
    return moved(back)


async def sign_in(request: Request) -> Response:
    """Begin a session with the key that was typed; 401 with the form again for one that isn't in force."""
    require_own_site(request)
    services = services_of(request)
    async with request.form(max_files=0, max_fields=4) as form:
        key, asked = form.get("key"), form.get("next")
    back = way_back(asked) if isinstance(asked, str) else "/"
    address = request.client.host if request.client else "unknown"
    async with services.pool.connection() as connection:
        try:
            await let_in(connection, f"sign-in:{address}", TRIES_A_MINUTE)
        except RefusedError as error:
            return page(
                "login.html", 429, error.headers, wrong="That was tried too often. Wait a minute, then try again.", back=back
            )
        key_hash = hash_of(key.strip()) if isinstance(key, str) else ""
        caller = await caller_with(connection, services.environment_keys, key_hash)
    if caller is None:
        return page("login.html", 401, wrong="That key is unknown or revoked. flywheel key add makes one.", back=back)
    request.state.caller = caller
    answer = moved(back)
    answer.set_cookie(
        cookie_name(request), await services.sessions.begin(key_hash), max_age=HOURS * 3600, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


async def sign_out(request: Request) -> Response:
    """End the session, for every copy of its cookie."""
    require_own_site(request)
    if (cookie := request.cookies.get(cookie_name(request))) is not None:
        await services_of(request).sessions.end(cookie)
    answer = moved("/login")
    answer.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer
