"""Exports into a partitioned table of BigQuery. Who makes the client is in `clients.py`: the official Dagster integration, or Google's own."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.warehouse.destination import needed, refusals
from flywheel_dagster.datasets.warehouse.schema import WEEK, Schema

EXTRA = "warehouse-bigquery"
_TYPES = {"VARCHAR": "STRING", "DOUBLE": "FLOAT64", "BOOLEAN": "BOOL", "INTEGER": "INT64", "DATE": "DATE"} | {
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DECIMAL(14,2)": "NUMERIC",
}
_REMEDY = (
    "check FLYWHEEL_WAREHOUSE (bigquery://PROJECT/DATASET) and GOOGLE_APPLICATION_CREDENTIALS or the machine's service account; "
    "it needs the roles BigQuery Job User and, on the dataset, BigQuery Data Editor"
)


class BigQueryTable:
    """The table named as the schema's, partitioned by day on `week`, so that a week is the partition of its Monday."""

    week_in_file = True
    versions_apart = False

    def __init__(self, project: str, dataset: str, client: Callable[[str], AbstractContextManager[Any]]) -> None:
        self.project = project
        self.dataset = dataset
        self.name = f"bigquery://{project}/{dataset}"
        self._make_client = client
        self._held = ExitStack()
        self._client: Any = None

    def location(self, schema: Schema, week: date) -> str:
        """The partition's full name."""
        return f"{self.project}.{self.dataset}.{schema.table}${week:%Y%m%d}"

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Replace the partition by a load job, which BigQuery does whole or not at all."""
        bigquery = needed("google.cloud.bigquery", extra=EXTRA, address=self.name)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET",
            schema=[bigquery.SchemaField(column.name, _TYPES[column.type]) for column in schema.with_week],
            write_disposition="WRITE_TRUNCATE",
            time_partitioning=bigquery.TimePartitioning(type_="DAY", field=WEEK.name),
        )

        def load(client: Any) -> None:
            with file.open("rb") as content:
                client.load_table_from_file(content, self.location(schema, week), job_config=config, rewind=True).result()

        self._work(load)

    def remove(self, schema: Schema, week: date) -> None:
        """Delete the partition, if it is there."""
        self._work(lambda client: client.delete_table(self.location(schema, week), not_found_ok=True))

    def is_there(self, schema: Schema) -> bool:
        """True: an account that is away refuses instead of looking empty."""
        return True

    def close(self) -> None:
        """Close the client, if there is one."""
        self._held.close()
        self._client = None

    def _work(self, step: Callable[[Any], None]) -> None:
        google = needed("google.api_core.exceptions", extra=EXTRA, address=self.name)
        auth = needed("google.auth.exceptions", extra=EXTRA, address=self.name)
        # OSError: a credentials file that isn't there, a lost connection.
        with refusals(self.name, _REMEDY, google.GoogleAPIError, auth.GoogleAuthError, OSError):
            if self._client is None:
                self._client = self._held.enter_context(self._make_client(self.project))
            step(self._client)
