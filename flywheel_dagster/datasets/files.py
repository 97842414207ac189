"""A dataset's folder: written beside its final place, named by its content, moved there whole, and checked by whoever reads it."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.durable import clear_leftovers, sync, write_synced
from flywheel_dagster.errors import InputError

TRAIN, VALIDATION, TEST = "train.jsonl", "validation.jsonl", "test.jsonl"
SIDES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
MANIFEST, DESCRIPTION, SUMS = "manifest.jsonl", "dataset.json", "SHA256SUMS"
UNFINISHED = ".assembling-"


@dataclass(frozen=True)
class Written:
    """One finished file."""

    name: str
    sha256: str
    bytes: int
    lines: int


@dataclass(frozen=True)
class Folder:
    """The folder as it stands under its name; `bytes` are those of the files that the name is made of."""

    name: str
    bytes: int


def write_folder(
    directory: Path,
    write_content: Callable[[Path], list[Written]],
    write_manifest: Callable[[Path], Written],
    description: Mapping[str, Any],
) -> Folder:
    """Write a dataset's files, and move them to a folder named by the SHA-256 of the list of the content's sums.

    In a folder that is there already only the manifest and the description are replaced: the same lines may come from other outcomes, and
    other ones may be left out. Raises InputError for a folder that can't be written.
    """
    temporary = None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        clear_leftovers(directory, UNFINISHED)
        temporary = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=directory))
        content = write_content(temporary)
        sums = "".join(f"{file.sha256}  {file.name}\n" for file in content)
        named = hashlib.sha256(sums.encode()).hexdigest()
        files = [*content, write_manifest(temporary)]
        described = {"hash": named, **description, "files": {file.name: _facts(file) for file in files}}
        write_synced(temporary / DESCRIPTION, json.dumps(described, indent=2, ensure_ascii=False) + "\n")
        write_synced(temporary / SUMS, sums)
        temporary.chmod(0o755)
        if not (directory / named / SUMS).exists():
            shutil.rmtree(directory / named, ignore_errors=True)
            sync(temporary)
            temporary.replace(directory / named)
        else:
            for name in (MANIFEST, DESCRIPTION):
                (temporary / name).replace(directory / named / name)
            sync(directory / named)
        sync(directory)
        return Folder(named, sum(file.bytes for file in content))
    except OSError as error:
        raise InputError(
            f"the dataset can't be written to {directory}: {error.strerror}; set TRAINING_DATA_DIR to a folder that you may write"
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def verify(dataset: Dataset) -> None:
    """Raise InputError unless the files are those that the hash names."""
    try:
        sums = (dataset.directory / SUMS).read_bytes()
        names = [line.split("  ")[1] for line in sums.decode().splitlines()]
        found = "".join(f"{_digest(dataset.directory / name)}  {name}\n" for name in names)
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise InputError(
            f"dataset {dataset.hash[:12]} is not in {dataset.directory.parent}; materialize training_jsonl again"
        ) from error
    if hashlib.sha256(sums).hexdigest() != dataset.hash or found.encode() != sums:
        raise InputError(
            f"the files in {dataset.directory} are not those that were published; delete the folder and materialize training_jsonl again"
        )


def _facts(file: Written) -> dict[str, Any]:
    return {"sha256": file.sha256, "bytes": file.bytes, "lines": file.lines}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
