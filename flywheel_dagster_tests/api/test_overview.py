"""The page as it is sent: the asker's own figures, escaped, under headers that let nothing foreign in."""

import re
from collections.abc import Callable

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster_tests.api.campaigns import campaigns, count, learnt
from flywheel_dagster_tests.api.serving import Serving, key
from flywheel_dagster_tests.models.making import model
from flywheel_dagster_tests.strategies.making import sent

Connection = psycopg.Connection[TupleRow]
Page = Callable[..., httpx.Response]


@pytest.fixture
def page(served: Serving) -> Page:
    """The page that somebody with the organization's key sees."""

    def show(organization: str, **asked: str) -> httpx.Response:
        with httpx.Client(base_url=served.url, timeout=30) as client:
            client.post("/login", data={"key": key(organization, "viewer")})  # type: ignore[arg-type]
            return client.get("/", params=asked)

    return show


def words(answer: httpx.Response) -> str:
    """What people read of it."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def test_an_organization_sees_its_own_figures(page: Page, connection: Connection) -> None:
    campaigns(connection)
    for organization in ("acme", "rival"):
        learnt(connection, organization)
        model(connection, "v1.0.0", organization)
    model(connection, "v3.0.0", None)
    answer = page("acme", weeks="26")
    read = words(answer)
    assert "240 in" in read and "v3.0.0" in read and "rival" not in answer.text
    assert "25.0\u202f% of messages were answered" in read  # of those that had their time
    assert "PAS professional" in read and "32.0\u202f% 21.0\u202f% to 43.0\u202f%" in read
    assert "Enough data: the best with 80\u202f% probability" in read and "Not enough data: too few" in read
    assert "Sent 240" in read and "Deal 10 4.2\u202f% 40.0\u202f%" in read
    assert answer.text.count('class="chart"') >= 4


def test_a_key_of_all_organizations_sees_the_sum_and_chooses(page: Page, connection: Connection) -> None:
    campaigns(connection)
    learnt(connection, "acme")
    learnt(connection, "rival")
    everybody = page("*", weeks="52")
    assert "480 in" in words(everybody) and everybody.text.count("<option") >= 9
    chosen = page("*", weeks="52", organization_id="rival")
    assert "240 in" in words(chosen) and '<option value="rival" selected>' in chosen.text


def test_what_is_not_there_or_not_theirs_is_refused_on_a_page(page: Page, connection: Connection) -> None:
    campaigns(connection)
    for organization, asked, status in (
        ("acme", {"organization_id": "rival"}, 404),
        ("acme", {"organization_id": "nobody"}, 404),
        ("*", {"organization_id": "nobody"}, 404),
        ("acme", {"weeks": "13"}, 422),
        ("acme", {"metric": "luck"}, 422),
        ("acme", {"colour": "red"}, 422),
        ("acme", {"organization_id": "a\x00b"}, 422),
    ):
        answer = page(organization, **asked)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), asked
        assert "rival" not in answer.text


def test_text_of_the_database_stays_text(page: Page, connection: Connection) -> None:
    evil = "<script>alert(1)</script>"
    connection.execute("insert into organizations (id, name) values ('acme', %s)", (evil,))
    connection.execute("insert into organizations (id) values (%s)", ('"><img src=x onerror=alert(1)>',))
    sent(connection, f"{evil}_<b>bold</b>", 40, replied=4)
    count(connection, "acme")
    connection.execute(
        "insert into strategy_estimates (organization_id, keys, metric, strategy, estimate, low, high, probability_best, enough_data, reason, warnings)"
        " values ('acme', '{framework,tone}', 'reply_rate', %s, 0.1, 0.05, 0.2, 1, false, %s, %s)",
        ([evil, "<b>bold</b>"], evil, [evil]),
    )
    connection.commit()
    for answer in (page("acme"), page("*"), page("*", organization_id="acme")):
        assert answer.status_code == 200
        assert answer.text.count("&lt;script&gt;") >= 3
        assert not any(tag in answer.text for tag in ("<script", "<b>", "<img src=x"))


def test_nothing_foreign_is_let_in_and_nothing_is_kept(page: Page) -> None:
    answer = page("acme")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert not re.search(r'\b(?:src|href|action)="(?!/|#)', answer.text) and "style=" not in answer.text


def test_the_style_sheet_is_kept_by_its_hash(served: Serving, page: Page) -> None:
    found = re.search(r'href="(/static/flywheel\.[0-9a-f]{16}\.css)"', page("acme").text)
    assert found is not None
    answer = served.http.get(found[1])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    for name in ("flywheel.css", "flywheel.0000000000000000.css", "..%2Foverview.py"):
        assert served.http.get(f"/static/{name}").status_code == 404


def test_where_there_is_nothing_the_page_says_what_to_do(page: Page, connection: Connection) -> None:
    read = words(page("acme"))
    assert "Nothing was recorded yet" in read and "flywheel import" in read and "train_scope" in read
    sent(connection, "PAS_casual", 3)
    assert "not counted yet: run flywheel strategies refresh" in words(page("acme"))
    assert "Nothing was recorded yet" in words(page("rival"))
