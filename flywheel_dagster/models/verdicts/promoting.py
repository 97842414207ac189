"""Promotes the winner of a scope's experiment when somebody asks for it, by the same verdict as every day's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.errors import DeploymentError
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.deciding import Decision, decide
from flywheel_dagster.models.verdicts.rules import USUAL, Action, Rules


@dataclass(frozen=True)
class Winner:
    """Who won and has all traffic now, by registry id; both None while the evidence is open. `decisions` are on each variant, the best first."""

    winner: Literal["variant", "control"] | None
    winner_id: UUID | None
    decisions: tuple[Decision, ...]

    @property
    def best(self) -> Decision:
        """The decision on the variant that was promoted, else on the best one."""
        return next((each for each in self.decisions if each.action is Action.PROMOTE), self.decisions[0])


def promote_winner(
    connection: psycopg.Connection[TupleRow], scope: str, rules: Rules = USUAL, *, now: datetime, actor: str | None = None
) -> Winner:
    """Judge the scope's experiment and give all traffic to who won; without enough evidence nothing changes. Raises DeploymentError where no
    experiment runs."""
    allowed = frozenset({Action.PROMOTE, Action.END_VARIANT})
    decisions = tuple(decide(connection, scope, rules, now=now, actor=actor, allowed=allowed))
    if not decisions:
        raise DeploymentError(f"no experiment runs for {scope}: deploy a version beside the control to begin one")
    found = Winner(None, None, decisions)
    if found.best.action is Action.PROMOTE:
        return Winner("variant", found.best.variant, decisions)
    experiment = found.best.experiment
    if len(decisions) == len(experiment.compared) and all(each.action is Action.END_VARIANT for each in decisions):
        return Winner("control", experiment.present[Arm.CONTROL].registry_id, decisions)
    return found
