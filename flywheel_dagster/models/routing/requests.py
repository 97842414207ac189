"""What the log keeps of a model that was asked: numbers, names and kinds, nothing that anybody wrote."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from flywheel_dagster.models.routing.assignment import Arm


class Role(StrEnum):
    """Why a model was asked: it was assigned, another one had failed, it is of an ensemble, or of a split by complexity."""

    ASSIGNED = "assigned"
    FALLBACK = "fallback"
    ENSEMBLE = "ensemble"
    COMPLEXITY = "complexity"


class ErrorKind(StrEnum):
    """Why a model gave no message."""

    TIMEOUT = "timeout"  # none in time
    UNANSWERED = "unanswered"  # a lost connection, or a server's error
    TRANSIENT = "transient"  # told to come later
    PERMANENT = "permanent"  # a wrong key, an unknown model
    UNAVAILABLE = "unavailable"  # not served here, or its settings are missing
    REFUSED = "refused"  # the model answered, but wrote nothing


@dataclass(frozen=True)
class ModelRequest:
    """A row of `model_requests`. `arm` is the unit's, whichever model was asked; latency is that of all tries and the pauses between them.

    Tokens are None where nothing was answered, `cost_usd` also where nobody knows the price.
    """

    id: UUID
    organization_id: str
    scope: str
    registry_id: UUID | None
    model_id: str
    campaign_id: str
    unit: str
    arm: Arm | None
    role: Role
    asked_at: datetime
    latency_ms: float
    tries: int
    success: bool
    error: ErrorKind | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Decimal | None
