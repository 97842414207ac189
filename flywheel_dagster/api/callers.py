"""Who asks: from the key of a request to a caller, before anything else of the request is looked at."""

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.keys import EnvironmentKey, Permission, Role, hash_of
from flywheel_dagster.api.services import AsyncRows, Services, services_of
from flywheel_dagster.database import statement

_BEARER = HTTPBearer(
    scheme_name="ApiKey",
    bearerFormat="flywheel_…",
    description="A key of flywheel key add, or of FLYWHEEL_API_KEYS.",
    auto_error=False,
)
_CHALLENGE = 'Bearer realm="flywheel"'  # RFC 6750, 3


@dataclass(frozen=True)
class Caller:
    """Who asks. `organization_id` None: the key is of all organizations. `name` stands in logs and histories."""

    name: str
    organization_id: str | None
    role: Role

    @property
    def subject(self) -> str:
        """Whose requests are counted together: an organization's, whatever key it uses; else the key's own."""
        return f"key:{self.name}" if self.organization_id is None else f"organization:{self.organization_id}"

    def require(self, permission: Permission) -> None:
        """Refuse with 403 what the key's role doesn't permit."""
        if permission not in self.role.permissions:
            able = ", ".join(role for role in Role if permission in role.permissions)
            raise RefusedError(
                403, "permission_missing", f"a key with the role {self.role} may not {permission}; use one with the role {able}"
            )

    def scope(self, organization_id: str | None, *, named: bool) -> str:
        """The scope that a change is about: the organization, or global for None. Where nothing was named it is the caller's own.

        Refuses another organization with 404, as if there were none, and the global scope to an organization's key with 403.
        """
        if not named:
            return self.organization_id or "global"
        if organization_id is None:
            self.require_scope("global")
            return "global"
        self.require_sight(organization_id)
        return organization_id

    def organization(self, named: str | None, *, field: str = "query.organization_id") -> str:
        """The one organization that a request is about: the named one, or the caller's own. `field` is where the request names it.

        Refuses another one with 404, as if there were none, and with 422 a key of all organizations that names none.
        """
        if named is not None:
            self.require_sight(named)
        if (found := named or self.organization_id) is None:
            raise RefusedError(
                422,
                "organization_missing",
                "this key is of all organizations: say by organization_id which one is meant",
                field=field,
            )
        return found

    def require_scope(self, scope: str) -> None:
        """Refuse with 403 a change of what the caller only shares with others: the global models."""
        if self.organization_id not in (None, scope):
            raise RefusedError(
                403,
                "global_scope",
                "the global model belongs to all organizations; use a key of all organizations, or name your own",
            )

    def require_sight(self, organization_id: str) -> None:
        """Refuse with 404 what belongs to another organization: whether it exists is not told."""
        if self.organization_id not in (None, organization_id):
            raise unknown_organization()


def unknown_organization() -> RefusedError:
    """The same answer for an organization that isn't there and for one that isn't the caller's."""
    return RefusedError(404, "organization_unknown", "no such organization; see flywheel org list, or leave organization_id out")


class GuardedRoute(APIRoute):
    """A route that only callers reach: the key is looked at, and the request counted, before its body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.caller = await admit(request, services_of(request))
            return await handler(request)

        return guarded


async def admit(request: Request, services: Services) -> Caller:
    """The caller with the request's key; 401 without one that is in force, 429 beyond the organization's requests a minute."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusedError(
            401, "key_missing", "send an API key as Authorization: Bearer KEY; flywheel key add makes one", headers={"WWW-Authenticate": _CHALLENGE}
        )  # fmt: skip
    async with services.pool.connection() as connection:
        caller = await caller_with(connection, services.environment_keys, hash_of(key.strip()))
        if caller is None:
            raise RefusedError(
                401, "key_unknown", "the key is unknown or revoked; flywheel key add makes one",
                headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
            )  # fmt: skip
        await let_in(connection, caller.subject, services.settings.api_requests_per_minute)
    return caller


async def caller_with(connection: AsyncRows, environment_keys: tuple[EnvironmentKey, ...], key_hash: str) -> Caller | None:
    """Whose key has this hash; None where no key in force has it."""
    return _of_environment(environment_keys, key_hash) or await _of_table(connection, key_hash)


async def let_in(connection: AsyncRows, subject: str, most: int) -> None:
    """Count a request of the subject; refuse it with 429 when there were `most` within the last minute."""
    row = await (await connection.execute(statement("take_request"), {"subject": subject, "most": most})).fetchone()
    assert row is not None
    if row["seconds"] is not None:
        wait = max(1, ceil(row["seconds"]))
        raise RefusedError(
            429, "too_many_requests", f"more than {most} requests a minute; come again in {wait} s", retry_after=wait
        )


def _of_environment(keys: tuple[EnvironmentKey, ...], key_hash: str) -> Caller | None:
    """Compares with every key in constant time."""
    found = [place for place, key in enumerate(keys) if hmac.compare_digest(key.key_hash, key_hash)]
    if not found:
        return None
    key = keys[found[0]]
    return Caller(f"environment {key.key_hash[:8]}", key.organization_id, key.role)


async def _of_table(connection: AsyncRows, key_hash: str) -> Caller | None:
    """Looks the hash up in an index: how long that takes tells of stored hashes, from which no key of 256 random bits can be found."""
    row = await (await connection.execute(statement("find_api_key"), {"key_hash": key_hash})).fetchone()
    if row is None:
        return None
    if row["is_due"]:
        await connection.execute(statement("note_api_key_use"), {"id": row["id"]})
    return Caller(f"{row['id']} ({row['name']})" if row["name"] else str(row["id"]), row["organization_id"], Role(row["role"]))


async def caller_of(request: Request, _: Annotated[object, Security(_BEARER)]) -> Caller:
    """The caller whom GuardedRoute let in."""
    caller: Caller = request.state.caller
    return caller


def permitted(permission: Permission) -> Any:
    """A dependency: the caller, if its role permits this."""

    async def check(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        caller.require(permission)
        return caller

    return Depends(check)


Reader = Annotated[Caller, permitted(Permission.READ)]
Recorder = Annotated[Caller, permitted(Permission.RECORD)]
Trainer = Annotated[Caller, permitted(Permission.TRAIN)]
Deployer = Annotated[Caller, permitted(Permission.DEPLOY)]
