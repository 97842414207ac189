"""The sales team's pages over HTTP: who may see and say what, and that a form of elsewhere, an old one or one sent twice does no harm."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.serving import Serving, key
from flywheel_dagster_tests.api.test_leads import HOSTILE
from flywheel_dagster_tests.leads.scoring import Connection, outcome_of, scored, told


@pytest.fixture
def browser(served: Serving) -> Iterator[httpx.Client]:
    """A client that keeps cookies and goes nowhere by itself."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def sign_in(client: httpx.Client, organization: str = "acme", role: Role = Role.OPERATOR, **more: str) -> httpx.Response:
    return client.post("/login", data={"key": key(organization, role), **more})


def token_on(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def say(client: httpx.Client, lead_id: str, outcome: str, **change: str) -> httpx.Response:
    """Send the form of the lead's page."""
    token = change.pop("token", None) or token_on(client.get("/feedback", params={"lead_id": lead_id}))
    return client.post("/feedback", data={"token": token, "lead_id": lead_id, "outcome": outcome, **change})


def test_who_is_not_signed_in_comes_back_after_it(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "a/b & c")
    asked = "/feedback?" + urlencode({"lead_id": "a/b & c"})
    answer = browser.get(asked)
    assert answer.status_code == 303
    form = browser.get(answer.headers["location"])
    back = re.search(r'name="next" value="([^"]+)"', form.text)
    assert back is not None and html.unescape(back[1]) == asked
    signed = sign_in(browser, next=html.unescape(back[1]))
    assert (signed.status_code, signed.headers["location"]) == (303, asked)
    assert browser.get(asked).status_code == 200
    assert browser.post("/feedback", data={}, headers={"Cookie": "flywheel="}).headers["location"] == "/login"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://elsewhere.example/", "//elsewhere.example/feedback", "/\\elsewhere.example", "/logout", "/feedback\r\nX: y", "javascript:alert(1)", "/feedback/..", "x" * 9_999],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(browser: httpx.Client, elsewhere: str) -> None:
    assert 'name="next"' not in browser.get("/login", params={"next": elsewhere}).text
    assert sign_in(browser, next=elsewhere).headers["location"] == "/"


def test_an_outcome_is_said_corrected_and_taken_back(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "ada", email_opens=7, plan="pro")
    sign_in(browser)
    assert "ada" in browser.get("/feedback").text
    for outcome, known, shown in (("converted", True, "converted"), ("lost", False, "lost"), ("unknown", None, "not known")):
        answer = say(browser, "ada", outcome)
        assert (answer.status_code, answer.headers["location"]) == (303, "/feedback?lead_id=ada&said=ada")
        assert outcome_of(connection) is known
        page = browser.get(answer.headers["location"])
        assert 'role="status"' in page.text and shown in page.text
    row = connection.execute("select array_agg(source), count(distinct told_by) from lead_feedback").fetchone()
    assert row == (["form"] * 3, 1)
    page = browser.get("/feedback", params={"lead_id": "ada"})
    for known_of_it in ("email opens", "<dd>7</dd>", "plan", "pro", "no model is deployed yet", "taken back"):
        assert known_of_it in page.text


def test_from_the_list_it_is_said_in_one_go_and_the_lead_waits_no_more(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "ada")
    sign_in(browser)
    token = token_on(browser.get("/feedback"))
    for _ in range(2):  # twice, by a finger that trembles
        answer = say(browser, "ada", "converted", token=token, place="list")
        assert answer.headers["location"] == "/feedback?said=ada"
    page = browser.get("/feedback?said=ada")
    assert "Noted" in page.text and 'name="lead_id"' not in page.text
    assert outcome_of(connection) is True


def test_forms_of_elsewhere_and_of_other_sessions_say_nothing(
    browser: httpx.Client, served: Serving, connection: Connection
) -> None:
    scored(connection, "ada")
    sign_in(browser)
    token = token_on(browser.get("/feedback"))
    with httpx.Client(base_url=served.url, timeout=30) as other:
        sign_in(other)
        others = token_on(other.get("/feedback"))
    assert token != others
    for wrong in (others, "x", token[:-1], "ü"):
        assert say(browser, "ada", "converted", token=wrong).status_code == 403
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        form = {"token": token, "lead_id": "ada", "outcome": "converted"}
        assert browser.post("/feedback", data=form, headers=headers).status_code == 403
    for change in ({"outcome": "maybe"}, {"place": "https://elsewhere.example"}, {"colour": "red"}):
        assert say(browser, "ada", **{"outcome": "converted", "token": token, **change}).status_code == 422
    assert browser.post("/feedback", data={"lead_id": "ada", "outcome": "converted"}).status_code == 422
    assert say(browser, "nobody", "converted", token=token).status_code == 404
    assert outcome_of(connection) is None


def test_a_viewer_sees_and_cannot_say(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "ada")
    sign_in(browser, role=Role.VIEWER)
    for page in (browser.get("/feedback"), browser.get("/feedback?lead_id=ada")):
        assert page.status_code == 200 and 'name="outcome"' not in page.text
    assert say(browser, "ada", "converted", token="any").status_code == 403
    assert outcome_of(connection) is None


def test_neither_organization_sees_the_others_leads(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "ours")
    scored(connection, "theirs", organization="rival")
    scored(connection, "ada", organization="rival")
    sign_in(browser)
    assert "theirs" not in browser.get("/feedback").text and "theirs" not in browser.get("/feedback?q=th").text
    assert browser.get("/feedback?lead_id=theirs").status_code == 404
    assert browser.get("/feedback?organization_id=rival").status_code == 404
    token = token_on(browser.get("/feedback"))
    assert say(browser, "theirs", "converted", token=token).status_code == 404
    assert say(browser, "ada", "converted", token=token, organization_id="rival").status_code == 404
    assert outcome_of(connection, "ada", "rival") is None


def test_a_key_of_all_organizations_says_whose_leads_it_means(browser: httpx.Client, connection: Connection) -> None:
    scored(connection, "ada", organization="rival")
    sign_in(browser, "*", Role.ADMIN)
    assert "Whose leads are meant" in browser.get("/feedback").text
    page = browser.get("/feedback?organization_id=rival")
    answer = say(browser, "ada", "lost", token=token_on(page), organization_id="rival")
    assert answer.headers["location"] == "/feedback?organization_id=rival&lead_id=ada&said=ada"
    assert outcome_of(connection, "ada", "rival") is False


def test_texts_show_as_they_are(browser: httpx.Client, connection: Connection) -> None:
    lead = {"industry": HOSTILE, "<b>name</b>": "<img src=x onerror=alert(1)>"}
    scored(connection, HOSTILE, **lead)
    sign_in(browser)
    for page in (
        browser.get("/feedback"),
        browser.get("/feedback", params={"lead_id": HOSTILE}),
        browser.get("/feedback", params={"q": HOSTILE}),
    ):
        assert page.status_code == 200
        assert "<script" not in page.text and "<img src=x" not in page.text and "<b>" not in page.text
        assert html.escape(HOSTILE, quote=False) in html.escape(html.unescape(page.text), quote=False)
    answer = say(browser, HOSTILE, "converted")
    assert browser.get(answer.headers["location"]).status_code == 200
    assert outcome_of(connection, HOSTILE) is True


def test_leads_are_found_by_how_their_id_begins_and_patterns_are_letters(browser: httpx.Client, connection: Connection) -> None:
    for lead in ("LEAD-1", "lead-2", "LE%D", "LE_D", "other"):
        scored(connection, lead)
    sign_in(browser)

    def found(begin: str) -> set[str]:
        page = browser.get("/feedback", params={"q": begin})
        return {html.unescape(name) for name in re.findall(r'rowheader"><a href="[^"]+">([^<]+)</a>', page.text)}

    assert found("lead") == {"LEAD-1", "lead-2"} and found("LE%") == {"LE%D"} and found("LE_") == {"LE_D"} and found("\\") == set()
    assert "No lead" in browser.get("/feedback", params={"q": "zzz"}).text


def test_the_waiting_ones_come_likeliest_first_page_by_page(browser: httpx.Client, connection: Connection) -> None:
    connection.execute(
        "insert into lead_scores (organization_id, lead_id, conversion_score, risk_category, model_version)"
        " select 'acme', 'lead ' || n, (n %% 7) / 7.0, 'low', 'prior' from generate_series(1, 60) n".replace("%%", "%")
    )
    connection.commit()
    told(connection, True, lead_id="lead 1")
    sign_in(browser)
    address, seen = "/feedback", []
    while address:
        page = browser.get(address)
        seen += re.findall(r'rowheader"><a href="[^"]+">([^<]+)</a>', page.text)
        following = re.search(r'href="([^"]+)">The next', page.text)
        address = html.unescape(following[1]) if following else ""
    rows = connection.execute(
        "select lead_id from lead_scores where actual_outcome is null order by conversion_score desc, lead_id"
    ).fetchall()
    assert seen == [row[0] for row in rows] and len(seen) == 59


@pytest.mark.parametrize(
    "wrong",
    ["after=x", "after=2+ada", "after=nan+a", "colour=red", "lead_id=" + "x" * 201, "lead_id=%00", "q=%00", "after=0.5+%00"],
)
def test_an_address_that_is_no_pages_is_refused(browser: httpx.Client, wrong: str) -> None:
    sign_in(browser)
    assert browser.get(f"/feedback?{wrong}").status_code == 422
