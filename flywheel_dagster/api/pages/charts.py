"""Charts as shapes: where bars, lines and labels stand, in the units of a drawing of WIDTH × HEIGHT. Templates draw them; nothing here knows what is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10

WIDTH, HEIGHT = 340, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 6, 8, 20
_PLOT_WIDTH, _PLOT_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_MOST_LABELS = 4

Values = Sequence[float | None]
Words = Callable[[float | None], str]


@dataclass(frozen=True)
class Label:
    """Words at a place."""

    x: float
    y: float
    text: str
    anchor: str = "end"


@dataclass(frozen=True)
class Bar:
    """`title` is what it says when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    is_young: bool
    title: str


@dataclass(frozen=True)
class Point:
    """One value of a line."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Line:
    """A line through the weeks that have a value; `number` tells lines apart."""

    number: int
    path: str
    points: list[Point]


@dataclass(frozen=True)
class Chart:
    """`alternative` says in words what is drawn. `young_from` is where the young weeks begin, if there are any."""

    alternative: str
    ticks: list[Label]
    labels: list[Label]
    bars: list[Bar]
    lines: list[Line]
    young_from: float | None
    base: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    plot_height: int = _PLOT_HEIGHT


def bars(weeks: Sequence[date], values: Values, young: Sequence[bool], *, named: str, words: Words) -> Chart:
    """A bar a week. What isn't known has none."""
    scale = _Scale(values)
    step = _PLOT_WIDTH / max(1, len(weeks))
    drawn = [
        Bar(
            _LEFT + step * (place + 0.14), scale.y(value), step * 0.72, max(0.0, scale.base - scale.y(value)), young[place],
            f"Week of {_day(week)}: {words(value)}",
        )
        for place, (week, value) in enumerate(zip(weeks, values, strict=True))
        if value is not None
    ]  # fmt: skip
    return _chart(weeks, young, scale, {named: values}, words, words, drawn, [])


def lines(weeks: Sequence[date], series: dict[str, Values], young: Sequence[bool], *, words: Words, ticks: Words) -> Chart:
    """A line for each series, broken where nothing is known; `ticks` are the words of the scale."""
    scale = _Scale([value for values in series.values() for value in values])
    step = _PLOT_WIDTH / max(1, len(weeks))
    drawn = []
    for number, (name, values) in enumerate(series.items()):
        points: list[Point] = []
        path, pen_is_down = "", False
        for place, (week, value) in enumerate(zip(weeks, values, strict=True)):
            if value is not None:
                point = Point(_LEFT + step * (place + 0.5), scale.y(value), f"Week of {_day(week)}, {name}: {words(value)}")
                path += f"{'L' if pen_is_down else 'M'}{point.x:.1f} {point.y:.1f}"
                points.append(point)
            pen_is_down = value is not None
        drawn.append(Line(number, path, points))
    return _chart(weeks, young, scale, series, words, ticks, [], drawn)


@dataclass(frozen=True)
class Interval:
    """An estimate with its bounds and the raw value, as shares (0..100) of a row's width."""

    estimate: float
    low: float
    high: float
    raw: float


def intervals(rows: Sequence[tuple[float, float, float, float]]) -> list[Interval]:
    """(estimate, low, high, raw) on one scale from zero to the highest bound; a raw value beyond it stands at the end."""
    most = max((high for _, _, high, _ in rows), default=0) or 1
    return [Interval(*(min(100.0, 98 * value / most) for value in row)) for row in rows]


class _Scale:
    """From values to heights: from zero, or from below it where values are negative, to a round number."""

    def __init__(self, values: Values) -> None:
        known = [float(value) for value in values if value is not None]
        self.high = _round_up(max((0.0, *known)))
        self.low = -_round_up(-min((0.0, *known))) if any(value < 0 for value in known) else 0.0
        self.base = self.y(0.0)

    def y(self, value: float) -> float:
        """Measured from the top, as drawings are."""
        return round(_TOP + _PLOT_HEIGHT * (self.high - float(value)) / (self.high - self.low), 2)

    def ticks(self, words: Words) -> list[Label]:
        """The ends and the middle, or zero; what reads like the lower end stands there only."""
        at = {words(value): value for value in (0.0 if self.low < 0 else self.high / 2, self.high, self.low)}
        return [Label(_LEFT - 5, self.y(value) + 3.5, text) for text, value in at.items()]


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 4, 5, 10) if value <= factor * power * (1 + 1e-9))


def _chart(
    weeks: Sequence[date],
    young: Sequence[bool],
    scale: _Scale,
    series: dict[str, Values],
    words: Words,
    ticks: Words,
    drawn_bars: list[Bar],
    drawn_lines: list[Line],
) -> Chart:
    step = _PLOT_WIDTH / max(1, len(weeks))
    every = max(1, -(-len(weeks) // _MOST_LABELS))
    return Chart(
        alternative="; ".join(_in_words(weeks, name, values, words) for name, values in series.items()),
        ticks=scale.ticks(ticks),
        labels=[
            Label(_LEFT + step * (place + 0.5), HEIGHT - 5, _day(weeks[place]), "middle")
            for place in range(every // 2, len(weeks), every)
        ],
        bars=drawn_bars,
        lines=drawn_lines,
        young_from=_LEFT + step * young.index(True) if True in young else None,
        base=scale.base,
    )


def _in_words(weeks: Sequence[date], name: str, values: Values, words: Words) -> str:
    known = [(week, value) for week, value in zip(weeks, values, strict=True) if value is not None]
    if not known:
        return f"{name}: nothing known"
    least, most = min(value for _, value in known), max(value for _, value in known)
    (first, _), (last, newest) = known[0], known[-1]
    return f"{name} by week, {_day(first)} to {_day(last)}: between {words(least)} and {words(most)}, {words(newest)} in the last"


def _day(week: date) -> str:
    return f"{week.day} {week:%b}"
