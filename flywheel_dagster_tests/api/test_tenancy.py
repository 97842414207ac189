"""Two organizations at every route: neither sees nor changes what is the other's, nor learns whether it exists."""

from typing import Any
from uuid import uuid4

import httpx
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.conftest import WithDagster
from flywheel_dagster_tests.api.test_training import accepted, bought

Connection = psycopg.Connection[TupleRow]
TABLES = (
    "organizations",
    "model_registry",
    "model_changes",
    "outcome_labels",
    "webhook_events",
    "training_requests",
    "experiments",
    "experiment_decisions",
    "fine_tuning_jobs",
    "api_keys",
    "lead_scores",
    "lead_scorings",
    "lead_feedback",
)


def rows(connection: Connection) -> dict[str, list[Any]]:
    """Everything that a route might change."""
    found = {table: connection.execute(f"select t::text from {table} t order by 1").fetchall() for table in TABLES}  # type: ignore[arg-type]
    connection.rollback()
    return found


def outcome_of(connection: Connection, organization: str) -> str:
    """An outcome of the organization's."""
    row = connection.execute("select id::text from outcome_labels where organization_id = %s limit 1", (organization,)).fetchone()
    connection.rollback()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def every_route(
    client: httpx.Client, organization: str, registry_id: str, job_id: str, run_id: str, outcome_id: str
) -> dict[str, httpx.Response]:
    """The answers of each route about an organization and what is its own."""
    named = {"organization_id": organization}
    message = {**named, "campaign_id": "spring", "lead_id": "ada", "channel": "email", "message_body": "Hi"}
    return {
        "models": client.get("/training/models", params=named),
        "stats": client.get("/training/stats", params=named),
        "leaderboard": client.get("/training/leaderboard", params={**named, "min_samples": 1}),
        "job": client.get(f"/training/status/{job_id}"),
        "run": client.get(f"/training/status/{run_id}"),
        "train": client.post("/training/run", json=named, headers={"Idempotency-Key": "k"}),
        "deploy": client.post(f"/training/deploy/{registry_id}", json={}),
        "promote": client.post("/training/promote-winner", json=named),
        "performance": client.get("/strategies/performance", params={**named, "campaign_id": "spring"}),
        "winning": client.get("/strategies/winning", params=named),
        "suggest": client.post("/strategies/suggest", json={**named, "allowed": [["PAS", "casual"]]}),
        "message": client.post("/strategies/messages", json=message),
        "messages": client.post("/strategies/messages", json=[message]),
        "reply": client.post("/strategies/replies", json={"outcome_id": outcome_id, "reply_text": "Sounds good"}),
        "agents": client.get("/strategies/agents", params=named),
        "metrics": client.get("/strategies/metrics", params=named),
        "playbooks": client.get("/strategies/playbooks", params=named),
        "score": client.post("/score", json={**named, "lead_id": "ada", "actual_outcome": True}),
        "scores": client.post("/score/batch", json=[{**named, "lead_id": "ada"}]),
        "told": client.put("/feedback/ada", params={**named, "outcome": "true"}),
        "taken back": client.delete("/feedback/ada", params=named),
        "info": client.get("/info", params=named),
    }


def test_neither_reaches_the_other_by_any_route(beside: WithDagster, two_tenants: dict[str, str], connection: Connection) -> None:
    runs, clients = {}, {organization: beside.api.asking(organization) for organization in ("acme", "rival")}
    for organization, client in clients.items():
        bought(connection, organization)
        runs[organization] = accepted(client.post("/training/run", json={}, headers={"Idempotency-Key": "k"}))
    launched, before = dict(beside.dagster.launched), rows(connection)
    for organization, other in (("acme", "rival"), ("rival", "acme")):
        theirs = every_route(
            clients[organization], other, two_tenants[other], f"ftjob-{other}", runs[other], outcome_of(connection, other)
        )
        nobodys = every_route(clients[organization], "nobody", str(uuid4()), "ftjob-nobody", str(uuid4()), str(uuid4()))
        for route, answer in theirs.items():
            assert answer.status_code == 404, (route, answer.text)
            told = [
                (each.json()["error"]["type"], len(each.json()["error"]["message"].split())) for each in (answer, nobodys[route])
            ]
            assert told[0] == told[1], route
    assert rows(connection) == before
    assert beside.dagster.launched == launched


def test_what_is_shown_unasked_holds_nothing_of_the_other(
    beside: WithDagster, two_tenants: dict[str, str], connection: Connection
) -> None:
    for organization, other in (("acme", "rival"), ("rival", "acme")):
        for role in Role:
            client = beside.api.asking(organization, role)
            for path in (
                "/training/models", "/training/stats", "/training/leaderboard?min_samples=1", "/strategies/agents", "/strategies/metrics",
                "/strategies/playbooks",
            ):  # fmt: skip
                answer = client.get(path)
                assert answer.status_code == 200
                assert other not in answer.text
                assert two_tenants[other] not in answer.text
            assert client.get("/training/stats").json()["total_examples"] == 2


def test_an_organization_neither_trains_nor_follows_the_global_model(
    beside: WithDagster, two_tenants: dict[str, str], connection: Connection
) -> None:
    bought(connection, "global")
    run = accepted(beside.api.asking("*").post("/training/run", json={}))
    client = beside.api.asking("acme")
    assert client.post("/training/run", json={"organization_id": None}).status_code == 403
    assert client.get(f"/training/status/{run}").status_code == 404
    assert client.get("/training/status/ftjob-global").status_code == 404


def test_a_message_takes_neither_the_id_nor_the_model_of_anothers(
    beside: WithDagster, two_tenants: dict[str, str], connection: Connection
) -> None:
    message = {"campaign_id": "spring", "lead_id": "ada", "channel": "email", "message_body": "Hi"}
    before = rows(connection)
    for taken in ({"outcome_id": outcome_of(connection, "rival")}, {"model_registry_id": two_tenants["rival"]}):
        answer = beside.api.asking("acme").post("/strategies/messages", json=[message, message | taken])
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found"), answer.text
    assert rows(connection) == before


def test_runs_of_other_jobs_are_not_trainings(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    client = beside.api.asking("acme")
    run = accepted(client.post("/training/run", json={}))
    beside.dagster.runs[run]["jobName"] = "score_weeks"
    assert client.get(f"/training/status/{run}").status_code == 404


def test_a_key_of_all_organizations_reaches_each(beside: WithDagster, two_tenants: dict[str, str], connection: Connection) -> None:
    client = beside.api.asking("*")
    for organization in ("acme", "rival"):
        bought(connection, organization)
        run = accepted(client.post("/training/run", json={"organization_id": organization}))
        answers = every_route(
            client, organization, two_tenants[organization], f"ftjob-{organization}", run, outcome_of(connection, organization)
        )
        assert {answer.status_code for answer in answers.values()} <= {200, 201, 202, 409, 422}
        assert answers["train"].status_code == (
            202 if organization == "acme" else 422
        )  # the same Idempotency-Key for another request
    unknown = client.post("/training/run", json={"organization_id": "nobody"})
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "organization_unknown")
