"""`flywheel doctor`: looks at everything that a run needs and says what to do about what is missing."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flywheel_dagster.database import MEMBER_ROLE, SERVICE_ROLE, Addresses, addresses, connect
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.migrations import pending
from flywheel_dagster.settings import Settings

_OLDEST_SERVER = 150_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `said` is what was found, with the remedy when it is not well."""

    name: str
    well: bool
    said: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at one thing after the other. What needs the database is left out when it can't be reached."""
    yield _guarded("FLYWHEEL_HOME", lambda: _writable(settings.home))
    yield _guarded("TRAINING_DATA_DIR", lambda: _writable(settings.training_data_dir))
    yield _guarded("disk", lambda: _disk(settings.home))
    try:
        where = addresses(settings)
        with connect(where.owner) as connection:
            number = connection.info.server_version
    except FlywheelError as error:
        yield Finding("database", False, str(error))
        return
    kind = "embedded" if settings.uses_embedded_database else "DATABASE_URL"
    yield Finding(
        "database",
        number >= _OLDEST_SERVER,
        f"PostgreSQL {number // 10_000} ({kind}){'' if number >= _OLDEST_SERVER else '; needs 15 or newer'}",
    )
    yield _guarded("schema", lambda: _schema(where))
    yield _guarded("roles", lambda: _roles(where))
    yield _guarded("Dagster's storage", lambda: _storage(where))
    yield _guarded("events", lambda: _events(where))
    yield _guarded("models", lambda: _models(settings))
    yield _guarded("replies", lambda: _replies(settings, where))


def _guarded(name: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        well, said = look()
    except FlywheelError as error:
        return Finding(name, False, str(error))
    return Finding(name, well, said)


def _writable(folder: Path) -> tuple[bool, str]:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    well = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return well, f"{folder}" if well else f"{there} can't be written; set another folder"


def _disk(folder: Path) -> tuple[bool, str]:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    return free > 1, f"{free:.0f} GB free" + ("" if free > 1 else "; make room: the database needs at least 1 GB")


def _schema(where: Addresses) -> tuple[bool, str]:
    missing = pending(where)
    return not missing, "up to date" if not missing else f"{len(missing)} migrations to apply; run flywheel migrate"


def _roles(where: Addresses) -> tuple[bool, str]:
    with connect(where.service) as connection:
        row = connection.execute("select current_user, rolsuper from pg_roles where rolname = current_user").fetchone()
        member = connection.execute("select pg_has_role(current_user, %s, 'member')", (MEMBER_ROLE,)).fetchone()
    assert row is not None and member is not None
    well = row == (SERVICE_ROLE, False) and bool(member[0])
    return well, f"daily work as {row[0]}" + ("" if well else "; run flywheel migrate as the owner of the database")


def _storage(where: Addresses) -> tuple[bool, str]:
    with connect(where.dagster) as connection:
        return True, f"database {connection.info.dbname}"


def _events(where: Addresses) -> tuple[bool, str]:
    with connect(where.service) as connection:
        row = connection.execute("select count(*), count(*) filter (where not matched) from webhook_events").fetchone()
    assert row is not None
    return True, f"{row[0]} in the ledger, {row[1]} waiting for their outcome"


def _models(settings: Settings) -> tuple[bool, str]:
    if settings.uses_local_model_server:
        return True, "the local model server, for development; set OPENAI_API_KEY to train for real"
    where = settings.openai_base_url or "OpenAI"
    well = settings.openai_api_key is not None
    return well, f"{settings.trainer} trains; chat models at {where}" if well else f"{where} needs OPENAI_API_KEY"


def _replies(settings: Settings, where: Addresses) -> tuple[bool, str]:
    from flywheel_dagster.replies.choice import chosen_model
    from flywheel_dagster.replies.due import weeks_with_new_replies

    model = chosen_model(settings)
    with connect(where.service) as connection:
        due = len(weeks_with_new_replies(connection, None, by_model=model is not None).weeks)
    left = f"{due} weeks have replies to be judged (flywheel materialize --replies)" if due else "every reply is judged"
    if model is None:
        return True, f"read by rules alone; {left}"
    if model.price is None:
        return (
            settings.reply_budget_usd is None,
            f"read by {model.name}, whose price is not known; set FLYWHEEL_REPLY_PRICE; {left}",
        )
    ceiling = "no ceiling" if settings.reply_budget_usd is None else f"at most {settings.reply_budget_usd} USD a run"
    return (
        True,
        f"read by {model.name} for {model.price.input}/{model.price.output} USD a million tokens read/written, {ceiling}; {left}",
    )
