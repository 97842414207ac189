"""`flywheel leads`: tables of leads and lists of outcomes come in, and what is known of a lead is shown. Versions are in `lead_models.py`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands import lead_models
from flywheel_dagster.commands.acting import Actor, AsJson, actor_or_user, print_json
from flywheel_dagster.commands.connecting import progress, require_organization, service
from flywheel_dagster.commands.lead_models import Organization
from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import load_settings

if TYPE_CHECKING:
    from flywheel_dagster.leads.learning.leakage import Leak

app = typer.Typer(no_args_is_help=True, help="Leads: how likely each is to convert, what became of it, and who scores.")
app.command("models")(lead_models.models)
app.command("history")(lead_models.history)
app.command("train")(lead_models.train)
app.command("roll-back")(lead_models.roll_back)

Rejects = Annotated[Path | None, typer.Option(help="Where refused rows go [beside the file].")]
_errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV table with a header; comma, semicolon or tab.")],
    organization: Organization,
    label: Annotated[
        str | None, typer.Option(help="The column that says whether the lead converted [actual_outcome, if there].")
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", help="The column with the lead's id [lead_id, if there; else from the row].")
    ] = None,
    map: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="A column that is a standard field; again for more.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="The column with the time when all of it was so [now].")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A column to leave out; again for more.")] = None,
    late: Annotated[bool, typer.Option("--late", help="The columns were read when the outcome was known already.")] = False,
    rejects: Rejects = None,
    actor: Actor = None,
) -> None:
    """Import a table of leads: each row is scored, and its outcome told. All other columns become attributes. A second run brings nothing new."""
    from flywheel_dagster.leads.columns import columns_of
    from flywheel_dagster.leads.importing import import_leads

    settings, mapped = load_settings(), _mapped(map or [])
    with service() as connection, progress("bytes") as bar:
        connection.execute(statement("know_organization"), {"id": organization})
        connection.commit()
        task = bar.add_task(file.name, total=None)
        done = import_leads(
            connection,
            file,
            organization,
            lambda table: columns_of(table, id=id, label=label, time=time, mapped=mapped, without=without or ()),
            settings=settings,
            late=late,
            told_by=actor_or_user(actor),
            rejects=rejects,
            progress=lambda at, of: bar.update(task, completed=at, total=of),
        )
    print(
        f"{done.rows:,} rows: {done.scored:,} new, scored by {'the prior' if done.version == 'prior' else 'version ' + done.version}, {done.repeated:,} known "
        f"already, {done.rejected:,} refused; {done.told:,} outcomes are news"
    )
    _warn(done.leaks)
    _point_to(done.rejects, done.rejected)


@app.command()
def feedback(
    file: Annotated[Path, typer.Argument(help="A CSV file of closed leads: lead_id, outcome, and date where it is known.")],
    organization: Organization,
    id: Annotated[str | None, typer.Option("--id", help="The column with the lead's id [lead_id].")] = None,
    label: Annotated[str | None, typer.Option(help="The column that says whether the lead converted [outcome].")] = None,
    time: Annotated[
        str | None, typer.Option(help="The column with the time when it did or didn't [date, if there; else now].")
    ] = None,
    rejects: Rejects = None,
    actor: Actor = None,
) -> None:
    """Take the list of closed leads. Leads that were never scored are refused; a second run changes nothing."""
    from flywheel_dagster.leads.feedback import take_feedback

    with service() as connection, progress("bytes") as bar:
        require_organization(connection, organization)
        task = bar.add_task(file.name, total=None)
        done = take_feedback(
            connection,
            file,
            organization,
            id=id,
            label=label,
            time=time,
            told_by=actor_or_user(actor),
            rejects=rejects,
            progress=lambda at, of: bar.update(task, completed=at, total=of),
        )
    print(f"{done.rows:,} rows: {done.heard:,} outcomes are news, {done.repeated:,} were known already, {done.rejected:,} refused")
    _point_to(done.rejects, done.rejected)


@app.command()
def show(
    organization: Organization,
    lead: Annotated[str | None, typer.Option(help="This lead, with what was scored and said [how many there are].")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a lead with its history, or how many leads were scored and told of."""
    from psycopg.rows import dict_row

    values = {"organization_id": organization, "lead_id": lead, "most": 20}
    with service() as connection, connection.cursor(row_factory=dict_row) as cursor:
        require_organization(connection, organization)
        names = ("lead_totals",) if lead is None else ("page_lead", "page_lead_scorings", "page_lead_words")
        found = [cursor.execute(statement(name), values).fetchall() for name in names]
    if not found[0]:
        raise InputError(f"{organization} has no lead {lead!r} that was ever scored; ids are case-sensitive")
    if as_json:
        print_json(found[0][0] if lead is None else {**found[0][0], "scorings": found[1], "feedback": found[2]})
        return
    if lead is None:
        print(
            "{scored:,} leads were scored, the outcome of {told:,} is known, of {told_since:,} since the newest training".format(
                **found[0][0]
            )
        )
        return
    state = found[0][0]
    said = {True: "converted", False: "lost", None: "not known"}
    print(
        f"lead {lead}: {state['conversion_score']:.3f}, {state['risk_category']}, by {state['model_version']}; outcome: {said[state['actual_outcome']]}"
    )
    scorings = Table("scored", "score", "category", "by", "from", "why", box=SIMPLE)
    for row in found[1]:
        why = "; ".join(reason["said"] for reason in row["reasons"])
        scorings.add_row(
            f"{row['scored_at']:%Y-%m-%d %H:%M}",
            f"{row['conversion_score']:.3f}",
            row["risk_category"],
            row["model_version"],
            row["source"],
            why,
        )
    Console().print(scorings)
    for row in found[2]:
        word = "taken back" if row["outcome"] is None else said[row["outcome"]]
        print(f"{row['told_at']:%Y-%m-%d %H:%M} {word}, by {row['source']}" + (f" ({row['told_by']})" if row["told_by"] else ""))


def _mapped(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        field, equals, column = each.partition("=")
        if not equals or not field or not column:
            raise typer.BadParameter(f"--map takes FIELD=COLUMN, such as --map age=Age, not {each!r}")
        if field in found:
            raise typer.BadParameter(f"--map names {field} twice")
        found[field] = column
    return found


def _warn(leaks: "Sequence[Leak]") -> None:
    if leaks:
        _errors.print(
            "flywheel: these fields may have been filled in after the outcome; whoever learns from them scores new leads wrongly:"
        )
        for leak in leaks:
            _errors.print(f"  {leak.field}: {leak.why}")
        _errors.print("leave them out: " + " ".join(f"--without {_quoted(leak.field)}" for leak in leaks))


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


def _point_to(rejects: Path | None, refused: int) -> None:
    if rejects:
        _errors.print(f"flywheel: {refused:,} rows were refused; see {rejects}, mend them and bring that file's rows again")
        raise typer.Exit(1)
