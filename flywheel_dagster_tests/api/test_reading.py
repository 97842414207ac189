"""What callers are shown: the fields of the description, of their own rows and the global models."""

from typing import Any

import httpx
import pytest

from flywheel_dagster_tests.api.serving import Serving


def shown(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_models_have_the_fields_of_the_description(served: Serving, two_tenants: dict[str, str]) -> None:
    page = shown(served.asking("acme").get("/training/models"))
    assert page["total"] == len(page["models"]) == 2
    assert set(page["models"][0]) >= {"id", "model_id", "model_version", "status", "traffic_percentage", "reply_rate", "close_rate"}
    assert {model["organization_id"] for model in page["models"]} == {"acme", None}


def test_an_organization_sees_what_the_global_model_did_for_it_alone(served: Serving, two_tenants: dict[str, str]) -> None:
    def messages(organization: str) -> int:
        models = shown(served.asking(organization).get("/training/models"))["models"]
        return sum(model["total_messages_sent"] for model in models if model["id"] == two_tenants["global"])

    assert (messages("acme"), messages("*")) == (1, 2)


@pytest.mark.parametrize(("status", "found"), [("ready", 2), ("deployed", 0), ("failed", 0)])
def test_models_are_filtered_by_status(served: Serving, two_tenants: dict[str, str], status: str, found: int) -> None:
    assert shown(served.asking("acme").get("/training/models", params={"status": status}))["total"] == found


def test_models_are_filtered_by_organization_and_cut_into_pages(served: Serving, two_tenants: dict[str, str]) -> None:
    everybody = served.asking("*")
    assert shown(everybody.get("/training/models"))["total"] == 3
    only = shown(everybody.get("/training/models", params={"organization_id": "rival"}))
    assert [model["organization_id"] for model in only["models"]] == ["rival"]
    pages = [shown(everybody.get("/training/models", params={"limit": 2, "offset": offset})) for offset in (0, 2)]
    assert [page["total"] for page in pages] == [3, 3]
    assert len({model["id"] for page in pages for model in page["models"]}) == 3


def test_stats_count_the_outcomes_there_are_to_learn_from(served: Serving, two_tenants: dict[str, str]) -> None:
    expected = {
        "total_examples": 2, "positive_examples": 2, "negative_examples": 0, "neutral_examples": 0, "deals_closed": 2, "meetings_booked": 0,
        "replies": 0,
    }  # fmt: skip
    assert shown(served.asking("acme").get("/training/stats")) == expected
    assert shown(served.asking("*").get("/training/stats"))["total_examples"] == 4
    assert shown(served.asking("*").get("/training/stats", params={"organization_id": "acme"})) == expected


def test_the_leaderboard_ranks_models_with_enough_messages(served: Serving, two_tenants: dict[str, str]) -> None:
    board = shown(served.asking("*").get("/training/leaderboard", params={"min_samples": 1}))
    assert board["total"] == 3
    assert set(board["leaderboard"][0]) >= {
        "model_id",
        "model_version",
        "close_rate",
        "reply_rate",
        "total_revenue",
        "close_rate_rank",
    }
    assert board["leaderboard"][0]["total_revenue"] == 200
    assert shown(served.asking("*").get("/training/leaderboard", params={"min_samples": 2}))["total"] == 1
    assert shown(served.asking("*").get("/training/leaderboard")) == {
        "total": 0,
        "leaderboard": [],
    }  # 100, as the description has it
    assert shown(served.asking("acme").get("/training/leaderboard", params={"min_samples": 1}))["total"] == 2


def test_health_tells_what_answers_and_needs_no_key(served: Serving) -> None:
    health = shown(served.http.get("/health"))
    assert (health["ready"], health["dagster"]) == (True, False)
    assert shown(served.http.get("/health/live")) == {"status": "ok", "live": True}


def test_figures_for_prometheus_name_routes_and_nobody(served: Serving, two_tenants: dict[str, str]) -> None:
    served.asking("acme").get("/training/models")
    served.asking("acme").get("/nowhere/at/all")
    figures = served.http.get("/metrics").text
    assert 'flywheel_api_requests_total{method="GET",route="/training/models",status="200"} 1.0' in figures
    assert 'route="unknown",status="404"' in figures
    assert "acme" not in figures
