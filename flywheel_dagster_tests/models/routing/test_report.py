"""The report counts what is in the table and what waits to be, each once, within its window."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.routing.report import performance_report
from flywheel_dagster.models.routing.request_log import RequestLog, as_json
from flywheel_dagster.models.routing.requests import ErrorKind, ModelRequest, Role
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.routing.making import request
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

REQUESTS = st.builds(
    lambda ok, **given: request(
        success=ok,
        error=None if ok else ErrorKind.TIMEOUT,
        **(given if ok else given | {"prompt_tokens": None, "completion_tokens": None, "cost_usd": None}),
    ),
    st.booleans(),
    model_id=st.sampled_from(["a", "b"]),
    organization_id=st.sampled_from(["acme", "rival"]),
    role=st.sampled_from(Role),
    arm=st.sampled_from([None, *Arm]),
    latency_ms=st.floats(0, 1e6),
    asked_at=st.sampled_from([datetime.now(UTC), YESTERDAY - timedelta(hours=1)]),
    cost_usd=st.none() | st.decimals(0, 1, places=8),
)


def write(database: Database, requests: list[ModelRequest]) -> None:
    async def work() -> None:
        log = RequestLog(database.addresses.service)
        for each in requests:
            log.record(each)
        await log.close()

    asyncio.run(work())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(30, quick=10))
@given(st.lists(REQUESTS, max_size=12), st.data())
def test_the_report_agrees_with_counting_by_hand_wherever_the_rows_are(
    connection: Connection, requests: list[ModelRequest], data: st.DataObject
) -> None:
    flags = [data.draw(st.sampled_from(["written", "waiting", "both"])) for _ in requests]
    written = [each for each, flag in zip(requests, flags, strict=True) if flag != "waiting"]
    waiting = [each for each, flag in zip(requests, flags, strict=True) if flag != "written"]
    connection.execute(
        "insert into model_requests select * from jsonb_populate_recordset(null::model_requests, %s)", (as_json(written),)
    )
    try:
        found = performance_report(connection, since=YESTERDAY, organization_id="acme", waiting=waiting)
    finally:
        connection.rollback()

    counted = [each for each in requests if each.organization_id == "acme" and each.asked_at >= YESTERDAY]
    assert found.keys() == {each.model_id for each in counted}
    for model_id, metrics in found.items():
        mine = [each for each in counted if each.model_id == model_id]
        latencies = [each.latency_ms for each in mine if each.success]
        costs = [each.cost_usd for each in mine if each.cost_usd is not None]
        assert metrics["total_requests"] == len(mine)
        assert metrics["share"] == pytest.approx(len(mine) / len(counted))
        assert metrics["success_rate"] == pytest.approx(len(latencies) / len(mine))
        assert metrics["total_cost"] == sum(costs, Decimal(0))
        assert metrics["unpriced_requests"] == len(latencies) - len(costs)
        assert metrics["fallback_requests"] == sum(each.role is Role.FALLBACK for each in mine)
        expected = float(np.percentile(latencies, 99)) if latencies else float("nan")
        assert metrics["p99_latency_ms"] == pytest.approx(expected, nan_ok=True)
        assert float(metrics["avg_cost"]) == pytest.approx(float(sum(costs) / len(costs)) if costs else float("nan"), nan_ok=True)


def test_a_role_alone_tells_how_requests_were_split(database: Database, connection: Connection) -> None:
    split = [request(role=Role.COMPLEXITY, model_id=model_id, arm=None) for model_id in ["small"] * 8 + ["large"] * 2]
    write(database, [*split, *(request() for _ in range(10))])
    found = performance_report(connection, since=YESTERDAY, role=Role.COMPLEXITY)
    assert {model_id: (metrics["share"], metrics["total_cost"]) for model_id, metrics in found.items()} == {
        "small": (0.8, Decimal("0.0008")),
        "large": (0.2, Decimal("0.0002")),
    }
