"""The head's weights are plain data that fit what is installed, and say so clearly where they don't. None of this needs the extra."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.reply_head_training import training_replies
from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.head.features import BLOCKS
from flywheel_dagster.replies.head.training import replies_hash, signals_hash
from flywheel_dagster.replies.head.weights import FILE, TASKS, check_origin, read_weights
from flywheel_dagster_tests.replies.corpus import load
from flywheel_dagster_tests.replies.corpus.counterparts import group_of

AGAIN = "train the head again: python -m benchmarks.reply_head_training"
SHIPPED = read_weights(FILE.read_bytes())


def test_the_weights_are_small_and_hold_only_numbers() -> None:
    assert FILE.stat().st_size < 300_000
    with np.load(FILE, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fiuU" for name in file.files)
    assert np.isfinite(SHIPPED.matrix).all() and np.isfinite(SHIPPED.intercept).all()
    assert (SHIPPED.sharpness > 0).all()


def test_the_weights_survive_being_written() -> None:
    again = read_weights(SHIPPED.as_bytes())
    assert again.origin == SHIPPED.origin
    assert (again.matrix == SHIPPED.matrix).all() and (again.possible == SHIPPED.possible).all()


def test_the_weights_were_made_on_the_replies_in_the_repository() -> None:
    replies = training_replies()
    assert SHIPPED.origin.replies == len(replies)
    assert SHIPPED.origin.replies_sha256 == replies_hash(replies), AGAIN


def test_the_weights_were_made_with_the_rules_as_they_are() -> None:
    assert SHIPPED.origin.signals_sha256 == signals_hash(training_replies()), AGAIN


def test_no_reply_of_the_test_part_is_trained_on() -> None:
    made_on = {" ".join(reply["reply_text"].casefold().split()) for reply in load("head")}
    assert not made_on & {" ".join(reply["reply_text"].casefold().split()) for reply in load("test")}
    assert not {reply["id"] for reply in training_replies()} & {reply["id"] for reply in load("test")}


def test_translations_of_one_another_are_one_group() -> None:
    assert group_of("a215") == group_of("a269") == group_of("a323") == group_of("a377")
    assert group_of("a268") == group_of("a430") != group_of("a215")
    assert len({group_of(each) for each in ("a214", "a431", "b215", "c215")}) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules_version": 999}, "another rules: 999"),
        ({"encoder_version": "0.0.1"}, "another encoder's version: 0.0.1"),
        ({"encoder": "another"}, "another encoder: another"),
        ({"head_version": 999}, "another head: 999"),
        ({"signals": ("one",)}, "another rules' signals"),
    ],
)
def test_weights_made_with_something_else_are_refused_with_the_remedy(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=rf"{message}.*benchmarks\.reply_head_training.*FLYWHEEL_REPLY_HEAD=off"):
        check_origin(replace(SHIPPED.origin, **change), encoder=SHIPPED.origin.encoder_version)


def test_without_the_extra_the_message_says_how_to_install_it() -> None:
    with pytest.raises(SettingsError, match=r'pip install "flywheel-dagster\[head\]"'):
        check_origin(SHIPPED.origin, encoder=None)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_broken_file_is_an_error_that_names_the_remedy(content: bytes) -> None:
    with pytest.raises(SettingsError, match="can't be read; train it again"):
        read_weights(content)


def test_weights_of_another_shape_are_refused() -> None:
    short = replace(SHIPPED, matrix=SHIPPED.matrix[:-1])
    with pytest.raises(SettingsError, match="have the shape"):
        read_weights(short.as_bytes())


def test_every_possible_combination_is_one_that_labels_allow() -> None:
    assert SHIPPED.matrix.shape[0] == sum(width for _, width in BLOCKS)
    for sentiment, interest, _ in SHIPPED.possible:
        names = TASKS[0][1][sentiment], TASKS[1][1][interest]
        assert names not in {("negative", "high"), ("negative", "medium"), ("positive", "none")}
