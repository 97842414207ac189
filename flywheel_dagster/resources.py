"""What assets reach out with: the database and the trainer, made from the settings when an asset runs."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import addresses, service_connection
from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.clients import Clients
from flywheel_dagster.datasets.warehouse.destination import Destination, needed
from flywheel_dagster.datasets.warehouse.snowflake_table import LOGIN_SECONDS, SnowflakeAccount
from flywheel_dagster.patience import Patience
from flywheel_dagster.replies.choice import chosen_model
from flywheel_dagster.replies.reading import Means
from flywheel_dagster.settings import Settings, load_settings
from flywheel_dagster.training.choice import chosen_trainer, trains_here
from flywheel_dagster.training.notices import waking_sleep
from flywheel_dagster.training.trainer import Trainer


class Flywheel(dg.ConfigurableResource):  # type: ignore[type-arg]  # the resource is its own value
    """Opens what an asset needs, by the settings of the environment. Nothing is read or connected before an asset runs."""

    def settings(self) -> Settings:
        """The settings as they are now."""
        return load_settings()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A connection in the service role, committed at the end of the block."""
        with service_connection(self.settings()) as connection:
            yield connection

    def trainer(self) -> Trainer:
        """The trainer that FLYWHEEL_TRAINER names."""
        return chosen_trainer(self.settings())

    def asks_model(self) -> bool:
        """Whether there is a language model to read replies, or rules read them alone."""
        return chosen_model(self.settings()) is not None

    def reading_means(self) -> Means:
        """Who reads replies: the model of FLYWHEEL_REPLY_MODEL, or rules alone where there is only the local model server."""
        settings = self.settings()
        return Means(
            model=chosen_model(settings),
            timeout=settings.reply_timeout,
            concurrency=settings.reply_concurrency,
            batch_from=settings.reply_batch_from,
            budget_usd=settings.reply_budget_usd,
            patience=Patience(timedelta(seconds=settings.poll_seconds), timedelta(hours=settings.training_timeout_hours)),
        )

    @contextmanager
    def patience(self) -> Iterator[Patience]:
        """How often to look at a fine-tuning job, and how long to wait. A notice of the provider's ends the time between two looks; on this machine it is done in seconds."""
        settings = self.settings()
        poll = min(settings.poll_seconds, 0.5) if trains_here(settings) else settings.poll_seconds
        with waking_sleep(addresses(settings).service) as wait:
            yield Patience(timedelta(seconds=poll), timedelta(hours=settings.training_timeout_hours), wait=wait)

    @contextmanager
    def warehouse(self) -> Iterator[Destination]:
        """The destination that FLYWHEEL_WAREHOUSE names; Snowflake and BigQuery through their official Dagster integrations."""
        settings = self.settings()
        with closing(destination_of(settings.warehouse_address, settings, clients=INTEGRATIONS)) as destination:
            yield destination


def _snowflake(account: SnowflakeAccount) -> AbstractContextManager[Any]:
    integration = needed("dagster_snowflake", extra="warehouse-snowflake", address=account.address)
    return cast(AbstractContextManager[Any], integration.SnowflakeResource(**snowflake_arguments(account)).get_connection())


def snowflake_arguments(account: SnowflakeAccount) -> dict[str, Any]:
    """What a SnowflakeResource is made with."""
    given = {name: value for name, value in asdict(account).items() if value is not None}
    return {"login_timeout": LOGIN_SECONDS} | given


def _bigquery(project: str) -> AbstractContextManager[Any]:
    integration = needed("dagster_gcp", extra="warehouse-bigquery", address=f"bigquery://{project}")
    return cast(AbstractContextManager[Any], integration.BigQueryResource(project=project).get_client())


INTEGRATIONS = Clients(_snowflake, _bigquery)
