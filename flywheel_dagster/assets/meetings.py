"""`held_meetings`: nobody reports that a meeting was held, so it follows from its end and from silence."""

from datetime import UTC, datetime

import dagster as dg

from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_OUTCOMES, HELD_MEETINGS, OUTCOME_LABELS, OWNER_DATA
from flywheel_dagster.outcomes.held_meetings import infer_completed
from flywheel_dagster.resources import Flywheel


@dg.asset(
    name=HELD_MEETINGS, deps=[OUTCOME_LABELS], group_name=GROUP_OUTCOMES, owners=[OWNER_DATA], kinds={"postgres"}, code_version="1"
)
def held_meetings(flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Records a meeting as completed when its end is half an hour past and nobody cancelled it or reported a no-show. A later no-show
    takes it back: the latest report counts."""
    now = datetime.now(UTC)
    with plain_failures(), flywheel.connection() as connection:
        recorded = infer_completed(connection, now=now)
    return dg.MaterializeResult(metadata={"newly_completed": recorded, "as_of": now.isoformat(timespec="seconds")})
