"""Who gets in: 401 without a key in force, 403 beyond its role, 429 beyond a hundred requests a minute, across processes."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import Role, hash_of, new_key
from flywheel_dagster.database import statement
from flywheel_dagster_tests.api.serving import Serving, key, serving
from flywheel_dagster_tests.conftest import Database

Connection = psycopg.Connection[TupleRow]
MODELS = "/training/models"
ROUTES = [
    ("GET", MODELS, "read"),
    ("GET", "/training/stats", "read"),
    ("GET", "/training/leaderboard", "read"),
    ("GET", "/training/status/ftjob-1", "read"),
    ("POST", "/training/run", "train"),
    ("POST", "/training/promote-winner", "deploy"),
    ("POST", "/training/deploy/00000000-0000-0000-0000-000000000000", "deploy"),
    ("GET", "/strategies/performance", "read"),
    ("GET", "/strategies/winning", "read"),
    ("POST", "/strategies/suggest", "read"),
    ("GET", "/strategies/agents", "read"),
    ("GET", "/strategies/metrics", "read"),
    ("GET", "/strategies/playbooks", "read"),
    ("POST", "/strategies/messages", "record"),
    ("POST", "/strategies/replies", "record"),
    ("POST", "/score", "record"),
    ("POST", "/score/batch", "record"),
    ("PUT", "/feedback/", "record"),
    ("DELETE", "/feedback/", "record"),
    ("GET", "/info", "read"),
]
ROLES = {"read": set(Role), "record": {Role.OPERATOR, Role.ADMIN}, "train": {Role.OPERATOR, Role.ADMIN}, "deploy": {Role.ADMIN}}


def added(connection: Connection, organization: str | None, role: str = "admin") -> tuple[str, str]:
    """A key of the table, and its id."""
    made = new_key()
    if organization is not None:
        connection.execute("insert into organizations (id) values (%s) on conflict do nothing", (organization,))
    values = {"organization_id": organization, "role": role, "key_hash": hash_of(made), "name": "ci"}
    row = connection.execute(statement("add_api_key"), values).fetchone()
    connection.commit()
    assert row is not None
    return made, row[0]


def failed(answer: httpx.Response, status: int, kind: str) -> None:
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind), answer.text


def test_the_list_of_routes_is_complete(served: Serving) -> None:
    described = served.http.get("/openapi.json").json()["paths"]
    guarded = {
        (method.upper(), path.split("{")[0]) for path, methods in described.items() for method in methods if "/health" not in path
    }
    assert {(method, path.rpartition("/")[0] + "/" if path.count("/") > 2 else path) for method, path, _ in ROUTES} == guarded


def test_no_key_and_a_wrong_one_are_401_whatever_is_sent(served: Serving) -> None:
    missing, unknown = 'Bearer realm="flywheel"', 'Bearer realm="flywheel", error="invalid_token"'
    credentials: list[tuple[dict[str, str | bytes], str, str]] = [
        ({}, "key_missing", missing),
        ({"Authorization": "Basic YTpi"}, "key_missing", missing),
        ({"Authorization": "Bearer"}, "key_missing", missing),
        ({"Authorization": "Bearer guessed"}, "key_unknown", unknown),
        ({"Authorization": f"Bearer {key('acme', Role.ADMIN)}x"}, "key_unknown", unknown),
        ({"Authorization": b"Bearer \xff\xfe"}, "key_unknown", unknown),
    ]
    for method, path, _ in ROUTES:
        for headers, kind, challenge in credentials:
            answer = served.http.request(method, path, headers=headers, content=b"{ no json")  # type: ignore[arg-type]
            failed(answer, 401, kind)
            assert answer.headers["WWW-Authenticate"] == challenge


def test_a_role_may_what_it_permits_and_nothing_else(served: Serving) -> None:
    for method, path, permission in ROUTES:
        for role in Role:
            answer = served.asking("*", role).request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code == 403) == (role not in ROLES[permission]), (path, role, answer.text)
            if answer.status_code == 403:
                failed(answer, 403, "permission_missing")
                assert "admin" in answer.json()["error"]["message"]


def test_a_key_of_the_table_opens_until_it_is_revoked(served: Serving, connection: Connection) -> None:
    made, key_id = added(connection, "acme", "viewer")
    client = served.with_key(made)
    assert client.get(MODELS).status_code == 200
    failed(client.post("/training/run", json={}), 403, "permission_missing")
    connection.execute(statement("revoke_api_key"), {"id": key_id})
    connection.commit()
    failed(client.get(MODELS), 401, "key_unknown")


def test_only_the_hash_is_stored_and_its_use_is_noted_once_an_hour(served: Serving, connection: Connection) -> None:
    made, key_id = added(connection, "acme")
    assert connection.execute("select count(*) from api_keys k where k::text like %s", (f"%{made}%",)).fetchone() == (0,)
    long_ago = datetime.now(UTC) - timedelta(minutes=30)

    def last_used_after(given: datetime | None) -> datetime | None:
        connection.execute("update api_keys set last_used_at = %s where id::text = %s", (given, key_id))
        connection.commit()
        assert served.with_key(made).get(MODELS).status_code == 200
        row = connection.execute("select last_used_at from api_keys where id::text = %s", (key_id,)).fetchone()
        connection.commit()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]

    assert last_used_after(None) is not None
    assert last_used_after(long_ago) == long_ago
    older = long_ago - timedelta(hours=1)
    assert last_used_after(older) != older


def test_a_hundred_requests_a_minute_pass_across_two_services_and_all_keys(database: Database, connection: Connection) -> None:
    made, _ = added(connection, "acme")
    statuses: Counter[int] = Counter()
    with (
        serving(database, FLYWHEEL_API_REQUESTS_PER_MINUTE=100) as one,
        serving(database, FLYWHEEL_API_REQUESTS_PER_MINUTE=100) as other,
        ThreadPoolExecutor(8) as threads,
    ):
        clients = [service.with_key(secret) for service in (one, other) for secret in (made, key("acme", Role.VIEWER))]
        answers = list(threads.map(lambda number: clients[number % 4].get(MODELS), range(110)))
        statuses.update(answer.status_code for answer in answers)
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert one.asking("rival").get(MODELS).status_code == 200
    assert statuses == {200: 100, 429: 10}
    failed(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_the_window_slides_with_each_request(connection: Connection) -> None:
    def take() -> float | None:
        row = connection.execute(statement("take_request"), {"subject": "organization:acme", "most": 3}).fetchone()
        connection.commit()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]

    def pass_time(seconds: float) -> None:
        connection.execute(
            "update api_requests set let_in = array(select t - make_interval(secs => %s) from unnest(let_in) t)", (seconds,)
        )

    assert take() is None
    pass_time(40)
    assert [take(), take()] == [None, None]
    wait = take()
    assert wait is not None
    assert 19 < wait <= 20  # the first one leaves the window then
    pass_time(20)
    assert take() is None
    later = take()
    assert later is not None
    assert 39 < later <= 40
    row = connection.execute("select cardinality(let_in) from api_requests").fetchone()
    assert row == (3,)  # what has left the window is not kept


def test_exactly_so_many_pass_of_two_pools_at_once(database: Database) -> None:
    passed: list[int] = []

    def ask() -> None:
        with psycopg.connect(database.addresses.service, autocommit=True) as own:
            rows = [
                own.execute(statement("take_request"), {"subject": "organization:acme", "most": 100}).fetchone() for _ in range(30)
            ]
        passed.append(sum(row == (None,) for row in rows))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 100


def test_without_its_database_the_service_says_so_and_comes_back_by_itself(database: Database) -> None:
    with serving(database) as served:
        assert served.asking("acme").get(MODELS).status_code == 200
        with psycopg.connect(database.addresses.owner, autocommit=True) as owner:
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flywheel api' and datname = current_database()"
            )
        assert served.asking("acme").get(MODELS).status_code == 200
