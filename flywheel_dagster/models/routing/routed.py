"""What a router answers: the message, who wrote it, and what to tell the outcome tracker."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flywheel_dagster.models.chat import Answer
from flywheel_dagster.models.routing.asking import Asked
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.routing.requests import Role


@dataclass(frozen=True)
class Routed:
    """An answer. `experiment_arm` is the arm that the unit was assigned, also where another arm's model had to answer: experiments are analysed
    by intention to treat, so that a variant that fails often bears what comes of it. `model_registry_id` is the version that wrote the message.
    Pass both to `OutcomeTracker.track_message_sent`.

    `asked` are all models that were asked, in order, the failed ones included; `latency_ms` is the caller's wait.
    """

    answer: Answer
    target: Target
    role: Role
    experiment_arm: Arm | None
    experiment_id: UUID | None
    epoch: int | None
    asked: tuple[Asked, ...]
    latency_ms: float

    @property
    def text(self) -> str:
        """The message."""
        return self.answer.text

    @property
    def model_id(self) -> str:
        """The id of the model that wrote it."""
        return self.target.model_id

    @property
    def model_version(self) -> str | None:
        """Its version; None for a provider's plain model."""
        return self.target.model_version

    @property
    def model_registry_id(self) -> UUID | None:
        """Its row in `model_registry`; None for a provider's plain model."""
        return self.target.registry_id

    @property
    def fallback(self) -> bool:
        """Whether it was asked because another model gave no message."""
        return self.role is Role.FALLBACK

    @property
    def prompt_tokens(self) -> int:
        """Tokens read by all models that answered."""
        return sum(each.answer.prompt_tokens for each in self.asked if each.answer)

    @property
    def completion_tokens(self) -> int:
        """Tokens written by all models that answered."""
        return sum(each.answer.completion_tokens for each in self.asked if each.answer)

    @property
    def cost_usd(self) -> Decimal | None:
        """USD for all answers; None where a price is unknown. What failed may have been billed, too, but nobody tells."""
        costs = [each.cost_usd for each in self.asked if each.answer]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None
