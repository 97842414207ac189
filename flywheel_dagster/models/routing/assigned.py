"""What the router is told: which model a unit was assigned, and whose it is."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from flywheel_dagster.models.routing.assignment import Arm


@dataclass(frozen=True)
class Target:
    """A model that can be asked: its id, who made or serves it, and the version that it is (`registry_id` None: a provider's plain model).

    `base_model` is what it was made of, as far as that is known; some prices go by it.
    """

    model_id: str
    trainer: str
    registry_id: UUID | None = None
    model_version: str | None = None
    scope: str = "global"
    base_model: str | None = None


@dataclass(frozen=True)
class Assigned:
    """The model of a unit, and the arm that it is in. `exposed`: the unit's exposure is recorded for `experiment_id` in this `epoch`.

    Without an experiment there is one arm, control. `control` is what may answer instead: the control's model, None where there is no other.
    """

    registry_id: UUID | None
    model_id: str
    model_version: str | None
    trainer: str
    scope: str
    arm: Arm
    experiment_id: UUID | None = None
    epoch: int | None = None
    exposed: bool = False
    control: "Assigned | None" = None
    base_model: str | None = None

    def __getitem__(self, name: str) -> Any:
        """A field by its name, as in `assigned["model_id"]`."""
        if name not in type(self).__dataclass_fields__:
            raise KeyError(name)
        return getattr(self, name)

    @property
    def target(self) -> Target:
        """The model alone."""
        return Target(self.model_id, self.trainer, self.registry_id, self.model_version, self.scope, self.base_model)


class Assignments(Protocol):
    """Knows who gets which model: the registry."""

    async def get_model_for_request(self, organization_id: str, campaign_id: str, lead_id: str | None = None) -> Assigned:
        """The model for a request, and the exposure recorded where an experiment runs. Raises DeploymentError where nothing serves."""
        ...
