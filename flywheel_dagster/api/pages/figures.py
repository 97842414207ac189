"""What the page says: from rows to cards with charts, a funnel, models and strategies. Pure; how it looks is in `templates/`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flywheel_dagster.api.pages import charts
from flywheel_dagster.api.pages.words import count, day, per_cent, signed, usd, whole_per_cent

Row = Mapping[str, Any]
_RATES = {"replies": "reply_rate", "meetings": "meeting_rate", "deals": "close_rate"}
_FUNNEL = {
    "sent": "outcomes",
    "delivered": "delivered",
    "opened": "opened",
    "replied": "replies",
    "meeting": "meetings",
    "deal": "deals",
}
_VERDICTS = {
    "promote": "better than the control",
    "keep": "no better than the control",
    "roll_back": "does harm",
    "inconclusive": "too early to say",
}
_ACTIONS = {
    "none": "nothing changed",
    "ramp": "gets more traffic",
    "promote": "promoted",
    "end_variant": "ended",
    "roll_back": "taken back",
}


@dataclass(frozen=True)
class Card:
    """A figure and how it went: `headline` is the number, `below` what it is of; `empty` says what to do where there is nothing to draw."""

    title: str
    headline: str
    below: str
    chart: charts.Chart | None
    empty: str = ""
    legend: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step of the funnel; shares are 0..1, None before the first message."""

    name: str
    count: int
    of_sent: float | None
    of_before: float | None


@dataclass(frozen=True)
class Strategy:
    """A strategy's row with its interval as drawn, and in words whether there is enough data."""

    row: Row
    interval: charts.Interval
    said: str


@dataclass(frozen=True)
class Model:
    """A model's row, and the last verdict on it in words."""

    row: Row
    verdict: str | None
    reason: str | None


def cards_of(weeks: Sequence[Row]) -> list[Card]:
    """The flywheel's figures week by week. Rates are headed by the weeks that had their time, where there are any."""
    return [
        _bars(
            weeks, "Messages sent", "outcomes", count, _total(weeks, "outcomes"), _period(weeks),
            "Agents record messages by AgentOutcomeIntegration, or by POST /strategies/messages; flywheel import brings history.",
        ),
        _rates(weeks),
        _bars(
            weeks, "Ready to train on", "training_ready", count, _total(weeks, "training_ready"), "messages with an outcome",
            "Messages count once it is known what became of them: connect webhooks, or record deliveries and replies.",
        ),
        _sentiment(weeks),
        _cost(weeks),
        _bars(
            weeks, "Models trained", "models_trained", count, _total(weeks, "models_trained"), _period(weeks),
            "None in these weeks. Train one in Dagster (job train_scope), or by POST /training/run.",
        ),
    ]  # fmt: skip


def funnel_of(weeks: Sequence[Row]) -> list[Step]:
    """From sent to deal over the weeks; each step as a share of the messages, and of the step before."""
    steps: list[Step] = []
    for name, column in _FUNNEL.items():
        found, sent = sum(week[column] for week in weeks), steps[0].count if steps else 0
        before = steps[-1].count if steps else 0
        steps.append(Step(name, found, found / sent if sent else None, found / before if before else None))
    return steps


def models_of(rows: Sequence[Row]) -> list[Model]:
    """The verdicts in plain words."""
    return [Model(row, _verdict(row), row["reason"]) for row in rows]


def strategies_of(rows: Sequence[Row]) -> list[Strategy]:
    """The strategies with their intervals on one scale."""
    drawn = charts.intervals([(row["estimate"], row["low"], row["high"], row["raw"]) for row in rows])
    return [Strategy(row, interval, _said(row)) for row, interval in zip(rows, drawn, strict=True)]


def _bars(
    weeks: Sequence[Row], title: str, column: str, words: Callable[[float | None], str], headline: str, below: str, empty: str
) -> Card:
    values = [week[column] for week in weeks]
    if not any(values):
        return Card(title, "0", below, None, empty)
    return Card(title, headline, below, charts.bars(_mondays(weeks), values, _young(weeks), named=title, words=words))


def _rates(weeks: Sequence[Row]) -> Card:
    title, empty = "Replies, meetings, deals", "Rates appear with the first messages."
    if not any(week["outcomes"] for week in weeks):
        return Card(title, "–", "of messages", None, empty)
    ripe = [week for week in weeks if not week["is_young"] and week["outcomes"]]
    chosen = ripe or weeks
    sent = sum(week["outcomes"] for week in chosen)
    shares = {name: sum(week[name] for week in chosen) / sent for name in _RATES}
    drawn = charts.lines(
        _mondays(weeks),
        {name: [week[rate] for week in weeks] for name, rate in _RATES.items()},
        _young(weeks),
        words=per_cent,
        ticks=whole_per_cent,
    )
    return Card(
        title,
        per_cent(shares["replies"]),
        "of messages were answered" + ("" if ripe else ", so far"),
        drawn,
        legend=tuple(f"{name} {per_cent(share)}" for name, share in shares.items()),
    )


def _sentiment(weeks: Sequence[Row]) -> Card:
    title = "Sentiment of replies"
    known = [week for week in weeks if week["average_sentiment"] is not None]
    if not known:
        return Card(
            title, "–", "from −1 to 1", None, "Replies are judged as they come in, or by the asset reply_sentiment in Dagster."
        )
    last = known[-1]
    below = (
        f"week of {day(last['week'])}"
        if last["sentiment_change"] is None
        else f"{signed(last['sentiment_change'])} on the week before"
    )
    drawn = charts.lines(
        _mondays(weeks), {"Sentiment": [week["average_sentiment"] for week in weeks]}, _young(weeks), words=signed, ticks=signed
    )
    return Card(title, signed(last["average_sentiment"]), below, drawn)


def _cost(weeks: Sequence[Row]) -> Card:
    title = "Cost a meeting"
    known = [week for week in weeks if week["cost_usd"] is not None]
    if not known:
        return Card(
            title,
            "–",
            "of models asked and trained",
            None,
            "No costs are known yet: models asked through ModelRouter and models trained have some.",
        )
    cost, meetings = sum(week["cost_usd"] for week in known), sum(week["meetings"] for week in known)
    below = f"{usd(cost)} for {count(meetings)} meetings"
    if not any(week["cost_per_meeting"] for week in known):
        return Card(title, usd(cost / meetings) if meetings else "–", below, None, "Nothing was spent that is known of.")
    values = [week["cost_per_meeting"] for week in weeks]
    drawn = charts.bars(_mondays(weeks), values, _young(weeks), named=title, words=usd)
    return Card(title, usd(cost / meetings) if meetings else "–", below, drawn)


def _verdict(row: Row) -> str | None:
    if row["verdict"] is None:
        return None
    told = f"{_VERDICTS[row['verdict']]}: {_ACTIONS[row['action']]}"
    return f"{told}, for now" if row["provisional"] else told


def _said(row: Row) -> str:
    if not row["enough_data"]:
        return f"Not enough data: {row['reason']}"
    probability = "under 1" if row["probability_best"] < 0.01 else f"{100 * row['probability_best']:.0f}"
    return f"Enough data: the best with {probability}\u202f% probability"


def _period(weeks: Sequence[Row]) -> str:
    return "so far" if not weeks else "in a week" if len(weeks) == 1 else f"in {len(weeks)} weeks"


def _total(weeks: Sequence[Row], column: str) -> str:
    return count(sum(week[column] for week in weeks))


def _mondays(weeks: Sequence[Row]) -> list[date]:
    return [week["week"] for week in weeks]


def _young(weeks: Sequence[Row]) -> list[bool]:
    return [week["is_young"] for week in weeks]
