"""`ModelRegistry`: what programs call to register models, decide who serves, and see what each achieved."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row

from flywheel_dagster.database import Lock, statement
from flywheel_dagster.errors import InputError, UnknownModelError
from flywheel_dagster.models import deployment
from flywheel_dagster.models.deployment import Deployed, Verb, refusals_told
from flywheel_dagster.models.elsewhere import MeasuredTotals, TrainingStats
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.serving import Serving
from flywheel_dagster.models.versions import Version, next_version

Model = UUID | str


class ModelRegistry(Serving):
    """Registers, deploys, promotes, rolls back and compares models, and assigns them to requests.

    A model is named by its registry id, or within a scope by its version or the provider's model id. `organization_id` None is the global scope;
    with an organization, another scope's registry id is unknown. `actor` is who appears in the history; the database's user by default.
    """

    def __init__(self, database_url: str | None = None, *, actor: str | None = None, **options: Any) -> None:
        super().__init__(database_url, **options)
        self._actor = actor

    async def register_model(
        self,
        model_id: str,
        model_version: str | None = None,
        base_model: str | None = None,
        fine_tuning_job_id: str | None = None,
        training_stats: Mapping[str, Any] | None = None,
        *,
        organization_id: str | None = None,
        trainer: str = "openai",
    ) -> UUID:
        """Register a model that was trained elsewhere; `model_version` (v2.1.0) is the scope's next one by default, `base_model` what OpenAI's
        ids of fine-tuned models tell. The same model again gives the id that is there.

        Raises InputError when the version is another model's, or no version, and for statistics that can't be."""
        row = await self._registered(
            organization_id,
            model_id,
            None if model_version is None else _version(model_version),
            base_model or _base_of(model_id),
            trainer,
            job=fine_tuning_job_id,
            stats=TrainingStats.of(training_stats or {}),
        )
        if row["model_id"] != model_id:
            raise InputError(
                f"{row['model_version']} of {row['scope']} is {row['model_id']}; give another model_version, or none for the next one"
            )
        return UUID(str(row["id"]))

    async def deploy_model(
        self,
        registry_id: Model | None = None,
        traffic_percentage: float = 100.0,
        ab_test_group: str = Arm.CONTROL,
        *,
        model_id: Model | None = None,
        organization_id: str | None = None,
        reason: str | None = None,
    ) -> Deployed:
        """Give a model an arm and a share of the traffic; what that means is in `deployment.deploy`. Raises DeploymentError, UnknownModelError."""
        chosen = await self._chosen(registry_id, model_id, organization_id)
        return await self._do(deployment.deploy(chosen, traffic_percentage, ab_test_group, actor=self._actor, reason=reason))

    async def promote_model(
        self,
        registry_id: Model | None = None,
        traffic_percentage: float = 100.0,
        *,
        model_id: Model | None = None,
        organization_id: str | None = None,
        reason: str | None = None,
    ) -> Deployed:
        """Make a model its scope's control with all traffic. A promotion to less than 100 isn't one: raises InputError; deploy it as a variant."""
        if traffic_percentage != 100:
            raise InputError(f"a promoted model has 100 %, not {traffic_percentage:g} %; deploy it as a variant instead")
        chosen = await self._chosen(registry_id, model_id, organization_id)
        return await self._do(deployment.promote(chosen, actor=self._actor, reason=reason))

    async def archive_model(self, registry_id: Model, *, organization_id: str | None = None, reason: str | None = None) -> Deployed:
        """Take a model out of service; it may come back."""
        chosen = await self._chosen(registry_id, None, organization_id)
        return await self._do(deployment.archive(chosen, actor=self._actor, reason=reason))

    async def deprecate_model(
        self, registry_id: Model, *, organization_id: str | None = None, reason: str | None = None
    ) -> Deployed:
        """Take a model out of service for good."""
        chosen = await self._chosen(registry_id, None, organization_id)
        return await self._do(deployment.deprecate(chosen, actor=self._actor, reason=reason))

    async def roll_back(self, *, organization_id: str | None = None, reason: str | None = None) -> Deployed:
        """Bring back the scope's previous control, with all traffic."""
        return await self._do(deployment.roll_back(organization_id or "global", actor=self._actor, reason=reason))

    async def set_baseline_model(
        self,
        model_id: Model,
        model_version: str | None = None,
        *,
        organization_id: str | None = None,
        trainer: str = "openai",
        reason: str | None = None,
    ) -> Deployed:
        """Make a model what the scope's models are compared with: a registered one, or a provider's plain one, which is registered by its name
        (`model_version`, such as gpt-4o-mini, where `model_id` is only a label). Raises UnknownModelError for a version that isn't registered."""
        try:
            chosen = await self._chosen(model_id, None, organization_id)
        except UnknownModelError:
            name = model_version or model_id
            if isinstance(name, UUID) or _is_id(name) or _is_version(name):
                raise
            chosen = (await self._registered(organization_id, name, name, name, trainer, is_base=True))["id"]
        return await self._do(deployment.set_baseline(chosen, actor=self._actor, reason=reason))

    async def update_model_performance(
        self,
        registry_id: Model,
        messages_sent: int,
        replies: int,
        meetings_booked: int,
        deals_closed: int,
        revenue: float | Decimal = 0,
        *,
        source: str = "elsewhere",
        organization_id: str | None = None,
    ) -> dict[str, Any]:
        """Keep totals that were measured elsewhere; a later call for the same source replaces them. They stand beside the numbers that are
        derived from outcomes and never change these. Returns the stored row. Raises InputError for totals that can't be."""
        totals = MeasuredTotals(messages_sent, replies, meetings_booked, deals_closed, revenue)
        chosen = await self._chosen(registry_id, None, organization_id)
        (row,) = await self._rows("report_performance", vars(totals) | {"registry_id": chosen, "source": source})
        return row

    async def compare_to_baseline(self, registry_id: Model, *, organization_id: str | None = None) -> dict[str, Any]:
        """Counts, rates (0..1) and their differences from the baseline in per cent; None where there are no messages or no baseline.

        `reported` has what `update_model_performance` was told, a mapping a source: it isn't mixed with what is counted here."""
        chosen = await self._chosen(registry_id, None, organization_id)
        (row,) = await self._seen(organization_id, "compare_to_baseline", {"registry_id": chosen})
        return row

    async def get_leaderboard(self, min_samples: int = 100, *, organization_id: str | None = None) -> list[dict[str, Any]]:
        """The models with at least `min_samples` messages, by close rate, with their ranks. For an organization: its own and the global ones, by
        what they did for it; else all, by what they did for everybody."""
        return await self._seen(organization_id, "leaderboard", {"min_samples": min_samples})

    async def _seen(self, organization_id: str | None, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a statement as a member of the organization sees them; None: all."""
        async with self._connection() as connection, connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            if organization_id is not None:
                await cursor.execute(statement("see_as_member"), {"organization_id": organization_id})
            await cursor.execute(statement(name), values)
            return await cursor.fetchall()

    async def _do(self, verb: Verb) -> Deployed:
        with refusals_told():
            (row,) = await self._rows(verb.statement, dict(verb.values))
        self._known.clear()
        return Deployed.of(row)

    async def _registered(
        self,
        organization_id: str | None,
        model_id: str,
        version: str | None,
        base_model: str,
        trainer: str,
        *,
        is_base: bool = False,
        job: str | None = None,
        stats: TrainingStats | None = None,
    ) -> dict[str, Any]:
        """The row of a version, which is written if it isn't there; `version` None: that of this model, or the scope's next one."""
        scope = organization_id or "global"
        values = {"organization_id": organization_id, "model_id": model_id, "base_model": base_model, "trainer": trainer}
        values |= {"is_base": is_base, "fine_tuning_job_id": job} | vars(stats or TrainingStats())
        async with self._connection() as connection, connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            # As `registry.register` does: versions of a scope are given one after the other.
            await cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (Lock.REGISTRATION, scope))
            await cursor.execute("select act_as('register', %s, null)", (self._actor,))
            if version is None:
                await cursor.execute(statement("version_elsewhere"), {"scope": scope, "model_id": model_id})
                row = await cursor.fetchone()
                version = row["model_version"] if row else await _next_version(cursor, scope)
            await cursor.execute(statement("register_elsewhere"), values | {"model_version": version})
            row = await cursor.fetchone()
        assert row is not None
        return row

    async def _chosen(self, registry_id: Model | None, model_id: Model | None, organization_id: str | None) -> UUID:
        """The registry id of a model that was named in one of the ways."""
        named = registry_id if registry_id is not None else model_id
        if named is None:
            raise InputError("name a model: by its registry id, its version or the provider's model id")
        by_id = isinstance(named, UUID) or _is_id(named)
        scope = organization_id if by_id else organization_id or "global"
        rows = await self._rows("find_model", {"id": named if by_id else None, "named": str(named), "scope": scope})
        if not rows:
            where = "the registry" if scope is None else f"scope {scope!r}"
            raise UnknownModelError(f"{where} has no model {str(named)!r}; see flywheel model list")
        found: UUID = rows[0]["id"]
        return found


async def _next_version(cursor: AsyncCursor[DictRow], scope: str) -> str:
    await cursor.execute(statement("latest_version"), {"scope": scope})
    row = await cursor.fetchone()
    return str(next_version(Version.parse(row["model_version"]) if row else None, same_format=True))


def _version(text: str) -> str:
    try:
        return str(Version.parse(text))
    except ValueError as error:
        raise InputError(str(error)) from error


def _base_of(model_id: str) -> str:
    """OpenAI's "ft:gpt-4o-mini-2024-07-18:acme:sales:abc" tells its base; another id is its own."""
    return model_id.split(":")[1] if model_id.startswith("ft:") and model_id.count(":") >= 2 else model_id


def _is_version(text: str) -> bool:
    with suppress(ValueError):
        return bool(Version.parse(text))
    return False


def _is_id(text: str) -> bool:
    with suppress(ValueError):
        return bool(UUID(text))
    return False
