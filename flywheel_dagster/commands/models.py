"""`flywheel model`: asks a registered model for a message, shows trainings, and ends one, or what a model runs on. Who serves is decided in
`deployments.py`, and shown in `model_tables.py`."""

import asyncio
import sys
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated

import orjson
import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands import deployments, model_tables
from flywheel_dagster.commands.connecting import migrated
from flywheel_dagster.database import addresses, connect, statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import load_settings
from flywheel_dagster.training.choice import undeploy
from flywheel_dagster.training.jobs import end_job
from flywheel_dagster.training.trial import Trial, try_model

app = typer.Typer(no_args_is_help=True, help="The models that were trained, and who of them serves.")
app.add_typer(model_tables.app)
app.add_typer(deployments.app)


@app.callback()
def models() -> None:
    """The models that were trained, and who of them serves."""


@app.command("test")
def ask(
    scope: Annotated[str, typer.Option(help="Whose model: global, or an organization's id.")] = "global",
    version: Annotated[str | None, typer.Option(help="Which version, such as v2.1.0 [the newest that is ready].")] = None,
    industry: Annotated[str | None, typer.Option(help="The lead's industry.")] = None,
    role: Annotated[str | None, typer.Option(help="The lead's role.")] = None,
    company_size: Annotated[str | None, typer.Option(help="The size of the lead's company.")] = None,
    channel: Annotated[str | None, typer.Option(help="email, linkedin, …")] = "email",
    framework: Annotated[str | None, typer.Option(help="PAS, AIDA, …")] = None,
    tone: Annotated[str | None, typer.Option(help="professional, casual, …")] = None,
    prompt: Annotated[str | None, typer.Option(help="A request in your own words, instead of all these.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer, where the provider keeps to it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The message and what it took, as one JSON object.")] = False,
) -> None:
    """Let a model write one message, asked with the words that it was trained on."""
    context = {
        "lead_industry": industry,
        "lead_role": role,
        "company_size": company_size,
        "channel": channel,
        "framework": framework,
        "tone": tone,
    }
    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        trial = asyncio.run(try_model(settings, connection, scope, context, version=version, prompt=prompt, seed=seed))
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(asdict(trial), option=orjson.OPT_APPEND_NEWLINE))
    else:
        _show(trial)


@app.command()
def jobs(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """Show the trainings that were bought, and what they cost."""
    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("list_fine_tuning_jobs"), {"limit": limit}).fetchall()
    if as_json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))
        return
    shown = Table(box=None)
    for name in ("created", "trainer", "status", "USD (estimated)", "job and model"):
        shown.add_column(name, overflow="fold", no_wrap=name != "status" and name != "job and model")
    for row in rows:
        told = row["status"] if row["error"] is None else f"{row['status']}: {row['error']}"
        named = "\n".join(filter(None, (row["provider_job_id"], row["model_id"])))
        usd = f"{_usd(row['cost_usd'])} ({_usd(row['estimated_usd'])})"
        shown.add_row(f"{row['created_at']:%Y-%m-%d %H:%M}", row["trainer"], told, usd, named)
    Console().print(shown if rows else "nothing was trained yet")


@app.command()
def cancel(job: Annotated[str, typer.Argument(help="The provider's id of the job, as flywheel model jobs shows it.")]) -> None:
    """Ask the provider to end a training, and note its end. What was trained until then may be billed."""
    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        asked = end_job(connection, settings, job)
    print(f"{asked}; materialize fine_tuned_model with resubmit: true to train anew")


@app.command("undeploy")
def end_deployment(
    version: Annotated[str, typer.Argument(help="Which version, such as v2.1.0.")],
    scope: Annotated[str, typer.Option(help="Whose model: global, or an organization's id.")] = "global",
    force: Annotated[bool, typer.Option(help="Also while it is deployed to users, who then get no answer.")] = False,
) -> None:
    """End the deployment (azure) or the endpoints (together) of a model, which cost by the hour. The trained model stays at the provider."""
    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        row = connection.execute(statement("model_to_undeploy"), {"scope": scope, "version": version}).fetchone()
    if row is None:
        raise InputError(f"scope {scope!r} has no version {version}; see flywheel model list")
    trainer, model_id, deployed = row
    if deployed and not force:
        raise InputError(f"{model_id} is deployed as {deployed}, whose users would get no answer; replace it first, or say --force")
    ended = undeploy(settings, trainer, model_id)
    print(f"ended {', '.join(ended)} at {trainer}" if ended else f"nothing runs {model_id} at {trainer}")


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f}"


def _show(trial: Trial) -> None:
    answer = trial.answer
    print(answer.text if answer.refusal is None else f"(refused: {answer.refusal})")
    print(
        f"\n{trial.model_version} of {trial.scope}, {trial.model_id}: {answer.completion_tokens} tokens in {answer.seconds:.1f} s, "
        f"ended by {answer.finish_reason}",
        file=sys.stderr,
    )
