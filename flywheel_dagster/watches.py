"""Checks that look by the clock rather than when something is made: whether the bases of the models in use stay, and outcome feeds are alive."""

from datetime import UTC, date, datetime

import dagster as dg

from flywheel_dagster.datasets.published import PREFERENCE
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.verdicts.feeds import silent_feeds
from flywheel_dagster.names import MODEL_REGISTRY_ENTRY, OUTCOME_LABELS
from flywheel_dagster.presentation import table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.training.expiry import NOTICE, Ending, Plan, base_to_train, endings, note_ends, plan, providers_lists

BASES_STAY = "bases_stay"


@dg.asset_check(
    asset=MODEL_REGISTRY_ENTRY,
    name=BASES_STAY,
    description=f"No deployed model's base is switched off within {NOTICE.days} days, by the provider's list and announcements.",
)
def bases_stay(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> dg.AssetCheckResult:
    """Red with the plan: what would replace each ending model, on which dataset, for how much. Writes the dates into the registry.

    A list that can't be read is a warning: the announcements are looked at all the same.
    """
    settings, today = flywheel.settings(), datetime.now(UTC).date()
    with plain_failures(), flywheel.connection() as connection:
        trainer, lists = flywheel.trainer(), providers_lists(connection, settings)
        note_ends(connection, lists.by_trainer)
        ending = endings(connection, today)
        next_base = base_to_train(settings, trainer.recipe.base_model, today, lists.by_trainer.get(settings.trainer, {}))
        plans = [plan(connection, settings, scope, today) for scope in sorted({each.scope for each in ending if each.scope})]
    metadata = {
        "ending": table([_row(each) for each in ending], none=f"no deployed model ends within {NOTICE.days} days"),
        "instead": table([row for each in plans for row in _choices(each)], none="nothing to plan"),
    }
    if next_base is not None:
        metadata["next_training"] = dg.MetadataValue.md(
            f"FLYWHEEL_TRAINER={settings.trainer} would train {next_base.base_model}, which {_when(next_base.ends_on, next_base.days)}; choose another base or trainer"
        )
    unread = [] if lists.unread is None else [f"the provider's list could not be read: {lists.unread}"]
    return dg.AssetCheckResult(
        passed=not ending and next_base is None and not unread,
        severity=dg.AssetCheckSeverity.ERROR if ending else dg.AssetCheckSeverity.WARN,
        description="; ".join([_said(ending, next_base), *unread]),
        metadata=metadata,
    )


def _said(ending: list[Ending], next_base: Ending | None) -> str:
    if ending:
        first = ending[0]
        return (
            f"{len(ending)} deployed models lose their base; first {first.scope} {first.version}, whose {first.base_model} "
            f"{_when(first.ends_on, first.days)}. The plan is in the metadata"
        )
    if next_base is not None:
        return f"no deployed model ends soon, but {next_base.base_model}, which would be trained next, {_when(next_base.ends_on, next_base.days)}"
    return f"no base in use ends within {NOTICE.days} days"


def _when(day: date, days: int) -> str:
    return f"is switched off on {day}, in {days} days" if days > 0 else f"was switched off on {day}"


def _row(each: Ending) -> dict[str, object]:
    return {
        "scope": each.scope,
        "version": each.version,
        "trainer": each.trainer,
        "base": each.base_model,
        "ends on": each.ends_on,
        "days": each.days,
    }


def _choices(planned: Plan) -> list[dict[str, object]]:
    asset = "preference_pairs" if planned.kind == PREFERENCE else "training_jsonl"
    dataset = planned.dataset_hash[:16] if planned.dataset_hash else f"none: materialize {asset}"
    return [
        {
            "scope": planned.scope,
            "dataset": dataset,
            "FLYWHEEL_TRAINER": each.trainer,
            "base": each.base_model,
            "USD": "no price known" if each.usd is None else f"{each.usd:.2f}",
        }
        for each in planned.choices
    ] or [{"scope": planned.scope, "dataset": dataset, "FLYWHEEL_TRAINER": "", "base": "", "USD": ""}]


@dg.asset_check(
    asset=OUTCOME_LABELS,
    name="feeds_alive",
    description="No source of outcomes that told something on most days of the last weeks has been silent for three days.",
)
def feeds_alive(flywheel: Flywheel) -> dg.AssetCheckResult:
    """A webhook that broke looks like a model that nobody answers; no experiment is decided while a feed is silent."""
    with plain_failures(), flywheel.connection() as connection:
        silent = silent_feeds(connection, as_of=datetime.now(UTC))
    names = ", ".join(each.source for each in silent)
    return dg.AssetCheckResult(
        passed=not silent,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"silent for three days: {names}; look at the webhook there, and at flywheel doctor"
        if silent
        else "every feed is alive",
        metadata={
            "silent": table(
                [
                    {
                        "source": each.source,
                        "last event": f"{each.last_received_at:%Y-%m-%d %H:%M}",
                        "events in a month": each.events,
                    }
                    for each in silent
                ],
                none="every feed is alive",
            )
        },
    )
