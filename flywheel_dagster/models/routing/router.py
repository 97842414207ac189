"""`ModelRouter`: what an agent calls for a message. It asks the model that the lead was assigned, or another one when that fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import uuid4

from flywheel_dagster.database import addresses, connect
from flywheel_dagster.errors import DeploymentError, InputError, PermanentModelError, TransientModelError
from flywheel_dagster.models.chat import Messages
from flywheel_dagster.models.routing.asking import Asked, Asker, Limits, Question
from flywheel_dagster.models.routing.assigned import Assigned, Assignments, Target
from flywheel_dagster.models.routing.assignment import Arm, unit_of
from flywheel_dagster.models.routing.complexity import ComplexitySplit
from flywheel_dagster.models.routing.ensemble import Ensemble, best_of
from flywheel_dagster.models.routing.prices import InferencePrices
from flywheel_dagster.models.routing.providers import Chats, Providers
from flywheel_dagster.models.routing.report import ModelMetrics, performance_report
from flywheel_dagster.models.routing.request_log import Counts, RequestLog
from flywheel_dagster.models.routing.requests import ModelRequest, Role
from flywheel_dagster.models.routing.routed import Routed
from flywheel_dagster.models.serving import Serving
from flywheel_dagster.settings import load_settings

_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class _Routing:
    """A question on its way: `arm` is None where a policy chooses the model."""

    question: Question
    assigned: Assigned | None
    arm: Arm | None
    began: float


class ModelRouter:
    """Asks models for messages, from any asyncio program, and keeps the cost, latency and success of each request.

    `providers` tells how to ask a model (see `Chats`), `assignments` which model is whose (a ModelRegistry; by default one of its own). `policy`
    splits or doubles requests outside experiments; where nothing is deployed, it decides alone. Requests are logged at `database_url`, the service
    role's, or where the settings lead. Use it as `async with`, or call `close()`: what is logged is written behind the answers.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        assignments: Assignments | None = None,
        policy: ComplexitySplit | Ensemble | None = None,
        database_url: str | None = None,
        limits: Limits | None = None,
        prices: InferencePrices | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy, self._clock = policy, clock
        self._chats = Chats(providers)
        self._asker = Asker(self._chats, prices or InferencePrices(), limits or Limits(), sleep, clock)
        self._url = database_url or addresses(load_settings()).service
        self._log = RequestLog(self._url)
        self._serving = Serving(self._url)
        self._assignments = assignments or self._serving

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Write what is not logged yet, and give the connections back."""
        await self._log.close()
        await self._chats.close()
        await self._serving.close()

    @property
    def logged(self) -> Counts:
        """How many requests were written, and how many were not."""
        return self._log.counts

    async def complete(
        self,
        messages: Messages,
        *,
        organization_id: str,
        campaign_id: str,
        lead_id: str | None = None,
        channel: str | None = None,
        language: str | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
    ) -> Routed:
        """A message for a lead, by the model that it is assigned; control's model when that gives none.

        Raises DeploymentError where nothing serves and no policy says which model to ask, and, when no model gave a message, TransientModelError if
        one of them may later, else PermanentModelError.
        """
        began = self._clock()
        unit = unit_of(campaign_id, lead_id)
        question = Question(messages, organization_id, campaign_id, unit, channel, language, max_tokens, seed)
        assigned = await self._assigned(organization_id, campaign_id, lead_id)
        if self._policy is None or (assigned is not None and assigned.experiment_id is not None):
            assert assigned is not None
            return await self._first(
                _Routing(question, assigned, assigned.arm, began), _in_order(Role.ASSIGNED, _own_and_control(assigned))
            )
        routing = _Routing(question, assigned, None, began)
        if isinstance(self._policy, Ensemble):
            return await self._best(routing, self._policy)
        return await self._first(routing, await self._split(routing, self._policy))

    def get_performance_report(
        self, *, window: timedelta = _MONTH, organization_id: str | None = None, role: Role | None = None
    ) -> dict[str, ModelMetrics]:
        """Cost, latency and success by model id, over a window up to now, of all routers' requests; this one's are in it at once.

        A short query that is waited for: a busy event loop calls it by `asyncio.to_thread`. Raises DatabaseError when the database is away.
        """
        waiting = self._log.waiting()
        with connect(self._url) as connection:
            return performance_report(
                connection, since=datetime.now(UTC) - window, organization_id=organization_id, role=role, waiting=waiting
            )

    async def _assigned(self, organization_id: str, campaign_id: str, lead_id: str | None) -> Assigned | None:
        """None where nothing serves, but a policy says which model to ask."""
        try:
            return await self._assignments.get_model_for_request(organization_id, campaign_id, lead_id)
        except DeploymentError:
            if self._policy is None:
                raise
            return None

    async def _split(self, routing: _Routing, policy: ComplexitySplit) -> list[tuple[Target, Role]]:
        """The tier's model; when it fails, the assigned one, its control, and the last tier's, which can do most."""
        tier, _ = await asyncio.to_thread(policy.tier_of, routing.question)
        others = _own_and_control(routing.assigned) if routing.assigned else []
        last = policy.tiers[-1].target
        chosen = _named(tier.target, routing.assigned)
        return _in_order(Role.COMPLEXITY, [chosen, *others, *([last] if last else [])])

    async def _first(self, routing: _Routing, order: Sequence[tuple[Target, Role]]) -> Routed:
        """The answer of the first model that gives one."""
        tried: list[Asked] = []
        for target, role in order:
            tried.append(await self._ask(routing, target, role))
            if tried[-1].error is None:
                return self._routed(routing, tried[-1], role, tried)
        raise _unanswered(routing.question, tried)

    async def _best(self, routing: _Routing, policy: Ensemble) -> Routed:
        """The answer that the ranking puts first; who gives none is out of it."""
        members = [_named(member, routing.assigned) for member in policy.members]
        asked = await asyncio.gather(*(self._ask(routing, member, Role.ENSEMBLE) for member in members))
        written = [(each, each.answer.text) for each in asked if each.error is None and each.answer]
        if not written:
            raise _unanswered(routing.question, asked)
        scores = await asyncio.to_thread(policy.ranking, routing.question.messages, [text for _, text in written])
        return self._routed(routing, written[best_of(scores, len(written))][0], Role.ENSEMBLE, asked)

    async def _ask(self, routing: _Routing, target: Target, role: Role) -> Asked:
        asked = await self._asker.ask(target, routing.question)
        self._log.record(_logged(routing, asked, role))
        return asked

    def _routed(self, routing: _Routing, chosen: Asked, role: Role, asked: Iterable[Asked]) -> Routed:
        assert chosen.answer is not None
        return Routed(
            chosen.answer,
            chosen.target,
            role,
            experiment_arm=routing.arm,
            experiment_id=routing.assigned.experiment_id if routing.assigned else None,
            epoch=routing.assigned.epoch if routing.assigned else None,
            asked=tuple(asked),
            latency_ms=(self._clock() - routing.began) * 1_000,
        )


def _own_and_control(assigned: Assigned) -> list[Target]:
    return [assigned.target, *([assigned.control.target] if assigned.control else [])]


def _in_order(role: Role, targets: Iterable[Target]) -> list[tuple[Target, Role]]:
    """The first in this role, the others in case it fails; no model twice."""
    different: dict[tuple[str, str], Target] = {}
    for target in targets:
        different.setdefault((target.trainer, target.model_id), target)
    return [(target, Role.FALLBACK if place else role) for place, target in enumerate(different.values())]


def _named(target: Target | None, assigned: Assigned | None) -> Target:
    if target is not None:
        return target
    if assigned is None:
        raise InputError("the policy leaves the model to the registry, but nothing serves there; deploy a version, or name a model")
    return assigned.target


def _logged(routing: _Routing, asked: Asked, role: Role) -> ModelRequest:
    question, answer = routing.question, asked.answer
    return ModelRequest(
        id=uuid4(),
        organization_id=question.organization_id,
        scope=asked.target.scope,
        registry_id=asked.target.registry_id,
        model_id=asked.target.model_id,
        campaign_id=question.campaign_id,
        unit=question.unit,
        arm=routing.arm,
        role=role,
        asked_at=asked.asked_at,
        latency_ms=asked.latency_ms,
        tries=asked.tries,
        success=asked.error is None,
        error=asked.error,
        prompt_tokens=answer.prompt_tokens if answer else None,
        completion_tokens=answer.completion_tokens if answer else None,
        cost_usd=asked.cost_usd,
    )


def _unanswered(question: Question, asked: Sequence[Asked]) -> PermanentModelError | TransientModelError:
    """Names the models, not the lead: errors are logged."""
    told = "; ".join(f"{each.target.model_id} ({each.why})" for each in asked)
    message = f"no model gave a message for campaign {question.campaign_id} of {question.organization_id}: {told}"
    if any(each.transient for each in asked):
        return TransientModelError(f"{message}; ask again later")
    return PermanentModelError(message)
