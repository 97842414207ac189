"""What is remembered of the embedded server between commands (server.json), and the two locks: who may start or stop it, and whether it
lives. Processes are not looked at here."""

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flywheel_dagster.durable import sync
from flywheel_dagster.errors import SandboxError

HOST = "127.0.0.1"
SUPERUSER = "postgres"
OWNER = "flywheel_owner"
SERVICE = "flywheel_service"
LOCK_TIMEOUT = 180.0


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that answers on 127.0.0.1, and how to sign in: `passwords` has the roles postgres, flywheel_owner and flywheel_service."""

    host: str
    port: int
    data_directory: Path
    log_file: Path
    passwords: Mapping[str, str]

    def url(self, *, role: str, database: str) -> str:
        """An address that psycopg, psql and SQLAlchemy accept: postgresql://role:password@127.0.0.1:port/database."""
        return f"postgresql://{quote(role, safe='')}:{quote(self.passwords[role], safe='')}@{self.host}:{self.port}/{quote(database, safe='')}"


@dataclass(frozen=True)
class State:
    """The contents of server.json. `ready` says that roles and databases are complete."""

    folder: Path
    data: Path
    port: int
    passwords: Mapping[str, str]
    ready: bool = False

    @property
    def server(self) -> EmbeddedServer:
        return EmbeddedServer(HOST, self.port, self.data, self.folder / "server.log", dict(self.passwords))

    @property
    def life_lock(self) -> Path:
        """A file that the server's processes keep locked, for as long as one of them lives: not fooled by a number used again."""
        return self.data.parent / "alive.lock"


def new_state(folder: Path, data: Path) -> State:
    """A state for a server that isn't there yet, with fresh passwords and no port."""
    return State(folder, data, 0, {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, SERVICE)})


def read_state(folder: Path) -> State | None:
    """What server.json in `folder` says; None when there is none. Raises SandboxError when it can't be read."""
    path = folder / "server.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        passwords = {role: str(stored["passwords"][role]) for role in (SUPERUSER, OWNER, SERVICE)}
        return State(folder, folder / stored["data_directory"], int(stored["port"]), passwords, bool(stored["ready"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise SandboxError(
            f"{path} belongs to another user: run as that user, or set FLYWHEEL_HOME to a folder of your own"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxError(f"{path} is damaged ({error!r}): restore it, or remove {folder} and lose its data") from error


def write_state(state: State) -> None:
    """Replaces server.json whole, readable by its owner only, so that a crash leaves the old one or the new one."""
    path, fresh = state.folder / "server.json", state.folder / "server.json.new-0"
    # Relative, so that a home can be moved.
    data = state.data.relative_to(state.folder) if state.data.is_relative_to(state.folder) else state.data
    content = {"port": state.port, "data_directory": str(data), "ready": state.ready, "passwords": dict(state.passwords)}
    fresh.unlink(missing_ok=True)
    with open_private(fresh, os.O_WRONLY) as descriptor:
        os.write(descriptor, json.dumps(content, indent=2).encode() + b"\n")
        os.fsync(descriptor)
    fresh.replace(path)
    sync(state.folder)


@contextlib.contextmanager
def open_private(path: Path, flags: int) -> Iterator[int]:
    """A descriptor of `path`, created with mode 0600 when absent; root leaves it to the owner of the folder."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[int]:
    """Holds the lock under which one process at a time starts or stops the server; gives its descriptor.

    Raises SandboxError when another process holds it for LOCK_TIMEOUT seconds.
    """
    import fcntl

    deadline = time.monotonic() + LOCK_TIMEOUT
    with open_private(folder / "start.lock", os.O_RDWR) as descriptor:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    message = f"another process has been starting or stopping the database for {LOCK_TIMEOUT:.0f} s: end it (fuser {folder / 'start.lock'}), then try again"
                    raise SandboxError(message) from error
                time.sleep(0.02)
        yield descriptor


@contextlib.contextmanager
def life_lock(state: State) -> Iterator[int | None]:
    """Tries to lock the file that a living server keeps locked: gives a descriptor when nothing lives, None when something does.

    A program that is given the descriptor keeps the lock until it and all its children have ended.
    """
    import fcntl

    with open_private(state.life_lock, os.O_RDWR) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor


def lives(state: State) -> bool:
    """Whether a process of this server lives, answering or not."""
    import fcntl

    try:
        descriptor = os.open(state.life_lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that those who ask don't take each other for the server.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
