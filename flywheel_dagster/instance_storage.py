"""Dagster's own storage: dagster-postgres, at the address that the settings give, so that `dagster.yaml` needs no variable to be set."""

from collections.abc import Mapping
from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from flywheel_dagster.database import addresses, sqlalchemy_url
from flywheel_dagster.settings import load_settings


class FlywheelStorage(DagsterPostgresStorage):
    """`DagsterPostgresStorage` on the same server as the outcomes, in a database of its own."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure here."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Made by Dagster from `dagster.yaml`; starts the embedded server when that is the one in use."""
        url = sqlalchemy_url(addresses(load_settings()).dagster, driver="psycopg2")
        return cls(postgres_url=url.render_as_string(hide_password=False), inst_data=inst_data)
