"""Looks whether an organization's deployed version still meets the leads that it learnt from, and still foresees what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.leads.drift import LEAST, Batch, Stability, batch, batches, stabilities, stability
from flywheel_dagster.leads.versions import Version, deployed_version, list_versions, load_model

NEWEST = 500
"""Scorings that are compared with what was learnt from, and told leads that the version is judged by."""
_REMEMBERED = 12 * NEWEST


@dataclass(frozen=True)
class Watch:
    """How the deployed version does. `scored` counts the newest scorings, `told` the leads told of since that it had not seen; lists are empty, and
    the rest is None, where these are fewer than 50."""

    version: Version
    scored: int
    told: int
    fields: Sequence[Stability]
    scores: Stability | None
    batches: Sequence[Batch]
    newest: Batch | None
    auc_learnt: float
    auc_error: float
    """AUC out of fold when it was learnt, and its standard error."""

    @property
    def calibration_holds(self) -> bool:
        """Whether as many of the newest leads convert as their scores say."""
        return self.newest is None or self.newest.calibrated

    @property
    def auc_holds(self) -> bool:
        """Whether the AUC on the newest leads is not shown to be lower than when it was learnt."""
        return self.newest is None or not self.newest.falls_below(self.auc_learnt, standard_error=self.auc_error)


def watch(connection: psycopg.Connection[TupleRow], organization_id: str) -> Watch | None:
    """As of now; None while no version is deployed. Nothing is written."""
    version = deployed_version(list_versions(connection, organization_id))
    if version is None:
        return None
    of = {"organization_id": organization_id, "model_id": version.id, "version": version.version}
    learnt = connection.execute(statement("lead_learnt_from"), of).fetchall()
    scored = connection.execute(statement("lead_new_scorings"), of | {"limit": NEWEST}).fetchall()
    told = connection.execute(statement("lead_told_since"), of | {"limit": _REMEMBERED}).fetchall()
    model = load_model(connection, version)
    fields: list[Stability] = []
    scores = newest = None
    if len(scored) >= LEAST and len(learnt) >= LEAST:
        fields = stabilities([row[0] for row in learnt], [row[0] for row in scored], model.fields)
        scores = stability("conversion_score", [row[1] for row in learnt], [row[1] for row in scored])
    converted = np.array([row[1] for row in told], dtype=bool)
    given = model.score([row[0] for row in told]) if told else np.empty(0)
    if len(told) >= LEAST:
        newest = batch(converted[-NEWEST:], given[-NEWEST:])
    return Watch(
        version=version,
        scored=len(scored),
        told=len(told),
        fields=fields,
        scores=scores,
        batches=batches(converted, given),
        newest=newest,
        auc_learnt=float(version.metrics["out_of_fold"]["auc"]),
        auc_error=float(version.metrics["out_of_fold"]["auc_error"] or 0.0),
    )
