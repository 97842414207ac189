"""What an experiment could find at a scope's volume, as people read it: the smallest difference by week, and the weeks until a given one shows."""

from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.acting import print_json
from flywheel_dagster.commands.connecting import migrated
from flywheel_dagster.database import addresses, connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.settings import load_settings

if TYPE_CHECKING:
    from flywheel_dagster.models.experiments.planning import Design

_EFFECTS = (0.1, 0.2, 0.3, 0.5, 1.0)


def show_plan(scope: str, *, start_percent: float) -> None:
    """Print the plan of an experiment with one variant; where there is none yet, why."""
    try:
        print_plan(scope, start_percent=start_percent)
    except InputError as error:
        print(error)


def print_plan(
    scope: str, *, start_percent: float | None = None, variants: int = 1, weeks: int = 12, as_json: bool = False
) -> None:
    """Print what can be found, as a table or JSON. Raises InputError where nothing can be planned."""
    from flywheel_dagster.models.experiments.planning import plan, weeks_to_decision
    from flywheel_dagster.models.verdicts.design import design_of
    from flywheel_dagster.models.verdicts.rules import rules_of

    settings = load_settings()
    migrated(settings)
    rules = rules_of(settings)
    start = settings.deploy_percent if start_percent is None else start_percent
    with connect(addresses(settings).service) as connection:
        design = design_of(connection, scope, rules, now=datetime.now(UTC), start_percent=start, variants=variants, weeks=weeks)
    rows = plan(design, rules.policy)
    decisions = {effect: weeks_to_decision(design, effect, rules.policy) for effect in _EFFECTS}
    if as_json:
        told = {f"{effect:.0%}": week for effect, week in decisions.items()}
        print_json({"scope": scope, **asdict(design), "plan": [row._asdict() for row in rows], "weeks_to_decision": told})
        return
    print(_told(scope, design))
    shown = Table("week", "leads that count", "of a variant", "smallest difference that shows", box=None)
    for row in rows:
        least = f"{row.relative:+.0%} ({row.detectable:.4f})" if isfinite(row.relative) else "none yet"
        shown.add_row(str(row.week), f"{row.matured_units:,.0f}", f"{row.variant_units:,.0f}", least)
    Console().print(shown)
    print("weeks until a variant is promoted that is better by " + ", ".join(
        f"{effect:.0%}: {week or f'more than {weeks}'}" for effect, week in decisions.items()
    ) + f" (with {design.power:.0%} probability)")  # fmt: skip


def _told(scope: str, design: "Design") -> str:
    return (
        f"{scope}: {design.units_a_week:,.0f} new leads a week, mean score {design.value_mean:.4f}, {design.event_share:.1%} with an outcome after "
        f"{7 * design.maturity_weeks:g} days. {'A variant' if design.variants == 1 else f'Each of {design.variants} variants'} begins with "
        f"{design.start_share:.0%}; after {design.start_weeks} week the variants have {design.full_share:.0%}"
    )
