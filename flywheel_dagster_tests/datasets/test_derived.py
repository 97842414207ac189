"""Folders made of a dataset's text: whole or not there, whatever interrupts it, and gone with the dataset."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel_dagster.datasets import derived, erased_files
from flywheel_dagster.datasets.derived import MODELS, dataset_of, making
from flywheel_dagster.datasets.erased_files import TOMBSTONE, bury, bury_derived
from flywheel_dagster.datasets.files import SUMS
from flywheel_dagster.errors import InputError
from flywheel_dagster_tests.datasets.killing import Killed, Place, killed_at

SECRET = "dear ada"
ERASED_AT = datetime(2026, 11, 1, tzinfo=UTC)
FILES = (derived, erased_files)
ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two datasets, as far as anybody here looks at them."""
    for name in (ONE, OTHER):
        (tmp_path / name).mkdir()
        (tmp_path / name / SUMS).write_text("sums")
        (tmp_path / name / "train.jsonl").write_text(SECRET)
    return tmp_path


def make(directory: Path, dataset: str, name: str) -> Path:
    """A folder with text, as trainers make it."""
    folder = directory / MODELS / name
    with making(folder, directory / dataset) as place:
        (place / "index.jsonl").write_text(SECRET)
        (place / "index.json").write_text("{}")
    return folder


def erase(directory: Path, dataset: str = ONE) -> list[str]:
    """What an erasure does with files."""
    bury(directory, dataset, ERASED_AT)
    return bury_derived(directory, {dataset: ERASED_AT})


def holds_text(folder: Path) -> bool:
    return any(SECRET in path.read_text() for path in folder.rglob("*") if path.is_file())


def test_a_folder_says_what_it_was_made_of_and_goes_with_it(directory: Path) -> None:
    mine, others = make(directory, ONE, "flywheel-v1"), make(directory, OTHER, "flywheel-v2")
    assert (dataset_of(mine), dataset_of(others)) == (ONE, OTHER)
    assert erase(directory) == ["flywheel-v1"]
    assert sorted(path.name for path in mine.iterdir()) == [TOMBSTONE, "made_from.json"]
    assert ONE in (mine / TOMBSTONE).read_text()
    assert holds_text(others)
    assert erase(directory) == ["flywheel-v1"], "the same command tells the same again"
    assert bury_derived(directory, {}) == []


def test_nothing_is_made_of_a_dataset_whose_files_are_gone(directory: Path) -> None:
    erase(directory)
    with pytest.raises(InputError, match="materialize training_jsonl again"):
        make(directory, ONE, "flywheel-v1")
    assert not holds_text(directory / MODELS)


def test_a_folder_that_comes_about_anew_takes_the_place_of_its_tombstone(directory: Path) -> None:
    make(directory, ONE, "flywheel-v1")
    erase(directory)
    (directory / ONE / SUMS).write_text("the same bytes from other messages")
    folder = make(directory, ONE, "flywheel-v1")
    assert sorted(path.name for path in folder.iterdir()) == ["index.json", "index.jsonl", "made_from.json"]


def test_an_erasure_waits_for_what_is_being_made_and_takes_it_along(directory: Path) -> None:
    folder, asked = directory / MODELS / "flywheel-v1", threading.Event()
    erasure = threading.Thread(
        target=lambda: (bury(directory, ONE, ERASED_AT), asked.set(), bury_derived(directory, {ONE: ERASED_AT}))
    )
    with making(folder, directory / ONE) as place:
        erasure.start()
        assert asked.wait(10)
        (place / "index.jsonl").write_text(SECRET)
    erasure.join(10)
    assert not holds_text(directory / MODELS)
    assert (folder / TOMBSTONE).exists()


def test_killed_at_any_line_a_folder_is_whole_or_not_there_and_an_erasure_leaves_no_text(directory: Path) -> None:
    lines: set[Place] = set()
    with killed_at(None, lines, *FILES):
        make(directory, ONE, "reference")
    assert len(lines) > 15
    for number, place in enumerate(sorted(lines)):
        name = f"model-{number}"
        with pytest.raises(Killed), killed_at(place, set(), *FILES):
            make(directory, ONE, name)
        folder = directory / MODELS / name
        if folder.exists():
            assert json.loads((folder / "index.json").read_text()) == {} and dataset_of(folder) == ONE
    unfinished = directory / MODELS / ".making-killed"
    unfinished.mkdir()
    (unfinished / "index.jsonl").write_text(SECRET)
    make(directory, OTHER, "theirs")
    assert not unfinished.exists(), "who comes next clears up"
    unfinished.mkdir()
    (unfinished / "index.jsonl").write_text(SECRET)
    erase(directory)
    assert [path.parent.name for path in (directory / MODELS).rglob("index.jsonl")] == ["theirs"]


def test_an_erasure_killed_at_any_line_is_finished_by_the_next(directory: Path) -> None:
    lines: set[Place] = set()
    make(directory, ONE, "flywheel-v1")
    with killed_at(None, lines, *FILES):
        erase(directory)
    assert len(lines) > 15
    for place in sorted(lines):
        (directory / ONE / SUMS).write_text("sums")
        folder = make(directory, ONE, "flywheel-v1")
        with pytest.raises(Killed), killed_at(place, set(), *FILES):
            erase(directory)
        if (folder / "index.json").exists():
            assert holds_text(folder), "what looks like a model is one"
        assert erase(directory) == ["flywheel-v1"]
        assert sorted(path.name for path in folder.iterdir()) == [TOMBSTONE, "made_from.json"]
