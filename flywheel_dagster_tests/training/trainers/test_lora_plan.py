"""What each line counts and what is trained when, before any tensor is made. Needs no torch."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import PermanentTrainingError
from flywheel_dagster.training.trainers.lora.examples import line_weights
from flywheel_dagster.training.trainers.lora.schedule import epoch_batches, rate_at, slices

lengths = st.lists(st.integers(1, 600), min_size=1, max_size=80)


def manifest(folder: Path, *rows: tuple[str, str, int, int, float]) -> Path:
    names = ("side", "part", "line", "copies", "training_weight")
    (folder / "manifest.jsonl").write_bytes(b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in rows))
    return folder / "train.jsonl"


def test_copies_share_their_outcomes_weight_and_the_mean_is_one(tmp_path: Path) -> None:
    train = manifest(
        tmp_path, ("train", "example", 1, 2, 10.0), ("train", "example", 3, 1, 1.0), ("validation", "example", 1, 1, 5.0)
    )
    assert line_weights(train, 3) == pytest.approx([5 / (11 / 3), 5 / (11 / 3), 1 / (11 / 3)])


def test_a_pair_counts_what_its_winner_does(tmp_path: Path) -> None:
    train = manifest(
        tmp_path,
        ("train", "preferred", 1, 1, 9.0),
        ("train", "rejected", 1, 1, 1.0),
        ("train", "preferred", 2, 1, 3.0),
        ("train", "rejected", 2, 1, 1.0),
    )
    assert line_weights(train, 2) == pytest.approx([1.5, 0.5])


def test_without_a_manifest_all_lines_count_the_same(tmp_path: Path) -> None:
    assert line_weights(tmp_path / "train.jsonl", 3) == [1.0] * 3


def test_a_manifest_of_other_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentTrainingError, match="the weights of the 2 lines"):
        line_weights(manifest(tmp_path, ("train", "example", 1, 1, 1.0)), 2)


def test_a_published_dataset_has_a_weight_for_each_line(dataset: Dataset) -> None:
    assert sum(line_weights(dataset.directory / "train.jsonl", dataset.train_lines)) == pytest.approx(dataset.train_lines)


@given(lengths, st.integers(1, 16), st.integers(0, 3))
def test_each_epoch_has_every_example_once(lengths: list[int], size: int, epoch: int) -> None:
    batches = epoch_batches(lengths, size, seed=17, epoch=epoch)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert batches == epoch_batches(lengths, size, seed=17, epoch=epoch)


@given(lengths, st.integers(1, 2_000))
def test_the_slices_of_a_batch_are_all_of_it_and_none_is_too_large(lengths: list[int], most: int) -> None:
    parts = slices(range(len(lengths)), lengths, most)
    assert sorted(number for part in parts for number in part) == list(range(len(lengths)))
    assert all(len(part) == 1 or len(part) * max(lengths[number] for number in part) <= most for part in parts)


def test_batches_hold_examples_of_about_the_same_length() -> None:
    lengths = [number % 100 + 1 for number in range(640)]
    padded = sum(max(lengths[n] for n in batch) * len(batch) for batch in epoch_batches(lengths, 8, seed=1, epoch=0))
    assert padded < 1.1 * sum(lengths)


@given(st.integers(1, 500))
def test_the_rate_rises_once_and_falls_almost_to_nothing(steps: int) -> None:
    rates = [rate_at(step, steps) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == 1
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
