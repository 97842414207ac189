"""`LeadScorer`: what sales systems ask for a score, and tell what became of a lead. Statistics are in `learning/`, and nothing here waits for a training."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg.rows import dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.leads.scores import Deployed, Prior, Score, Scorer, Thresholds, load_model
from flywheel_dagster.leads.writing import Lead, scorings, words_of
from flywheel_dagster.one_thread import one_thread
from flywheel_dagster.outcomes.erased import erased_refused
from flywheel_dagster.pooled import Pooled
from flywheel_dagster.settings import Settings, load_settings

Result = TypeVar("Result")
_MODELS = 32  # kept in memory; those that were asked least recently go
_EXPLAINED = 16  # leads of a call; reasons cost several times the score


@dataclass(frozen=True)
class Scored:
    """The scores of some leads, in order, as they were written down."""

    version: str
    scored_at: datetime
    scores: list[Score]


@dataclass(frozen=True)
class Told:
    """What became of a word: whether the lead is known, whether the word is new, and how many leads have an outcome now."""

    known: bool
    heard: bool
    total: int


@dataclass(frozen=True)
class Info:
    """How far an organization's scoring is. `told_since`: leads that were told of since the newest training."""

    version: str
    deployed_at: datetime | None
    scored: int
    told: int
    told_since: int


class LeadScorer(Pooled):
    """Scores leads of any organization, with its deployed version or the prior; for any asyncio program. Use it with `async with`, or call `close`.

    Whoever calls has looked whether the caller may see the organization.
    """

    def __init__(
        self, database_url: str | None = None, *, settings: Settings | None = None, pool_size: int = 10, timeout: float = 5.0
    ) -> None:
        super().__init__(database_url, pool_size=pool_size, timeout=timeout)
        known = settings or load_settings()
        self._prior, self._thresholds = known.lead_prior, Thresholds.of(known)
        self._models: dict[UUID, asyncio.Task[Deployed]] = {}
        self._thread = ThreadPoolExecutor(1, "lead-scores")

    async def close(self) -> None:
        """Give the connections back, and end what is being loaded."""
        for loading in self._models.values():
            loading.cancel()
        await asyncio.gather(*self._models.values(), return_exceptions=True)
        self._models.clear()
        self._thread.shutdown()
        await super().close()

    async def score(self, organization_id: str, leads: Sequence[Lead], *, told_by: str | None = None) -> Scored:
        """Score leads and write it down, with the outcomes that came along: all of it, or nothing.

        Up to sixteen leads get reasons. Raises InputError for a lead who was erased, DatabaseError for a version that can't be read.
        """
        scorer = await self.scorer(organization_id)
        scores = await self._scores(scorer, leads)
        values = scorings(organization_id, leads, scores, scorer.version, source="api")
        said = [(lead.lead_id, lead.outcome, None) for lead in leads if lead.outcome is not None]
        with erased_refused():
            if not said:
                rows = await self._rows("write_lead_scores", values)
            else:
                async with self._connection() as connection, connection.transaction(), connection.pipeline():
                    cursor = connection.cursor(row_factory=dict_row)
                    await cursor.execute(statement("write_lead_scores"), values)
                    await connection.execute(
                        statement("tell_leads"), words_of(organization_id, said, source="score", told_by=told_by)
                    )
                    rows = await cursor.fetchall()
        return Scored(scorer.version, rows[0]["scored_at"], scores)

    async def tell(
        self, organization_id: str, lead_id: str, outcome: bool | None, *, source: str, told_by: str | None = None
    ) -> Told:
        """Write down that a lead converted or was lost, or with None that nothing is known any more."""
        values = words_of(organization_id, [(lead_id, outcome, None)], source=source, told_by=told_by)
        told = (await self._rows("tell_leads", values))[0]
        total = (await self._rows("count_told_leads", {"organization_id": organization_id}))[0]["told"]
        return Told(told["known"], told["heard"], total)

    async def info(self, organization_id: str) -> Info:
        """How many leads were scored and told of, and by whom they are scored now."""
        state = (await self._rows("lead_scoring_state", {"organization_id": organization_id}))[0]
        totals = (await self._rows("lead_totals", {"organization_id": organization_id}))[0]
        scorer = self._before_any(state) if state["model_id"] is None else None
        return Info(scorer.version if scorer else state["version"], state["decided_at"], **totals)

    async def explain(self, organization_id: str, features: dict[str, Any]) -> Score:
        """The score and reasons that a lead with these features would get now; nothing is written."""
        scorer = await self.scorer(organization_id)
        return (await self._away(scorer.score, [features]))[0]

    async def scorer(self, organization_id: str) -> Scorer:
        """Who scores the organization's leads at this moment: a look at the database, and once a version its loading."""
        state = (await self._rows("lead_scoring_state", {"organization_id": organization_id}))[0]
        if state["model_id"] is None:
            return self._before_any(state)
        return await self._deployed(state["model_id"], state["version"])

    def _before_any(self, state: dict[str, Any]) -> Prior:
        return Prior(self._prior, state["told"], state["converted"], self._thresholds)

    async def _scores(self, scorer: Scorer, leads: Sequence[Lead]) -> list[Score]:
        features, explained = [lead.features for lead in leads], len(leads) <= _EXPLAINED
        if isinstance(scorer, Prior) or len(leads) == 1:  # a millisecond or two; to hand it over and back takes as long
            return scorer.score(features, explained=explained)
        return await self._away(lambda: scorer.score(features, explained=explained))

    async def _away(self, work: Callable[..., Result], *given: Any) -> Result:
        """Off the event loop, in one thread: scores cost processor time, which more threads would only share."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    async def _deployed(self, model_id: UUID, version: str) -> Deployed:
        """The version, loaded once, away from the event loop: who asks for others doesn't wait."""
        loading = self._models.pop(model_id, None)
        if loading is None or loading.cancelled() or (loading.done() and loading.exception() is not None):
            loading = asyncio.create_task(self._load(model_id, version))
        self._models[model_id] = loading
        while len(self._models) > _MODELS:
            self._models.pop(next(iter(self._models)))
        return await asyncio.shield(loading)

    async def _load(self, model_id: UUID, version: str) -> Deployed:
        artifact = (await self._rows("lead_artifact", {"model_id": model_id}))[0]["artifact"]
        model = await asyncio.to_thread(load_model, artifact, version)
        await self._away(one_thread)  # from here on: for a few rows, more threads only wait for each other
        return Deployed(model, version, self._thresholds)
