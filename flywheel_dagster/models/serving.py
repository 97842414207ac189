"""Which model answers a request: the arms that serve an organization, a unit's place among them, and the exposure written down."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from uuid import UUID

from flywheel_dagster.errors import DeploymentError, InputError
from flywheel_dagster.models.routing.assigned import Assigned
from flywheel_dagster.models.routing.assignment import Arm, arm_of, unit_of
from flywheel_dagster.pooled import Pooled


@dataclass(frozen=True)
class _Serving:
    arms: dict[Arm, Assigned]
    shares: dict[str, float]
    salt: str | None
    read_at: float


class Serving(Pooled):
    """Assigns models to units, for any asyncio program.

    The arms are read again after `refresh_seconds`: so long may a process go on with a model that was just rolled back. An assignment is
    returned once its exposure is stored; of a lead that was erased nothing is.
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        pool_size: int = 4,
        timeout: float = 10.0,
        refresh_seconds: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(database_url, pool_size=pool_size, timeout=timeout)
        self._refresh, self._clock = refresh_seconds, clock
        self._known: dict[str, _Serving] = {}

    async def get_model_for_request(self, organization_id: str, campaign_id: str, lead_id: str | None = None) -> Assigned:
        """The model that writes for a lead (for a campaign, where no lead is given): the organization's own, else the global one, else the
        baseline. The same lead gets the same model, until a ramp moves it into a variant. Raises DeploymentError where nothing serves."""
        if not (lead_id or campaign_id):
            raise InputError("name the lead or the campaign that a message is for; it gets its model by that")
        serving = self._known.get(organization_id)
        if serving is None or self._clock() - serving.read_at >= self._refresh:
            serving = self._known[organization_id] = await self._read(organization_id)
        if serving.salt is None:
            return serving.arms[Arm.CONTROL]
        unit = unit_of(campaign_id, lead_id)
        assigned = serving.arms[arm_of(serving.salt, organization_id, unit, serving.shares)]
        exposure: dict[str, Any] = {
            "experiment_id": assigned.experiment_id,
            "organization_id": organization_id,
            "unit": unit,
            "arm": assigned.arm,
            "epoch": assigned.epoch,
            "registry_id": assigned.registry_id,
            "campaign_id": campaign_id,
        }
        await self._rows("expose", exposure)
        return replace(assigned, exposed=True)

    async def _read(self, organization_id: str) -> _Serving:
        began = self._clock()  # what changes while it is read is read again in time
        rows = await self._rows("serving_for_request", {"organization_id": organization_id})
        if not rows:
            raise DeploymentError(
                f"nothing serves organization {organization_id!r}: deploy a version (flywheel model deploy VERSION), or set a baseline "
                "(flywheel model baseline NAME)"
            )
        arms = {Arm(row["arm"]): _assigned(row) for row in rows}
        control = arms[Arm.CONTROL]
        arms = {arm: each if arm is Arm.CONTROL else replace(each, control=control) for arm, each in arms.items()}
        return _Serving(arms, {row["arm"]: row["share"] for row in rows}, rows[0]["salt"], began)


def _assigned(row: dict[str, Any]) -> Assigned:
    registry_id: UUID = row["registry_id"]
    return Assigned(
        registry_id=registry_id,
        model_id=row["model_id"],
        model_version=row["model_version"],
        trainer=row["trainer"],
        scope=row["scope"],
        arm=Arm(row["arm"]),
        experiment_id=row["experiment_id"],
        epoch=row["epoch"],
        base_model=row["base_model"],
    )
