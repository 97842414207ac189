"""How long it is waited before a provider is called again: doubling pauses, and whatever time the provider names."""

from dataclasses import replace

import pytest

from flywheel_dagster.errors import PermanentTrainingError, TransientTrainingError, UnansweredError
from flywheel_dagster_tests.training.making import Time


def failing(*errors: Exception):  # type: ignore[no-untyped-def]
    """A step that raises these errors, one a call, and then returns."""
    left = list(errors)

    def step() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return step


@pytest.mark.parametrize(
    ("asked", "slept"),
    [
        ([None, None, None, None], [1, 2, 4, 8]),
        ([0.2, 0.2], [1, 2]),  # the own pause is longer
        ([120, None, 120], [120, 2, 120]),
        ([61, 61, 61, 61, 61, 61], [61] * 6),  # beyond a poll
        ([3600, float("inf")], [600, 600]),
    ],
)
def test_a_pause_is_as_long_as_the_provider_asks_up_to_ten_minutes(asked: list[float | None], slept: list[float]) -> None:
    time = Time()
    errors = [UnansweredError("busy", retry_after=seconds) for seconds in asked]
    assert time.patience().insist(failing(*errors), attempts=7, on=TransientTrainingError) == "done"
    assert time.slept == slept


def test_the_last_error_is_raised_without_a_pause_after_it() -> None:
    time = Time()
    with pytest.raises(TransientTrainingError, match="third"):
        time.patience().insist(
            failing(*(TransientTrainingError(word, retry_after=9) for word in ("first", "second", "third"))),
            attempts=3,
            on=TransientTrainingError,
        )
    assert time.slept == [9, 9]


def test_another_error_is_raised_at_once() -> None:
    time = Time()
    with pytest.raises(PermanentTrainingError):
        time.patience().insist(failing(PermanentTrainingError("no")), attempts=7, on=TransientTrainingError)
    assert time.slept == []


def test_errors_that_are_not_ours_are_tried_again_too() -> None:
    time = Time()
    assert time.patience().insist(failing(OSError(), OSError()), attempts=3, on=OSError) == "done"
    assert time.slept == [1, 2]


def test_only_the_time_between_two_looks_may_end_early() -> None:
    time, waited = Time(), list[float]()
    patience = replace(time.patience(), wait=waited.append)
    patience.until_next_look()
    patience.insist(failing(TransientTrainingError("busy", retry_after=120)), attempts=2, on=TransientTrainingError)
    assert list(patience.tries(2)) == [0, 1]
    assert (waited, time.slept) == ([60], [120, 1])
    time.patience().until_next_look()
    assert time.slept == [120, 1, 60]
