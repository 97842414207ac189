"""Datasets: the same rows give the same bytes, nobody stands on both sides, and every candidate is accounted for."""

import hashlib
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.datasets import assemble as assembling
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.files import verify
from flywheel_dagster.datasets.gates import (
    enough_examples,
    manifest_names_every_line,
    no_group_on_both_sides,
    no_lead_on_both_sides,
    valid_chat_format,
)
from flywheel_dagster.datasets.published import Dataset, current_dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks, stale_weeks
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

Connection = psycopg.Connection[TupleRow]
DEFAULT = Selection()
LAST = monday(MONDAY) + timedelta(weeks=2)


def write(connection: Connection, messages: list[SentMessage], *, won: bool = True) -> None:
    send(connection, messages)
    record(
        connection,
        [
            event(sent.id, "deal_closed" if won else "opened", 20, value="100") if won else event(sent.id, "opened", 20)
            for sent in messages
        ],
    )
    connection.execute("update organizations set allows_global_training = true where id = 'acme'")
    connection.commit()


def make(count: int, **given: Any) -> list[SentMessage]:
    return [
        message(
            lead_id=f"lead {number // 3}",
            message_body=f"idea {number}",
            sent_at=MONDAY + timedelta(hours=7 * number % 400),
            **given,
        )
        for number in range(count)
    ]


def build(connection: Connection, folder: Path, selection: Selection = DEFAULT, scope: str = "global") -> Dataset:
    score_weeks(connection, monday(MONDAY), LAST)
    return assemble(connection, scope, folder, selection)


def texts(dataset: Dataset, name: str) -> list[str]:
    return [json.loads(line)["messages"][2]["content"] for line in (dataset.directory / name).read_bytes().split(b"\n")[:-1]]


def test_a_dataset_is_named_by_its_bytes_and_anyone_can_check_it(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(60))
    dataset = build(connection, tmp_path)
    sums = (dataset.directory / "SHA256SUMS").read_text()
    assert dataset.directory.name == dataset.hash == hashlib.sha256(sums.encode()).hexdigest()
    for line in sums.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dataset.directory / name).read_bytes()).hexdigest() == digest
    verify(dataset)
    assert current_dataset(connection, "global", tmp_path) == dataset


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.randoms(use_true_random=False))
def test_the_same_outcomes_in_any_order_of_arrival_give_the_same_bytes(
    connection: Connection, tmp_path: Path, order: random.Random
) -> None:
    messages = [
        SentMessage(**{name: getattr(sent, name) for name in sent.__struct_fields__ if name != "id"} | {"id": fixed})
        for sent, fixed in FIXED
    ]
    order.shuffle(messages)
    connection.execute("delete from scored_training_rows")
    connection.execute("update outcome_labels set framework = null")
    cut = order.randint(0, len(messages))
    write(connection, messages[:cut])
    write(connection, messages[cut:])
    found = build(connection, tmp_path, Selection(limit=40)).hash
    connection.execute("create temp table if not exists seen (hash text)")
    connection.execute("insert into seen values (%s)", (found,))
    assert connection.execute("select count(distinct hash) from seen").fetchone() == (1,)
    connection.commit()


FIXED = [(sent, sent.id) for sent in make(50)]


def test_no_lead_stands_on_both_sides_and_no_example_changes_sides_as_data_grows(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(120))
    first = build(connection, tmp_path, Selection(validation_share=0.3))
    assert first.validation_examples > 0
    assert no_lead_on_both_sides(connection, first).passed
    assert no_group_on_both_sides(connection, first).passed
    assert manifest_names_every_line(connection, first).passed
    assert valid_chat_format(first).passed
    write(connection, [message(lead_id=f"lead {number}", message_body=f"more {number}", sent_at=MONDAY) for number in range(60)])
    second = build(connection, tmp_path, Selection(validation_share=0.3))
    assert second.examples == 180
    assert set(texts(first, "train.jsonl")) <= set(texts(second, "train.jsonl"))
    assert set(texts(first, "validation.jsonl")) <= set(texts(second, "validation.jsonl"))


def test_every_candidate_is_kept_or_dropped_for_a_reason(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    write(connection, make(7, campaign_id="dull"), won=False)
    write(connection, make(3, organization_id="private"))
    write(connection, [message(message_body=" ", lead_id="blank")])
    bad = make(5, campaign_id="bad")
    send(connection, bad)
    record(connection, [event(sent.id, "bounced", reason="550") for sent in bad])
    connection.commit()
    dataset = build(connection, tmp_path, Selection(limit=20))
    assert dict(dataset.dropped) == {
        "below the quality threshold": 7,
        "negative example": 5,
        "organization does not share with the global model": 3,
        "empty message": 1,
        "beyond the limit": 10,
    }
    assert dataset.examples + sum(dataset.dropped.values()) == dataset.candidates == 46


def test_under_a_limit_the_best_are_taken(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    best = make(5, campaign_id="best", icp_score=1.0)
    write(connection, best)
    dataset = build(connection, tmp_path, Selection(limit=12, validation_share=0))
    assert dataset.train_examples == 12
    manifest = [json.loads(line) for line in (dataset.directory / "manifest.jsonl").read_text().splitlines()]
    assert {str(sent.id) for sent in best} <= {member["outcome_id"] for member in manifest}
    earliest = sorted(make(30), key=lambda sent: sent.sent_at)[:7]
    assert {sent.message_body for sent in earliest} <= set(texts(dataset, "train.jsonl"))


def test_the_manifest_says_which_outcome_each_line_is(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(40))
    dataset = build(connection, tmp_path)
    lines = {name: texts(dataset, f"{name}.jsonl") for name in ("train", "validation", "test")}
    for member in map(json.loads, (dataset.directory / "manifest.jsonl").read_text().splitlines()):
        row = connection.execute(
            "select message_body, included_in_training from outcome_labels where id = %s", (member["outcome_id"],)
        ).fetchone()
        assert row == (lines[member["side"]][member["line"] - 1], True)


def test_published_again_nothing_changes_and_a_spoilt_folder_is_noticed(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    dataset = build(connection, tmp_path)
    assert build(connection, tmp_path).hash == dataset.hash
    assert connection.execute("select count(*) from datasets").fetchone() == (1,)
    assert [path.name for path in tmp_path.iterdir()] == [dataset.hash]
    (dataset.directory / "train.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="not those that were published"):
        verify(dataset)


NASTY = [
    "He said \"yes\", she said 'no'; back\\slash \\n \\x02 \\. and a trailing \\",
    "first\nsecond\r\nthird\rfourth\tcolumn\u2028separator\u2029paragraph\x85next",
    "controls \x01 \x02 \x1e \x1f \x7f \x0b \x0c bell\x07",
    "emoji 👩‍💻 👍🏽 🇩🇪 and combining e\u0301 \u200d\u200b\ufeff",
    "שלום עולם \u202eright to left\u202c and العربية",
    "\ufffe\uffff \U0010ffff noncharacters",
    "{{first_name}}, {name}, {{ broken }, $1 %s %(name)s",
    "\\.",
    "0",
    "null",
    "words and more of them " * 4_500,
]


def test_whatever_a_message_holds_comes_out_as_it_went_in(connection: Connection, tmp_path: Path) -> None:
    write(
        connection,
        [message(lead_id=f"lead {number}", message_body=text, subject_line=text[:200]) for number, text in enumerate(NASTY)],
    )
    dataset = build(connection, tmp_path, Selection(validation_share=0, test_share=0, group_cap=100))
    assert sorted(texts(dataset, "train.jsonl")) == sorted(f"Subject: {text[:200]}\n\n{text}" for text in NASTY)
    assert valid_chat_format(dataset).passed


def test_a_message_that_is_too_long_is_left_out_with_the_reason(connection: Connection, tmp_path: Path) -> None:
    write(connection, [message(message_body="one more " * 40_000), message(lead_id="b", message_body="one more")])
    dataset = build(connection, tmp_path)
    assert (dataset.examples, dataset.dropped) == (1, {"longer than 65,536 tokens": 1})


def test_an_example_is_repeated_by_weight_on_the_training_side_only_and_the_manifest_declares_it(
    connection: Connection, tmp_path: Path
) -> None:
    write(connection, make(90))
    dataset = build(connection, tmp_path, Selection(repeat_up_to=3, validation_share=0.2, test_share=0.2))
    manifest = [json.loads(line) for line in (dataset.directory / "manifest.jsonl").read_text().splitlines()]
    assert {(member["side"], member["copies"]) for member in manifest} == {("train", 3), ("validation", 1), ("test", 1)}
    assert dataset.train_lines == 3 * dataset.train_examples == len(texts(dataset, "train.jsonl"))
    bodies = dict(connection.execute("select id::text, message_body from outcome_labels").fetchall())
    written = texts(dataset, "train.jsonl")
    for member in manifest:
        if member["side"] == "train":
            assert written[member["line"] - 1 : member["line"] + 2] == [bodies[member["outcome_id"]]] * 3
    assert manifest_names_every_line(connection, dataset).passed
    counted = sum(member["tokens"] * member["copies"] for member in manifest if member["side"] == "train")
    assert dataset.train_tokens == counted


def test_the_description_beside_the_files_says_how_they_came_about(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    dataset = build(connection, tmp_path, Selection(limit=20, weeks=500))
    described = json.loads((dataset.directory / "dataset.json").read_text())
    assert (described["hash"], described["scope"], described["dropped"]) == (dataset.hash, "global", {"beyond the limit": 10})
    assert described["settings"]["weeks"] == 500 and described["settings"]["as_of"]
    for name, facts in described["files"].items():
        content = (dataset.directory / name).read_bytes()
        assert facts == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "lines": content.count(b"\n")}


def test_two_scopes_that_assemble_the_same_rows_at_once_both_succeed(
    connection: Connection, database: Database, tmp_path: Path
) -> None:
    write(connection, make(30))
    score_weeks(connection, monday(MONDAY), LAST)

    def run(scope: str) -> str:
        with connect(database.addresses.service) as own:
            return assemble(own, scope, tmp_path, DEFAULT).hash

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(run, ["global", "acme", "global", "acme"]))) == 1


def test_what_a_killed_assembly_left_is_cleared_after_a_day(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(3))
    old, young = tmp_path / ".assembling-old", tmp_path / ".assembling-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "train.jsonl").write_text("{}")
    os.utime(old, (0, 0))
    build(connection, tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_two_scopes_with_the_same_rows_share_the_dataset(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    own, shared = build(connection, tmp_path, scope="acme"), build(connection, tmp_path)
    assert own.hash == shared.hash
    assert (own.scope, shared.scope) == ("acme", "global")


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(3))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="TRAINING_DATA_DIR"):
        build(connection, tmp_path / "file")
    connection.rollback()
    assert connection.execute("select count(*) from datasets").fetchone() == (0,)


def test_too_few_examples_name_the_settings(connection: Connection, tmp_path: Path) -> None:
    write(connection, make(30))
    verdict = enough_examples(build(connection, tmp_path), 50)
    assert not verdict.passed
    assert "FLYWHEEL_MIN_EXAMPLES (now 50)" in verdict.description


def test_a_week_is_stale_until_it_is_scored_again(connection: Connection) -> None:
    write(connection, make(3))
    assert stale_weeks(connection) == [monday(MONDAY)]
    connection.commit()
    score_weeks(connection, monday(MONDAY), monday(MONDAY))
    assert stale_weeks(connection) == []
    assert stale_weeks(connection, outcome_note=True) == [monday(MONDAY)]
    outcome = connection.execute("select id from outcome_labels limit 1").fetchone()
    assert outcome is not None
    record(connection, [event(outcome[0], "clicked", 2)])
    connection.commit()
    assert stale_weeks(connection) == [monday(MONDAY)]


def test_scoring_a_week_touches_no_other_week(connection: Connection) -> None:
    write(connection, make(60))
    score_weeks(connection, monday(MONDAY), LAST)
    connection.execute("update scored_training_rows set example = 'marked' where week = %s", (LAST,))
    connection.commit()
    score_weeks(connection, monday(MONDAY), LAST - timedelta(weeks=1))
    marked = connection.execute(
        "select count(*) filter (where example = 'marked'), count(*) from scored_training_rows where week = %s", (LAST,)
    ).fetchone()
    assert marked is not None and marked[0] == marked[1] > 0


def test_an_outcome_that_changes_while_its_dataset_is_written_does_not_break_it(
    connection: Connection, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = make(30)
    write(connection, sent)
    score_weeks(connection, monday(MONDAY), LAST)
    written = assembling.write_files

    def write_while_webhooks_come(*given: Any) -> Any:
        with connect(database.addresses.service) as own:
            record(own, [event(each.id, "clicked", 3) for each in sent])
        return written(*given)

    monkeypatch.setattr(assembling, "write_files", write_while_webhooks_come)
    assert assemble(connection, "global", tmp_path, DEFAULT).examples == 30
    assert connection.execute("select count(*) from outcome_labels where included_in_training and clicked").fetchone() == (30,)


def test_the_same_lines_of_other_outcomes_are_the_same_dataset_with_a_manifest_of_its_own(
    connection: Connection, tmp_path: Path
) -> None:
    selection = Selection(validation_share=0, test_share=0, group_cap=1)
    write(connection, [message(lead_id="a", message_body="the same idea")])
    first = build(connection, tmp_path, selection)
    write(connection, [message(lead_id="b", message_body="the same idea", icp_score=1.0)])
    write(connection, [message(lead_id="c", message_body="a dull one")], won=False)
    second = build(connection, tmp_path, selection)
    assert second.hash == first.hash
    assert manifest_names_every_line(connection, second).passed
    described = json.loads((second.directory / "dataset.json").read_text())
    assert described["dropped"] == second.dropped == {"beyond the cap of near-duplicates": 1, "below the quality threshold": 1}
    (member,) = map(json.loads, (second.directory / "manifest.jsonl").read_text().splitlines())
    found = connection.execute("select lead_id from outcome_labels where id = %s", (member["outcome_id"],)).fetchone()
    assert found == ("b",)
