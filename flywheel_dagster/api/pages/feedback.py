"""`/feedback`: the sales team looks up leads and says what became of them. What the pages show is read in `leads.py`."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from flywheel_dagster.api.callers import Caller
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.fields import Id
from flywheel_dagster.api.keys import Permission
from flywheel_dagster.api.pages.answering import SignedOutError, cookie_name, moved, page, require_own_site, signed_in
from flywheel_dagster.api.pages.leads import Place, list_of, organizations_of, record_of
from flywheel_dagster.api.services import Services, services_of

OUTCOMES = {"converted": True, "lost": False, "unknown": None}
_Blank = BeforeValidator(lambda given: given or None)
_MOST_FIELDS = 8
Read = TypeVar("Read", bound=BaseModel)


class Asked(BaseModel):
    """What the page is asked to show: a lead, or leads whose id begins with `q`, and the waiting ones `after` a place."""

    model_config = ConfigDict(extra="forbid")

    organization_id: Annotated[Id | None, _Blank] = None
    lead_id: Annotated[Id | None, _Blank] = None
    q: Annotated[Id | None, _Blank, BeforeValidator(lambda given: given.strip())] = None
    after: Annotated[Place | None, _Blank] = None
    said: Annotated[Id | None, _Blank] = None


class Word(BaseModel):
    """What a form says. `place`: the page that it stood on."""

    model_config = ConfigDict(extra="forbid")

    token: str
    lead_id: Id
    outcome: Literal["converted", "lost", "unknown"]
    organization_id: Annotated[Id | None, _Blank] = None
    place: Literal["lead", "list"] = "lead"


async def show_leads(request: Request) -> Response:
    """A lead, or the leads that wait for an outcome; to choose from, the organizations for a key of all of them."""
    caller, services = await signed_in(request), services_of(request)
    asked = _read(Asked, dict(request.query_params), "The address asks for something that this page doesn't have")
    if asked.organization_id is not None:
        caller.require_sight(asked.organization_id)
    whose = asked.organization_id or caller.organization_id
    shared: dict[str, Any] = {
        "of_all": caller.organization_id is None,
        "asked": asked,
        "whose": whose,
        "may_say": Permission.RECORD in caller.role.permissions,
        "token": await _token(request, services),
        "organizations": await organizations_of(services) if caller.organization_id is None else [],
        "address": _address_in(caller, whose),
    }
    if whose is None:
        return page("choose.html", **shared)
    if asked.lead_id is not None:
        return page("lead.html", **shared, record=await record_of(services, whose, asked.lead_id))
    return page("leads.html", **shared, found=await list_of(services, whose, begin=asked.q, after=asked.after, said=asked.said))


async def say_outcome(request: Request) -> Response:
    """Write down what became of a lead, and go back to where it was said. Said twice it is one word."""
    require_own_site(request)
    caller, services = await signed_in(request), services_of(request)
    caller.require(Permission.RECORD)
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        word = _read(Word, _texts(form), "The form can't be read")
    cookie = request.cookies.get(cookie_name(request), "")
    if not await services.sessions.is_form_token(cookie, word.token):
        raise RefusedError(403, "form_expired", "This form is from before you signed in. Open the page again, and say it there.")
    whose = caller.organization(word.organization_id)
    told = await services.leads.tell(whose, word.lead_id, OUTCOMES[word.outcome], source="form", told_by=caller.name)
    if not told.known:
        raise RefusedError(404, "not_found", "No lead of yours with this id was ever scored.")
    back = {"lead_id": word.lead_id} if word.place == "lead" else {}
    return moved(_address_in(caller, whose)(**back, said=word.lead_id))


async def _token(request: Request, services: Services) -> str:
    token = await services.sessions.form_token(request.cookies.get(cookie_name(request), ""))
    if token is None:
        raise SignedOutError
    return token


def _address_in(caller: Caller, whose: str | None) -> Callable[..., str]:
    """Makes addresses of this page; a key of all organizations has to say which one."""
    own = {} if caller.organization_id is not None or whose is None else {"organization_id": whose}

    def address(**asked: str) -> str:
        query = urlencode(own | asked)
        return f"/feedback?{query}" if query else "/feedback"

    return address


def _texts(form: FormData) -> dict[str, str]:
    return {name: given for name, given in form.multi_items() if isinstance(given, str)}


def _read(kind: type[Read], given: dict[str, str], complaint: str) -> Read:
    try:
        return kind(**given)
    except ValidationError as error:
        wrong = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RefusedError(422, "invalid_request", f"{complaint}: {wrong[:100]}.") from None
