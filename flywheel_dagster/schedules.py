"""What happens by the clock: every hour meetings are completed, every night links are decided anew, replies judged and weeks exported, on
Mondays weeks are brought up to date and the enabled scopes are trained. Off until switched on."""

from datetime import date

import dagster as dg

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.warehouse.export import stale_exports
from flywheel_dagster.datasets.weeks import stale_weeks
from flywheel_dagster.jobs import (
    assets_to_train,
    classify_replies,
    compare_models,
    complete_meetings,
    export_weeks,
    find_playbooks,
    judge_experiment,
    learn_strategies,
    link_events,
    score_weeks,
    train_scope,
    watch_bases,
    watch_lead_scores,
)
from flywheel_dagster.outcomes.weeks import contiguous, partitioned
from flywheel_dagster.partitions import range_tags, scopes
from flywheel_dagster.replies.due import weeks_to_judge
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.strategies.counts import STALE_AFTER


def _requests(context: dg.ScheduleEvaluationContext, weeks: list[date]) -> list[dg.RunRequest]:
    """A run for each range of neighbouring weeks."""
    tick = context.scheduled_execution_time.date()
    return [dg.RunRequest(run_key=f"{tick}:{first}", tags=range_tags(first, last)) for first, last in contiguous(weeks)]


@dg.schedule(job=classify_replies, cron_schedule="45 0 * * *", execution_timezone="UTC")
def nightly_replies(context: dg.ScheduleEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Every night 00:45 UTC: judges what is left to be judged, in all weeks, for whoever leaves the sensor new_replies off."""
    with flywheel.connection() as connection:
        due = partitioned(weeks_to_judge(connection, by_model=flywheel.asks_model()))
    if not due:
        return dg.SkipReason("every reply is judged")
    return _requests(context, due)


@dg.schedule(job=score_weeks, cron_schedule="0 1 * * 1", execution_timezone="UTC")
def weekly_scoring(context: dg.ScheduleEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Mondays 01:00 UTC: writes weeks anew whose outcomes changed, for whoever leaves the sensor changed_outcomes off."""
    with flywheel.connection() as connection:
        stale = partitioned(stale_weeks(connection, outcome_note=flywheel.settings().outcome_note))
    if not stale:
        return dg.SkipReason("all weeks of training rows are current")
    return _requests(context, stale)


@dg.schedule(job=export_weeks, cron_schedule="15 1 * * *", execution_timezone="UTC")
def nightly_exports(context: dg.ScheduleEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Every night 01:15 UTC: exports the weeks to the warehouse that it doesn't have as the database has them."""
    with flywheel.connection() as connection, flywheel.warehouse() as destination:
        stale = stale_exports(connection, destination, texts=flywheel.settings().warehouse_texts)
    due = partitioned(export.week for export in stale)
    if not due:
        return dg.SkipReason("the warehouse has every week as the database has it")
    return _requests(context, due)


@dg.schedule(job=train_scope, cron_schedule="0 2 * * 1", execution_timezone="UTC")
def weekly_training(context: dg.ScheduleEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Mondays 02:00 UTC: one run for each enabled scope, global where an organisation shares, and organisations with training enabled."""
    with flywheel.connection() as connection:
        enabled = [row[0] for row in connection.execute(statement("enabled_scopes")).fetchall()]
    if not enabled:
        return dg.SkipReason("no scope is enabled; use flywheel org add ID --share (global model) or --train (its own model)")
    context.instance.add_dynamic_partitions(str(scopes.name), enabled)
    tick = context.scheduled_execution_time.date()
    assets = assets_to_train(flywheel.settings().training_method)
    return [dg.RunRequest(run_key=f"{tick}:{scope}", partition_key=scope, asset_selection=assets) for scope in enabled]


@dg.schedule(job=judge_experiment, cron_schedule="0 6 * * *", execution_timezone="UTC")
def daily_verdicts(context: dg.ScheduleEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Every day 06:00 UTC: judges the running experiments, and looks again at promotions that aren't settled."""
    from flywheel_dagster.models.verdicts.watching import scopes_to_judge

    with flywheel.connection() as connection:
        due = scopes_to_judge(connection)
    if not due:
        return dg.SkipReason("no experiment runs, and every promotion is settled")
    context.instance.add_dynamic_partitions(str(scopes.name), due)
    tick = context.scheduled_execution_time.date()
    return [dg.RunRequest(run_key=f"{tick}:{scope}", partition_key=scope) for scope in due]


daily_performance = dg.ScheduleDefinition(
    name="daily_performance",
    job=compare_models,
    cron_schedule="45 5 * * *",
    execution_timezone="UTC",
    description="Every day 05:45 UTC: what each version achieved, and whether the outcome feeds are alive.",
)

hourly_meetings = dg.ScheduleDefinition(
    name="hourly_meetings",
    job=complete_meetings,
    cron_schedule="7 * * * *",
    execution_timezone="UTC",
    description="Every hour: meetings whose end has passed are recorded as held.",
)


@dg.schedule(job=learn_strategies, cron_schedule="20 * * * *", execution_timezone="UTC")
def hourly_strategies(flywheel: Flywheel) -> dg.SkipReason | dg.RunRequest:
    """Every hour: counts anew what changed by what was decided about messages, and learns from it; at least once a day, as messages mature."""
    with flywheel.connection() as connection:
        stale = connection.execute(statement("strategies_are_stale"), {"stale_after": STALE_AFTER}).fetchone()
    return dg.RunRequest() if stale == (True,) else dg.SkipReason("no outcome has changed since the last time")


daily_playbooks = dg.ScheduleDefinition(
    name="daily_playbooks",
    job=find_playbooks,
    cron_schedule="15 6 * * *",
    execution_timezone="UTC",
    description="Every day 06:15 UTC: the sequences of touches that did better than chance explains.",
)

nightly_links = dg.ScheduleDefinition(
    name="nightly_links",
    job=link_events,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    description="Every night 00:30 UTC: events that name no outcome are linked anew, and a check tells what is left.",
)

daily_base_watch = dg.ScheduleDefinition(
    name="daily_base_watch",
    job=watch_bases,
    cron_schedule="30 5 * * *",
    execution_timezone="UTC",
    description="Every day 05:30 UTC: whether a base of the models in use is about to be switched off.",
)

daily_lead_watch = dg.ScheduleDefinition(
    name="daily_lead_watch",
    job=watch_lead_scores,
    cron_schedule="50 5 * * *",
    execution_timezone="UTC",
    description="Every day 05:50 UTC: whether leads, and what becomes of them, are still those that the deployed lead models learnt from.",
)

SCHEDULES = [
    daily_base_watch,
    daily_lead_watch,
    daily_performance,
    daily_playbooks,
    daily_verdicts,
    hourly_meetings,
    hourly_strategies,
    nightly_links,
    nightly_replies,
    nightly_exports,
    weekly_scoring,
    weekly_training,
]
