"""The ground of all tests: a real PostgreSQL, and for each test a fresh database cloned from a migrated template.

`DATABASE_URL` names the server (its user needs CREATEDB); unset, an embedded one is started for the session.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from filelock import FileLock
from psycopg import sql
from psycopg.rows import TupleRow
from pydantic import SecretStr

import flywheel_dagster_tests.thoroughness  # noqa: F401  its profiles are in force from here on
from flywheel_dagster.database import Addresses, _with, addresses, connect
from flywheel_dagster.migrations import migrate
from flywheel_dagster.replies.fallback import head_in_use
from flywheel_dagster.sandbox import postgres
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.sandbox.model_server.served import Served

_ENVIRONMENT = dict(os.environ)
_SESSION = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
_TEMPLATE = f"flywheel_template_{_SESSION}"
_FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "200", "jit": "off",
    "shared_buffers": "32MB",  # dropping a database and checkpoints look through them all
    "wal_level": "minimal", "max_wal_senders": "0",
    "scram_iterations": "1",  # of the 4096 that each login would count, with passwords that nobody has to guess
}  # fmt: skip
_OURS = (
    "DATABASE_URL", "FLYWHEEL_", "TRAINING_DATA_DIR", "OPENAI_", "DAGSTER_HOME", "SENDGRID_", "CRM_", "HUBSPOT_", "PIPEDRIVE_",
    "SALESFORCE_", "CALENDLY_", "AZURE_", "TOGETHER_",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    """Where databases can be made: the owner's URL of the server's own database."""

    url: str
    home: Path

    def named(self, name: str) -> str:
        """The owner's URL of another database on this server."""
        return _with(self.url, dbname=name)


def room() -> Path:
    """Memory, where there is plenty: making and dropping a database there takes a tenth of the time, and nothing is synced to a disk."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK) and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    return memory if usable and shutil.disk_usage(memory).free > 4 << 30 else Path(tempfile.gettempdir())


os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(room()))  # where tmp_path is
# Each HTTP client reads the authorities that it would trust, 60 ms for those of the system; the tests speak with nobody beyond this machine.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "samples" / "authority.pem")


@pytest.fixture(scope="session")
def server(worker_id: str) -> Iterator[Server]:
    """One server for all workers; the last one to leave stops it."""
    # Not under pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    shared = room() / f"flywheel-tests-{_SESSION}"
    shared.mkdir(mode=0o755, exist_ok=True)
    users = shared / "users"
    with FileLock(shared / "server.lock"):
        users.mkdir(exist_ok=True)
        (users / worker_id).touch()
        if given := _ENVIRONMENT.get("DATABASE_URL"):
            url = addresses(Settings(DATABASE_URL=given)).owner
        else:
            url = postgres.start(shared / "home", settings=_FAST).url(role="flywheel_owner", database="flywheel")
    yield Server(url, shared)
    with FileLock(shared / "server.lock"):
        (users / worker_id).unlink()
        left = not any(users.iterdir())
        if left and given:
            with connect(url) as connection:
                connection.autocommit = True
                connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(_TEMPLATE)))
        elif left:
            postgres.stop(shared / "home")
    if left:
        shutil.rmtree(shared, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """The name of a migrated database that others are cloned from."""
    with FileLock(server.home / "template.lock"), connect(server.url) as connection:
        connection.autocommit = True
        if not connection.execute("select 1 from pg_database where datname = %s", (_TEMPLATE,)).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
            url = server.named(_TEMPLATE)
            migrate(Addresses(owner=url, service=url, dagster=url))
    return _TEMPLATE


@dataclass(frozen=True)
class Database:
    """A fresh, migrated database: its addresses by role, and settings that lead to it."""

    addresses: Addresses
    settings: Settings


@pytest.fixture(scope="session")
def maker(server: Server) -> Iterator[psycopg.Connection[TupleRow]]:
    """The connection on which databases are made and dropped."""
    with connect(server.url) as connection:
        connection.autocommit = True
        yield connection


@cache
def _usual_settings() -> Settings:
    """What the cleaned environment says, read once: it takes 8 ms."""
    return Settings()


@pytest.fixture
def database(server: Server, template: str, maker: psycopg.Connection[TupleRow], tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own; Dagster's storage shares it."""
    name = f"flywheel_test_{uuid4().hex[:12]}"
    maker.execute(
        sql.SQL("create database {} template {} strategy file_copy").format(sql.Identifier(name), sql.Identifier(template))
    )
    url = SecretStr(server.named(name))
    where = {
        "database_url": url,
        "dagster_database_url": url,
        "home": tmp_path / "home",
        "training_data_dir": tmp_path / "training_data",
    }
    settings = _usual_settings().model_copy(update=where | {"poll_seconds": 0.02})
    yield Database(addresses(settings), settings)
    maker.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[TupleRow]]:
    """A connection in the service role."""
    with connect(database.addresses.service) as connection:
        yield connection


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection[TupleRow]]:
    """A connection as the owner of the schema."""
    with connect(database.addresses.owner) as connection:
        yield connection


@pytest.fixture(scope="session")
def _model_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("model_server") / "state")
    yield served
    assert served.stop() == 0


@pytest.fixture
def model_server(_model_server: Served) -> Iterator[Served]:
    """The shared model server, with no faults left over from another test; its jobs run at once."""
    _model_server.http.delete("/sandbox/faults")
    yield _model_server
    _model_server.http.delete("/sandbox/faults")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's own settings, nor writes into the checkout."""
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FLYWHEEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLYWHEEL_REPLY_HEAD", "off")  # the same replies are read alike with the extra and without it
    head_in_use.cache_clear()
    _usual_settings()


def pytest_collection_finish() -> None:
    """What stays until the end isn't looked through again at each collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """At the end all of it goes."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real payloads and data beside the checkout; tests that read it skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    return folder


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A temporary directory with a short path that other users can reach."""
    path = Path(tempfile.mkdtemp(prefix="fw"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
