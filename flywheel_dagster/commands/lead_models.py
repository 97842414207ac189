"""The versions of an organization's lead scoring on the command line: which there are, what was decided, learning anew and going back."""

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.acting import Actor, AsJson, Reason, actor_or_user, print_json
from flywheel_dagster.commands.connecting import require_organization, service
from flywheel_dagster.settings import load_settings

Organization = Annotated[str, typer.Option(help="Whose leads.")]


def models(organization: Organization, as_json: AsJson = False) -> None:
    """List the versions, the newest first."""
    from flywheel_dagster.leads.versions import list_versions

    with service() as connection:
        require_organization(connection, organization)
        versions = list_versions(connection, organization)
    if as_json:
        print_json(*versions)
        return
    if not versions:
        print(
            f"{organization} has no version yet, so the prior scores; flywheel leads train learns one when enough outcomes are known"
        )
        return
    table = Table("version", "made", "estimator", "leads", "AUC out of fold", "scores", box=SIMPLE)
    for each in versions:
        auc = each.metrics.get("out_of_fold", {}).get("auc")
        state = "now" if each.deployed else "before" if each.was_deployed else ""
        table.add_row(
            each.version,
            f"{each.made_at:%Y-%m-%d %H:%M}",
            each.estimator,
            f"{each.rows:,}",
            f"{auc:.3f}" if isinstance(auc, float) else "–",
            state,
        )
    Console().print(table)


def history(
    organization: Organization,
    limit: Annotated[int, typer.Option(min=1, help="Most decisions.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was decided about versions, the newest first, with the reasons."""
    from flywheel_dagster.leads.decisions import history

    with service() as connection:
        require_organization(connection, organization)
        decided = history(connection, organization, limit=limit)
    if as_json:
        print_json(*decided)
        return
    if not decided:
        print(f"nothing was decided for {organization} yet")
    for each in decided:
        print(
            f"{each.decided_at:%Y-%m-%d %H:%M} {each.action.value.replace('_', ' ')} {each.version or 'prior'}"
            f" (before: {each.deployed or 'prior'}), by {each.decided_by}: {each.reason}"
        )


def train(
    organization: Organization,
    without: Annotated[list[str] | None, typer.Option(help="A field not to learn from; again for more.")] = None,
    actor: Actor = None,
) -> None:
    """Learn a version from all told leads now, and let it score if it is better. Scoring goes on meanwhile."""
    from flywheel_dagster.leads.deciding import decide
    from flywheel_dagster.leads.learning.learn import Options
    from flywheel_dagster.leads.policies import Policy, Rule
    from flywheel_dagster.leads.training import train

    settings, who = load_settings(), actor_or_user(actor)
    with service() as connection:
        require_organization(connection, organization)
        trained = train(connection, organization, decided_by=who, options=Options(exclude=tuple(without or ())))
        print(trained.reason)
        if trained.version is None:
            raise typer.Exit(1)
        decided = decide(connection, organization, policy=Policy(Rule(settings.lead_policy)), decided_by=who)
    print(f"{decided.decision.action.value.replace('_', ' ')}: {decided.decision.reason}")
    print(f"{decided.serving} scores the leads of {organization}")


def roll_back(
    organization: Organization,
    version: Annotated[str | None, typer.Option(help="To this one, or 'prior' [the one before].")] = None,
    actor: Actor = None,
    reason: Reason = None,
) -> None:
    """Let a version score again that did before, or the prior."""
    from flywheel_dagster.leads.decisions import roll_back

    with service() as connection:
        require_organization(connection, organization)
        serving = roll_back(connection, organization, version, decided_by=actor_or_user(actor), reason=reason)
    print(f"{serving} scores the leads of {organization} from now on")
