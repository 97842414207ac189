"""Kills, at every step, of those who start the server and of the server itself."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from flywheel_dagster.sandbox import postgres
from flywheel_dagster.sandbox.postgres import process, roles
from flywheel_dagster.sandbox.postgres.accounts import choose_account, launch
from flywheel_dagster.sandbox.postgres.state import read_state
from flywheel_dagster_tests.sandbox.postgres.conftest import SETTINGS, Starter

DIE = "die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
# Where a start is killed, as Python lines that run before it.
STEPS = {
    "before the passwords are written": "postgres.new_state = die",
    "before the cluster is made": "postgres._initialise = die",
    "after the cluster is made, before it is renamed": "run = postgres.run; postgres.run = lambda *a, **k: die(run(*a, **k))",
    "after the cluster is renamed": "postgres.sync = die",
    "before the server is launched": "process._launch = die",
    "while the server is starting": "launch = process._launch; process._launch = lambda *a, **k: die(launch(*a, **k))",
    "before the first role": "postgres.create_roles_and_databases = die",
    "after the roles, before the grant": "roles.SERVICE = None; create = postgres.create_roles_and_databases\n"
    "def postgres_create(server):\n try: create(server)\n finally: die()\n"
    "postgres.create_roles_and_databases = postgres_create",
    "before it is called ready": "write = postgres.write_state; postgres.write_state = lambda s: die() if s.ready else write(s)",
}


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def postmaster(server: postgres.EmbeddedServer) -> int:
    return int((server.data_directory / "postmaster.pid").read_text().split()[0])


def is_whole(server: postgres.EmbeddedServer) -> bool:
    for role in ("flywheel_owner", "flywheel_service"):
        for database in ("flywheel", "flywheel_dagster"):
            psycopg.connect(server.url(role=role, database=database)).close()
    folder = server.log_file.parent
    return {path.name for path in folder.iterdir()} == {"alive.lock", "data", "server.json", "server.log", "start.lock"}


def test_a_start_that_was_killed_is_continued_by_the_next(home: Path, begin: Starter) -> None:
    imports = "from flywheel_dagster.sandbox import postgres; from flywheel_dagster.sandbox.postgres import process, roles"
    for step, lines in STEPS.items():
        # To be killed here, it had to get through the step before.
        killed = begin(before="\n".join([imports, DIE, lines]))
        killed.communicate(timeout=30)
        assert killed.returncode == -signal.SIGKILL, step
        assert postgres.running(home) is None, step
    server = postgres.start(home, settings=SETTINGS)
    assert is_whole(server)
    assert server.log_file.read_text().count("LOG:  starting PostgreSQL") == 1


def test_a_start_killed_while_the_cluster_is_made_is_completed_by_the_next(home: Path, begin: Starter) -> None:
    killed = begin()
    wait_until(lambda: list(home.glob("postgres/data.new-*")))
    killed.kill()
    assert is_whole(postgres.start(home, settings=SETTINGS))


def test_a_server_that_was_left_incomplete_can_be_stopped(home: Path, begin: Starter) -> None:
    begin(before=f"from flywheel_dagster.sandbox import postgres; {DIE}; postgres.create_roles_and_databases = die").communicate(
        timeout=30
    )
    assert postgres.running(home) is None
    assert postgres.stop(home) is True


def test_the_server_outlives_its_starter_whatever_ends_it(made_home: Path, begin: Starter) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        postgres.stop(made_home)
        # Under nohup a signal is ignored from birth.
        heard = "[signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)]"
        holder = begin(after=f"{heard}; print('started', flush=True); input()")
        assert holder.stdout
        assert holder.stdout.readline() == "started\n"
        os.killpg(holder.pid, number)
        assert holder.wait(timeout=60) == -number, number
        assert postgres.running(made_home)


def test_a_server_that_was_killed_is_started_again(made_home: Path) -> None:
    server = postgres.start(made_home, settings=SETTINGS)
    os.kill(postmaster(server), signal.SIGKILL)
    assert postgres.start(made_home, settings=SETTINGS) == server


def test_a_number_that_another_process_has_now_is_neither_trusted_nor_killed(made_home: Path) -> None:
    server = postgres.start(made_home, settings=SETTINGS)
    postgres.stop(made_home)
    # Of the server's own account, as PostgreSQL itself overlooks processes of others.
    with launch(["/bin/sleep", "60"], choose_account(server.data_directory)) as stranger:
        stale = f"{stranger.pid}\n{server.data_directory}\n1\n{server.port}\n\n127.0.0.1\n1 1\nready\n"
        (server.data_directory / "postmaster.pid").write_text(stale)
        assert postgres.running(made_home) is None
        assert postgres.stop(made_home) is False
        assert postgres.start(made_home, settings=SETTINGS) == server
        assert postgres.stop(made_home) is True
        assert stranger.poll() is None
        stranger.kill()


def test_a_port_that_was_taken_meanwhile_is_given_up_for_another(made_home: Path) -> None:
    first = postgres.start(made_home, settings=SETTINGS)
    postgres.stop(made_home)
    with socket.create_server(("127.0.0.1", first.port)):
        assert postgres.running(made_home) is None
        second = postgres.start(made_home, settings=SETTINGS)
        assert second.port != first.port
        assert postgres.running(made_home) == second
    assert postgres.start(made_home) == second


def test_a_port_taken_while_the_server_starts_is_given_up_for_another(made_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "ANSWER_TIMEOUT", 2)
    recorded = read_state(made_home / "postgres")
    assert recorded
    is_free, first_look = process._is_free, iter([True])
    monkeypatch.setattr(process, "_is_free", lambda port: next(first_look, False) or is_free(port))
    with socket.create_server(("127.0.0.1", recorded.port)):
        server = postgres.start(made_home, settings=SETTINGS)
    assert server.port != recorded.port
    assert "Address already in use" in server.log_file.read_text()


def test_a_home_can_be_moved_under_a_running_server(made_home: Path) -> None:
    server = postgres.start(made_home, settings=SETTINGS)
    moved = made_home.with_name("moved")
    made_home.rename(moved)
    try:
        assert postgres.running(made_home) is None
        found = postgres.start(moved)
        assert found.port == server.port
        assert found.data_directory == moved.resolve() / "postgres" / "data"
        assert postgres.stop(moved) is True
        assert postgres.start(moved, settings=SETTINGS).port == server.port
    finally:
        postgres.stop(moved)


def test_a_copy_of_a_home_gets_a_server_of_its_own(made_home: Path) -> None:
    postgres.start(made_home, settings=SETTINGS)
    postgres.stop(made_home)
    copy = made_home.with_name("copy")
    subprocess.run(["cp", "-a", str(made_home), str(copy)], check=True)
    original = postgres.start(made_home, settings=SETTINGS)
    try:
        assert postgres.running(copy) is None
        assert postgres.start(copy, settings=SETTINGS).port != original.port
        assert postgres.running(made_home) == original
    finally:
        postgres.stop(copy)
