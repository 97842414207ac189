"""What works, by HTTP: the shapes of the description, of the asker's own messages."""

from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.campaigns import campaigns, played
from flywheel_dagster_tests.api.serving import Serving

Connection = psycopg.Connection[TupleRow]


def shown(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def failed(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    error = shown(answer, status)["error"]
    assert error["type"] == kind, error
    return error  # type: ignore[no-any-return]


def test_performance_and_winners_have_the_shapes_of_the_description(served: Serving, connection: Connection) -> None:
    campaigns(connection)
    client = served.asking("acme", Role.VIEWER)
    found = shown(client.get("/strategies/performance", params={"campaign_id": "acme spring"}))
    assert (found["organization_id"], found["total_outcomes"], found["keys"]) == ("acme", 240, ["framework", "tone"])
    best = found["strategy_performance"]["PAS_professional"]
    assert (best["framework"], best["tone"], best["total_sent"], best["replied"]) == ("PAS", "professional", 120, 42)
    assert best["low"] < best["estimate"] < best["high"] and best["raw"] == best["reply_rate"] == 0.35
    winners = shown(client.get("/strategies/winning", params={"metric": "meeting_rate", "limit": 1}))
    assert [(each["strategy"], each["metric"], each["enough_data"]) for each in winners["strategies"]] == [
        ("PAS_professional", "meeting_rate", True)
    ]
    assert shown(client.get("/strategies/winning", params={"min_samples": 121}))["strategies"] == []
    by_tone = shown(client.get("/strategies/performance", params={"campaign_id": "acme spring", "by": "tone"}))
    assert set(by_tone["strategy_performance"]) == {"professional", "casual"}
    failed(client.get("/strategies/winning", params={"by": "a,b,c,d"}), 422, "invalid_request")


def test_a_campaign_of_anothers_is_as_unknown_as_none(served: Serving, connection: Connection) -> None:
    campaigns(connection)
    told = [
        failed(served.asking("acme").get(f"/strategies/{route}", params={"campaign_id": campaign}), 404, "not_found")["message"]
        for route in ("performance", "playbooks")
        for campaign in ("rival spring", "nobody's spring")
    ]
    assert told[0] == told[1] == told[2] == told[3]


def test_a_key_of_all_organizations_says_which_one_it_means(served: Serving, connection: Connection) -> None:
    campaigns(connection)
    connection.execute("update outcome_labels set campaign_id = 'spring'")
    connection.commit()
    client = served.asking("*")
    for path in ("/strategies/winning", "/strategies/playbooks", "/strategies/performance?campaign_id=spring"):
        assert failed(client.get(path), 422, "organization_missing")["field"] == "query.organization_id"
    for path, body in (
        ("suggest", {}),
        ("messages", {"campaign_id": "spring", "lead_id": "ada", "channel": "email", "message_body": "Hi"}),
    ):
        assert failed(client.post(f"/strategies/{path}", json=body), 422, "organization_missing")["field"] == "body.organization_id"


def test_weeks_agents_and_playbooks(served: Serving, connection: Connection) -> None:
    campaigns(connection)
    played(connection, "acme")
    client = served.asking("acme", Role.VIEWER)
    weeks = shown(client.get("/strategies/metrics", params={"weeks": 52}))["weeks"]
    assert sum(week["outcomes"] for week in weeks) == 240 and 15 <= len(weeks) <= 18
    assert (weeks[0]["outcomes"], weeks[0]["is_young"], weeks[0]["reply_rate"]) == (200, False, 0.25)
    assert weeks[1]["outcomes"] == 0 and weeks[1]["reply_rate"] is None
    assert [week["is_young"] for week in weeks if week["outcomes"]] == [False, True]
    assert len(shown(client.get("/strategies/metrics", params={"weeks": 3}))["weeks"]) == 3
    everybody = shown(served.asking("*").get("/strategies/metrics", params={"weeks": 52}))["weeks"]
    assert sum(week["outcomes"] for week in everybody) == 480
    board = shown(client.get("/strategies/agents"))
    assert [(each["agent"], each["sent"], each["rank"]) for each in board["agents"]] == [("PersonalizerAgent", 240, 1)]
    assert (board["agents"][0]["best_decision"], board["agents"][0]["best_key"]) in {("PAS", "framework"), ("professional", "tone")}
    assert shown(served.asking("*").get("/strategies/agents"))["total"] == 2
    books = shown(client.get("/strategies/playbooks", params={"campaign_id": "acme spring"}))["playbooks"]
    assert [each["words"] for each in books] == ["email PAS professional → 3-4 days → linkedin"]
    assert books[0]["lift"] == 1.5 and books[0]["supported"] and len(books[0]["steps"]) == 2


def test_a_suggestion_tells_its_odds(served: Serving) -> None:
    client = served.asking("acme", Role.VIEWER)
    assert "no strategy is known" in failed(client.post("/strategies/suggest", json={}), 422, "invalid_request")["message"]
    allowed = [["PAS", "casual"], ["AIDA", "direct"]]
    found = shown(client.post("/strategies/suggest", json={"allowed": allowed, "lead_context": {"industry": "SaaS"}}))
    assert sum(found["probabilities"].values()) == pytest.approx(1) and set(found["probabilities"]) == {"PAS_casual", "AIDA_direct"}
    assert found["propensity"] == found["probabilities"][found["strategy"]]
    assert found["strategy"] == f"{found['decisions']['framework']}_{found['decisions']['tone']}"
    failed(client.post("/strategies/suggest", json={"allowed": [["PAS"]]}), 422, "invalid_request")
