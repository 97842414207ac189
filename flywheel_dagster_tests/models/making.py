"""Makes registered models to deploy."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow


def model(
    connection: psycopg.Connection[TupleRow],
    version: str = "v1.0.0",
    organization: str | None = "acme",
    *,
    status: str = "ready",
    is_base: bool = False,
) -> UUID:
    """A model of an organization (None: the global scope), committed; its provider's id is made of both."""
    row = connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer, status, is_base)"
        " values (%s, %s, %s, 'gpt-4o-mini', 'openai', %s, %s) returning id",
        (organization, f"ft:{organization or 'global'}:{version}", version, status, is_base),
    ).fetchone()
    connection.commit()
    assert row is not None
    return UUID(str(row[0]))


def arms(connection: psycopg.Connection[TupleRow], scope: str = "acme") -> dict[str, tuple[str, float]]:
    """Version and share in per cent of each arm of a scope."""
    found: list[Any] = connection.execute(
        "select ab_test_group, model_version, traffic_percentage from model_registry where scope = %s and status = 'deployed'",
        (scope,),
    ).fetchall()
    connection.commit()
    return {arm: (version, share) for arm, version, share in found}
