"""Starts, finds and stops an embedded PostgreSQL 18, for a machine that has none. One server serves every process of a FLYWHEEL_HOME and
outlives them all; its schema belongs to the migrations."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from flywheel_dagster.durable import sync
from flywheel_dagster.errors import SandboxError
from flywheel_dagster.sandbox.postgres.accounts import OWN_DATABASE, Account, choose_account, choose_folder, give, remove, run
from flywheel_dagster.sandbox.postgres.binaries import Binaries, find_binaries, make_reachable
from flywheel_dagster.sandbox.postgres.process import end, last_words, serve
from flywheel_dagster.sandbox.postgres.roles import answers, create_roles_and_databases
from flywheel_dagster.sandbox.postgres.state import (
    SUPERUSER,
    EmbeddedServer,
    State,
    changing,
    lives,
    new_state,
    open_private,
    read_state,
    write_state,
)

__all__ = ["EmbeddedServer", "running", "start", "stop"]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def start(home: Path, *, settings: Mapping[str, str] | None = None, announce: Callable[[str], None] = _tell) -> EmbeddedServer:
    """Gives the server of this home, running: created at the first call, started when it doesn't answer.

    Safe to call from several processes at once, and after a call that was killed. `settings` are server parameters for the case that
    this call starts it ({"fsync": "off"} for tests). `announce` hears, once, of data or programs that are kept outside of home.
    Raises SandboxError, in one line with the remedy.
    """
    if sys.platform == "win32":
        raise SandboxError(f"the embedded PostgreSQL doesn't run on Windows: {OWN_DATABASE}")
    server = running(home)
    if server:
        return server
    folder = _folder(home)
    with _mendable(folder):
        _make_folder(folder)
        with changing(folder) as lock:
            return running(home) or _start(folder, lock, dict(settings or {}), announce)


def running(home: Path) -> EmbeddedServer | None:
    """The server of this home if it is complete and answers a query right now, else None. Raises SandboxError on a damaged state."""
    folder = _folder(home)
    with _mendable(folder):
        state = read_state(folder)
        return state.server if state and state.ready and lives(state) and answers(state.server) else None


def stop(home: Path) -> bool:
    """Shuts the server of this home down (open transactions roll back) and waits for its end; True if one was running.

    Raises SandboxError when it doesn't end within a minute.
    """
    folder = _folder(home)
    with _mendable(folder):
        if read_state(folder) is None:
            return False
        with changing(folder):
            state = read_state(folder)
            return state is not None and end(state)


def _folder(home: Path) -> Path:
    return Path(home).resolve() / "postgres"


@contextlib.contextmanager
def _mendable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"can't keep a database in {folder} ({error.strerror or error}: {error.filename or folder})"
        raise SandboxError(f"{message}: mend that, set FLYWHEEL_HOME to another folder, or {OWN_DATABASE}") from error


def _make_folder(folder: Path) -> None:
    """Makes home and its folder. When root does, others may pass through both, since the server runs as another account."""
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    for path, mode in ((folder.parent, 0o777), (folder, 0o700)):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode)
            if os.geteuid() == 0:
                path.chmod(path.stat().st_mode & 0o7777 | 0o011)


def _start(folder: Path, lock: int, settings: dict[str, str], announce: Callable[[str], None]) -> EmbeddedServer:
    import psycopg

    installed = find_binaries()
    state = read_state(folder)
    if state is None or not (state.data / "PG_VERSION").exists():
        state = _prepare(folder, state, announce)
    account = choose_account(state.data)
    _remove_leftovers(state)
    binaries = make_reachable(installed, account, state.data.parent, announce)
    if not state.data.exists():
        _initialise(state, binaries, account, lock, durable=settings.get("fsync") != "off")
    state = serve(state, binaries, account, settings)
    if not state.ready:
        try:
            create_roles_and_databases(state.server)
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            raise SandboxError(
                f"the roles and databases can't be created ({reason}): see {state.server.log_file}, then start again"
            ) from error
        state = replace(state, ready=True)
        write_state(state)
    return state.server


def _prepare(folder: Path, state: State | None, announce: Callable[[str], None]) -> State:
    """Decides where the data goes and writes that down, with the passwords, before there is any."""
    if state and state.ready:
        raise SandboxError(
            f"the database's data is gone from {state.data}: restore it, or remove {folder} to begin with an empty one"
        )
    account = choose_account(folder / "data")
    place = choose_folder(folder, account)
    if state is None and (place / "data").exists():
        if place == folder:
            raise SandboxError(
                f"{folder / 'server.json'}, with the passwords, is gone: restore it, or remove {folder} and lose its data"
            )
        _set_aside(new_state(folder, place / "data"), announce)
    if state is None or state.data.parent != place:
        state = replace(state or new_state(folder, place), data=place / "data")
        write_state(state)
        if place != folder and account:
            announce(f"{account.name}, as whom root runs PostgreSQL, can't reach {folder}: the database is kept in {place}")
    return state


def _set_aside(abandoned: State, announce: Callable[[str], None]) -> None:
    """Keeps the last data of a home that was removed, and ends the server that may still run on it."""
    end(abandoned)
    kept = abandoned.data.with_name("data.removed")
    remove(kept)
    abandoned.data.rename(kept)
    announce(f"the data of a home that was removed is set aside in {kept}")


def _remove_leftovers(state: State) -> None:
    """Removes what a killed start left half done; we hold the lock, so nobody is at work on it."""
    for folder in {state.folder, state.data.parent}:
        for path in folder.glob("*.new-*"):
            remove(path)


def _initialise(state: State, binaries: Binaries, account: Account | None, lock: int, *, durable: bool) -> None:
    """Makes a database cluster aside and renames it into place when it is complete."""
    place = state.data.parent
    fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=place))
    password_file = place / "password.new-0"
    try:
        give(fresh, account)
        with open_private(password_file, os.O_WRONLY | os.O_EXCL) as descriptor:
            os.write(descriptor, state.passwords[SUPERUSER].encode())
            give(descriptor, account)
        arguments: list[str | Path] = [binaries.initdb, "--pgdata", fresh, "--username", SUPERUSER, "--pwfile", password_file]
        arguments += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions", *([] if durable else ["--no-sync"])]
        arguments += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        # It keeps our lock: if we are killed, the next start waits for its end.
        code, output = run(arguments, account, kept_open=[lock])
        if code:
            raise SandboxError(
                f"PostgreSQL's data can't be created in {place} ({last_words(output)}): mend that, or {OWN_DATABASE}"
            )
        fresh.rename(state.data)
        sync(place)
    finally:
        remove(password_file)
        remove(fresh)
