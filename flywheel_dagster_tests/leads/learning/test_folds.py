from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.leads.learning.folds import forward_splits, random_splits
from flywheel_dagster_tests.thoroughness import examples

_ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 15)), min_size=1, max_size=60)
_START = datetime(2026, 1, 1, tzinfo=UTC)


@given(_ROWS)
def test_each_row_is_tested_once_and_never_known_together_with_its_group(rows: list[tuple[bool, int]]) -> None:
    converted, groups = np.array([each for each, _ in rows]), [str(group) for _, group in rows]

    splits = random_splits(converted, groups, folds=5)

    assert sorted(np.concatenate([split.tested for split in splits]).tolist()) == list(range(len(rows)))
    for split in splits:
        assert not {groups[row] for row in split.known} & {groups[row] for row in split.tested}
        assert len(split.known) + len(split.tested) == len(rows)


@given(_ROWS, st.randoms())
def test_the_parts_do_not_depend_on_the_rows_order(rows: list[tuple[bool, int]], random: object) -> None:
    def parts(given: list[tuple[bool, int]]) -> list[set[str]]:
        groups = [str(group) for _, group in given]
        return [
            {groups[row] for row in split.tested} for split in random_splits(np.array([one for one, _ in given]), groups, folds=5)
        ]

    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert parts(rows) == parts(shuffled)


def test_the_rarer_outcome_is_in_each_part() -> None:
    converted = np.arange(50) % 10 == 0

    splits = random_splits(converted, [str(row) for row in range(50)], folds=5)

    assert [int(converted[split.tested].sum()) for split in splits] == [1] * 5
    assert [len(split.tested) for split in splits] == [10] * 5


@settings(max_examples=examples(100, quick=15))
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 80), st.integers(0, 40)), min_size=60, max_size=120))
def test_what_is_known_was_told_before_what_is_tested(rows: list[tuple[bool, int, int]]) -> None:
    converted = np.array([each for each, _, _ in rows])
    times = [_START + timedelta(hours=hour) for _, hour, _ in rows]
    groups = [str(group) for _, _, group in rows]

    for split in forward_splits(converted, groups, times, least=1):
        assert max(times[row] for row in split.known) < min(times[row] for row in split.tested)
        assert not {groups[row] for row in split.known} & {groups[row] for row in split.tested}


def test_a_past_grows_until_all_later_rows_are_tested() -> None:
    converted = np.arange(100) % 2 == 0
    times = [_START + timedelta(hours=hour) for hour in range(100)]

    splits = forward_splits(converted, [str(row) for row in range(100)], times)

    assert [len(split.known) for split in splits] == [40, 60, 80]
    assert [len(split.tested) for split in splits] == [20, 20, 20]


def test_without_times_or_with_one_time_nothing_is_later() -> None:
    converted, groups = np.arange(100) % 2 == 0, [str(row) for row in range(100)]

    assert forward_splits(converted, groups, None) == []
    assert forward_splits(converted, groups, [_START] * 100) == []
