"""`flywheel model list`, `live`, `history` and `leaderboard`: what there is, who serves or served, what was changed, and who did best."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, LiteralString

import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.acting import AnyScope, AsJson, print_json
from flywheel_dagster.commands.connecting import service
from flywheel_dagster.database import statement
from flywheel_dagster.models.deployment import live_at

app = typer.Typer()
_STATUSES = ("training", "ready", "deployed", "archived", "failed")


@app.command("list")
def list_(
    scope: AnyScope = None,
    status: Annotated[str | None, typer.Option(help=f"Only with this status: {', '.join(_STATUSES)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models, what they serve, and what their messages achieved."""
    if status is not None and status not in _STATUSES:
        raise typer.BadParameter(f"a status is one of {', '.join(_STATUSES)}", param_hint="--status")
    rows = _rows("models_of_scope", {"scope": scope, "status": status})
    if as_json:
        print_json(*rows)
        return
    shown = _table("scope", "version", "status", "serves", "messages", "replied", "met", "bought", "model")
    for row in rows:
        rates = (_rate(row, name) for name in ("reply_rate", "meeting_rate", "close_rate"))
        messages = f"{row['total_messages_sent']:,}"
        shown.add_row(row["scope"], row["model_version"], _status(row), _serves(row), messages, *rates, row["model_id"])
    Console().print(shown if rows else "no model is registered" + (f" for {scope}" if scope else ""))


@app.command()
def live(
    organization: Annotated[str | None, typer.Option(help="Whom they served [those without a model of their own].")] = None,
    at: Annotated[
        str | None, typer.Option(help="When, in UTC: a day (2026-03-03; its end counts) or a time (2026-03-03T14:30) [now].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which models served an organization at a moment."""
    moment = datetime.now(UTC) if at is None else _moment(at)
    with service() as connection:
        rows = live_at(connection, organization or "global", moment)
    if as_json:
        print_json(*rows)
        return
    print(f"{organization or 'global'} at {moment:%Y-%m-%d %H:%M:%S} UTC:" + ("" if rows else " nothing served"))
    shown = _table("arm", "per cent", "version", "scope", "since", "model")
    for row in rows:
        since = f"{row['since']:%Y-%m-%d %H:%M}"
        share = f"{row['traffic_percentage'] or 100:g}"
        shown.add_row(row["ab_test_group"] or "baseline", share, row["model_version"], row["scope"], since, row["model_id"])
    if rows:
        Console().print(shown)


@app.command()
def history(
    scope: AnyScope = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what was changed, by whom and why."""
    rows = _rows("model_history", {"scope": scope, "limit": limit})
    if as_json:
        print_json(*rows)
        return
    shown = _table("when (UTC)", "scope", "version", "did", "then", "who", "why")
    for row in rows:
        when = f"{row['changed_at']:%Y-%m-%d %H:%M:%S}"
        then = _serves(row) or row["status"]
        shown.add_row(when, row["scope"], row["model_version"], row["action"], then, row["actor"], row["reason"] or "")
    Console().print(shown if rows else "nothing was changed yet")


@app.command()
def leaderboard(
    min_samples: Annotated[int, typer.Option(min=1, help="Models with fewer messages are left out.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Rank the models by what their messages achieved; the best close rate first."""
    rows = _rows("leaderboard", {"min_samples": min_samples})
    if as_json:
        print_json(*rows)
        return
    shown = _table("place", "scope", "version", "messages", "bought", "replied (place)", "revenue (place)", "against baseline")
    for row in rows:
        replied = f"{_rate(row, 'reply_rate')} ({row['reply_rate_rank']})"
        revenue = f"{row['total_revenue']:,.0f} ({row['revenue_rank']})"
        against = "" if row["close_rate_vs_baseline"] is None else f"{row['close_rate_vs_baseline']:+.0f} %"
        place, messages = str(row["close_rate_rank"]), f"{row['total_messages_sent']:,}"
        shown.add_row(place, row["scope"], row["model_version"], messages, _rate(row, "close_rate"), replied, revenue, against)
    Console().print(shown if rows else f"no model wrote {min_samples:,} messages yet; ask for fewer: --min-samples")


def _rows(name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with service() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), values).fetchall()


def _table(*columns: LiteralString) -> Table:
    shown = Table(box=None)
    for name in columns:
        shown.add_column(name, overflow="fold", no_wrap=name not in ("model", "why"))
    return shown


def _moment(text: str) -> datetime:
    """The end of a day, or a time; without an offset in UTC. Not later than now."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date such as 2026-03-03, nor a time such as 2026-03-03T14:30", param_hint="--at"
        ) from error
    aware = given if given.tzinfo else given.replace(tzinfo=UTC)
    day = len(text) <= len("2026-03-03")
    return min(aware + timedelta(days=1) - timedelta(microseconds=1) if day else aware, datetime.now(UTC)).astimezone(UTC)


def _status(row: Mapping[str, Any]) -> str:
    return "deprecated" if row["deprecated_at"] else str(row["status"])


def _serves(row: Mapping[str, Any]) -> str:
    served = f"{row['ab_test_group']} {row['traffic_percentage']:g} %" if row["ab_test_group"] else ""
    return ", ".join(filter(None, (served, "baseline" if row["is_baseline"] else "")))


def _rate(row: Mapping[str, Any], name: str) -> str:
    return "" if row[name] is None else f"{row[name]:.1%}"
