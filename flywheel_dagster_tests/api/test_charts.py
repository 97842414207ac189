"""Charts stay within their drawing, whatever the numbers are, and say in words what they show."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.api.pages import charts
from flywheel_dagster.api.pages.words import count, day, per_cent, signed, usd

FIRST = date(2026, 1, 5)
VALUES = st.lists(st.none() | st.floats(-1e9, 1e12, allow_subnormal=False), min_size=1, max_size=60)


def mondays(number: int) -> list[date]:
    return [FIRST + timedelta(weeks=week) for week in range(number)]


def exact(value: float | None) -> str:
    return f"{value}"


@given(VALUES)
def test_bars_and_lines_stay_within_their_drawing(values: list[float | None]) -> None:
    weeks, young = mondays(len(values)), [False] * len(values)
    lines = charts.lines(weeks, {"a": values, "b": values[::-1]}, young, words=exact, ticks=exact)
    positive = [None if value is None else abs(value) for value in values]
    bars = charts.bars(weeks, positive, young, named="a", words=exact)
    for chart in (lines, bars):
        for y in [*(point.y for line in chart.lines for point in line.points), *(bar.y for bar in chart.bars), chart.base]:
            assert chart.top - 0.01 <= y <= chart.top + chart.plot_height + 0.01
        for x in [*(point.x for line in chart.lines for point in line.points), *(bar.x for bar in chart.bars)]:
            assert chart.left <= x <= chart.right
        assert 1 <= len(chart.labels) <= 4 and 2 <= len(chart.ticks) <= 3
    assert sum(line.path.count("M") + line.path.count("L") for line in lines.lines) == sum(len(line.points) for line in lines.lines)


def test_a_scale_that_words_are_too_coarse_for_keeps_its_lower_end() -> None:
    chart = charts.bars(mondays(1), [1], [False], named="a", words=count)
    assert [tick.text for tick in chart.ticks] == ["0", "1"] and chart.ticks[0].y > chart.ticks[1].y


def test_a_line_is_broken_where_nothing_is_known() -> None:
    chart = charts.lines(mondays(4), {"a": [0.1, None, 0.2, 0.3]}, [False] * 4, words=per_cent, ticks=per_cent)
    assert [mark for mark in chart.lines[0].path if mark in "ML"] == ["M", "M", "L"]


def test_young_weeks_are_marked_from_the_first_of_them() -> None:
    chart = charts.bars(mondays(4), [1, 2, 3, 4], [False, False, True, True], named="Messages", words=count)
    assert [bar.is_young for bar in chart.bars] == [False, False, True, True]
    assert chart.young_from is not None and chart.bars[1].x + chart.bars[1].width < chart.young_from < chart.bars[2].x
    assert chart.alternative == "Messages by week, 5 Jan to 26 Jan: between 1 and 4, 4 in the last"
    assert chart.bars[0].title == "Week of 5 Jan: 1"


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=10))
def test_intervals_share_one_scale(rows: list[tuple[float, float, float, float]]) -> None:
    drawn = charts.intervals(rows)
    ordered = [(row[1], each.low) for row, each in zip(rows, drawn, strict=True)]
    assert all(0 <= value <= 100 for each in drawn for value in (each.estimate, each.low, each.high, each.raw))
    assert all(a[1] <= b[1] for a in ordered for b in ordered if a[0] <= b[0])


def test_numbers_are_written_as_people_read_them() -> None:
    assert [count(1234.4), count(None), per_cent(0.1234), usd(1234), usd(0.123), usd(None)] == [
        "1,234",
        "–",
        "12.3\u202f%",
        "$1,234",
        "$0.12",
        "–",
    ]
    assert [signed(0.126), signed(-0.5), signed(0.001), day(FIRST)] == ["+0.13", "\u22120.50", "0.00", "5 Jan 2026"]
