"""The command `flywheel`. It reads arguments and prints; what it does lives in the rooms. Dagster runs as a child process."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flywheel_dagster.api.keys import ALL_ORGANIZATIONS, Role, hash_of, new_key
from flywheel_dagster.commands import (
    connections,
    erase,
    events,
    experiments,
    keys,
    leads,
    lineage,
    models,
    organizations,
    replies,
    strategies,
)
from flywheel_dagster.commands.connecting import migrated, progress, require_organization
from flywheel_dagster.database import addresses, connect
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.settings import load_settings

app = typer.Typer(
    rich_markup_mode=None,  # which would take "[beside the file]" for markup, and leave it out
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turns the outcomes of sales messages into better models.",
)
app.add_typer(organizations.app, name="org")
app.add_typer(connections.app, name="connection")
app.add_typer(keys.app, name="key")
app.add_typer(events.app, name="events")
app.add_typer(replies.app, name="replies")
app.add_typer(lineage.app, name="lineage")
app.add_typer(models.app, name="model")
app.add_typer(experiments.app, name="experiment")
app.add_typer(strategies.app, name="strategies")
app.add_typer(leads.app, name="leads")
app.command("erase")(erase.erase)

_errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def main() -> None:
    """Exit codes: 0 done, 1 failed (one line on stderr says why and what to do), 2 wrong usage."""
    try:
        app()
    except FlywheelError as error:
        _errors.print(f"flywheel: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def up() -> None:
    """Start the database (with its schema) and the local model server, where the settings use them."""
    settings = load_settings()
    migrated(settings)
    print("database: " + ("embedded, running" if settings.uses_embedded_database else "DATABASE_URL"))
    if settings.uses_local_model_server:
        from flywheel_dagster.sandbox.services import model_server_url

        print(f"model server: {model_server_url(settings.home)} (local, for development)")


@app.command()
def down() -> None:
    """Stop the embedded database and the local model server of this FLYWHEEL_HOME."""
    from flywheel_dagster.sandbox import postgres
    from flywheel_dagster.sandbox.services import stop_model_server

    home = load_settings().home
    print("model server: " + ("stopped" if stop_model_server(home) else "was not running"))
    print("database: " + ("stopped" if postgres.stop(home) else "was not running"))


@app.command()
def demo() -> None:
    """Run the whole loop on this machine: outcomes, training set, fine-tuning, registered model. No account is needed."""
    from flywheel_dagster.demo import run_demo

    run_demo(load_settings(), lambda line: print(line, flush=True))


@app.command()
def dev(port: Annotated[int | None, typer.Option(help="Port of the Dagster UI [FLYWHEEL_DAGSTER_PORT, 3000].")] = None) -> None:
    """Start database, model server, ingester, API and the Dagster UI; Ctrl-C ends these three, `flywheel down` the rest."""
    from flywheel_dagster.processes import api, dagster_dev, dagster_environment, ingester, require_free_port, run_together

    settings = load_settings()
    chosen = port or settings.dagster_port
    require_free_port(chosen, "--port or FLYWHEEL_DAGSTER_PORT")
    require_free_port(settings.ingester_port, "FLYWHEEL_INGESTER_PORT")
    require_free_port(settings.api_port, "FLYWHEEL_API_PORT")
    up()
    environment = dagster_environment(settings)
    if "insecure_webhooks" not in settings.model_fields_set:
        environment["FLYWHEEL_INSECURE_WEBHOOKS"] = "1"  # it listens on this machine only
    print(f"ingester: http://127.0.0.1:{settings.ingester_port} (takes unsigned webhooks from providers without credentials)")
    key = new_key()
    environment["FLYWHEEL_API_KEYS"] = ",".join(
        filter(None, (settings.api_keys, f"{ALL_ORGANIZATIONS}:{Role.ADMIN}:{hash_of(key)}"))
    )
    environment["FLYWHEEL_DAGSTER_URL"] = settings.dagster_url or f"http://127.0.0.1:{chosen}"
    print(f"API: http://127.0.0.1:{settings.api_port} (development key, until this ends: {key})")
    print(f"The flywheel at a glance: http://127.0.0.1:{settings.api_port}/ (sign in with that key)")
    print(f"Dagster UI: http://127.0.0.1:{chosen}", flush=True)
    sys.exit(run_together([dagster_dev(chosen), ingester(settings.ingester_port), api(settings.api_port)], environment))


@app.command()
def materialize(
    weeks_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Score weeks from the one with this day.")
    ] = None,
    weeks_to: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="To the one with this day [--from].")
    ] = None,
    replies_left: Annotated[bool, typer.Option("--replies", help="Judge what replies are left, in all weeks.")] = False,
    stale_weeks: Annotated[
        bool, typer.Option("--stale-weeks", help="Judge what replies are left, then score all weeks whose outcomes changed.")
    ] = False,
    run_each_week: Annotated[
        bool, typer.Option("--run-each-week", help="A run for each week instead of one for the range.")
    ] = False,
    scope: Annotated[str | None, typer.Option(help="Then train this scope: global, or an organization's id.")] = None,
) -> None:
    """Materialize assets from here instead of the UI: replies, weeks of training rows, and the training of a scope."""
    from flywheel_dagster.processes import dagster_environment, run_module

    arguments = [
        name
        for name, given in (("--replies", replies_left), ("--stale-weeks", stale_weeks), ("--run-each-week", run_each_week))
        if given
    ]
    for name, day in (("--from", weeks_from), ("--to", weeks_to)):
        arguments += [name, day.date().isoformat()] if day else []
    arguments += ["--scope", scope] if scope else []
    if not (weeks_from or replies_left or stale_weeks or scope):
        raise typer.BadParameter("name what to do: --replies, --from (and --to), --stale-weeks, or --scope")
    settings = load_settings()
    migrated(settings)
    if (code := run_module("flywheel_dagster.run", arguments, dagster_environment(settings))) != 0:
        raise typer.Exit(code)
    if scope:
        from flywheel_dagster.report import report

        with connect(addresses(settings).service) as connection:
            print("\n" + report(connection, settings, scope))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date. Safe to run twice and by two processes at once."""
    from flywheel_dagster.migrations import migrate

    applied = migrate(addresses(load_settings()), announce=print)
    print(f"{len(applied)} migrations applied" if applied else "the schema is up to date")


@app.command("database-url")
def database_url() -> None:
    """Print the address of the database in the service role, for psql and psycopg."""
    print(addresses(load_settings()).service)


@app.command()
def doctor() -> None:
    """Look at everything that a run needs, and say what to do about what is missing."""
    from flywheel_dagster.doctor import examine

    ill = 0
    for finding in examine(load_settings()):
        print(f"{'ok ' if finding.well else 'ILL'}  {finding.name}: {finding.said}", flush=True)
        ill += not finding.well
    if ill:
        raise typer.Exit(1)


@app.command()
def simulate(
    messages: Annotated[int, typer.Option(min=1, help="How many messages are sent.")] = 1_200,
    weeks: Annotated[int, typer.Option(min=1, help="Over how many weeks, up to now.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 11,
    name: Annotated[str, typer.Option(help="The simulation's name; running it again completes it.")] = "simulation",
    cold: Annotated[bool, typer.Option("--cold", help="A cold market's rates instead of a warm list's.")] = False,
) -> None:
    """Write a simulated history with known truth: organizations, leads, campaigns, messages and what became of them."""
    import msgspec

    from flywheel_dagster.sandbox.simulator.run import simulate
    from flywheel_dagster.sandbox.simulator.world import World, demo_world

    world = msgspec.structs.replace(World() if cold else demo_world(), messages=messages, weeks=weeks, seed=seed)
    settings = load_settings()
    migrated(settings)
    with progress("messages") as bar, connect(addresses(settings).service) as connection:
        task = bar.add_task("simulate", total=messages)
        done = simulate(connection, world, name=name, progress=lambda at, of: bar.update(task, completed=at, total=of))
    print(f"{done.messages} messages, {done.events} events ({done.repeated} repeated), as of {done.now:%Y-%m-%d %H:%M} UTC")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet with the columns of outcome_labels.")],
    organization: Annotated[str | None, typer.Option(help="For rows that name no organization.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where refused rows go [beside the file].")] = None,
) -> None:
    """Import past outcomes. Running it again doubles nothing; refused rows are written out with line number and reason."""
    from flywheel_dagster.outcomes.importing import import_outcomes

    settings = load_settings()
    migrated(settings)
    with progress("") as bar, connect(addresses(settings).service) as connection:
        task = bar.add_task(file.name, total=None)
        done = import_outcomes(
            connection,
            file,
            organization_id=organization,
            rejects=rejects,
            progress=lambda at, of: bar.update(task, completed=at, total=of),
        )
    print(f"{done.rows} rows: {done.recorded} imported, {done.repeated} known already, {done.rejected} refused")
    if done.rejects:
        _errors.print(
            f"flywheel: {done.rejected} rows were refused; see {done.rejects}, mend them and import that file's rows again"
        )
        raise typer.Exit(1)


@app.command()
def rebuild(organization: Annotated[str | None, typer.Option(help="Only this organization's outcomes.")] = None) -> None:
    """Recompute outcome_labels from the ledger of events. Rows without events stay as they are."""
    from flywheel_dagster.outcomes.ledger import rebuild

    rows = changed = 0
    settings = load_settings()
    migrated(settings)
    with progress("outcomes") as bar, connect(addresses(settings).service) as connection:
        if organization:
            require_organization(connection, organization)
        task = bar.add_task("rebuild", total=None)
        for read, differed in rebuild(connection, organization_id=organization):
            rows, changed = rows + read, changed + differed
            bar.update(task, completed=rows)
    print(f"{rows} outcomes recomputed, {changed} of them differed")


@app.command()
def relink(organization: Annotated[str | None, typer.Option(help="Only this organization's events.")] = None) -> None:
    """Decide anew which outcome each event belongs to that doesn't name one, and say what is left and why."""
    from flywheel_dagster.outcomes.linking import relink, unmatched_events

    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        if organization:
            require_organization(connection, organization)
        done = relink(connection, organization_id=organization)
        left = unmatched_events(connection, organization_id=organization)
    print(f"{done.linked} events found their outcome, {done.unmatched} are unmatched")
    if left:
        table = Table("why", "source", "events", "oldest", "what helps")
        for group in left:
            table.add_row(group.reason, group.source, str(group.events), f"{group.oldest:%Y-%m-%d}", group.remedy)
        Console().print(table)


@app.command()
def ingester(
    port: Annotated[int | None, typer.Option(help="Port to listen on [FLYWHEEL_INGESTER_PORT, 8081].")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = "127.0.0.1",
) -> None:
    """Run the front door: the HTTP service that takes webhooks and writes them to the ledger. Ctrl-C or SIGTERM ends it in peace."""
    from flywheel_dagster.ingester.server import serve

    settings = load_settings()
    migrated(settings)
    serve(addresses(settings).service, settings, host=host, port=settings.ingester_port if port is None else port)


@app.command()
def api(
    port: Annotated[int | None, typer.Option(help="Port to listen on [FLYWHEEL_API_PORT, 8082].")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = "127.0.0.1",
) -> None:
    """Run the side door: the HTTP API for agents, sales teams and operators (keys: flywheel key). Ctrl-C or SIGTERM ends it in peace."""
    from flywheel_dagster.api.server import serve

    settings = load_settings()
    migrated(settings)
    serve(addresses(settings).service, settings, host=host, port=settings.api_port if port is None else port)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def bench(context: typer.Context) -> None:
    """Measure each figure beside its floor, on a server of its own (in a checkout of the repository; see bench --help)."""
    import subprocess

    root = Path(__file__).parents[1]
    if not (root / "benchmarks").is_dir():
        raise FlywheelError(
            "the benchmarks are part of the repository, not of the installed package; run flywheel bench in a checkout"
        )
    command = [sys.executable, "-m", "benchmarks.run", *context.args]
    sys.exit(subprocess.run(command, cwd=root, check=False).returncode)  # noqa: S603  this very Python


if __name__ == "__main__":
    main()
