"""People's own reading: a CSV file of replies on which rules and model disagree goes out, with some on which they agree, and labels come back.

A reviewed reply stands for as many as its `weight` says, so that what people say of few corrects the rates of all (`correction.py`).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import ClassificationMethod, EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.replies.analysis import InterestLevel, Objection, Sentiment, interest_signal
from flywheel_dagster.replies.correction import Review
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules

SOURCE = "review"
COLUMNS = (
    "outcome_id", "replied_at", "weight", "why", "reply_text", "original_message", "judged_by",
    "machine_label", "machine_interest", "machine_objection", "rules_label", "rules_interest", "rules_objection",
    "label", "interest", "objection",
)  # fmt: skip
_SCORES = {Sentiment.POSITIVE: 0.8, Sentiment.NEUTRAL: 0.1, Sentiment.NEGATIVE: -0.6}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


_Words = TypeVar("_Words", bound=StrEnum)


class _Judged(NamedTuple):
    outcome_id: UUID
    organization_id: str
    replied_at: datetime
    reply_text: str
    original_message: str
    label: str
    interest: str | None
    objection: str | None
    method: str
    version: str | None


@dataclass(frozen=True)
class Exported:
    """How many replies were written out of how many: those on which rules and machine disagree, and those on which they agree."""

    disagreements: int
    all_disagreements: int
    agreements: int
    all_agreements: int


def export_for_review(
    connection: psycopg.Connection[TupleRow],
    path: Path,
    *,
    organization_id: str | None = None,
    disagreements: int = 200,
    agreements: int = 50,
) -> Exported:
    """Write replies for people to label: up to so many of each kind, chosen by chance. The file holds what leads wrote; keep it as such."""
    found: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    totals = {True: 0, False: 0}
    most = {True: disagreements, False: agreements}
    for judged in _judged(connection, organization_id):
        ruled = classify_by_rules(own_words(judged.reply_text))
        rules = (ruled["sentiment_label"], ruled["interest_level"], ruled["objection_type"])
        differs = rules != (judged.label, judged.interest or rules[1], judged.objection or rules[2])
        totals[differs] += 1
        if len(found[differs]) < most[differs]:
            found[differs].append(_row(judged, rules))
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for differs in (True, False):
            weight = totals[differs] / len(found[differs]) if found[differs] else 1
            why = "rules and judgement disagree" if differs else "chosen by chance"
            writer.writerows({**row, "weight": f"{weight:.6g}", "why": why} for row in found[differs])
    return Exported(len(found[True]), totals[True], len(found[False]), totals[False])


def take_reviews(connection: psycopg.Connection[TupleRow], path: Path) -> int:
    """Record the labels of a file that `export_for_review` wrote; rows without a label are left out. Returns how many were new.

    A person overrules every machine. The same file again changes nothing. Raises InputError, naming the line, before anything is recorded.
    """
    events = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path.name} has no column {missing[0]}; give a file that flywheel replies review --export wrote")
        for row in reader:
            if (row["label"] or "").strip():
                events.append(_event(row, f"{path.name}, line {reader.line_num}"))
    with connection.transaction():
        return record(connection, events).recorded


def reviews(connection: psycopg.Connection[TupleRow], *, organization_id: str | None = None) -> list[Review]:
    """What people said so far of replies that a machine had judged."""
    rows = connection.execute(statement("reviewed_replies"), {"organization_id": organization_id}).fetchall()
    return [Review(*row) for row in rows]


def machine_labels(connection: psycopg.Connection[TupleRow], *, organization_id: str | None = None) -> dict[str, int]:
    """How many replies have each label by a machine's judgement, which nobody reviewed."""
    rows = connection.execute(statement("machine_labels"), {"organization_id": organization_id}).fetchall()
    return dict(rows)


def _judged(connection: psycopg.Connection[TupleRow], organization_id: str | None) -> Iterator[_Judged]:
    with connection.transaction(), connection.cursor("replies_for_review") as cursor:
        cursor.execute(statement("replies_for_review"), {"organization_id": organization_id})
        for row in cursor:
            yield _Judged(*row)


def _row(judged: _Judged, rules: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "outcome_id": judged.outcome_id,
        "replied_at": judged.replied_at.isoformat(),
        "reply_text": _shown(judged.reply_text),
        "original_message": _shown(judged.original_message),
        "judged_by": f"{judged.method} {judged.version or ''}".strip(),
        "machine_label": judged.label,
        "machine_interest": judged.interest,
        "machine_objection": judged.objection,
        "rules_label": rules[0],
        "rules_interest": rules[1],
        "rules_objection": rules[2],
    }


def _shown(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _event(row: dict[str, str], where: str) -> OutcomeEvent:
    label = _word(row["label"], Sentiment, "label", where)
    machine = _word(row["machine_label"], Sentiment, "machine_label", where)
    agrees = label is machine
    interest = _word(
        row["interest"] or (row["machine_interest"] if agrees else _USUAL_INTEREST[label]), InterestLevel, "interest", where
    )
    objection = _word(
        row["objection"] or (row["machine_objection"] if agrees else _USUAL_OBJECTION[label]), Objection, "objection", where
    )
    try:
        outcome, replied_at, weight = UUID(row["outcome_id"]), datetime.fromisoformat(row["replied_at"]), float(row["weight"])
        if not weight >= 1 or replied_at.tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise InputError(f"{where}: outcome_id, replied_at or weight was changed; give them as they were exported") from error
    said = {"label": label.value, "interest_level": interest.value, "objection_type": objection.value}
    return OutcomeEvent(
        event_type=EventType.REPLY_CLASSIFIED,
        occurred_at=datetime.now(UTC),
        source=SOURCE,
        outcome_id=outcome,
        facts={
            **said,
            "method": ClassificationMethod.HUMAN.value,
            "score": _SCORES[label],
            "interest_signal": interest_signal(label, interest, objection),
            "replied_at": replied_at.isoformat(),
            "reviewed": {
                "label": machine.value,
                "objection_type": row["machine_objection"] or None,
                "by": row["judged_by"],
                "weight": weight,
            },
        },
        identity=f"{outcome}|{replied_at.astimezone(UTC).isoformat()}|{'|'.join(said.values())}",
    )


_USUAL_INTEREST = {Sentiment.POSITIVE: "high", Sentiment.NEUTRAL: "low", Sentiment.NEGATIVE: "none"}
_USUAL_OBJECTION = {Sentiment.POSITIVE: "none", Sentiment.NEUTRAL: "none", Sentiment.NEGATIVE: "not_interested"}


def _word(text: str, words: type[_Words], column: str, where: str) -> _Words:
    try:
        return words(text.strip().lower())
    except ValueError as error:
        raise InputError(f"{where}: {column} is not one of {', '.join(words)}") from error
