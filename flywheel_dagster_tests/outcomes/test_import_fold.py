"""The import folds a lone snapshot by itself: held here against the general fold of the ledger, over random rows and columns. And CSV's
own blocks against Python's reader."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.import_columns import COLUMNS, ImportedRow
from flywheel_dagster.outcomes.import_csv import csv_blocks, csv_rows
from flywheel_dagster.outcomes.import_rows import Stager
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.ledger import rebuild
from flywheel_dagster_tests.thoroughness import examples

times = st.integers(0, 9).map(lambda day: (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=day)).isoformat())
words = st.sampled_from(["yes", "no, thanks", "später"])
by_type: dict[str, st.SearchStrategy[Any]] = {
    **{name: times for name in COLUMNS if name.endswith("_at") or name == "as_of"},
    **{name: st.booleans() for name, kind in ImportedRow.__annotations__.items() if kind == bool | None},
    **{name: st.integers(0, 3) for name in COLUMNS if name.endswith("_count")},
    "icp_score": st.floats(0, 1),
    "strategy_propensity": st.floats(0, 1, exclude_min=True),
    "reply_sentiment_score": st.sampled_from([-1, -0.2, 0, 0.7]),
    "sentiment_label": st.sampled_from(["positive", "neutral", "negative"]),
    "interest_level": st.sampled_from(["high", "none"]),
    "objection_type": st.sampled_from(["price", "none"]),
    "classification_method": st.sampled_from(["human", "rules", "llm"]),
    "deal_value": st.decimals(0, 90_000, places=3).map(str),
    "deal_currency": st.sampled_from(["USD", "EUR"]),
    "time_to_close_days": st.floats(0, 400),
    "experiment_arm": st.sampled_from(["control", "variant_a"]),
    "agent_decisions": st.just({"writer": {"tone": "direct"}}),
}
needed = {"organization_id", "campaign_id", "lead_id", "channel", "message_body", "sent_at"}
optional = [name for name in COLUMNS if name not in needed | {"id"}]


@st.composite
def files(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.sets(st.sampled_from(optional), max_size=12))
    columns = chosen if draw(st.booleans()) else [name for name in optional if name not in chosen]
    each = st.fixed_dictionaries(
        {
            "organization_id": st.just("acme"),
            "campaign_id": st.just("c"),
            "lead_id": st.sampled_from("abc"),
            "channel": st.just("email"),
        }
        | {"message_body": words, "sent_at": times}
        | {name: st.none() | by_type.get(name, words) for name in columns}
    )
    return [row | _implied(row) for row in draw(st.lists(each, min_size=1, max_size=6))]


def _implied(row: dict[str, Any]) -> dict[str, Any]:
    """What must be said beside a reason, a reply or a value, lest the row is refused."""
    pairs = {"bounce_reason": "bounced", "reply_text": "replied", "deal_value": "deal_closed"}
    return {flag: True for detail, flag in pairs.items() if row.get(detail) is not None and row.get(flag) is None}


@settings(
    deadline=None,
    max_examples=examples(60, quick=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=files())
def test_a_rebuild_after_an_import_changes_nothing(
    connection: psycopg.Connection[TupleRow], tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    done = import_outcomes(connection, path)
    assert done.recorded + done.repeated == len(rows)
    before = connection.execute("select o::text from outcome_labels o order by id").fetchall()
    connection.commit()
    assert sum(changed for _, changed in rebuild(connection)) == 0
    assert connection.execute("select o::text from outcome_labels o order by id").fetchall() == before
    connection.execute("rollback")
    assert import_outcomes(connection, path).recorded == 0


@pytest.mark.parametrize("columns", [COLUMNS, tuple(sorted(needed)), tuple(sorted(needed | {"deal_closed", "time_to_close_days"}))])
def test_which_columns_a_file_has_does_not_change_what_a_row_says(columns: tuple[str, ...]) -> None:
    row = {
        "organization_id": "acme",
        "campaign_id": "c",
        "lead_id": "a",
        "channel": "sms",
        "message_body": "Hi",
        "sent_at": "2026-01-05T00:00:00Z",
    }

    def told(stager: Stager) -> dict[str, str]:
        values = stager.line([row.get(name) for name in stager.columns]).decode().strip("\n\x01").split("\x01\x02\x01")
        return {name: value for name, value in zip(stager.targets, values, strict=True) if value not in {"", "{}"}}

    assert told(Stager(columns)) == told(Stager())


@given(
    pieces=st.lists(
        st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "a", "é", "\x0b", "\u2028", '"a"', '"a,\n"', " ", "\0"]), max_size=25
    ),
    size=st.integers(1, 12),
)
def test_a_file_in_blocks_has_the_records_and_lines_that_pythons_reader_finds(pieces: list[str], size: int) -> None:
    data = "".join(pieces).encode()

    def records(lines: io.StringIO) -> list[tuple[int, Any]]:
        reader, found, start = csv.reader(lines), [], 1
        while True:
            try:
                found.append((start, next(reader)))
            except StopIteration:
                return found
            except csv.Error as error:
                found.append((start, str(error)))
            start = reader.line_num + 1

    whole = records(io.StringIO(data.decode().replace("\0", "\ufffd"), newline=""))
    parts = [
        (line, values if isinstance(values, list) else str(values))
        for first, block in csv_blocks(io.BytesIO(data), size)
        for line, values in csv_rows(first, block)
    ]
    assert parts == whole
