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
from flywheel_dagster.datasets.published import current_dataset, kind_for
from flywheel_dagster.errors import SandboxError, SettingsError, TrainingError
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import COMPARED, Estimate, estimates
from flywheel_dagster.training.prices import price_list

NOTICE = timedelta(days=60)
Listed = Mapping[str, date | None]  # by model; None: on offer without an end
_LISTING = ("openai", "exemplars")  # whose bases are in a list that their provider keeps, which is OpenAI's


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
    """What a scope can be trained with instead: its dataset, of the kind that is trained on, and trainers whose bases stay, cheapest first; none
    without a dataset."""

    scope: str
    kind: str
    dataset_hash: str | None
    choices: list[Estimate]


@dataclass(frozen=True)
class Lists:
    """The lists that providers keep of their models, by trainer, and why one could not be read (None: all that were to be read, were)."""

    by_trainer: Mapping[str, Listed]
    unread: str | None = None


def providers_lists(connection: psycopg.Connection[TupleRow], settings: Settings) -> Lists:
    """The lists for the trainer that is chosen and those in the registry; without a key for it a list isn't asked."""
    rows = connection.execute("select distinct trainer from model_registry").fetchall()
    named = {settings.trainer, *(trainer for (trainer,) in rows)}.intersection(_LISTING)
    local = settings.uses_local_model_server  # whose dates count for those only who train there
    if not named or (local and not settings.local and settings.trainer not in _LISTING):
        return Lists({})
    from flywheel_dagster.training.trainers.openai import shutdown_dates

    try:
        listed = shutdown_dates(settings)
    except (TrainingError, SettingsError, SandboxError) as error:
        return Lists({}, unread=str(error))
    return Lists(dict.fromkeys(sorted(named), listed))


def base_ends_on(trainer: str, base_model: str, listed: Listed | None = None) -> date | None:
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


def note_ends(connection: psycopg.Connection[TupleRow], lists: Mapping[str, Listed]) -> None:
    """Write into the registry when each base ends, as it is known now. `lists` are the providers' own, by trainer.

    A base that its provider's list should have, but which isn't there or wasn't read, keeps a date that was learned before, unless the dated
    table has an earlier one; and no date is forgotten for a silent table.
    """
    for trainer, base_model in connection.execute("select distinct trainer, base_model from model_registry").fetchall():
        listed = lists.get(trainer, {})
        ends_on = base_ends_on(trainer, base_model, listed)
        known = base_model in listed or (trainer not in _LISTING and ends_on is not None)
        connection.execute(
            statement("note_base_end"), {"trainer": trainer, "base_model": base_model, "ends_on": ends_on, "known": known}
        )


def endings(connection: psycopg.Connection[TupleRow], today: date, *, notice: timedelta = NOTICE) -> list[Ending]:
    """Deployed models whose base ends within the notice, soonest first."""
    rows = connection.execute(statement("ending_models"), {"until": today + notice}).fetchall()
    return [Ending(scope, version, trainer, base, day, (day - today).days) for scope, version, trainer, base, day in rows]


def base_to_train(settings: Settings, base_model: str, today: date, listed: Listed, *, notice: timedelta = NOTICE) -> Ending | None:
    """The base that the next training would use, if it ends within the notice."""
    ends_on = base_ends_on(settings.trainer, base_model, listed)
    if ends_on is None or ends_on > today + notice:
        return None
    return Ending(None, None, settings.trainer, base_model, ends_on, (ends_on - today).days)


def plan(
    connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, today: date, *, notice: timedelta = NOTICE
) -> Plan:
    """What to train a scope with instead, by the method of the settings, on the dataset it has now."""
    method = settings.training_method
    kind = kind_for(method)
    dataset = current_dataset(connection, scope, settings.training_data_dir, kind=kind)
    if dataset is None:
        return Plan(scope, kind, None, [])
    staying = {
        trainer: base
        for trainer, base in COMPARED.items()
        if (method == "supervised" or trainer != "exemplars")  # which has nothing to prefer
        and ((ends := base_ends_on(trainer, base)) is None or ends > today + notice)
    }
    found = estimates(
        dataset.train_tokens,
        settings.epochs,
        base_models=staying,
        validation_tokens=dataset.validation_tokens,
        method=method,
        prices=price_list(settings.prices),
    )
    return Plan(scope, kind, dataset.hash, found)
