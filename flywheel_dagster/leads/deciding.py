"""Decides whether an organization's newest version replaces the deployed one, by what is told of leads that neither had learnt from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.leads.decisions import keep_decision, lock_deployment
from flywheel_dagster.leads.gate import Action, Decision, judge, missing_rows
from flywheel_dagster.leads.policies import EVIDENCE, Policy
from flywheel_dagster.leads.scores import PRIOR
from flywheel_dagster.leads.versions import Version, deployed_version, list_versions, load_model, newest_version


@dataclass(frozen=True)
class Decided:
    """A decision on a version. `deployed` scored before it (None: the prior), `serving` scores from now on. `new` is False where nothing was
    decided now, for the same comparison was made before."""

    candidate: Version | None
    deployed: Version | None
    decision: Decision
    new: bool

    @property
    def serving(self) -> str:
        """The version that scores now, or 'prior'."""
        if self.new and self.decision.action is Action.DEPLOY and self.candidate is not None:
            return self.candidate.version
        return PRIOR if self.deployed is None else self.deployed.version


def decide(
    connection: psycopg.Connection[TupleRow], organization_id: str, *, policy: Policy = EVIDENCE, decided_by: str = "flywheel"
) -> Decided:
    """Judge the newest version against the deployed one, record the decision with its numbers and act on it, in one transaction.

    A version is compared with the same deployed one once: asked again, the answer is the one of before. One that was rolled back stays so.
    Each comparison with the same deployed version is a further look, which asks for more evidence. Scoring goes on meanwhile.
    """
    with connection.transaction():
        lock_deployment(connection, organization_id)
        versions = list_versions(connection, organization_id)
        deployed = deployed_version(versions)
        candidate = newest_version(versions)
        if candidate is None:
            reason = "no version was learnt yet: tell the outcomes of more leads, then materialize lead_scoring_model"
            return Decided(None, None, Decision(Action.INSUFFICIENT, reason, {}), new=False)
        if candidate.deployed:
            return Decided(candidate, deployed, Decision(Action.KEEP, f"{candidate.version} is deployed already", {}), new=False)
        if candidate.was_deployed:
            taken_back = Decision(
                Action.KEEP,
                f"{candidate.version} was deployed before and rolled back; the next version learns from more leads, or bring it back by hand",
                {},
            )
            return Decided(candidate, deployed, taken_back, new=False)
        comparison = {
            "organization_id": organization_id,
            "candidate": candidate.id,
            "deployed": None if deployed is None else str(deployed.id),
            "policy": policy.rule.value,
        }
        before = connection.execute(statement("lead_decision_before"), comparison).fetchone()
        if before is not None:
            return Decided(candidate, deployed, Decision(Action(before[1]), before[2], before[3]), new=False)
        looks = connection.execute(statement("lead_looks"), comparison).fetchone()
        assert looks is not None
        decision = _compare(connection, comparison, deployed, policy=policy, look=1 + looks[0])
        keep_decision(connection, organization_id, candidate.id, decision, decided_by=decided_by)
    return Decided(candidate, deployed, decision, new=True)


def _compare(
    connection: psycopg.Connection[TupleRow], comparison: dict[str, Any], deployed: Version | None, *, policy: Policy, look: int
) -> Decision:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("lead_held_out"), comparison).fetchall()
    # Features that came with the outcome may know of it: they count only where the others are too few.
    clean = [row for row in rows if not row["with_outcome"]]
    won = sum(row["converted"] for row in clean)
    held = rows if missing_rows(won, len(clean) - won, policy) else clean
    scores = load_model(connection, deployed).score([row["features"] for row in held]) if deployed is not None and held else None
    found = judge(
        np.array([row["converted"] for row in held], dtype=bool),
        np.empty(0) if deployed is not None and scores is None else scores,
        np.array([row["out_of_fold"] for row in held], dtype=np.float64),
        policy=policy,
        look=look,
    )
    numbers = found.numbers | {
        "deployed": comparison["deployed"],
        "with_outcome": sum(row["with_outcome"] for row in held),
        "left_out_with_outcome": len(rows) - len(held),
    }
    return Decision(found.action, found.reason, numbers)
