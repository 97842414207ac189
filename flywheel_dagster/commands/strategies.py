"""`flywheel strategies`: which strategies work, by any decision, and the counting and learning behind it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table

from flywheel_dagster.commands.acting import AsJson, print_json
from flywheel_dagster.commands.connecting import migrated, progress, require_organization, service
from flywheel_dagster.database import addresses
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import load_settings

if TYPE_CHECKING:
    from flywheel_dagster.strategies.integration import AgentOutcomeIntegration

app = typer.Typer(no_args_is_help=True, help="Strategies: what agents decided, what became of it, and what is worth believing.")

Organization = Annotated[str, typer.Option(help="Whose messages.")]
By = Annotated[str | None, typer.Option(help="One to three decision keys, such as hooks_used,cta. [default: framework,tone]")]


@app.command()
def show(
    organization: Organization,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign, with an estimate from its own messages.")] = None,
    agent: Annotated[str | None, typer.Option(help="By what this agent decides; with --campaign.")] = None,
    by: By = None,
    metric: Annotated[str, typer.Option(help="reply_rate, meeting_rate, close_rate or performance.")] = "performance",
    min_samples: Annotated[int, typer.Option(min=1, help="Fewest messages of a strategy that is listed.")] = 10,
    limit: Annotated[int, typer.Option(min=1, help="Most strategies.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show an organization's strategies, the best first by what is worth believing; the raw rate stands beside it."""
    if agent and not campaign:
        raise InputError("--agent goes with --campaign: agents' performance is told campaign by campaign")
    with service() as connection:
        require_organization(connection, organization)

    async def ask(integration: "AgentOutcomeIntegration") -> list[dict[str, Any]]:
        if campaign is None:
            return await integration.get_winning_strategies(
                organization, metric, min_samples, by=by or "framework,tone", limit=limit
            )
        found = await integration.get_agent_performance(campaign, agent, organization_id=organization, by=by, metric=metric)
        rows = [
            {**row, "as_of": found["as_of"]} for row in found["strategy_performance"].values() if row["total_sent"] >= min_samples
        ]
        return rows[:limit]

    rows = asyncio.run(_asked(ask))
    if as_json:
        print_json(*rows)
    elif rows:
        _print(rows, metric)
    else:
        print(
            f"no strategy of {organization} has {min_samples} messages yet; see what was decided with --by KEY, or ask for less with --min-samples"
        )


@app.command()
def refresh(
    organization: Annotated[str | None, typer.Option(help="Only this organization. [default: all]")] = None,
) -> None:
    """Count anew what changed, and learn from it; the hourly schedule of the Dagster UI does the same."""
    from flywheel_dagster.strategies.counts import Ages
    from flywheel_dagster.strategies.learning import refresh

    settings = load_settings()
    with service() as connection, progress("organizations") as bar:
        if organization:
            require_organization(connection, organization)
        task = bar.add_task("learning", total=None)
        done = []
        for each in refresh(connection, organization, ages=Ages.of(settings)):
            done.append(each)
            bar.advance(task)
    for each in done:
        print(f"{each.organization_id}: {each.weeks} weeks counted again, {each.dimensions} dimensions learnt")
    if not done:
        print("no organization has sent anything yet")


async def _asked(ask: Any) -> Any:
    from flywheel_dagster.strategies.integration import AgentOutcomeIntegration

    settings = load_settings()
    migrated(settings)
    async with AgentOutcomeIntegration(addresses(settings).service) as integration:
        return await ask(integration)


def _believed(row: Mapping[str, Any]) -> tuple[str, str, str]:
    if row["estimate"] is None:
        return "–", "–", "–"
    return f"{row['estimate']:.1%}", f"{100 * row['low']:.1f}–{100 * row['high']:.1f}", f"{row['probability_best']:.0%}"


def _print(rows: Sequence[Mapping[str, Any]], metric: str) -> None:
    names = ("sent", "replies", "meetings", "deals", "raw", "belief", "95 %", "best")
    table = Table(
        Column("strategy", no_wrap=True), *(Column(name, justify="right", no_wrap=True) for name in names), box=SIMPLE, padding=0
    )
    for row in rows:
        table.add_row(
            row["strategy"],
            f"{row['total_sent']:,}",
            f"{row['replied']:,}",
            f"{row['meetings']:,}",
            f"{row['deals']:,}",
            f"{row['raw']:.1%}",
            *_believed(row),
        )
    Console().print(table)
    wanting: dict[str, list[str]] = {}
    for row in rows:
        if not row["enough_data"]:
            wanting.setdefault(row["reason"], []).append(row["strategy"])
    for reason, strategies in wanting.items():
        print(f"not enough data for {', '.join(strategies)}: {reason}")
    for row in rows:
        for warning in row.get("warnings", []):
            print(f"{row['strategy']}: {warning}")
    if rows[0].get("as_of"):
        print(f"{metric} as of {rows[0]['as_of']:%Y-%m-%d %H:%M} UTC; flywheel strategies refresh counts anew")
