"""The head that helps the rules read replies: replies a second beside rules alone, and how often both are right on replies they weren't made on."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from rich.table import Table

from benchmarks.measuring import Ground, Report, console
from benchmarks.reply_head_training import trained, training_replies
from flywheel_dagster.replies.evaluation import FIELDS, Evaluation, evaluate
from flywheel_dagster.replies.head.classify import classify_by_head, classify_many_by_head
from flywheel_dagster.replies.head.encoder import EXTRA, encoder_version
from flywheel_dagster.replies.head.weights import Weights
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster_tests.replies.corpus import load
from flywheel_dagster_tests.replies.corpus.counterparts import group_of

Labelled = Mapping[str, Any]
_ONE_BY_ONE = 200  # replies


def measure(place: Ground, rows: int) -> Report:
    """A table of speeds against the rules; the tables of accuracies are printed beside it."""
    report = Report("Replies by the head, one core")
    if encoder_version() is None:
        console.print(f"the extra is not installed: passed over; {EXTRA}")
        return report
    replies = [own_words(reply["reply_text"]) for reply in training_replies()]
    asked = [(words, False, False) for words in replies]
    classify_by_head(replies[0])
    floor = _seconds(lambda: [classify_by_rules(words) for words in replies])
    report.add("rules alone", floor, len(replies), ratio="1.0 (the floor)")
    many = _seconds(lambda: classify_many_by_head(asked))
    report.add("rules and head, many at a time", many, len(replies), ratio=f"{many / floor:.0f} x its time")
    single = _seconds(lambda: [classify_by_head(words) for words in replies[:_ONE_BY_ONE]])
    report.add(
        "rules and head, one by one", single, _ONE_BY_ONE, ratio=f"{single / _ONE_BY_ONE / floor * len(replies):.0f} x its time"
    )
    show_accuracy()
    return report


def unseen_replies() -> list[dict[str, Any]]:
    """The test part without translations of replies that the head was made on."""
    known = {group_of(reply["id"]) for reply in training_replies()}
    return [reply for reply in load("test") if group_of(reply["id"]) not in known]


def show_accuracy() -> None:
    """By part and language with the shipped head; then heads that never saw one of the writers, who are two persons' voices."""
    table = Table(
        "", *(f"{name}: accuracy · macro-F1" for name in FIELDS), title="Right, of replies with labels", title_justify="left"
    )
    unseen = unseen_replies()
    _add(table, "test without translations", unseen)
    for writer in "ab":
        _add(table, f"of these, writer {writer.upper()}", [reply for reply in unseen if reply["id"][0] == writer])
    for language in ("en", "es", "fr", "de", "pt"):
        _add(table, f"of these, in {language}", [reply for reply in unseen if reply["language"] == language])
    for known, other in (("a", "b"), ("b", "a")):
        for with_c in (False, True):
            made_on = [reply for reply in training_replies() if reply["id"][0] in (known + "c" * with_c)]
            weights = trained(made_on).weights
            name = f"made on {known.upper()}{' and C' * with_c}"
            if not with_c:
                _add(table, f"all of writer {other.upper()}", _by(other, "train") + _by(other, "test"), weights, name)
            else:
                _add(table, f"writer {other.upper()}, test", _by(other, "test"), weights, name)
    console.print(table)
    for name, field in evaluate(unseen, _by_head(unseen, None)).fields.items():
        wrong = sorted(((count, pair) for pair, count in field.confusion.items() if pair[0] != pair[1]), reverse=True)[:4]
        console.print(
            f"{name}, head: worst on test: {', '.join(f'{label} (F1 {field.f1[label]:.2f})' for label in field.worst[:3])}; "
            f"taken for another: {', '.join(f'{true} for {given} {count} x' for count, (true, given) in wrong)}"
        )


def _add(table: Table, what: str, truth: Sequence[Labelled], weights: Weights | None = None, name: str = "head") -> None:
    ruled = [classify_by_rules(own_words(reply["reply_text"])) for reply in truth]
    table.add_row(f"{what} ({len(truth)}): rules", *_cells(evaluate(truth, ruled)))
    table.add_row(f"{name:>20}", *_cells(evaluate(truth, _by_head(truth, weights))), end_section=True)


def _by(writer: str, part: Literal["train", "test"]) -> list[dict[str, Any]]:
    return [reply for reply in load(part) if reply["id"].startswith(writer)]


def _by_head(truth: Sequence[Labelled], weights: Weights | None) -> Sequence[Mapping[str, Any]]:
    return classify_many_by_head([(own_words(reply["reply_text"]), False, False) for reply in truth], weights=weights)


def _cells(evaluation: Evaluation) -> list[str]:
    return [
        f"{field.accuracy.value:.3f} ({field.accuracy.low:.3f}–{field.accuracy.high:.3f}) · {field.macro_f1.value:.3f} "
        f"({field.macro_f1.low:.3f}–{field.macro_f1.high:.3f})"
        for field in evaluation.fields.values()
    ]


def _seconds(work: Callable[[], Any]) -> float:
    """The processor's time at its best of three: others may be using the machine."""
    times = []
    for _ in range(3):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return max(min(times), 1e-6)


if __name__ == "__main__":
    measure(None, 0).show()  # type: ignore[arg-type]  # no database is needed
