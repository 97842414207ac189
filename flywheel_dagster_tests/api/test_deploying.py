"""Deploying by HTTP: what it changes, who is named for it, and what is refused."""

import httpx
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster_tests.api.serving import Serving

Connection = psycopg.Connection[TupleRow]


def deploy(client: httpx.Client, registry_id: str, share: float = 100.0, arm: str = "control") -> httpx.Response:
    return client.post(f"/training/deploy/{registry_id}", json={"traffic_percentage": share, "ab_test_group": arm})


def another(connection: Connection, scope: str, status: str = "ready") -> str:
    row = connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer, status) values (%s, 'm2', 'v1.1.0', 'b', 't', %s)"
        " returning id::text",
        (scope, status),
    ).fetchone()
    connection.commit()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def test_a_control_and_a_variant_share_the_traffic(served: Serving, two_tenants: dict[str, str], connection: Connection) -> None:
    client, variant = served.asking("acme"), another(connection, "acme")
    first = deploy(client, two_tenants["acme"]).json()
    assert (first["status"], first["ab_test_group"], first["traffic_percentage"]) == ("deployed", "control", 100.0)
    second = deploy(client, variant, 10, "variant_a").json()
    assert (second["id"], second["ab_test_group"], second["traffic_percentage"]) == (variant, "variant_a", 10.0)
    models = client.get("/training/models", params={"status": "deployed"}).json()["models"]
    assert {model["model_version"]: model["traffic_percentage"] for model in models} == {"v1.0.0": 90.0, "v1.1.0": 10.0}


def test_the_history_names_the_key(served: Serving, two_tenants: dict[str, str], connection: Connection) -> None:
    assert deploy(served.asking("acme"), two_tenants["acme"]).status_code == 200
    row = connection.execute("select action, actor from model_changes order by id desc limit 1").fetchone()
    assert row is not None
    assert row[0] == "deploy"
    assert row[1].startswith("API key environment ")


def test_what_the_rules_forbid_is_409_with_the_remedy(served: Serving, two_tenants: dict[str, str], connection: Connection) -> None:
    client = served.asking("acme")
    for registry_id, share, arm in (
        (two_tenants["acme"], 10, "variant_a"),  # no control
        (two_tenants["acme"], 50, "control"),  # half of the traffic without a model
        (another(connection, "acme", "failed"), 100, "control"),
    ):
        answer = deploy(client, registry_id, share, arm)
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "deployment_refused")
        assert ": " in answer.json()["error"]["message"]


def test_the_global_model_is_seen_by_an_organization_and_not_deployed(served: Serving, two_tenants: dict[str, str]) -> None:
    answer = deploy(served.asking("acme"), two_tenants["global"])
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "global_scope")
    assert deploy(served.asking("*"), two_tenants["global"]).status_code == 200
