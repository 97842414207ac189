"""A new version's first traffic: a small share beside the control, where the scope wants that or somebody asked for it."""

from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import DeploymentError
from flywheel_dagster.models.deployment import Deployed, deploy
from flywheel_dagster.models.registry import Entry
from flywheel_dagster.settings import Settings


class FirstTraffic(NamedTuple):
    """What the version got (None: nothing), and why."""

    deployed: Deployed | None
    reason: str


def wants_first_traffic(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str) -> bool:
    """Whether new versions of a scope are deployed without anybody doing it."""
    if scope == "global":
        return settings.deploy_global
    row = connection.execute(statement("deploys_trained"), {"scope": scope}).fetchone()
    return row is not None and bool(row[0])


def give_first_traffic(
    connection: psycopg.Connection[TupleRow], entry: Entry, percent: float, *, actor: str | None = None, reason: str | None = None
) -> FirstTraffic:
    """Deploy a version that is ready as the scope's next variant. One that serves or served already is left as it is, and so is a scope with
    two variants, or with nothing that a variant could be compared with."""
    if entry.status != "ready":
        return FirstTraffic(None, f"{entry.model_version} is {entry.status}")
    (arm,) = connection.execute(statement("free_variant"), {"scope": entry.scope}).fetchone() or (None,)
    if arm is None:
        return FirstTraffic(None, f"two variants of {entry.scope} run already: promote or archive one first")
    try:
        deployed = deploy(entry.id, percent, arm, actor=actor, reason=reason).run(connection)
    except DeploymentError as error:
        return FirstTraffic(None, str(error))
    return FirstTraffic(deployed, f"{entry.model_version} is {arm} of {entry.scope} with {percent:g} %")
