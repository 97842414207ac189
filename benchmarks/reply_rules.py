"""The rules that read replies: replies a second on one core, time by length, hostile texts, and how often they are right beside counting keywords."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from benchmarks.measuring import Ground, Report, console, processor_seconds
from flywheel_dagster.replies.evaluation import FIELDS, Evaluation, evaluate
from flywheel_dagster.replies.own_words import OwnWords, own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster_tests.replies.corpus import load

_WORDS = re.compile(r"[^\W\d_]+")
_POSITIVE = frozenset(
    [
        "interested",
        "interesting",
        "yes",
        "great",
        "sounds",
        "love",
        "happy",
        "demo",
        "call",
        "schedule",
        "meeting",
        "pricing",
        "more",
        "tuesday",
        "please",
        "sí",
        "interesa",
        "claro",
        "oui",
        "intéressé",
        "volontiers",
        "ja",
        "gerne",
        "interessiert",
        "sim",
        "interesse",
        "quero",
        "reunión",
        "termin",
    ]
)
_NEGATIVE = frozenset(
    [
        "not",
        "no",
        "unsubscribe",
        "stop",
        "remove",
        "never",
        "spam",
        "already",
        "expensive",
        "don't",
        "can't",
        "nein",
        "nicht",
        "kein",
        "non",
        "pas",
        "désinscrire",
        "nunca",
        "gracias",
        "não",
        "obrigado",
        "budget",
        "leider",
        "baja",
    ]
)
_HOSTILE = {
    "On On On …": "On " * 33_333,
    "not not not …": "not " * 25_000,
    "one word": "a" * 100_000,
    "@ signs": "a@" * 50_000,
    "unsubscribe not …": "unsubscribe not interested, but " * 3_125,
    "question marks": "? " * 50_000,
    "1 MB of prose": "We already use something like it. " * 30_000,
}


def keyword_floor(text: str) -> str:
    """The sentiment by counting 40 words: what any rule must beat."""
    words = _WORDS.findall(text.casefold())
    score = sum(word in _POSITIVE for word in words) - sum(word in _NEGATIVE for word in words) + ("?" in text)
    return "positive" if score > 0 else "negative" if score < 0 else "neutral"


def measure(place: Ground, rows: int) -> Report:
    """A table of speeds against the keyword floor; the table of accuracies is printed beside it."""
    replies = [own_words(reply["reply_text"]) for reply in load("train")]
    classify_by_rules(replies[0])
    times = max(1, min(rows, 20_000) // len(replies))
    report = Report("Replies by rules, one core")
    floor = processor_seconds(lambda: [keyword_floor(words.text) for words in replies]) * times
    took = processor_seconds(lambda: [classify_by_rules(words) for words in replies]) * times
    count = len(replies) * times
    report.add("counting 40 keywords", floor, count, ratio="1.0 (the floor)")
    report.add("rules, a typical mix", took, count, ratio=f"{took / floor:.0f} x its time")
    _add_lengths(report)
    for name, text in _HOSTILE.items():
        words = own_words(text)
        report.add(f"hostile: {name}", processor_seconds(lambda words=words: classify_by_rules(words)), 1)
    _show_accuracy()
    return report


def _add_lengths(report: Report) -> None:
    sentence = "Thanks for the offer, but we already work with somebody else and don't plan to change before next year. "
    first = 0.0
    for length in (1_000, 10_000, 100_000):
        text = (sentence * (length // len(sentence) + 1))[:length]
        took = processor_seconds(lambda text=text: classify_by_rules(OwnWords(text, "", text)))
        first = first or took / length
        report.add(
            f"one reply of {length:,} characters", took, 1, ratio=f"{took / length / first:.2f} x the time a character of the first"
        )


def _show_accuracy() -> None:
    table = Table(
        "", *(f"{name}: accuracy · macro-F1" for name in FIELDS), title="Right, of replies with labels", title_justify="left"
    )
    for part in ("train", "test"):
        truth = load(part)
        table.add_row(f"rules, {part} ({len(truth)})", *_cells(_evaluated(truth)))
    truth = load("test")
    table.add_row("keyword floor, test", _cells(_floor(truth))[0], "", "")
    console.print(table)
    for name, field in _evaluated(truth).fields.items():
        console.print(f"{name}: worst on test: " + ", ".join(f"{label} (F1 {field.f1[label]:.2f})" for label in field.worst[:3]))


def _evaluated(truth: Sequence[Mapping[str, Any]]) -> Evaluation:
    return evaluate(truth, [classify_by_rules(own_words(reply["reply_text"])) for reply in truth])


def _floor(truth: Sequence[Mapping[str, Any]]) -> Evaluation:
    unknown = dict.fromkeys(FIELDS, "")
    return evaluate(truth, [unknown | {"sentiment_label": keyword_floor(own_words(reply["reply_text"]).text)} for reply in truth])


def _cells(evaluation: Evaluation) -> list[str]:
    return [
        f"{field.accuracy.value:.3f} ({field.accuracy.low:.3f}–{field.accuracy.high:.3f}) · {field.macro_f1.value:.3f} "
        f"({field.macro_f1.low:.3f}–{field.macro_f1.high:.3f})"
        for field in evaluation.fields.values()
    ]


if __name__ == "__main__":
    measure(None, 20_000).show()  # type: ignore[arg-type]  # no database is needed
