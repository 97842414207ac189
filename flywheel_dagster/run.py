"""Materializes from the command line, in this process and on the real instance, so that the runs stand in the UI: `python -m flywheel_dagster.run`."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial

import dagster as dg

from flywheel_dagster.abandoned import known_process
from flywheel_dagster.datasets.published import require_scope
from flywheel_dagster.datasets.weeks import stale_weeks
from flywheel_dagster.definitions import defs
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.jobs import assets_to_train
from flywheel_dagster.outcomes.weeks import FIRST_WEEK, contiguous, monday, partitioned
from flywheel_dagster.partitions import range_tags, scopes
from flywheel_dagster.replies.due import weeks_to_judge
from flywheel_dagster.resources import Flywheel

# The full log stands in the UI; here a line for each run and what went wrong.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all runs succeeded, 1 when one failed."""
    parser = argparse.ArgumentParser(prog="flywheel materialize")
    parser.add_argument("--observe", action="store_true", help="observe outcome_labels")
    parser.add_argument("--replies", action="store_true", help="judge what replies are left")
    parser.add_argument(
        "--stale-weeks", action="store_true", help="judge what replies are left, then score the weeks whose outcomes changed"
    )
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="score weeks from the one with this day")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="to the one with this day")
    parser.add_argument("--run-each-week", action="store_true", help="a run for each week instead of one for the range")
    parser.add_argument("--scope", help="train this scope: global, or an organization's id")
    parser.add_argument("--strategies", action="store_true", help="learn which strategies work, and show the flywheel's metrics")
    given = parser.parse_args(arguments)
    try:
        with dg.DagsterInstance.get() as instance, known_process(instance) as marks:
            return 0 if _run_all(instance, given, marks) else 1
    except FlywheelError as error:
        print(f"flywheel: {error}", file=sys.stderr)
        return 1


def _run_all(instance: dg.DagsterInstance, given: argparse.Namespace, marks: Mapping[str, str]) -> bool:
    run = partial(_run, instance, marks)
    if given.observe and not run("observe_outcomes", "observe outcome_labels"):
        return False
    if given.replies or given.stale_weeks:
        for first, last in _weeks_of_replies():
            if not run("classify_replies", _named("judge replies of", first, last), tags=range_tags(first, last)):
                return False
    for first, last in _ranges(given):
        if not run("score_weeks", _named("score", first, last), tags=range_tags(first, last)):
            return False
    if given.scope:
        _require_scope(given.scope)
        instance.add_dynamic_partitions(str(scopes.name), [given.scope])
        assets = assets_to_train(Flywheel().settings().training_method)
        if not run("train_scope", f"train {given.scope}", partition_key=given.scope, assets=assets):
            return False
    learn = {"learn_strategies": "learn which strategies work", "find_playbooks": "look for playbooks"}
    return not given.strategies or all(run(job, name) for job, name in learn.items())


def _named(doing: str, first: date, last: date) -> str:
    return f"{doing} {first}" if first == last else f"{doing} {first} to {last}"


def _weeks_of_replies() -> list[tuple[date, date]]:
    flywheel = Flywheel()
    with flywheel.connection() as connection:
        return contiguous(weeks_to_judge(connection, by_model=flywheel.asks_model()))


def _ranges(given: argparse.Namespace) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    if given.stale_weeks:
        flywheel = Flywheel()
        with flywheel.connection() as connection:
            found = contiguous(partitioned(stale_weeks(connection, outcome_note=flywheel.settings().outcome_note)))
    if given.first:
        first, last = monday(given.first), monday(given.last or given.first)
        if last < first or first < FIRST_WEEK:
            raise FlywheelError(f"weeks run from {FIRST_WEEK} on, and --to is not before --from")
        found.append((first, last))
    if given.run_each_week:
        found = [
            (week, week)
            for first, last in found
            for week in (first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1))
        ]
    return found


def _require_scope(scope: str) -> None:
    with Flywheel().connection() as connection:
        require_scope(connection, scope)


def _run(
    instance: dg.DagsterInstance,
    marks: Mapping[str, str],
    job: str,
    name: str,
    *,
    partition_key: str | None = None,
    tags: Mapping[str, str] | None = None,
    assets: list[dg.AssetKey] | None = None,
) -> bool:
    print(f"  {name} …", flush=True)
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition_key,
        tags={**marks, **(tags or {})},
        asset_selection=assets,
        raise_on_error=False,
        run_config=_QUIET,
    )
    for event in result.all_events:
        if event.is_step_failure:
            print(f"  {event.step_key} failed: {failure_text(event)}", file=sys.stderr)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            outcome = "passed" if check.passed else "warned" if check.severity is dg.AssetCheckSeverity.WARN else "FAILED"
            print(f"    {outcome}  {check.check_name}: {check.description}")
    return result.success


def failure_text(event: dg.DagsterEvent) -> str:
    """Why a step failed: our own words where it has them."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    cause = failure.error.cause if failure.error and failure.error.cause else failure.error
    return str(cause.message).strip() if cause else "no message"


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    sys.exit(main())
