"""Exports to a folder, by files that are moved into place."""

import contextlib
import shutil
import tempfile
from datetime import date
from pathlib import Path

from flywheel_dagster.datasets.warehouse.destination import refusals
from flywheel_dagster.datasets.warehouse.schema import Schema, partition_path, version_path
from flywheel_dagster.durable import clear_leftovers, sync

_UNFINISHED = ".exporting-"
_REMEDY = "set FLYWHEEL_WAREHOUSE to a folder that you may write"


class Folder:
    """A folder of this machine, or of one that is mounted on it."""

    week_in_file = False
    versions_apart = True

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.name = str(self.root)

    def location(self, schema: Schema, week: date) -> str:
        """The path of the week's file."""
        return str(self.root / partition_path(schema, week))

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Copy beside the table, put it on disk, then rename: no reader's pattern matches a half-written file."""
        target = self.root / partition_path(schema, week)
        with refusals(self.name, _REMEDY, OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            clear_leftovers(self.root, _UNFINISHED)
            description = self._description(schema)
            if not description.exists() or description.read_text() != schema.description():
                self._place(description, schema.description().encode())
            self._place(target, file)
            sync(target.parents[1])

    def remove(self, schema: Schema, week: date) -> None:
        """Remove the file and the folder that is empty without it."""
        target = self.root / partition_path(schema, week)
        with refusals(self.name, _REMEDY, OSError):
            if not target.parent.is_dir():
                return
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody put a file of their own beside it
                target.parent.rmdir()
            sync(target.parents[1])

    def is_there(self, schema: Schema) -> bool:
        """Whether the folder holds the table's description."""
        return self._description(schema).is_file()

    def close(self) -> None:
        """Nothing is open."""

    def _description(self, schema: Schema) -> Path:
        return self.root / version_path(schema) / "_schema.json"

    def _place(self, target: Path, content: Path | bytes) -> None:
        temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.root))
        try:
            unfinished = temporary / target.name
            if isinstance(content, bytes):
                unfinished.write_bytes(content)
            else:
                shutil.copyfile(content, unfinished)
            sync(unfinished)
            unfinished.replace(target)
            sync(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
