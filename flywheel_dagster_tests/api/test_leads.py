"""Scores over HTTP: leads in JSON and in forms, outcomes that come along or later, and nothing that can't be a lead."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.serving import Serving, serving
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.scoring import Connection, deployed, outcome_of, training_rows

LEAD: dict[str, Any] = {
    "lead_id": "LEAD-12345", "age": 35, "location": "New York", "industry": "Technology", "email_opens": 15, "website_visits": 10,
    "content_downloads": 5, "days_since_contact": 7, "lead_source": "Webinar",
}  # fmt: skip
HOSTILE = "a/b \"c\" 'd'; drop table lead_scores; -- <script>alert(1)</script> %_\\ ü"


def everything(connection: Connection) -> list[Any]:
    """All that is stored of leads."""
    tables = ("lead_scores", "lead_scorings", "lead_feedback", "organizations")
    found = [connection.execute(f"select t::text from {table} t order by 1").fetchall() for table in tables]  # type: ignore[call-overload]
    connection.rollback()
    return found


def refused(answer: httpx.Response, field: str) -> None:
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["field"] == field, error
    assert "nan" not in error["message"].lower().split()


def test_a_lead_is_scored_by_the_prior_that_says_so(served: Serving, connection: Connection) -> None:
    answer = served.asking("acme").post(
        "/score", json={**LEAD, "attributes": {"seats": 12.5, "plan": "pro", "trial": True, "gone": None}}
    )
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["lead_id"], said["conversion_score"], said["risk_category"], said["model_version"]) == (
        "LEAD-12345",
        0.2,
        "low",
        "prior",
    )
    assert "no model is deployed yet" in said["reasons"][0]["said"]
    row = connection.execute(
        'select age, location, industry, email_opens, website_visits, content_downloads, days_since_contact, lead_source, attributes, conversion_score,'
        ' risk_category, actual_outcome, model_version, "timestamp" from lead_scores where organization_id = %s and lead_id = %s', ("acme", "LEAD-12345")
    ).fetchone()  # fmt: skip
    assert row is not None
    assert row[:8] == (35, "New York", "Technology", 15, 10, 5, 7, "Webinar")
    assert row[8:13] == ({"seats": 12.5, "plan": "pro", "trial": True}, 0.2, "low", None, "prior")
    assert row[13].isoformat().replace("+00:00", "Z") == said["timestamp"]


def test_the_story_of_two_requests(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    assert client.post("/score", json={**LEAD, "actual_outcome": None}).status_code == 200
    info = client.get("/info").json()
    assert info == {
        "model_version": "prior", "deployed_at": None, "total_leads_scored": 1, "feedback_samples_collected": 0,
        "retraining_status": {"feedback_count": 0, "retraining_threshold": 50, "ready_for_retraining": False},
    }  # fmt: skip
    later = {
        **LEAD,
        "email_opens": 20,
        "website_visits": 15,
        "content_downloads": 7,
        "days_since_contact": 21,
        "actual_outcome": True,
    }
    assert client.post("/score", json=later).status_code == 200
    (row,) = training_rows(connection)
    assert (row["features"], row["converted"], row["with_outcome"]) == (
        {name: LEAD[name] for name in LEAD if name != "lead_id"},
        True,
        False,
    )
    assert connection.execute("select email_opens, actual_outcome from lead_scores").fetchone() == (20, True)
    assert client.get("/info").json()["feedback_samples_collected"] == 1
    more = [{**LEAD, "lead_id": f"LEAD-{number}"} for number in range(49)]
    assert client.post("/score/batch", json=more).status_code == 200
    for lead in more:
        assert client.get("/info").json()["retraining_status"]["ready_for_retraining"] is False
        assert client.put(f"/feedback/{lead['lead_id']}", params={"outcome": "false"}).status_code == 200
    assert client.get("/info").json()["retraining_status"] == {
        "feedback_count": 50,
        "retraining_threshold": 50,
        "ready_for_retraining": True,
    }
    score = client.post("/score", json=LEAD).json()["conversion_score"]
    assert score == pytest.approx((1 + 10 * 0.2) / 60)  # the prior has learnt how often leads convert


def test_a_deployed_version_scores_with_reasons_and_a_new_one_replaces_it(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    deployed(connection)
    scores = {}
    for opens in (0, 29):
        said = client.post("/score", json={"lead_id": "ada", "email_opens": opens}).json()
        assert said["model_version"] == "1.0"
        assert said["reasons"][0]["field"] == "email_opens" and said["reasons"][0]["value"] == opens
        assert said["reasons"][0]["effect"] * (opens - 15) > 0 and str(opens) in said["reasons"][0]["said"]
        scores[opens] = said["conversion_score"]
    assert scores[0] < 0.3 and scores[29] > 0.7
    batch = client.post("/score/batch", json=[{"lead_id": f"l{opens}", "email_opens": opens} for opens in (29, 0, 29)]).json()
    assert [each["conversion_score"] for each in batch] == [scores[29], scores[0], scores[29]]
    deployed(connection, version="1.1", rising=False)
    said = client.post("/score", json={"lead_id": "ada", "email_opens": 29}).json()
    assert said["model_version"] == "1.1" and said["conversion_score"] < 0.3 and said["risk_category"] == "low"
    assert served.asking("rival").post("/score", json={"lead_id": "ada", "email_opens": 29}).json()["model_version"] == "prior"
    assert client.get("/info").json()["model_version"] == "1.1"


def test_a_version_that_cannot_be_read_is_told_and_another_organization_goes_on(
    served: Serving, connection: Connection, owner: Connection
) -> None:
    deployed(connection)
    owner.execute("update lead_models set artifact = 'x'")
    owner.commit()
    assert served.asking("acme").post("/score", json=LEAD).status_code == 503
    assert served.asking("rival").post("/score", json=LEAD).status_code == 200


def test_feedback_is_told_corrected_and_taken_back(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    client.post("/score", json=LEAD)
    place = "/feedback/LEAD-12345"
    assert client.put(place, params={"outcome": "true"}).json() == {
        "message": "Feedback recorded", "lead_id": "LEAD-12345", "outcome": True, "total_feedback": 1,
    }  # fmt: skip
    assert client.put(place, params={"outcome": "true"}).json()["message"] == "Feedback was known already"
    assert client.put(place, params={"outcome": "false"}).json()["total_feedback"] == 1
    assert outcome_of(connection, "LEAD-12345") is False
    assert client.delete(place).json() == {
        "message": "Feedback withdrawn",
        "lead_id": "LEAD-12345",
        "outcome": None,
        "total_feedback": 0,
    }
    assert outcome_of(connection, "LEAD-12345") is None
    for answer in (client.put("/feedback/nobody", params={"outcome": "true"}), client.delete("/feedback/nobody")):
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
    refused(client.put(place), "query.outcome")
    refused(client.put(place, params={"outcome": "maybe"}), "query.outcome")


def test_any_text_may_be_an_id_and_does_no_harm(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    for lead_id in (HOSTILE, "..", "a//b/", "?x=1#y", "é" * 200):
        assert (
            client.post("/score", json={"lead_id": lead_id, "industry": HOSTILE, "attributes": {HOSTILE[:100]: HOSTILE}}).json()[
                "lead_id"
            ]
            == lead_id
        )
        assert (
            client.put(f"/feedback/{quote(lead_id, safe='').replace('..', '%2e%2e')}", params={"outcome": "true"}).json()["lead_id"]
            == lead_id
        )
        assert outcome_of(connection, lead_id) is True
    assert connection.execute("select count(*) from lead_scores where industry = %s", (HOSTILE,)).fetchone() == (5,)


BAD: list[tuple[Mapping[str, Any], str]] = [
    ({}, "body.lead_id"),
    ({"lead_id": ""}, "body.lead_id"),
    ({"lead_id": "x" * 201}, "body.lead_id"),
    ({"lead_id": "a\0b"}, "body.lead_id"),
    ({"lead_id": 5}, "body.lead_id"),
    ({"lead_id": "a", "age": -1}, "body.age"),
    ({"lead_id": "a", "age": 151}, "body.age"),
    ({"lead_id": "a", "age": "35"}, "body.age"),
    ({"lead_id": "a", "age": True}, "body.age"),
    ({"lead_id": "a", "email_opens": -1}, "body.email_opens"),
    ({"lead_id": "a", "email_opens": 1.5}, "body.email_opens"),
    ({"lead_id": "a", "website_visits": float("nan")}, "body.website_visits"),
    ({"lead_id": "a", "content_downloads": float("inf")}, "body.content_downloads"),
    ({"lead_id": "a", "days_since_contact": 10**400}, "body.days_since_contact"),
    ({"lead_id": "a", "email_opens": 2**31}, "body.email_opens"),
    ({"lead_id": "a", "lead_source": "webinar"}, "body.lead_source"),
    ({"lead_id": "a", "lead_source": 3}, "body.lead_source"),
    ({"lead_id": "a", "location": 3}, "body.location"),
    ({"lead_id": "a", "location": "x" * 501}, "body.location"),
    ({"lead_id": "a", "industry": "a\0"}, "body.industry"),
    ({"lead_id": "a", "actual_outcome": "true"}, "body.actual_outcome"),
    ({"lead_id": "a", "actual_outcome": 1}, "body.actual_outcome"),
    ({"lead_id": "a", "colour": "red"}, "body.colour"),
    ({"lead_id": "a", "attributes": []}, "body.attributes"),
    ({"lead_id": "a", "attributes": {f"a{n}": n for n in range(201)}}, "body.attributes"),
    ({"lead_id": "a", "attributes": {"": 1}}, "body.attributes"),
    ({"lead_id": "a", "attributes": {"x" * 101: 1}}, "body.attributes"),
    ({"lead_id": "a", "attributes": {"age": 3}}, "body.attributes"),
    ({"lead_id": "a", "attributes": {"a\0": 3}}, "body.attributes"),
    ({"lead_id": "a", "attributes": {"score": float("nan")}}, "body.attributes.score"),
    ({"lead_id": "a", "attributes": {"score": float("-inf")}}, "body.attributes.score"),
    ({"lead_id": "a", "attributes": {"score": 10**400}}, "body.attributes.score"),
    ({"lead_id": "a", "attributes": {"note": "x" * 501}}, "body.attributes.note"),
    ({"lead_id": "a", "attributes": {"note": "\ud800"}}, "body.attributes.note"),
    ({"lead_id": "a", "attributes": {"list": [1]}}, "body.attributes.list"),
    ({"lead_id": "a", "attributes": {"object": {"a": 1}}}, "body.attributes.object"),
]


def test_what_is_no_lead_is_refused_by_its_field_and_changes_nothing(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    client.post("/score", json={**LEAD, "lead_id": "a"})
    before = everything(connection)
    for lead, field in BAD:
        refused(client.post("/score", content=json.dumps(lead), headers={"Content-Type": "application/json"}), field)
        batch = json.dumps([{**LEAD, "lead_id": "fine", "actual_outcome": True}, lead])
        refused(
            client.post("/score/batch", content=batch, headers={"Content-Type": "application/json"}),
            field.replace("body.", "body.1."),
        )
    refused(client.post("/score", content=b"{", headers={"Content-Type": "application/json"}), "body")
    refused(client.post("/score/batch", json=[]), "body")
    refused(client.post("/score/batch", json=[{"lead_id": "a"}] * 1_001), "body")
    many = json.dumps({"lead_id": "a", "attributes": {f"a{n}": n for n in range(1_000_000)}})
    assert client.post("/score", content=many, headers={"Content-Type": "application/json"}).status_code == 413
    assert everything(connection) == before


def test_the_form_of_the_sales_team_is_taken(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    form = {name: str(value) for name, value in LEAD.items()} | {
        "actual_outcome": "true",
        "Time on site": "674.5",
        "zip": "01234",
        "note": "  ",
    }
    answer = client.post("/score", data=form)
    assert answer.status_code == 200, answer.text
    (row,) = training_rows(connection)
    known = {name: LEAD[name] for name in LEAD if name != "lead_id"}
    assert row["features"] == known | {"Time on site": 674.5, "zip": "01234"} and row["with_outcome"] is True
    answer = client.post("/score", files={name: (None, value) for name, value in form.items()} | {"actual_outcome": (None, "")})
    assert answer.status_code == 200, answer.text
    assert connection.execute("select count(*), count(*) filter (where with_outcome) from lead_scorings").fetchone() == (2, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"age": "old"}, "body.age"),
        ({"age": "3.5"}, "body.age"),
        ({"email_opens": "-3"}, "body.email_opens"),
        ({"email_opens": "9" * 30}, "body.email_opens"),
        ({"lead_source": "Radio"}, "body.lead_source"),
        ({"actual_outcome": "perhaps"}, "body.actual_outcome"),
        ({"lead_id": ""}, "body.lead_id"),
        ({"extra": "x" * 501}, "body.attributes.extra"),
        ({"x" * 101: "1"}, "body.attributes"),
    ],
)
def test_a_form_that_is_wrong_is_refused_by_its_field(
    served: Serving, connection: Connection, change: dict[str, str], field: str
) -> None:
    refused(served.asking("acme").post("/score", data={name: str(value) for name, value in LEAD.items()} | change), field)
    assert everything(connection)[:3] == [[], [], []]


def test_what_is_no_form_is_refused(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(client.post("/score", content=b"lead_id=a&lead_id=b", headers=urlencoded), "body.lead_id")
    assert client.post("/score", content=b"&".join(b"a%d=1" % n for n in range(300)), headers=urlencoded).status_code == 400
    refused(
        client.post("/score", content=b"&".join([b"lead_id=a", *(b"a%d=1" % n for n in range(201))]), headers=urlencoded),
        "body.attributes",
    )
    assert client.post("/score", files={"lead_id": ("a.txt", b"x")}).status_code == 400
    assert client.post("/score", content=b"lead_id=%00", headers=urlencoded).status_code == 422
    assert client.post("/score", content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    assert client.post("/score", content=b"lead_id=a", headers={"Content-Type": "text/plain"}).status_code == 422
    assert served.http.post("/score", data={"lead_id": "a"}).status_code == 401
    assert everything(connection)[:3] == [[], [], []]


def test_many_at_once_about_one_lead_leave_it_whole(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")

    def ask(number: int) -> int:
        if number % 4 == 3:
            return client.put("/feedback/ada", params={"outcome": str(number % 8 == 3).lower()}).status_code
        return client.post(
            "/score", json={"lead_id": "ada", "email_opens": number, "actual_outcome": True if number % 4 == 1 else None}
        ).status_code

    assert client.post("/score", json={"lead_id": "ada"}).status_code == 200
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(64))) == {200}
    row = connection.execute(
        "select s.actual_outcome = f.outcome, c.features -> 'email_opens' = to_jsonb(s.email_opens), (select count(*) from lead_scorings)"
        " from lead_scores s, (select outcome from lead_feedback order by told_at desc, id desc limit 1) f,"
        " (select features from lead_scorings order by scored_at desc, id desc limit 1) c"
    ).fetchone()
    assert row == (True, True, 49)


def test_batches_with_the_same_leads_in_other_orders_do_not_block_each_other(served: Serving, connection: Connection) -> None:
    leads = [{"lead_id": f"l{number}", "email_opens": number, "actual_outcome": number % 2 == 0} for number in range(60)]
    client = served.asking("acme")

    def ask(number: int) -> int:
        turned = leads[number:] + leads[:number]
        return client.post("/score/batch", json=turned if number % 2 else turned[::-1]).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(16))) == {200}
    assert connection.execute("select count(*), count(*) filter (where actual_outcome) from lead_scores").fetchone() == (60, 30)


def test_neither_organization_sees_nor_changes_the_others_leads(served: Serving, connection: Connection) -> None:
    for organization in ("acme", "rival"):
        served.asking(organization).post("/score", json={**LEAD, "actual_outcome": organization == "acme"})
    assert [outcome_of(connection, "LEAD-12345", organization) for organization in ("acme", "rival")] == [True, False]
    client, theirs = served.asking("acme"), {"organization_id": "rival"}
    before = everything(connection)
    for answer in (
        client.post("/score", json={**LEAD, **theirs}), client.post("/score/batch", json=[LEAD, {**LEAD, **theirs}]), client.get("/info", params=theirs),
        client.put("/feedback/LEAD-12345", params={"outcome": "true", **theirs}), client.delete("/feedback/LEAD-12345", params=theirs),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "organization_unknown")
    assert everything(connection) == before
    everybody = served.asking("*")
    refused(everybody.post("/score", json=LEAD), "body.organization_id")
    refused(everybody.get("/info"), "query.organization_id")
    refused(everybody.post("/score/batch", json=[{**LEAD, **theirs}, {**LEAD, "organization_id": "acme"}]), "body.organization_id")
    assert everybody.put("/feedback/LEAD-12345", params={"outcome": "true", **theirs}).json()["total_feedback"] == 1
    assert everybody.post("/score", json={**LEAD, "organization_id": "a new one"}).status_code == 200


def test_a_viewer_looks_and_says_nothing(served: Serving, connection: Connection) -> None:
    viewer = served.asking("acme", Role.VIEWER)
    assert viewer.get("/info").status_code == 200
    for answer in (
        viewer.post("/score", json=LEAD),
        viewer.post("/score/batch", json=[LEAD]),
        viewer.put("/feedback/a", params={"outcome": "true"}),
    ):
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_missing")
    assert everything(connection)[:3] == [[], [], []]


def test_thresholds_and_the_prior_are_settings(database: Database) -> None:
    with serving(
        database, FLYWHEEL_LEAD_PRIOR=0.5, FLYWHEEL_LEAD_HIGH=0.5, FLYWHEEL_LEAD_MEDIUM=0.1, FLYWHEEL_LEAD_FEEDBACK=3
    ) as api:
        said = api.asking("acme").post("/score", json=LEAD).json()
        assert (said["conversion_score"], said["risk_category"]) == (0.5, "high")
        assert api.asking("acme").get("/info").json()["retraining_status"]["retraining_threshold"] == 3


def test_an_erased_lead_is_not_scored_again(served: Serving, connection: Connection) -> None:
    served.asking("acme").post("/score", json=LEAD)
    connection.execute("select begin_erasure('acme', 'LEAD-12345')")
    connection.execute("select erase_lead('acme', 'LEAD-12345')")
    connection.commit()
    for lead in (LEAD, {**LEAD, "actual_outcome": True}):
        answer = served.asking("acme").post("/score", json=lead)
        assert answer.status_code == 422 and "erased" in answer.json()["error"]["message"]
    assert served.asking("acme").put("/feedback/LEAD-12345", params={"outcome": "true"}).status_code == 404
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into lead_scores (organization_id, lead_id, conversion_score, risk_category, model_version) values ('acme', 'LEAD-12345', 0, 'low', '')"
        )
    connection.rollback()
