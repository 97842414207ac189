"""What the columns of a table of leads are: id, outcome, time, standard fields, attributes; and what a row says in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.fields import MOST_ATTRIBUTES, STANDARD, TAKEN, Features, attribute_name, read_attribute, read_standard
from flywheel_dagster.leads.reading import read_outcome, read_time
from flywheel_dagster.leads.tables import LeadTable

Result = TypeVar("Result")


@dataclass(frozen=True)
class Columns:
    """The columns by their meaning; None where the table has none of it. `standard` is field by column."""

    id: str | None
    label: str | None
    time: str | None
    standard: Mapping[str, str]
    attributes: Sequence[str]

    def id_of(self, texts: Mapping[str, str]) -> str:
        """The lead. Raises ValueError for an id that no lead can have."""
        assert self.id is not None
        found = texts[self.id].strip()
        if not 1 <= len(found) <= 200 or not found.isprintable():
            raise ValueError(f"{self.id}: an id has 1 to 200 printable characters")
        return found

    def outcome_of(self, texts: Mapping[str, str]) -> bool | None:
        """What became of the lead; None: not known. Raises ValueError."""
        return None if self.label is None else _told(self.label, read_outcome, texts[self.label])

    def time_of(self, texts: Mapping[str, str], *, now: datetime) -> datetime | None:
        """When it was so. Raises ValueError."""
        return None if self.time is None else _told(self.time, lambda text: read_time(text, now=now), texts[self.time])

    def features_of(self, texts: Mapping[str, str]) -> Features:
        """All else that is known. Raises ValueError naming the column."""
        found = {name: _told(column, partial(read_standard, name), texts[column]) for column, name in self.standard.items()}
        found |= {column: _told(column, read_attribute, texts[column]) for column in self.attributes}
        return {name: value for name, value in found.items() if value is not None}


def columns_of(
    table: LeadTable,
    *,
    id: str | None = None,
    label: str | None = None,
    time: str | None = None,
    mapped: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> Columns:
    """Assign a table's columns. `mapped` is column by standard field; columns of a standard field's very name are it, and those named lead_id and
    actual_outcome are id and label where no others are named. All others are attributes, but those that are left out by `without`.

    Raises InputError for columns that aren't there, that are named twice, or that no attribute may be called.
    """
    mapped = dict(mapped or {})
    if wrong := sorted(set(mapped) - set(STANDARD)):
        raise InputError(
            f"{', '.join(wrong)} is no standard field; these are: {', '.join(STANDARD)}; other columns become attributes by themselves"
        )
    id = id or ("lead_id" if "lead_id" in table.columns else None)
    label = label or ("actual_outcome" if "actual_outcome" in table.columns else None)
    named = [name for name in (id, label, time) if name is not None]
    table.require(*named, *mapped.values(), *without)
    used = [*named, *mapped.values(), *without]
    if twice := sorted({name for name in used if used.count(name) > 1}):
        raise InputError(f"the column {twice[0]!r} is named for two things; it can be one only")
    left = [name for name in table.columns if name not in used]
    standard = {column: name for name, column in mapped.items()} | {
        name: name for name in left if name in STANDARD and name not in mapped
    }
    attributes = [name for name in left if name not in standard]
    if strange := [name for name in attributes if name in TAKEN]:
        raise InputError(
            f"an attribute can't be called {strange[0]}; rename the column, or leave it out with --without {strange[0]}"
        )
    if len(attributes) > MOST_ATTRIBUTES:
        raise InputError(
            f"{table.path.name} has {len(attributes)} columns for attributes, more than {MOST_ATTRIBUTES}; leave some out with --without"
        )
    for name in attributes:
        try:
            attribute_name(name)
        except ValueError as error:
            raise InputError(f"column {name[:40]!r}: {error}; rename it, or leave it out with --without") from error
    return Columns(id, label, time, standard, attributes)


def _told(column: str, read: Callable[[str], Result], text: str) -> Result:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from error
