"""What happens when something changes: weeks whose outcomes changed, new replies, leads told of, and organisations that train a model of their own."""

from datetime import UTC, date, datetime

import dagster as dg

from flywheel_dagster.database import statement
from flywheel_dagster.jobs import assets_to_train, classify_replies, learn_lead_scores, score_weeks, train_scope
from flywheel_dagster.lead_trainings import FEEDBACK_THROUGH, trainings
from flywheel_dagster.names import FINE_TUNED_MODEL
from flywheel_dagster.operations import rollback
from flywheel_dagster.outcomes.weeks import FIRST_WEEK, changed_weeks, contiguous, partitioned
from flywheel_dagster.partitions import organizations, range_tags, scopes
from flywheel_dagster.replies.due import weeks_with_new_replies
from flywheel_dagster.resources import Flywheel

_IN_PROGRESS = [dg.DagsterRunStatus[name] for name in ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")]


@dg.sensor(job=score_weeks, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def changed_outcomes(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SensorResult:
    """Requests exactly the weeks whose outcomes changed since the last tick; neighbouring weeks share a run. Off until switched on.

    The cursor is a snapshot of the database, so a commit that comes late, however late, is reported by the tick after it.
    """
    with flywheel.connection() as connection:
        changes = changed_weeks(connection, context.cursor)
    known = partitioned(changes.weeks)
    if not known:
        others = len(changes.weeks)
        reason = (
            f"only weeks before {FIRST_WEEK} or in the future changed ({others}), which have no partition"
            if others
            else "no outcome changed since the last tick"
        )
        return dg.SensorResult(skip_reason=reason, cursor=changes.cursor)
    return dg.SensorResult(run_requests=_requests(known, changes.fingerprint), cursor=changes.cursor)


def _requests(known: list[date], fingerprint: str) -> list[dg.RunRequest]:
    requests = []
    for first, last in contiguous(known):
        # The snapshot in the key makes every change a run of its own, while a tick that is evaluated twice doesn't repeat itself.
        key = f"{first}:{fingerprint}"
        if first == last:
            requests.append(dg.RunRequest(run_key=key, partition_key=first.isoformat()))
        else:
            requests.append(dg.RunRequest(run_key=key, tags=range_tags(first, last)))
    return requests


@dg.sensor(job=classify_replies, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def new_replies(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SensorResult:
    """Requests the weeks to whose messages replies came since the last tick that nobody judged. Off until switched on.

    Its cursor is a snapshot, as that of changed_outcomes. Replies that a run leaves over, at the cost ceiling, wait for nightly_replies.
    """
    with flywheel.connection() as connection:
        changes = weeks_with_new_replies(connection, context.cursor, by_model=flywheel.asks_model())
    known = partitioned(changes.weeks)
    if not known:
        return dg.SensorResult(skip_reason="no reply to be judged came since the last tick", cursor=changes.cursor)
    return dg.SensorResult(run_requests=_requests(known, changes.fingerprint), cursor=changes.cursor)


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def organization_scopes(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SensorResult:
    """Keeps the partitions that can be chosen in step with the organisations: scopes are global and each that has training enabled, organizations those
    with any scored lead. Starts no run."""
    with flywheel.connection() as connection:
        enabled = [row[0] for row in connection.execute(statement("enabled_scopes")).fetchall() if row[0] != "global"]
        scoring = [row[0] for row in connection.execute(statement("lead_organizations")).fetchall()]
    requests = [
        partitions.build_add_request(missing)
        for partitions, wanted in ((scopes, ["global", *enabled]), (organizations, scoring))
        if (missing := _missing(context.instance, partitions, wanted))
    ]
    if not requests:
        return dg.SensorResult(
            skip_reason=f"all {1 + len(enabled)} scopes and {len(scoring)} organizations that score leads are there"
        )
    return dg.SensorResult(dynamic_partitions_requests=requests)


def _missing(instance: dg.DagsterInstance, partitions: dg.DynamicPartitionsDefinition, wanted: list[str]) -> list[str]:
    there = set(instance.get_dynamic_partitions(str(partitions.name)))
    return [each for each in wanted if each not in there]


@dg.sensor(job=learn_lead_scores, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def enough_lead_feedback(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SensorResult:
    """Starts a training for each organization that told of FLYWHEEL_LEAD_FEEDBACK leads since the newest one. Runs by itself, for nothing is paid.

    While one runs none is started. One that failed is tried again an hour later, then two, four …; after three failures on the same feedback only when
    more is told.
    """
    enough = flywheel.settings().lead_feedback
    with flywheel.connection() as connection:
        due = connection.execute(statement("lead_attempts"), {"enough": enough}).fetchall()
    waiting, requests = [], []
    for organization, leads, through in due:
        tried = trainings(context.instance, organization, through)
        if (reason := tried.reason_to_wait(datetime.now(UTC))) is None:
            requests.append(
                dg.RunRequest(
                    run_key=f"{organization}:{through}:{tried.on_this + 1}",
                    partition_key=organization,
                    tags={FEEDBACK_THROUGH: str(through)},
                )
            )
        else:
            waiting.append(f"{organization} has {leads} newly told leads, but {reason}")
    if not requests:
        none = f"no organization told of {enough} leads since its newest training"
        return dg.SensorResult(skip_reason="; ".join(waiting) or none)
    missing = _missing(context.instance, organizations, [str(request.partition_key) for request in requests])
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=[organizations.build_add_request(missing)] if missing else []
    )


@dg.sensor(job=train_scope, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def late_trainings(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SensorResult:
    """Goes on with trainings whose end a provider reported by webhook after the run that waited for them was gone. Off until switched on.

    A run that waits is woken by the notice itself. Nothing is bought: the run collects the job that was reported, whatever the newest dataset is.
    """
    with flywheel.connection() as connection:
        noticed = connection.execute(statement("noticed_trainings")).fetchall()
    waiting = _scopes_in_progress(context.instance)
    late = [(scope, webhook_id, job_id) for scope, webhook_id, job_id in noticed if scope not in waiting]
    if not late:
        return dg.SensorResult(skip_reason="no training ended that nobody waits for")
    assets = assets_to_train(flywheel.settings().training_method)[1:]
    requests = [
        dg.RunRequest(
            run_key=f"{scope}:{webhook_id}",
            partition_key=scope,
            asset_selection=assets,
            run_config={"ops": {FINE_TUNED_MODEL: {"config": {"job_id": job_id}}}},
        )
        for scope, webhook_id, job_id in late
    ]
    return dg.SensorResult(run_requests=requests)


def _scopes_in_progress(instance: dg.DagsterInstance) -> set[str]:
    running = instance.get_runs(dg.RunsFilter(job_name=train_scope.name, statuses=_IN_PROGRESS))
    return {scope for run in running if (scope := run.tags.get("dagster/partition"))}


@dg.sensor(job=rollback, minimum_interval_seconds=600, default_status=dg.DefaultSensorStatus.STOPPED)
def breached_guardrails(context: dg.SensorEvaluationContext, flywheel: Flywheel) -> dg.SkipReason | list[dg.RunRequest]:
    """Ends a variant that is shown to do harm (bounces, spam reports, unsubscribes, negative replies, cost a meeting) within minutes, rather than with
    the next day's verdict. Off until switched on."""
    from flywheel_dagster.models.verdicts.rules import rules_of
    from flywheel_dagster.models.verdicts.watching import breaches

    now = datetime.now(UTC)
    with flywheel.connection() as connection:
        found = breaches(connection, rules_of(flywheel.settings()), now=now)
    if not found:
        return dg.SkipReason("no variant breaches a guardrail")
    return [
        dg.RunRequest(
            run_key=f"{each.experiment_id}:{each.arm}:{now:%Y%m%d%H}",  # a run that failed is tried again in the next hour
            run_config={
                "ops": {
                    "roll_back": {
                        "config": {
                            "scope": each.scope,
                            "arm": each.arm.value,
                            "registry_id": str(each.registry_id),
                            "only_if_harmful": True,
                            "reason": each.reason,
                        }
                    }
                }
            },
        )
        for each in found
    ]


SENSORS = [breached_guardrails, changed_outcomes, enough_lead_feedback, new_replies, late_trainings, organization_scopes]
