"""People sign in with a key: the cookie is nobody's to forge, and ends with time, with the key, and with signing out."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.api import services
from flywheel_dagster.api.keys import Role
from flywheel_dagster.database import statement
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.api.serving import KEYS, Serving, key
from flywheel_dagster_tests.api.test_callers import added

Connection = psycopg.Connection[TupleRow]
VIEWER = key("acme", Role.VIEWER)


@pytest.fixture
def browser(served: Serving) -> Iterator[httpx.Client]:
    """A client that keeps cookies and goes nowhere by itself."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def sign_in(client: httpx.Client, secret: str = VIEWER, **headers: str) -> httpx.Response:
    return client.post("/login", data={"key": secret}, headers=headers)


def goes_to(answer: httpx.Response, address: str) -> bool:
    return (answer.status_code, answer.headers.get("location")) == (303, address)


def test_who_signs_in_sees_the_page_until_they_sign_out(served: Serving, browser: httpx.Client, connection: Connection) -> None:
    assert goes_to(browser.get("/"), "/login")
    form = browser.get("/login")
    assert form.status_code == 200 and 'action="/login"' in form.text and "<script" not in form.text
    answer = sign_in(browser)
    assert goes_to(answer, "/")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=43200", "Path=/")) and "Secure" not in cookie
    assert VIEWER not in cookie
    assert browser.get("/").status_code == 200
    assert goes_to(browser.get("/login"), "/")
    copied = dict(browser.cookies)
    assert goes_to(browser.post("/logout"), "/login")
    assert "flywheel" not in browser.cookies
    assert goes_to(browser.get("/", headers={"Cookie": f"flywheel={copied['flywheel']}"}), "/login")
    assert connection.execute("select count(*) from sessions").fetchone() == (0,)


def test_the_cookie_opens_pages_only(browser: httpx.Client) -> None:
    sign_in(browser)
    for path in ("/training/models", "/strategies/metrics"):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "key_missing")


def test_no_forged_cookie_opens(browser: httpx.Client, connection: Connection) -> None:
    sign_in(browser)
    genuine = browser.cookies["flywheel"]
    browser.cookies.clear()
    session, _, signature = genuine.partition(".")
    other = session[:-1] + ("0" if session[-1] != "0" else "1")
    forged = [
        session,
        f"{session}.",
        f"{other}.{signature}",
        f"{session}.{signature[:-2]}AA",
        f".{signature}",
        "",
        "x" * 5_000,
        genuine + "x",
    ]
    for cookie in forged:
        assert goes_to(browser.get("/", headers={"Cookie": f"flywheel={cookie}"}), "/login"), cookie
    assert browser.get("/", headers={"Cookie": f"flywheel={genuine}"}).status_code == 200


def test_a_session_ends_with_its_time_and_with_its_key(browser: httpx.Client, connection: Connection) -> None:
    made, key_id = added(connection, "acme", "viewer")
    assert goes_to(sign_in(browser, f"  {made}\n"), "/")
    assert browser.get("/").status_code == 200
    connection.execute("update sessions set expires_at = now() - interval '1 second'")
    connection.commit()
    assert goes_to(browser.get("/"), "/login")
    sign_in(browser, made)
    assert connection.execute("select count(*) from sessions").fetchone() == (1,)  # the one that was over went
    assert browser.get("/").status_code == 200
    connection.execute(statement("revoke_api_key"), {"id": key_id})
    connection.commit()
    assert goes_to(browser.get("/"), "/login")
    assert sign_in(browser, made).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_form_neither_signs_in_nor_out(browser: httpx.Client, headers: dict[str, str]) -> None:
    assert sign_in(browser, **headers).status_code == 403
    assert "flywheel" not in browser.cookies
    assert goes_to(sign_in(browser, **{"Sec-Fetch-Site": "same-origin"}), "/")
    assert browser.post("/logout", headers=headers).status_code == 403
    assert browser.get("/").status_code == 200
    assert goes_to(browser.post("/logout", headers={"Origin": str(browser.base_url).rstrip("/")}), "/login")


def test_wrong_keys_are_told_and_then_stopped_by_address(browser: httpx.Client, connection: Connection) -> None:
    for _ in range(10):
        answer = sign_in(browser, "guessed")
        assert answer.status_code == 401 and 'role="alert"' in answer.text and "guessed" not in answer.text
    stopped = sign_in(browser)
    assert stopped.status_code == 429 and int(stopped.headers["Retry-After"]) > 0
    connection.execute("update api_requests set let_in = array(select t - interval '1 minute' from unnest(let_in) t)")
    connection.commit()
    assert goes_to(sign_in(browser), "/")


def test_over_https_only_this_host_sets_and_gets_the_cookie(browser: httpx.Client) -> None:
    cookie = sign_in(browser, **{"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert cookie.startswith("__Host-flywheel=") and "Secure" in cookie and "Domain" not in cookie


def test_what_is_no_form_is_refused(browser: httpx.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/login").status_code == 401
    assert browser.post("/login", json={"key": VIEWER}).status_code == 401
    assert browser.post("/login", files={"key": b"x"}).status_code in (400, 401)
    assert browser.post("/login", content=b"key=%00%ff&key=2&%", headers=form).status_code == 401
    assert browser.post("/login", content=b"&".join(b"a=1" for _ in range(9)), headers=form).status_code == 400
    assert browser.post("/login", content=b"key=" + b"x" * 70_000, headers=form).status_code == 413
    assert browser.get("/logout").status_code == 405


def test_a_database_that_is_away_is_told_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_WAIT_SECONDS", 0.2)
    url = "postgresql://someone:s3cret@127.0.0.1:1/nowhere"
    api = Serving(url, Settings(DATABASE_URL=url, FLYWHEEL_API_KEYS=KEYS))
    try:
        answer = api.http.get("/", headers={"Cookie": "flywheel=a.b"})
    finally:
        api.stop()
    assert answer.status_code == 503 and "does not answer" in answer.text and "s3cret" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")
