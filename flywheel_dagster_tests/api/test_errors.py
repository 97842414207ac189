"""Every refusal has the one shape, says what to do, and tells nothing of the inside."""

import json
from typing import Any

import httpx
import pytest

from flywheel_dagster.api import services
from flywheel_dagster.api.app import BODY_LIMIT
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.api.serving import KEYS, NOWHERE, Serving

RUN, MODELS, DEPLOY = "/training/run", "/training/models", "/training/deploy/00000000-0000-0000-0000-000000000000"
JSON = {"Content-Type": "application/json"}

WRONG_BODIES: list[tuple[object, str]] = [
    ({"unknown": 1}, "body.unknown"),
    ({"min_quality_score": 1.1}, "body.min_quality_score"),
    ({"min_quality_score": "0.6"}, "body.min_quality_score"),
    ({"min_quality_score": True}, "body.min_quality_score"),
    ({"min_quality_score": 10**300}, "body.min_quality_score"),
    ({"ab_test_percentage": 0}, "body.ab_test_percentage"),
    ({"ab_test_percentage": 100}, "body.ab_test_percentage"),
    ({"deploy_immediately": "yes"}, "body.deploy_immediately"),
    ({"model_version": "2.5.0"}, "body.model_version"),
    ({"model_version": "v2.5.0\n"}, "body.model_version"),
    ({"model_version": "v1.0.99999999999"}, "body.model_version"),
    ({"organization_id": ""}, "body.organization_id"),
    ({"organization_id": "a\x00b"}, "body.organization_id"),
    ({"organization_id": "x" * 201}, "body.organization_id"),
    ({"organization_id": 7}, "body.organization_id"),
    ([], "body"),
    (None, "body"),
    ("text", "body"),
]
HOSTILE_BODIES = [
    b"",
    b"{",
    b"\xff{}",
    b'{"organization_id": "\xff"}',
    b'{"organization_id": "\\ud800"}',
    b'{"min_quality_score": NaN}',
    b'{"min_quality_score": Infinity}',
    b'{"min_quality_score": 1e999}',
    b'{"min_quality_score": ' + b"9" * 5_000 + b"}",
    b'{"unknown": ' + b"[" * 30_000,
    b"[" * 60_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"\x00",
]
WRONG_QUERIES = [
    ("state=ready", "query.state"),
    ("status=ready&status=failed", "query.status"),
    ("status=unheard", "query.status"),
    ("limit=0", "query.limit"),
    ("limit=501", "query.limit"),
    ("limit=1e3", "query.limit"),
    (f"offset={'9' * 400}", "query.offset"),
    ("organization_id=", "query.organization_id"),
    ("organization_id=a%00b", "query.organization_id"),
    ("%00=1", "query.\x00"),
]


def refused(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) <= {"type", "message", "field"}
    assert len(error["message"]) > 10
    assert not any(inside in answer.text for inside in ("Traceback", "psycopg", "pydantic", "select ", "flywheel_service", NOWHERE))
    return error  # type: ignore[no-any-return]


def test_a_wrong_field_is_named(served: Serving) -> None:
    for body, field in WRONG_BODIES:
        error = refused(served.asking("*").post(RUN, json=body), 422)
        assert (error["type"], error["field"]) == ("invalid_request", field), body


def test_hostile_bodies_are_refused(served: Serving) -> None:
    for body in HOSTILE_BODIES:
        refused(served.asking("*").post(RUN, content=body, headers=JSON), 400, 422)
        refused(served.asking("*").post(DEPLOY, content=body, headers=JSON), 400, 422)


def test_a_body_that_is_too_large_is_refused_announced_or_not(served: Serving) -> None:
    large = b"[" * 2**20
    assert len(large) > BODY_LIMIT
    refused(served.asking("*").post(RUN, content=large, headers=JSON), 413)
    refused(served.asking("*").post(RUN, content=iter([large[:100], large[100:]]), headers=JSON), 413)


def test_a_body_of_another_kind_is_refused(served: Serving) -> None:
    refused(served.asking("*").post(RUN, data={"min_quality_score": "0.6"}), 415, 422)


def test_a_wrong_query_parameter_is_named(served: Serving) -> None:
    for query, field in WRONG_QUERIES:
        error = refused(served.asking("*").get(f"{MODELS}?{query}"), 422)
        assert (error["type"], error["field"]) == ("invalid_request", field), query


def test_parameters_where_there_are_none_are_refused(served: Serving) -> None:
    assert refused(served.asking("*").post(f"{RUN}?organization_id=acme", json={}), 422)["field"] == "query.organization_id"
    assert refused(served.http.get("/health?verbose=1"), 422)["field"] == "query.verbose"


def test_ids_that_can_be_none_are_refused(served: Serving) -> None:
    for path in ("/training/status/%00", "/training/status/a%2Fb", "/training/status/" + "x" * 201, "/training/status/%ff"):
        refused(served.asking("*").get(path), 404, 422)


def test_unknown_paths_and_methods_have_the_same_shape(served: Serving) -> None:
    assert refused(served.asking("*").get("/training/everything"), 404)["type"] == "not_found"
    answer = served.asking("*").delete(MODELS)
    assert refused(answer, 405)["type"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET"
    refused(served.asking("*").get("/training/models/"), 404)


def test_an_idempotency_key_that_is_no_plain_text_is_named(served: Serving) -> None:
    for header in ("", "x" * 256, "caf\u00e9"):
        answer = served.asking("*").post(RUN, json={}, headers={"Idempotency-Key": header.encode("latin-1")})  # type: ignore[dict-item]
        assert refused(answer, 422)["field"] == "header.idempotency-key"


def test_a_fault_of_ours_tells_nothing(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    from flywheel_dagster.api import reading

    def broken(_: str) -> str:
        raise ValueError("select secret from psycopg")

    monkeypatch.setattr(reading, "statement", broken)
    assert refused(served.asking("*").get("/training/stats"), 500)["type"] == "internal_error"


def test_the_description_names_the_shape_of_errors_and_the_key(served: Serving) -> None:
    description = served.http.get("/openapi.json").json()
    for path, methods in description["paths"].items():
        for route in methods.values():
            if path.startswith(("/training", "/strategies")):
                assert route["security"] == [{"ApiKey": []}]
                for status in ("401", "403", "422", "429", "503"):
                    schema = route["responses"][status]["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}, (path, status)
    assert "HTTPValidationError" not in json.dumps(description)


def test_a_database_that_is_away_is_503_and_nothing_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_WAIT_SECONDS", 0.2)
    url = "postgresql://someone:s3cret@127.0.0.1:1/nowhere"
    api = Serving(url, Settings(DATABASE_URL=url, FLYWHEEL_API_KEYS=KEYS))
    try:
        answer = api.asking("acme").get(MODELS)
    finally:
        api.stop()
    assert refused(answer, 503)["type"] == "database_away"
    assert int(answer.headers["Retry-After"]) > 0
    assert "s3cret" not in answer.text
