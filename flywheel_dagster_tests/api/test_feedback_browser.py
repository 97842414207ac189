"""The sales team's pages as a person sees them, on a phone and on a desk, with a keyboard and without any script, in headless Chromium."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.serving import Serving, key
from flywheel_dagster_tests.api.test_leads import HOSTILE
from flywheel_dagster_tests.leads.scoring import Connection, deployed, outcome_of

pytestmark = pytest.mark.acceptance
Opened = Callable[..., Page]
LONG = "unbroken" * 25


@pytest.fixture
def leads(served: Serving, connection: Connection) -> None:
    """Thirty leads of all kinds that a version scored, two of them told."""
    deployed(connection)
    known = {"email_opens": 3, "industry": "Technology", "lead_source": "Trade Show", "location": "San Francisco", "age": 42}
    many = [
        {**known, "lead_id": f"LEAD-{5_000 + number}", "email_opens": number, "attributes": {"total time on site": 60 * number}}
        for number in range(28)
    ]
    client = served.asking("acme")
    odd = [
        {"lead_id": HOSTILE, "industry": HOSTILE, "email_opens": 29},
        {"lead_id": LONG, "location": LONG * 2, "attributes": {"x" * 100: LONG}, "email_opens": 28},
    ]
    assert client.post("/score/batch", json=[*many, *odd]).status_code == 200
    assert client.post("/score", json={**many[20], "email_opens": 25}).status_code == 200
    for number, outcome in ((20, "false"), (20, "true"), (4, "false")):
        assert client.put(f"/feedback/LEAD-{5_000 + number}", params={"outcome": outcome}).status_code == 200


@pytest.fixture
def signed_in(chromium: Browser, served: Serving, leads: None) -> Iterator[Opened]:
    """Opens a page as somebody with a key sees it; at the end, nothing may have been complained of."""
    said: list[str] = []

    def open_page(address: str = "/feedback", *, width: int = 1280, role: Role = Role.OPERATOR, **options: object) -> Page:
        page = chromium.new_context(viewport={"width": width, "height": 900}, **options).new_page()  # type: ignore[arg-type]
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(served.url + address)
        page.get_by_label("API key").fill(key("acme", role))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("navigation", name="Pages").wait_for()
        return page

    yield open_page
    assert said == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit(signed_in: Opened, width: int, scheme: str) -> None:
    page = signed_in(width=width, color_scheme=scheme)
    base = page.url.partition("/feedback")[0]
    for address in (
        "/feedback",
        "/feedback?q=LEAD-50",
        "/feedback?lead_id=LEAD-5020",
        f"/feedback?lead_id={LONG}",
        "/feedback?q=zzz",
    ):
        page.goto(base + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box is not None and box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= width, address


def test_a_lead_is_found_and_told_of_by_the_keyboard_alone(signed_in: Opened, connection: Connection) -> None:
    page = signed_in(width=390, java_script_enabled=False)
    search = page.get_by_role("searchbox", name="Find a lead")
    search.press_sequentially("lead-5007")
    search.press("Enter")
    link = page.get_by_role("link", name="LEAD-5007")
    link.focus()
    link.press("Enter")
    page.get_by_role("heading", level=1, name="LEAD-5007").wait_for()
    button = page.get_by_role("button", name="Lost: LEAD-5007")
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    assert button.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert "lost" in page.get_by_role("status").inner_text()
    assert outcome_of(connection, "LEAD-5007") is False
    page.get_by_role("button", name="Take it back: LEAD-5007").click()
    page.get_by_role("status").wait_for()
    assert outcome_of(connection, "LEAD-5007") is None


def test_going_back_and_saying_it_again_does_no_harm(signed_in: Opened, connection: Connection) -> None:
    page = signed_in("/feedback?lead_id=LEAD-5003")
    for _ in range(2):
        page.get_by_role("button", name="Converted: LEAD-5003").click()
        page.get_by_role("status").wait_for()
        assert outcome_of(connection, "LEAD-5003") is True
        page.go_back()
        page.get_by_role("heading", level=1, name="LEAD-5003").wait_for()
        if not page.get_by_role("button", name="Converted: LEAD-5003").count():
            break
    assert outcome_of(connection, "LEAD-5003") is True


def test_hostile_texts_are_only_texts(signed_in: Opened, connection: Connection) -> None:
    page = signed_in()
    page.get_by_role("link", name=HOSTILE, exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == " ".join(HOSTILE.split())
    page.get_by_role("button", name="Converted").click()
    page.get_by_role("status").wait_for()
    assert outcome_of(connection, HOSTILE) is True


def test_who_cannot_see_hears_the_same(signed_in: Opened) -> None:
    page = signed_in(width=390)
    base = page.url.partition("/feedback")[0]
    for address in ("/feedback", "/feedback?lead_id=LEAD-5020"):
        page.goto(base + address)
        for landmark in ("banner", "main", "contentinfo"):
            assert page.get_by_role(landmark).count() == 1  # type: ignore[arg-type]
        assert page.get_by_role("heading", level=1).count() == 1
        for table in page.get_by_role("table").all():
            assert table.locator("caption").inner_text()
        names = [button.get_attribute("aria-label") or button.inner_text() for button in page.get_by_role("button").all()]
        assert len(set(names)) == len(names) and all(names)
        assert page.locator("input:not([type=hidden])").count() == page.locator("label[for] ~ input:not([type=hidden])").count()
