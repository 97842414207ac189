"""What every destination of the warehouse can do, and how it says that it can't. Each kind has a file of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

from flywheel_dagster.datasets.warehouse.schema import Schema
from flywheel_dagster.errors import FlywheelError


class WarehouseError(FlywheelError):
    """The warehouse can't be reached, or refuses what is written; its weeks stay due."""


class Destination(Protocol):
    """Where weeks are exported to. Each call is all or nothing: a reader sees the week as it was before or as it is after."""

    @property
    def name(self) -> str:
        """The address without credentials; a destination of the same name is the same place."""

    @property
    def week_in_file(self) -> bool:
        """Whether files must hold the column `week`, because no path says it."""

    @property
    def versions_apart(self) -> bool:
        """Whether versions of the schema stand side by side; a table holds only one."""

    def location(self, schema: Schema, week: date) -> str:
        """Where a person finds the week."""

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Make the Parquet file the content of the week. Raises WarehouseError."""

    def remove(self, schema: Schema, week: date) -> None:
        """Leave nothing of the week; it may not be there. Raises WarehouseError."""

    def is_there(self, schema: Schema) -> bool:
        """Whether the table stands there at all: a folder that isn't mounted looks as one where nothing was ever written."""

    def close(self) -> None:
        """Give back connections."""


def needed(module: str, *, extra: str, address: str) -> ModuleType:
    """An optional library. Raises WarehouseError with the extra that brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise WarehouseError(
            f"{address} needs {module.split('.')[0]}, which is not installed ({error}); install it with: pip install 'flywheel-dagster[{extra}]'"
        ) from error


@contextmanager
def refusals(address: str, remedy: str, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds become a WarehouseError with the remedy, in one line."""
    try:
        yield
    except kinds as error:
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise WarehouseError(f"the export to {address} failed: {first.rstrip('.')[:300]}; {remedy}") from error
