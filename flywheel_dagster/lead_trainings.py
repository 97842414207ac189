"""What became of the runs that learn an organization's lead model, as far as it decides when the next one may start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from flywheel_dagster.jobs import learn_lead_scores

FEEDBACK_THROUGH = "flywheel/feedback_through"
"""Tag of a run: the newest lead_feedback.id when it was asked for."""

_MOST, _FIRST_WAIT, _LONGEST_WAIT = 3, timedelta(hours=1), timedelta(days=1)
_OVER = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True)
class Trainings:
    """The newest runs for an organization: whether one is under way, how many failed since the last success and when the last of them ended, and how
    many were started on the same feedback."""

    under_way: bool
    failures: int
    failed_at: datetime | None
    on_this: int

    def reason_to_wait(self, now: datetime) -> str | None:
        """Why none is started now; None where one may be."""
        if self.under_way:
            return "a training is under way"
        if self.on_this >= _MOST:
            return f"{self.on_this} trainings on the same feedback led to nothing; look at their runs, then materialize lead_scoring_model or tell of more leads"
        if self.failed_at is not None:
            again = self.failed_at + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self.failures - 1))
            if now < again:
                return f"the last training failed; the next attempt is at {again:%Y-%m-%d %H:%M} UTC"
        return None


def trainings(instance: dg.DagsterInstance, organization_id: str, through: int, *, limit: int = 20) -> Trainings:
    """Of the newest runs of the job for this organization."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=learn_lead_scores.name, tags={"dagster/partition": organization_id}), limit=limit
    )
    failed = _failed_since_success(records)
    ended = failed[0].end_time if failed else None
    return Trainings(
        under_way=any(record.dagster_run.status not in _OVER for record in records),
        failures=len(failed),
        failed_at=None if ended is None else datetime.fromtimestamp(ended, UTC),
        on_this=sum(record.dagster_run.tags.get(FEEDBACK_THROUGH) == str(through) for record in records),
    )


def _failed_since_success(records: Sequence[dg.RunRecord]) -> list[dg.RunRecord]:
    failed = []
    for record in records:
        if record.dagster_run.status is dg.DagsterRunStatus.SUCCESS:
            break
        if record.dagster_run.status is dg.DagsterRunStatus.FAILURE:
            failed.append(record)
    return failed
