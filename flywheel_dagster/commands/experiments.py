"""`flywheel experiment`: how a scope's experiment stands, what it could find, what is decided, and what was decided before."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.acting import Actor, AnyScope, AsJson, Scope, actor_or_user, print_json
from flywheel_dagster.commands.connecting import service
from flywheel_dagster.commands.plans import print_plan
from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import load_settings

if TYPE_CHECKING:
    from flywheel_dagster.models.verdicts.deciding import Decision
    from flywheel_dagster.models.verdicts.re_examining import LookedAgain
    from flywheel_dagster.models.verdicts.standing import Standing

app = typer.Typer(no_args_is_help=True, help="Experiments: a control and its variants, and what becomes of them.")
_EVENTS = ("replied", "meeting", "deal", "bounced", "spam_reported", "unsubscribed", "negative_reply")


@app.command()
def show(scope: Scope = "global", as_json: AsJson = False) -> None:
    """Show a scope's running experiment: arms, units, the last decision, and what would be decided now."""
    from flywheel_dagster.models.verdicts.rules import rules_of
    from flywheel_dagster.models.verdicts.standing import standing_of

    settings, now = load_settings(), datetime.now(UTC)
    rules = rules_of(settings)
    with service() as connection:
        standing = standing_of(connection, scope, rules, now=now)
    if standing is None:
        raise _no_experiment(scope)
    if as_json:
        print_json(_plain_standing(standing))
        return
    policy = (standing.experiment.rules or rules).policy
    print(
        f"experiment of {scope} since {standing.experiment.started_at:%Y-%m-%d %H:%M} UTC ({standing.experiment.days(now):.0f} days), judged by "
        f"{policy.rule} when leads are {rules.age / timedelta(days=1):g} days old"
    )
    _show_arms(standing)
    for decision in standing.called_for:
        last = next((row for row in standing.decided if row["arm"] == decision.arm), None)
        _show_variant(decision, last)
    if not settings.experiment_acts:
        print("the daily verdict does nothing by itself (FLYWHEEL_EXPERIMENT_ACTS=false); flywheel experiment decide does")


@app.command()
def decide(
    scope: Scope = "global",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be decided and done, and write nothing.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Judge a scope's experiment now, keep the decision, and do what it says; then look again at promotions on young outcomes."""
    from flywheel_dagster.models.verdicts import deciding, re_examining
    from flywheel_dagster.models.verdicts.rules import rules_of

    rules, now, who = rules_of(load_settings()), datetime.now(UTC), actor_or_user(actor)
    with service() as connection, connection.transaction(force_rollback=dry_run):
        decisions = deciding.decide(connection, scope, rules, now=now, actor=who)
        again = re_examining.look_again(connection, scope, now=now, actor=who)
    if not decisions and not again:
        raise _no_experiment(scope)
    if as_json:
        print_json(*map(_plain_decision, decisions), *map(_plain_look, again))
        return
    for decision in decisions:
        print(
            f"decision {decision.id}, {_named(decision)}: {_said(decision.judgement.verdict, decision.action)} ({decision.judgement.reason})"
        )
    for look in again:
        print(
            f"promotion {look.promotion}, looked at {look.age.days} days on: {look.found.finding} ({look.found.reason}) → {look.action.replace('_', ' ')}"
        )
    if dry_run:
        print("nothing was written or done (--dry-run)")


@app.command()
def plan(
    scope: Scope = "global",
    traffic: Annotated[
        float | None, typer.Option(help="Each variant's first share in per cent [FLYWHEEL_DEPLOY_PERCENT, 10].")
    ] = None,
    variants: Annotated[int, typer.Option(min=1, max=2, help="How many are compared with the control.")] = 1,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How long it would run.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Say what an experiment can find at the scope's volume, before it starts."""
    print_plan(scope, start_percent=traffic, variants=variants, weeks=weeks, as_json=as_json)


@app.command()
def decisions(
    scope: AnyScope = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was decided, on which evidence; with --json the whole records."""
    with service() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("list_decisions"), {"scope": scope, "experiment_id": None, "limit": limit}).fetchall()
    if as_json:
        print_json(*rows)
        return
    shown = Table(box=None)
    for name in ("number", "when (UTC)", "scope", "variant", "verdict", "why", "by"):
        shown.add_column(name, overflow="fold", no_wrap=name != "why")
    for row in rows:
        when, variant = f"{row['decided_at']:%Y-%m-%d %H:%M}", f"{row['arm']} {row['model_version']}"
        shown.add_row(str(row["id"]), when, row["scope"], variant, _verdict(row), row["statistics"]["reason"], row["actor"])
    Console().print(shown if rows else "nothing was decided yet")


def _show_arms(standing: "Standing") -> None:
    console = Console()
    arms = Table("epoch", "since (UTC)", "arm", "version", "per cent", box=None)
    for row in standing.arms:
        since = f"{row['epoch_started_at']:%Y-%m-%d %H:%M}"
        arms.add_row(str(row["epoch"]), since, row["arm"], row["model_version"], f"{100 * row['share']:g}")
    console.print(arms)
    units = Table("units", "all", "old enough", *(name.replace("_", " ") for name in _EVENTS), "cost (USD)", box=None)
    for arm in standing.experiment.present:
        exposed, matured = standing.exposed.counts(arm), standing.matured.counts(arm)
        events = (f"{exposed[name]:,.0f}" for name in _EVENTS)
        units.add_row(arm, f"{exposed['units']:,.0f}", f"{matured['units']:,.0f}", *events, f"{exposed['cost']:.2f}")
    console.print(units)


def _show_variant(decision: "Decision", last: Mapping[str, Any] | None) -> None:
    told = "nothing was decided yet" if last is None else (
        f"decision {last['id']} of {last['decided_at']:%Y-%m-%d %H:%M} by {last['actor']}: {_verdict(last)} ({last['statistics']['reason']})"
    )  # fmt: skip
    print(f"\n{_named(decision)}\nlast: {told}")
    print(f"now: {_said(decision.judgement.verdict, decision.action)} ({decision.judgement.reason})")
    before = {} if last is None else {each["name"]: each["passed"] for each in last["criteria"]}
    shown = Table("criterion", "then", "now", "what it is now", box=None)
    for criterion in decision.judgement.criteria:
        shown.add_row(criterion.name, _mark(before.get(criterion.name)), _mark(criterion.passed), criterion.text)
    Console().print(shown)


def _no_experiment(scope: str) -> InputError:
    return InputError(
        f"no experiment runs in scope {scope!r}; start one with flywheel model deploy VERSION --scope {scope} --traffic 10 --arm variant_a"
    )


def _named(decision: "Decision") -> str:
    return f"{decision.arm} {decision.experiment.present[decision.arm].model_version} of {decision.experiment.scope}"


def _said(verdict: str, action: str) -> str:
    return f"{verdict} → {action}".replace("_", " ")


def _verdict(row: Mapping[str, Any]) -> str:
    return _said(row["verdict"], row["action"]) + (", for now" if row["provisional"] else "")


def _mark(passed: bool | None) -> str:
    return "" if passed is None else "yes" if passed else "NO"


def _plain_standing(standing: "Standing") -> dict[str, Any]:
    experiment = standing.experiment
    return {
        "experiment_id": experiment.id,
        "scope": experiment.scope,
        "started_at": experiment.started_at,
        "arms": standing.arms,
        "exposed": {arm.value: standing.exposed.counts(arm) for arm in experiment.present},
        "matured": {arm.value: standing.matured.counts(arm) for arm in experiment.present},
        "decided": standing.decided,
        "called_for": [_plain_decision(decision) for decision in standing.called_for],
    }


def _plain_decision(decision: "Decision") -> dict[str, Any]:
    return {
        "id": decision.id,
        "scope": decision.experiment.scope,
        "experiment_id": decision.experiment.id,
        "arm": decision.arm,
        "registry_id": decision.variant,
        "action": decision.action,
        "counts": decision.counts,
        **decision.judgement.record(),
        "ramp": {"allowed": decision.ramp.allowed, "reason": decision.ramp.reason},
    }


def _plain_look(look: "LookedAgain") -> dict[str, Any]:
    return {
        "re_examines": look.promotion,
        "id": look.decision,
        "age_days": look.age.days,
        "finding": look.found.finding,
        "reason": look.found.reason,
        "action": look.action,
        "final": look.final,
    }
