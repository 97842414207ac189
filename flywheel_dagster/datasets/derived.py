"""Folders that hold a dataset's text in another form, such as an index of its messages. Each names its dataset, so that an erasure finds it."""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flywheel_dagster.datasets.files import SUMS
from flywheel_dagster.durable import sync, write_synced
from flywheel_dagster.errors import InputError

MODELS = "models"  # the folder in TRAINING_DATA_DIR that these stand in
BEING_MADE = ".making-"
ORIGIN = "made_from.json"  # the file that says which; it holds no text
_LOCK = ".lock"


@contextmanager
def making(folder: Path, dataset: Path) -> Iterator[Path]:
    """A place to write files to that were made of a dataset's text; after the block they stand in `folder`, all of them and on disk, or none.

    What stood there goes. Meanwhile nobody else makes or erases such a folder. Raises InputError where the dataset's files are gone, OSError
    for a folder that can't be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone_in(folder.parent):
        # Files go before what was made of them: whoever still finds them now is seen by an erasure that comes later.
        if not (dataset / SUMS).exists():
            raise InputError(f"the files of dataset {dataset.name[:12]} are gone; materialize training_jsonl again")
        for leftover in folder.parent.glob(f"{BEING_MADE}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=BEING_MADE, dir=folder.parent))
        try:
            write_synced(temporary / ORIGIN, json.dumps({"dataset_hash": dataset.name}) + "\n")
            yield temporary
            temporary.chmod(0o755)
            sync(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.replace(folder)
            sync(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def alone_in(models: Path) -> Iterator[None]:
    """Wait until nobody else makes or erases a folder in here, and keep others waiting."""
    with (models / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def dataset_of(folder: Path) -> str | None:
    """The hash of the dataset that a folder was made of; None where it doesn't say."""
    try:
        return str(json.loads((folder / ORIGIN).read_text(encoding="utf-8"))["dataset_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
