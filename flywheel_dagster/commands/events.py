"""`flywheel events`: for support, what the ledger holds and reading it again. Shows no personal data."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from flywheel_dagster.commands.connecting import progress, require_organization, service
from flywheel_dagster.database import statement

app = typer.Typer(no_args_is_help=True, help="The ledger of events: look at it, read stored payloads again.")
_FORMAT = "{:>10}  {:19}  {:16}  {:17}  {:16}  {:36}  {}"


@app.command("tail")
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the newest.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as events arrive; Ctrl-C ends it.")] = False,
    organization: Annotated[str | None, typer.Option(help="Only this organization's.")] = None,
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Only those that found no outcome.")] = False,
) -> None:
    """Show the newest events: when, from whom, what, and which outcome they were linked to, or why none."""
    with service() as connection:
        if organization:
            require_organization(connection, organization)
        print(_FORMAT.format("id", "received (UTC)", "source", "event", "organization", "outcome", "link"))
        seen = 0
        while True:
            rows = connection.execute(
                statement("newest_events"), {"after": seen, "organization_id": organization, "unmatched": unmatched, "limit": lines}
            ).fetchall()
            connection.commit()
            for number, received, source, kind, owner, outcome, link in reversed(rows):
                at = received.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
                print(_FORMAT.format(number, at, source, kind, owner or "-", outcome or "-", link), flush=True)
            if not follow:
                return
            seen, lines = max([seen, *(row[0] for row in rows)]), 1_000
            time.sleep(1)


@app.command("replay")
def replay(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Received at or after (UTC).")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Received before (UTC) [now].")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only from this source, such as hubspot.")] = None,
    organization: Annotated[str | None, typer.Option(help="Only this organization's.")] = None,
) -> None:
    """Read stored payloads again, with today's adapters and settings. What is known stays as it is; what is read newly is added."""
    from flywheel_dagster.ingester.replay import replay
    from flywheel_dagster.settings import load_settings

    end = (until or datetime.now(UTC)).replace(tzinfo=UTC)
    payloads = new = 0
    with service() as connection, progress("payloads") as bar:
        if organization:
            require_organization(connection, organization)
        task = bar.add_task("replay", total=None)
        for read, recorded in replay(
            connection, load_settings(), since=since.replace(tzinfo=UTC), until=end, source=source, organization_id=organization
        ):
            payloads, new = payloads + read, new + recorded
            bar.update(task, completed=payloads)
    print(f"{payloads} payloads read again, {new} events were new")
