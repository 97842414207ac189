"""What people see in the UI's metadata: tables and small plots. No personal data comes here: numbers, ids and labels only."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def table(rows: Sequence[Mapping[str, Any]], *, none: str = "none") -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table; the first row's keys are the columns."""
    if not rows:
        return dg.MetadataValue.md(none)
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(row[column]) for column in columns) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def told(value: Any, form: str) -> str:
    """A number as `form` has it, such as "{:.2%}"; a dash where there is none."""
    return "–" if value is None else form.format(value)


def shortened(name: str) -> str:
    """A name that people chose, as a plot's label: at most 24 characters, and no formula."""
    return (name if len(name) <= 24 else f"{name[:23]}…").replace("$", r"\$")


def bars(values: Mapping[str, float], *, title: str, ylabel: str) -> dg.MarkdownMetadataValue:
    """A bar chart as an inline PNG of a few kilobytes; long series show every nth label."""
    from matplotlib.figure import Figure  # half a second to import, only when a plot is drawn

    figure = Figure(figsize=(6, 2.4), layout="constrained")
    axes = figure.subplots()
    positions = range(len(values))
    axes.bar(positions, list(values.values()), color="#4f43dd")
    return _drawn(figure, axes, list(values), title=title, ylabel=ylabel)


def _drawn(
    figure: "Figure", axes: "Axes", labels: Sequence[str], *, title: str, ylabel: str, legend: bool = False
) -> dg.MarkdownMetadataValue:
    step = max(1, len(labels) // 10)
    axes.set_xticks(range(len(labels))[::step], labels[::step], rotation=30, ha="right", fontsize=7)
    if legend:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axes.tick_params(axis="y", labelsize=7)
    return _png(figure, axes, title=title, ylabel=ylabel)


def _png(figure: "Figure", axes: "Axes", *, title: str, ylabel: str) -> dg.MarkdownMetadataValue:
    from PIL import Image

    axes.set_title(title, fontsize=9)
    axes.set_ylabel(ylabel, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    drawn, image = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=90)
    Image.open(drawn).convert("RGB").quantize(64).save(image, format="png", optimize=True)  # a third of the bytes
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(image.getvalue()).decode()})")


def stacked(series: Mapping[str, Sequence[float]], labels: Sequence[str], *, title: str, ylabel: str) -> dg.MarkdownMetadataValue:
    """Stacked bars as an inline PNG: for each series a value a label; long ones show every nth label."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.4), layout="constrained")
    axes = figure.subplots()
    positions = range(len(labels))
    below = [0.0] * len(labels)
    for (name, values), colour in zip(series.items(), ("#2f9e6e", "#b8b8c4", "#d1495b", "#4f43dd"), strict=False):
        axes.bar(positions, values, bottom=below, label=name, color=colour)
        below = [before + value for before, value in zip(below, values, strict=True)]
    return _drawn(figure, axes, labels, title=title, ylabel=ylabel, legend=True)


def band(
    points: Sequence[tuple[float, float, float | None, float | None]], *, title: str, xlabel: str, ylabel: str, at: float = 0.0
) -> dg.MarkdownMetadataValue:
    """An estimate with its bounds as an inline PNG: points (x, estimate, lower, upper), a bound that is not known as None; `at` is drawn as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.4), layout="constrained")
    axes = figure.subplots()
    bounded = [(x, low, high) for x, _, low, high in points if low is not None and high is not None]
    days, lows, highs = ([each[place] for each in bounded] for place in range(3))
    axes.fill_between(days, lows, highs, color="#4f43dd", alpha=0.15, linewidth=0)
    if points:
        axes.plot([x for x, *_ in points], [y for _, y, *_ in points], color="#4f43dd", linewidth=1.4)
    axes.axhline(at, color="#b8b8c4", linewidth=0.8)
    axes.tick_params(axis="both", labelsize=7)
    axes.set_xlabel(xlabel, fontsize=8)
    return _png(figure, axes, title=title, ylabel=ylabel)


def lines(series: Mapping[str, Sequence[tuple[float, float]]], *, title: str, xlabel: str, ylabel: str) -> dg.MarkdownMetadataValue:
    """Lines through points (x, y) as an inline PNG, one for each series that has points; single points are dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.4), layout="constrained")
    axes = figure.subplots()
    for (name, points), colour in zip(series.items(), ("#4f43dd", "#d1495b", "#2f9e6e"), strict=False):
        if points:
            axes.plot(*zip(*points, strict=True), label=name, color=colour, linewidth=1.2, marker="." if len(points) < 30 else None)
    axes.tick_params(axis="both", labelsize=7)
    if any(series.values()):
        axes.legend(fontsize=7, frameon=False)
    axes.set_xlabel(xlabel, fontsize=8)
    return _png(figure, axes, title=title, ylabel=ylabel)


def intervals(
    estimates: Mapping[str, tuple[float, float, float]], *, title: str, xlabel: str, at: float, none: str = "none"
) -> dg.MarkdownMetadataValue:
    """Horizontal bars with their bounds as an inline PNG, the first on top: for each label estimate, lower and upper bound. Bars begin at `at`."""
    from matplotlib.figure import Figure

    if not estimates:
        return dg.MetadataValue.md(none)
    figure = Figure(figsize=(7, 0.8 + 0.26 * len(estimates)), layout="constrained")
    axes = figure.subplots()
    places = range(len(estimates))
    middles, lows, highs = zip(*estimates.values(), strict=True)
    bounds = [
        [max(0, m - low) for m, low in zip(middles, lows, strict=True)],
        [max(0, h - m) for m, h in zip(middles, highs, strict=True)],
    ]
    axes.barh(places, [m - at for m in middles], left=at, color="#4f43dd", alpha=0.6, height=0.6)
    axes.errorbar(middles, places, xerr=bounds, fmt="none", ecolor="#33333d", elinewidth=0.9, capsize=2)
    axes.axvline(at, color="#b8b8c4", linewidth=0.8)
    axes.set_yticks(places, [label.replace("$", r"\$") for label in estimates], fontsize=7)
    axes.invert_yaxis()
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel(xlabel, fontsize=8)
    return _png(figure, axes, title=title, ylabel="")


def column_schema(columns: Mapping[str, str]) -> dg.TableSchema:
    """Names and types, for `dagster/column_schema`."""
    return dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")
