"""The three ways in which assets are cut: weeks by `sent_at`, scopes whose data a model learns from, and organizations that score leads."""

from datetime import date, datetime

import dagster as dg

from flywheel_dagster.outcomes.weeks import FIRST_WEEK

# Keys are Mondays (UTC); end_offset 1 adds the running week, whose first outcomes may be deals already.
weeks = dg.WeeklyPartitionsDefinition(
    start_date=datetime.combine(FIRST_WEEK, datetime.min.time()), day_offset=1, timezone="UTC", end_offset=1
)

# "global", and organisations that train a model of their own; kept in step by the sensor `organization_scopes`.
scopes = dg.DynamicPartitionsDefinition(name="scopes")

# Organizations with any scored lead; kept in step by the same sensor.
organizations = dg.DynamicPartitionsDefinition(name="organizations")


def week_of(partition_key: str) -> date:
    """The Monday that a weekly partition stands for."""
    return date.fromisoformat(partition_key)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags that make one run materialize all weekly partitions from `first` to `last`."""
    return {"dagster/asset_partition_range_start": first.isoformat(), "dagster/asset_partition_range_end": last.isoformat()}
