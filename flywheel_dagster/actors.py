"""Who stands in a history when a run of Dagster acts."""

import dagster as dg


def actor_of(run: dg.DagsterRun) -> str:
    """The run, or the one that it is a retry of: what was done under this name is not done again."""
    return f"run {run.tags.get('dagster/root_run_id') or run.run_id}"
