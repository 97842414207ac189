"""`flywheel erase`: removes a lead's personal data everywhere, and says what was made of it. Prints no personal data but the id it was given."""

import sys
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from psycopg.rows import TupleRow
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import migrated, require_organization
from flywheel_dagster.database import addresses, connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import Settings, load_settings

if TYPE_CHECKING:
    from flywheel_dagster.datasets.erasure import ErasedFiles, Erasure

_SENDS_NOTHING = ("exemplars",)  # the trainers whose "files" are the dataset's own


def erase(
    organization: Annotated[str, typer.Option(help="Whose lead it is.")],
    lead: Annotated[str, typer.Option(help="The lead's id, as outcomes carry it in lead_id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
) -> None:
    """Erase a lead: their personal data goes from every table, the ledger's raw payloads and the files of datasets.

    What statistics need stays under a pseudonym. Nothing about the lead is stored any more: later events are dropped, new messages refused.
    Running it again finishes what was interrupted, and shows the same lists again.
    """
    from flywheel_dagster.datasets.erasure import erase, look

    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        require_organization(connection, organization)
        planned = look(connection, organization, lead)
        connection.commit()
        if dry_run or not yes:
            _show(planned, organization, lead, done=False)
        if dry_run:
            _show_uses(connection, planned, None)
            return
        if not yes:
            _confirm()
        done, files = erase(connection, organization, lead, settings.training_data_dir)
        _show(done, organization, lead, done=True)
        _show_uses(connection, done, files)
        connection.commit()
        _forget_decisions(connection, organization)
        _rewrite_exports(connection, done, settings)


def _forget_decisions(connection: psycopg.Connection[TupleRow], organization: str) -> None:
    """What was decided about the lead's messages is counted no more."""
    from flywheel_dagster.strategies.learning import recount

    recount(connection, organization)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise InputError("nothing was erased: nobody is there to confirm it; run it with --yes, or with --dry-run to look first")
    typer.confirm("Erase this? It can't be undone", abort=True)


def _show(found: "Erasure", organization: str, lead: str, *, done: bool) -> None:
    print(f"lead {lead} of {organization}: " + ("erased" if done else "this would go"))
    table = Table("what", "how many", "what stays")
    table.add_row("outcomes", f"{found.outcomes:,}", "times, labels, scores, values; no texts, a pseudonym for the lead")
    table.add_row("events of the ledger", f"{found.events:,}", "type, time, scores, values; no payload, names or texts")
    table.add_row("events of other leads that name this one", f"{found.others:,}", "the same, and what they are about")
    table.add_row("training rows", f"{found.training_rows:,}", "nothing")
    table.add_row("scorings as a lead, and what was said of it", f"{found.scorings:,}", "nothing")
    table.add_row("datasets' files", f"{len(found.datasets):,}", "hash, counts and members without identity")
    Console().print(table)
    if found.merged:
        print(f"{found.merged} more lead ids are the same person by a merger in the CRM, and are included")
    if found.shared_email:
        print(
            "another lead has the same e-mail address: events that name only the address stay; erase that lead, too, if it is the same person"
        )


def _show_uses(connection: psycopg.Connection[TupleRow], found: "Erasure", files: "ErasedFiles | None") -> None:
    """Datasets, models and what a provider has; then what is left for people to do."""
    from flywheel_dagster.models.made_from import models_made_from, trainings_bought_for

    hashes = [used.hash for used in found.datasets]
    models = models_made_from(connection, hashes)
    trainings = [bought for bought in trainings_bought_for(connection, hashes) if bought.trainer not in _SENDS_NOTHING]
    if not hashes:
        print("no dataset had used the lead's messages, so no model was trained on them")
    else:
        table = Table(
            "dataset", "kind", "scopes", "made", "messages", "files", title="datasets that had used them", title_justify="left"
        )
        for used in found.datasets:
            state = "there" if files is None else "not found here" if used.hash in files.missing else "erased"
            table.add_row(
                used.hash[:16], used.kind, ", ".join(used.scopes), f"{used.created_at:%Y-%m-%d}", f"{used.messages:,}", state
            )
        Console().print(table)
    if found.lead_models:
        print(f"versions of lead scoring that had learnt from it: {', '.join(found.lead_models)}")
    if models:
        table = Table(
            "model", "scope", "status", "trainer", "model id", "dataset", title="models made of them", title_justify="left"
        )
        for made in models:
            table.add_row(made.model_version, made.scope, made.status, made.trainer, made.model_id, made.dataset_hash[:16])
        Console().print(table)
    elif hashes:
        print("no registered model was made of them")
    if trainings:
        table = Table("trainer", "job", "status", "files", "model", title="what providers have of them", title_justify="left")
        for bought in trainings:
            uploaded = ", ".join(name for name in (bought.training_file_id, bought.validation_file_id) if name)
            table.add_row(bought.trainer, bought.provider_job_id or "", bought.status, uploaded, bought.model_id or "")
        Console().print(table)
    if files is not None:
        _show_remains(files, provider=bool(trainings), models=bool(models), lead_models=found.lead_models)


def _show_remains(files: "ErasedFiles", *, provider: bool, models: bool, lead_models: list[str]) -> None:
    if files.strays:
        print(f"{files.strays} folders of datasets that were never published went, too")
    if files.models:
        print(f"these models held the text itself, and are gone: {', '.join(files.models)}")
    print("left for you to do:")
    if files.missing:
        print(
            "- find the datasets whose files were not found here (another machine, another TRAINING_DATA_DIR), and delete their folders"
        )
    if provider:
        print("- delete the files above at the provider")
    if models:
        print("- decide about the models above: delete them at the provider, and train anew: flywheel materialize --scope SCOPE")
    if lead_models:
        print(
            f"- decide about the versions of lead scoring that had learnt from it, {', '.join(lead_models)}: they hold weights, and words that at "
            "least several leads share; flywheel leads train learns anew without it"
        )
    print("- let backups of the database and of TRAINING_DATA_DIR expire, or erase again after restoring one")
    print(
        "- remember what was exported before (files of replies for review, rejected rows of imports), and the systems that events come from"
    )


def _rewrite_exports(connection: psycopg.Connection[TupleRow], done: "Erasure", settings: Settings) -> None:
    from flywheel_dagster.datasets.warehouse.export import rewrite_weeks_of

    if rewritten := rewrite_weeks_of(connection, done.weeks, settings):
        print(f"{len(rewritten)} exported weeks were written anew: " + ", ".join(sorted(str(week.week) for week in rewritten)))
