import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import Cells

EMAIL = ("email", "", "", "")


def test_cells_of_the_same_strategy_and_segment_become_one_and_trials_are_at_least_the_successes() -> None:
    merged = Cells([("b",), ("a",), ("b",)], [EMAIL] * 3, [0.3, 2, 0.2], [1, 1, 0]).merged
    assert merged.strategies == [("a",), ("b",)]
    assert merged.trials.tolist() == [2.0, 1.0]
    assert merged.successes.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("trials", "successes", "told"),
    [
        ([1.0], [-1.0], "0 or more"),
        ([float("nan")], [0.0], "without gaps"),
        ([float("inf")], [0.0], "without gaps"),
        ([1.0, 2.0], [0.0], "as many"),
    ],
)
def test_what_is_no_evidence_is_refused(trials: list[float], successes: list[float], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Cells([("a",)], [EMAIL], trials, successes)


def test_strategies_of_different_dimensions_and_segments_without_all_fields_are_refused() -> None:
    with pytest.raises(InputError, match="each key"):
        Cells([("a",), ("a", "b")], [EMAIL] * 2, [1, 1], [0, 0])
    with pytest.raises(InputError, match="say how many"):
        Cells([], [], [], [])
    with pytest.raises(InputError, match="a segment is channel"):
        Cells([("a",)], [("email",)], [1], [0])  # type: ignore[list-item]
