"""What the exported table holds: its columns, their version, and what stays at home. How it is written is in `parquet.py`."""

import json
from dataclasses import dataclass
from datetime import date

# Raise it when a column comes, goes, or changes its type or meaning: readers of the old version keep what they have.
SCHEMA_VERSION = 1

TABLE = "training_ready_outcomes"
TABLE_WITH_TEXTS = "training_ready_outcomes_with_texts"


@dataclass(frozen=True)
class Column:
    """A column by its name in the view `training_ready_outcomes`, and its DuckDB type."""

    name: str
    type: str
    is_text_of_people: bool = False


@dataclass(frozen=True)
class Schema:
    """A table as exported; the texts of messages and replies make it another table, so that access can be given apart."""

    table: str
    columns: tuple[Column, ...]
    version: int = SCHEMA_VERSION

    @property
    def texts(self) -> bool:
        """Whether the texts of people are in it."""
        return self.table == TABLE_WITH_TEXTS

    @property
    def with_week(self) -> tuple[Column, ...]:
        """The columns where the path doesn't say the week."""
        return (*self.columns, WEEK)

    def description(self) -> str:
        """What stands in `_schema.json`, for people and programs that read the files."""
        columns = [{"name": column.name, "type": column.type} for column in self.columns]
        partition = [{"name": WEEK.name, "type": WEEK.type}]
        content = {"table": self.table, "version": self.version, "columns": columns, "partitioned_by": partition}
        return json.dumps(content, indent=2) + "\n"


# Identifiers are text: not every reader knows Parquet's UUID.
COLUMNS = (
    Column("id", "VARCHAR"),
    Column("organization_id", "VARCHAR"),
    Column("campaign_id", "VARCHAR"),
    Column("lead_id", "VARCHAR"),
    Column("channel", "VARCHAR"),
    Column("subject_line", "VARCHAR", is_text_of_people=True),
    Column("message_body", "VARCHAR", is_text_of_people=True),
    Column("framework", "VARCHAR"),
    Column("tone", "VARCHAR"),
    Column("agent_decisions", "VARCHAR", is_text_of_people=True),
    Column("model_registry_id", "VARCHAR"),
    Column("experiment_arm", "VARCHAR"),
    Column("strategy_propensity", "DOUBLE"),
    Column("sent_at", "TIMESTAMP WITH TIME ZONE"),
    Column("lead_industry", "VARCHAR"),
    Column("lead_role", "VARCHAR"),
    Column("company_size", "VARCHAR"),
    Column("icp_score", "DOUBLE"),
    Column("delivered", "BOOLEAN"),
    Column("delivered_at", "TIMESTAMP WITH TIME ZONE"),
    Column("bounced", "BOOLEAN"),
    Column("bounced_at", "TIMESTAMP WITH TIME ZONE"),
    Column("bounce_reason", "VARCHAR", is_text_of_people=True),
    Column("opened", "BOOLEAN"),
    Column("opened_at", "TIMESTAMP WITH TIME ZONE"),
    Column("open_count", "INTEGER"),
    Column("machine_open_count", "INTEGER"),
    Column("clicked", "BOOLEAN"),
    Column("clicked_at", "TIMESTAMP WITH TIME ZONE"),
    Column("click_count", "INTEGER"),
    Column("unsubscribed", "BOOLEAN"),
    Column("unsubscribed_at", "TIMESTAMP WITH TIME ZONE"),
    Column("spam_reported", "BOOLEAN"),
    Column("spam_reported_at", "TIMESTAMP WITH TIME ZONE"),
    Column("replied", "BOOLEAN"),
    Column("replied_at", "TIMESTAMP WITH TIME ZONE"),
    Column("reply_text", "VARCHAR", is_text_of_people=True),
    Column("reply_sentiment_score", "DOUBLE"),
    Column("sentiment_label", "VARCHAR"),
    Column("interest_signal", "BOOLEAN"),
    Column("interest_level", "VARCHAR"),
    Column("objection_type", "VARCHAR"),
    Column("classification_method", "VARCHAR"),
    Column("classification_version", "VARCHAR"),
    Column("meeting_booked", "BOOLEAN"),
    Column("meeting_booked_at", "TIMESTAMP WITH TIME ZONE"),
    Column("meeting_completed", "BOOLEAN"),
    Column("meeting_completed_at", "TIMESTAMP WITH TIME ZONE"),
    Column("meeting_no_show", "BOOLEAN"),
    Column("meeting_no_show_at", "TIMESTAMP WITH TIME ZONE"),
    Column("deal_opened", "BOOLEAN"),
    Column("deal_opened_at", "TIMESTAMP WITH TIME ZONE"),
    Column("deal_closed", "BOOLEAN"),
    Column("deal_closed_at", "TIMESTAMP WITH TIME ZONE"),
    Column("deal_lost", "BOOLEAN"),
    Column("deal_lost_at", "TIMESTAMP WITH TIME ZONE"),
    Column("deal_value", "DECIMAL(14,2)"),
    Column("deal_currency", "VARCHAR"),
    Column("time_to_close_days", "DOUBLE"),
    Column("quality_score", "DOUBLE"),
    Column("training_label", "VARCHAR"),
    Column("training_weight", "DOUBLE"),
    Column("updated_at", "TIMESTAMP WITH TIME ZONE"),
)
WEEK = Column("week", "DATE")

# Columns of the view that no export has, and why.
LEFT_OUT = {
    "week": "the partition",
    "included_in_training": "changes without the outcome being new; dataset_members knows",
    "event_count": "bookkeeping of the ledger",
    "created_at": "bookkeeping of the ledger",
    "changed_xid": "means nothing on another server",
}


def schema_of(*, texts: bool) -> Schema:
    """The schema by default (no text that people wrote), or with the texts."""
    if texts:
        return Schema(TABLE_WITH_TEXTS, COLUMNS)
    return Schema(TABLE, tuple(column for column in COLUMNS if not column.is_text_of_people))


def partition_path(schema: Schema, week: date) -> str:
    """Where a week's file lies below the destination: hive partitioning, which DuckDB, Spark, Athena and BigQuery read as a table."""
    return f"{version_path(schema)}/week={week.isoformat()}/outcomes.parquet"


def version_path(schema: Schema) -> str:
    """The folder of a table's version below the destination."""
    return f"{schema.table}/v{schema.version}"
