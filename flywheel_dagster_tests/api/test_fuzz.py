"""Requests made from the API's own OpenAPI description, valid and spoilt: no server error, and no answer that it doesn't describe."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.conftest import WithDagster
from flywheel_dagster_tests.api.serving import Serving, key

load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def fuzz(served: Serving, models: dict[str, str], examples: int, only: str = "") -> Counter[int]:
    """Ask each route (whose path holds `only`) so many times in each mode; returns how often each status came."""
    statuses: Counter[int] = Counter()
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    for operation in (found.ok() for found in schema.get_all_operations()):
        if only in operation.path:
            for mode in GenerationMode:
                with suppress(Unsatisfiable):  # nothing of a route without parameters can be spoilt
                    statuses += _ask(operation, mode, models, examples)
    return statuses


def _ask(operation: Any, mode: GenerationMode, models: dict[str, str], examples: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    headers = {"Authorization": f"Bearer {key('*', Role.ADMIN)}"}

    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:  # half of the time about things that exist
            if "registry_id" in (case.path_parameters or {}):
                case.path_parameters["registry_id"] = models["acme"]
            for body in case.body if isinstance(case.body, list) else [case.body]:
                if isinstance(body, dict) and {"organization_id", "campaign_id"} & set(body):
                    body["organization_id"] = "acme"
                    for rarely_right in ("sent_at", "model_registry_id"):
                        body.pop(rarely_right, None)
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS, headers=headers)
        statuses[answer.status_code] += 1

    ask()
    return statuses


def test_a_few_of_each_kind(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    statuses = fuzz(beside.api, two_tenants, examples=3, only="/training/run")
    assert 202 in statuses


@pytest.mark.acceptance
def test_thousands_of_each_kind(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    statuses = fuzz(beside.api, two_tenants, examples=250)
    assert set(statuses) >= {200, 201, 202, 404, 409, 422}
    assert max(statuses) < 500
