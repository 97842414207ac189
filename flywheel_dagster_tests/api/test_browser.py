"""The pages as a person sees them, on a phone and on a desk, in headless Chromium."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.campaigns import campaigns, learnt
from flywheel_dagster_tests.api.serving import Serving, key
from flywheel_dagster_tests.models.verdicts.making import Trial

pytestmark = pytest.mark.acceptance
Connection = psycopg.Connection[TupleRow]
Opened = Callable[..., Page]


@pytest.fixture
def signed_in(chromium: Browser, served: Serving) -> Iterator[Opened]:
    """Opens the page as somebody with a key sees it; at the end, nothing may have been complained of."""
    said: list[str] = []

    def open_page(organization: str = "acme", *, width: int = 1280, address: str = "/", **options: object) -> Page:
        page = chromium.new_context(viewport={"width": width, "height": 900}, **options).new_page()  # type: ignore[arg-type]
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.goto(served.url)
        assert page.url.endswith("/login")
        page.get_by_label("API key").fill(key(organization, Role.VIEWER))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", level=1).wait_for()
        if address != "/":
            page.goto(served.url + address)
        return page

    yield open_page
    assert said == []


@pytest.fixture
def history(connection: Connection) -> None:
    """Two campaigns, what was learnt of them, and a running experiment."""
    campaigns(connection)
    for organization in ("acme", "rival"):
        learnt(connection, organization)
        connection.execute("update strategy_estimates set warnings = array[repeat('unbroken', 30)] where strategy[1] = 'PAS'")
    connection.execute("update organizations set name = repeat('Long', 40) where id = 'acme'")
    connection.commit()
    Trial(connection)


@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("history")
def test_the_page_fits_and_shows_its_charts(signed_in: Opened, width: int, scheme: str) -> None:
    for organization, address in (("acme", "/"), ("*", "/?weeks=52&metric=performance")):
        page = signed_in(organization, width=width, color_scheme=scheme, address=address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        drawn = page.locator("svg[role=img]")
        assert drawn.count() >= 4
        for chart in drawn.all():
            box = chart.bounding_box()
            assert box is not None and box["width"] > 250 and box["height"] > 100
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
            assert "by week" in (chart.get_attribute("aria-label") or "")
        page.get_by_text("All numbers by week").click()
        assert page.get_by_role("region", name="Numbers by week").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.usefixtures("history")
def test_what_is_chosen_is_shown_without_any_script(signed_in: Opened) -> None:
    page = signed_in("*", java_script_enabled=False)
    page.get_by_role("combobox", name="Organization").select_option("rival")
    page.get_by_role("combobox", name="Time").select_option("52")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("heading", level=1, name="rival").wait_for()
    assert page.get_by_role("combobox", name="Organization").input_value() == "rival"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


@pytest.mark.usefixtures("history")
def test_who_cannot_see_hears_the_same(signed_in: Opened) -> None:
    page = signed_in("acme", width=390)
    for landmark in ("banner", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1  # type: ignore[arg-type]
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings == ["Week by week", "From message to deal", "What works: strategies by replies", "Models"]
    for table in page.get_by_role("table").all():
        assert table.locator("caption").inner_text()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="PAS professional"))
    assert "32.0\u202f%" in row.inner_text() and "Enough data" in row.inner_text()


def test_an_empty_page_fits_a_phone(signed_in: Opened) -> None:
    page = signed_in("acme", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_text("Nothing was recorded yet").is_visible()
