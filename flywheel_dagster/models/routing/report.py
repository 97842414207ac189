"""What asking models cost, how long it took and how often it worked, by model."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.models.routing.request_log import as_json
from flywheel_dagster.models.routing.requests import ModelRequest, Role


class ModelMetrics(TypedDict):
    """A model's requests. Costs are USD, the mean and the sum of those whose price is known; latencies are milliseconds of those answered.

    What can't be told is NaN. `success_rate` is 0..1, `share` the model's of all requests of the report. `unpriced_requests` were answered, but
    nobody knows their price, so that `total_cost` is without them. `fallback_requests` came when another model had failed.
    """

    avg_cost: Decimal
    avg_latency_ms: float
    p99_latency_ms: float
    success_rate: float
    total_requests: int
    share: float
    total_cost: Decimal
    unpriced_requests: int
    fallback_requests: int


def performance_report(
    connection: psycopg.Connection[TupleRow],
    *,
    since: datetime,
    organization_id: str | None = None,
    role: Role | None = None,
    waiting: Sequence[ModelRequest] = (),
) -> dict[str, ModelMetrics]:
    """Metrics by model id, the most asked first: of requests in the table since then, and of those that still wait to be written.

    `role` COMPLEXITY tells how a policy split requests, and what each part cost.
    """
    values = {"since": since, "organization_id": organization_id, "role": role, "waiting": as_json(waiting)}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("report_model_requests"), values).fetchall()
    return {row.pop("model_id"): ModelMetrics(**row) for row in rows}  # type: ignore[typeddict-item]
