"""The files of datasets that hold an erased lead, and what was made of their text: they go, and a tombstone stays. The database is `erasure.py`'s."""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from flywheel_dagster.datasets.derived import BEING_MADE, MODELS, ORIGIN, alone_in, dataset_of
from flywheel_dagster.datasets.files import MANIFEST, SUMS, UNFINISHED
from flywheel_dagster.durable import sync, write_synced
from flywheel_dagster.errors import InputError

TOMBSTONE = "ERASED.txt"
_NAME = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def bury(directory: Path, dataset_hash: str, erased_at: datetime) -> bool:
    """Delete the dataset's files, and leave a tombstone that names nobody; False where there is no folder of it.

    The list of sums goes first: without it nobody takes the folder for a dataset. Interrupted anywhere, the same call finishes it. Raises
    InputError for a file that can't be deleted.
    """
    folder = directory / dataset_hash
    if not folder.is_dir():
        return False
    _bury(folder, _epitaph(dataset_hash, erased_at), first=SUMS)
    return True


def bury_derived(directory: Path, erased: Mapping[str, datetime]) -> list[str]:
    """Delete what was made of the text of these datasets (when each was erased, by hash), once their own files are gone; returns the names.

    Tombstones say so, and which dataset it was; unfinished folders go whole. Interrupted anywhere, the same call finishes it. Raises
    InputError for a file that can't be deleted.
    """
    models = directory / MODELS
    if not erased or not models.is_dir():
        return []
    buried = []
    try:
        with alone_in(models):
            for folder in sorted(path for path in models.iterdir() if path.is_dir()):
                dataset_hash = dataset_of(folder)
                if folder.name.startswith(BEING_MADE):
                    _remove(folder)
                elif dataset_hash is not None and dataset_hash in erased:
                    _bury(folder, _model_epitaph(folder.name, dataset_hash, erased[dataset_hash]), kept=ORIGIN)
                    buried.append(folder.name)
    except OSError as error:
        raise _refused(models, error) from error
    return buried


def clear_strays(directory: Path, outcome_ids: Iterable[str], unknown: Callable[[list[str]], Iterable[str]]) -> int:
    """Delete what no dataset of the database knows of and may hold the lead: unfinished folders, and finished ones that were never published.

    `unknown` tells which of these names no dataset has. Nobody may be assembling meanwhile. Returns how many folders went. Raises InputError
    for one that can't be deleted.
    """
    if not directory.is_dir():
        return 0
    wanted = {each.encode() for each in outcome_ids}
    finished = sorted(path.name for path in directory.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    strays = sorted(directory.glob(f"{UNFINISHED}*"))
    strays += [directory / name for name in unknown(finished) if _names_any(directory / name / MANIFEST, wanted)]
    for folder in strays:
        try:
            _remove(folder)
        except OSError as error:
            raise _refused(folder, error) from error
    return len(strays)


def _names_any(manifest: Path, wanted: set[bytes]) -> bool:
    try:
        with manifest.open("rb") as file:
            return any(found in wanted for line in file for found in _UUID.findall(line))
    except OSError:
        return False


def _bury(folder: Path, epitaph: str, *, first: str = "", kept: str = "") -> None:
    """Delete the files in a folder, that called `first` before all others, but for that called `kept`; leave the tombstone."""
    try:
        for path in sorted(folder.iterdir(), key=lambda path: (path.name != first, path.name)):
            if path.name not in (TOMBSTONE, kept):
                _remove(path)
        write_synced(folder / TOMBSTONE, epitaph)
        sync(folder)
    except OSError as error:
        raise _refused(folder, error) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _epitaph(dataset_hash: str, erased_at: datetime) -> str:
    return (
        f"Dataset {dataset_hash} was erased on {erased_at:%Y-%m-%d}.\n"
        "A person whose messages stood in it asked for it (flywheel erase). What it was made of, without the person, and which models\n"
        "were trained on it is in the database: flywheel lineage. The next training_jsonl is made without the person.\n"
    )


def _model_epitaph(name: str, dataset_hash: str, erased_at: datetime) -> str:
    return (
        f"Model {name} was made of the text of dataset {dataset_hash}, which was erased on {erased_at:%Y-%m-%d}.\n"
        "A person whose messages stood in it asked for it (flywheel erase). Train anew on the dataset that is made without the person.\n"
    )


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} can't be deleted: {error.strerror}; run the same command again as a user who may, it goes on where it stopped"
    )
