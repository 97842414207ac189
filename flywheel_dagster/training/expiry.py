"""When the bases of models are switched off: which deployed models that ends, and what would replace them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import current_dataset
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import COMPARED, Estimate, estimates
from flywheel_dagster.training.prices import price_list

NOTICE = timedelta(days=60)


@dataclass(frozen=True)
class Ending:
    """A model in use whose base ends: on `ends_on`, in `days` days (negative: it has ended). `version` is None for the base that the settings train."""

    scope: str | None
    version: str | None
    trainer: str
    base_model: str
    ends_on: date
    days: int


@dataclass(frozen=True)
class Plan:
    """What a scope can be trained with instead: its dataset, and trainers whose bases stay, cheapest first; none without a dataset."""

    scope: str
    dataset_hash: str | None
    choices: list[Estimate]


def base_ends_on(trainer: str, base_model: str, listed: Mapping[str, date] | None = None) -> date | None:
    """The day a base is switched off, by the dated table (shutdowns.toml) and the provider's own list, whichever is earlier; None: not announced."""
    known = next(
        (each["ends_on"] for each in _table() if each["trainer"] == trainer and fnmatchcase(base_model, each["model"])), None
    )
    return min((day for day in (known, (listed or {}).get(base_model)) if day is not None), default=None)


@cache
def _table() -> list[dict[str, Any]]:
    text = files("flywheel_dagster.training").joinpath("shutdowns.toml").read_text(encoding="utf-8")
    shutdowns: list[dict[str, Any]] = tomllib.loads(text)["shutdown"]
    return shutdowns


def note_ends(connection: psycopg.Connection[TupleRow], listed: Mapping[str, Mapping[str, date]]) -> None:
    """Write into the registry when each base ends, as it is known now; `listed` has the provider's own dates by trainer."""
    for trainer, base_model in connection.execute("select distinct trainer, base_model from model_registry").fetchall():
        ends_on = base_ends_on(trainer, base_model, listed.get(trainer))
        connection.execute(statement("note_base_end"), {"trainer": trainer, "base_model": base_model, "ends_on": ends_on})


def endings(connection: psycopg.Connection[TupleRow], today: date, *, notice: timedelta = NOTICE) -> list[Ending]:
    """Deployed models whose base ends within the notice, soonest first."""
    rows = connection.execute(statement("ending_models"), {"until": today + notice}).fetchall()
    return [Ending(scope, version, trainer, base, day, (day - today).days) for scope, version, trainer, base, day in rows]


def base_to_train(
    settings: Settings, base_model: str, today: date, listed: Mapping[str, date], *, notice: timedelta = NOTICE
) -> Ending | None:
    """The base that the next training would use, if it ends within the notice."""
    ends_on = base_ends_on(settings.trainer, base_model, listed)
    if ends_on is None or ends_on > today + notice:
        return None
    return Ending(None, None, settings.trainer, base_model, ends_on, (ends_on - today).days)


def plan(
    connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, today: date, *, notice: timedelta = NOTICE
) -> Plan:
    """What to train a scope with instead, on the dataset it has now."""
    dataset = current_dataset(connection, scope, settings.training_data_dir)
    if dataset is None:
        return Plan(scope, None, [])
    staying = {
        trainer: base
        for trainer, base in COMPARED.items()
        if (ends := base_ends_on(trainer, base)) is None or ends > today + notice
    }
    found = estimates(
        dataset.train_tokens,
        settings.epochs,
        base_models=staying,
        validation_tokens=dataset.validation_tokens,
        prices=price_list(settings.prices),
    )
    return Plan(scope, dataset.hash, found)
