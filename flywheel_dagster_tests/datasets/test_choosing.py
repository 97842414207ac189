"""Which rows a dataset takes: compared with a slow and simple choice in Python, for any rows and any settings."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.datasets.choosing import choose
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]
WEEK = date(2026, 1, 5)
TODAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Row:
    number: int
    lead: int
    week: int
    quality: float
    weight: float
    label: str
    silent: bool
    channel: str
    organization: str
    bands: tuple[int, ...]
    tokens: int
    rejected: str | None

    @property
    def id(self) -> UUID:
        return UUID(int=self.number)

    @property
    def monday(self) -> date:
        return WEEK + timedelta(weeks=self.week)

    @property
    def sent_at(self) -> datetime:
        return datetime(self.monday.year, self.monday.month, self.monday.day, 9, tzinfo=UTC) + timedelta(minutes=self.number % 3)

    @property
    def split_point(self) -> float:
        return self.lead / 10


def rows(count: int) -> st.SearchStrategy[list[Row]]:
    each = st.builds(
        Row,
        number=st.integers(1, 10**6),
        lead=st.integers(0, 9),
        week=st.integers(0, 8),
        quality=st.sampled_from([0.1, 0.6, 0.7, 1.0]),
        weight=st.sampled_from([1.0, 3.0, 10.0]),
        label=st.sampled_from(["positive_example", "neutral", "negative_example"]),
        silent=st.booleans(),
        channel=st.sampled_from(["email", "sms"]),
        organization=st.sampled_from(["acme", "beta", "private"]),
        bands=st.tuples(st.integers(0, 12), st.integers(100, 112)),
        tokens=st.integers(50, 300),
        rejected=st.sampled_from([None, None, None, "empty message"]),
    )
    return st.lists(each, max_size=count, unique_by=lambda row: row.number)


SELECTIONS = st.builds(
    Selection,
    min_quality=st.sampled_from([0.0, 0.6]),
    limit=st.integers(1, 30),
    validation_share=st.sampled_from([0.0, 0.3]),
    test_share=st.sampled_from([0.0, 0.2]),
    weeks=st.none() | st.integers(1, 7),
    channels=st.none() | st.just(("sms",)),
    negatives=st.booleans(),
    group_cap=st.integers(1, 4),
    repeat_up_to=st.sampled_from([1, 4]),
    maturity_days=st.sampled_from([0, 30]),
    max_tokens=st.sampled_from([100, 65_536]),
    as_of=st.just(TODAY),
)


def write(connection: Connection, given: list[Row]) -> None:
    connection.execute("delete from scored_training_rows")
    connection.execute("delete from message_bands")
    connection.execute(
        "insert into organizations (id, allows_global_training) values ('acme', true), ('beta', true), ('private', false) on conflict do nothing"
    )
    for row in given:
        text = None if row.rejected else hash_of(row.bands)
        connection.execute(
            "insert into scored_training_rows values (%s, %s, %s, %s, %s, null, null, %s, true, %s, %s, %s, %s, false, %s, %s, %s, %s, %s)",
            (
                row.id, row.monday, row.organization, str(row.lead), row.channel, row.sent_at, row.silent, row.quality, row.label, row.weight,
                row.split_point, text, None if row.rejected else row.tokens, None if row.rejected else "{}", row.rejected,
            ),
        )  # fmt: skip
        if text is not None:
            connection.execute(
                "insert into message_bands values (%s, %s, %s, %s::bit(128)) on conflict do nothing",
                (row.monday, text, list(row.bands), signature(row.bands)),
            )


def hash_of(bands: tuple[int, ...]) -> int:
    """Texts with the same bands are the same text here."""
    return bands[0] * 1_000 + bands[1]


def signature(bands: tuple[int, ...]) -> str:
    """Texts whose second band is even and ones where it is odd are unlike each other."""
    return ("1" if bands[1] % 2 else "0") * 20 + "0" * 108


def simple_choice(given: list[Row], scope: str, selection: Selection) -> tuple[dict[UUID, tuple[str, int]], Counter[str]]:
    """Members with side and copies, and the reasons of the others."""
    dropped: Counter[str] = Counter()
    kept = []
    for row in given:
        if scope != "global" and row.organization != scope:
            continue
        reason = why(row, scope, selection)
        if reason:
            dropped[reason] += 1
        else:
            kept.append(row)
    group = groups(kept)
    best = sorted(kept, key=lambda row: (-row.quality, -row.weight, row.sent_at, row.id.bytes))
    taken: list[Row] = []
    places: Counter[int] = Counter()
    for row in best:
        members = [other for other in kept if group[other.bands] == group[row.bands]]
        earliest = min(members, key=lambda other: (other.sent_at, other.id.bytes))
        if side(row, selection) != side(earliest, selection):
            dropped["near-duplicate of a message on another side"] += 1
            continue
        places[group[row.bands]] += 1
        if places[group[row.bands]] > selection.group_cap:
            dropped["beyond the cap of near-duplicates"] += 1
        elif len(taken) == selection.limit:
            dropped["beyond the limit"] += 1
        else:
            taken.append(row)
    return {row.id: (side(row, selection), copies(row, selection)) for row in taken}, dropped


def why(row: Row, scope: str, selection: Selection) -> str | None:
    first = None if selection.weeks is None else TODAY - timedelta(weeks=selection.weeks)
    matured = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=selection.maturity_days)
    tests = (
        (scope == "global" and row.organization == "private", "organization does not share with the global model"),
        (row.rejected is not None, row.rejected),
        (first is not None and row.monday < first, "before the window"),
        (selection.channels is not None and row.channel not in selection.channels, "another channel"),
        (row.silent and row.sent_at > matured, "silent, and its window has not passed"),
        (row.tokens > selection.max_tokens, "longer than the limit of tokens"),
        (row.label == "negative_example" and not selection.negatives, "negative example"),
        (row.label != "negative_example" and row.quality < selection.min_quality, "below the quality threshold"),
    )
    return next((reason for holds, reason in tests if holds), None)


def groups(kept: list[Row]) -> dict[tuple[int, ...], int]:
    """Connected texts, by repeated search: those that share a band, if they are alike."""
    texts = sorted({row.bands for row in kept}, key=hash_of)
    found = {text: number for number, text in enumerate(texts)}
    alike = [(one, other) for one in texts for other in texts if set(one) & set(other) and signature(one) == signature(other)]
    changed = True
    while changed:
        changed = False
        for one, other in alike:
            if found[one] != found[other]:
                found[one] = found[other] = min(found[one], found[other])
                changed = True
    return found


def side(row: Row, selection: Selection) -> str:
    if row.split_point >= 1 - selection.test_share:
        return "test"
    return "validation" if row.split_point < selection.validation_share else "train"


def copies(row: Row, selection: Selection) -> int:
    if side(row, selection) != "train":
        return 1
    exact = selection.repeat_up_to * row.weight / 10
    return max(1, round(exact))


@settings(max_examples=examples(60, quick=20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=rows(40), selection=SELECTIONS, scope=st.sampled_from(["global", "acme"]))
def test_the_database_chooses_as_a_simple_choice_would(
    connection: Connection, given: list[Row], selection: Selection, scope: str
) -> None:
    write(connection, given)
    chosen = choose(connection, scope, selection)
    expected, dropped = simple_choice(given, scope, selection)
    found = {row["outcome_id"]: (row["side"], row["copies"]) for row in members(connection)}
    assert found == expected
    assert chosen.dropped == dict(dropped)
    assert chosen.candidates == len(found) + sum(chosen.dropped.values())
    assert chosen.totals["train_lines"] == sum(count for where, count in found.values() if where == "train")
    connection.rollback()


@settings(max_examples=examples(40, quick=15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=rows(30), more=rows(15), selection=SELECTIONS)
def test_more_rows_move_no_example_to_another_side_and_no_group_stands_on_two(
    connection: Connection, given: list[Row], more: list[Row], selection: Selection
) -> None:
    added = [row for row in more if row.number not in {before.number for before in given}]
    sides: dict[UUID, str] = {}
    for each in (given, given + added):
        write(connection, each)
        choose(connection, "global", selection)
        found = members(connection)
        assert not [row for row in found if sides.get(row["outcome_id"], row["side"]) != row["side"]]
        sides |= {row["outcome_id"]: row["side"] for row in found}
        for key in ("group_key", "lead_id"):
            where: dict[Any, set[str]] = {}
            for row in found:
                where.setdefault((row[key], row["organization_id"] if key == "lead_id" else None), set()).add(row["side"])
            assert all(len(stands) == 1 for stands in where.values())
        connection.rollback()


def members(connection: Connection) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("select * from dataset_selection").fetchall()
