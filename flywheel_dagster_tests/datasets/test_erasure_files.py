"""Erasing a lead from datasets: their files go, whatever interrupts it, and later datasets are made without the lead."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from flywheel_dagster.database import connect
from flywheel_dagster.datasets import erased_files, erasure
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.erased_files import TOMBSTONE
from flywheel_dagster.datasets.erasure import ErasedFiles, erase, look
from flywheel_dagster.datasets.files import SUMS, verify
from flywheel_dagster.datasets.gates import manifest_names_every_line
from flywheel_dagster.datasets.published import Dataset, current_dataset, require_not_erased
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks, stale_weeks
from flywheel_dagster.errors import DatabaseError, InputError
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.erasing import Connection, Person, dump, live, new_marker, places, rows
from flywheel_dagster_tests.datasets.killing import Killed, Place, killed_at
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.training.making import Time

WEEK = monday(MONDAY)
FILES = (erasure, erased_files)
OPEN = Selection(min_quality=0, validation_share=0, test_share=0)


def everybody(connection: Connection) -> list[SentMessage]:
    """Other leads, whose messages are worth learning from; redaction is off, so that values stand in the files."""
    sent = [
        message(lead_id=f"lead {number}", message_body=f"idea {number}", sent_at=MONDAY + timedelta(hours=number))
        for number in range(12)
    ]
    send(connection, sent)
    record(connection, [event(each.id, "meeting_booked", 20) for each in sent])
    connection.execute("update organizations set redaction_off = true, allows_global_training = true")
    connection.commit()
    return sent


def build(connection: Connection, folder: Path, scope: str = "acme", selection: Selection = OPEN) -> Dataset:
    score_weeks(connection, WEEK, WEEK + timedelta(weeks=2))
    return assemble(connection, scope, folder, selection)


def test_the_lead_s_datasets_go_and_the_next_ones_are_made_without_it(
    connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada = Person(new_marker())
    everybody(connection)
    live(connection, ada)
    connection.execute("update organizations set redaction_off = true")
    first = build(connection, tmp_path)
    shared = build(connection, tmp_path, "global", Selection(min_quality=0, limit=10, validation_share=0, test_share=0))
    assert ada.marker in (first.directory / "train.jsonl").read_text()
    done, files = erase(connection, "acme", ada.lead_id, tmp_path)
    used = {dataset.hash for dataset in done.datasets}
    assert first.hash in used and set(files.gone) == used and files.missing == []
    assert places(owner, tmp_path, ada.marker) == []
    assert [path.name for path in first.directory.iterdir()] == [TOMBSTONE]
    assert first.hash in (first.directory / TOMBSTONE).read_text()
    assert current_dataset(connection, "acme", tmp_path) is None
    with pytest.raises(InputError, match="materialize training_jsonl again"):
        verify(first)
    with pytest.raises(InputError, match="was erased"):
        require_not_erased(connection, first)
    assert rows(connection, "message_bands", "true", ()) != []
    assert (current_dataset(connection, "global", tmp_path) is None) == (shared.hash in used)
    connection.commit()
    assert stale_weeks(connection) != []
    second = build(connection, tmp_path)
    assert second.examples == first.examples - 2
    verify(second)
    assert places(owner, tmp_path, ada.marker) == []


def test_a_dataset_without_the_lead_stays(connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    everybody(connection)
    first = build(connection, tmp_path)
    live(connection, ada)
    second = build(connection, tmp_path)
    assert erase(connection, "acme", ada.lead_id, tmp_path)[1] == ErasedFiles([second.hash], [], 0)
    verify(first)
    assert current_dataset(connection, "acme", tmp_path) is None


def test_bands_go_only_where_nobody_else_has_the_text(connection: Connection, tmp_path: Path) -> None:
    body = "the very same words to everybody who reads this"
    leads = [message(lead_id=name, message_body=body) for name in ("ada", "ben")] + [
        message(lead_id="ada", message_body="words of her own")
    ]
    send(connection, leads)
    record(connection, [event(sent.id, "meeting_booked") for sent in leads])
    connection.commit()
    score_weeks(connection, WEEK, WEEK)
    assert len(rows(connection, "message_bands", "true", ())) == 2
    erase(connection, "acme", "ada", tmp_path)
    assert len(rows(connection, "message_bands", "true", ())) == len(rows(connection, "scored_training_rows", "true", ())) == 1


def test_files_that_are_elsewhere_are_told_and_unpublished_folders_go_too(connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    everybody(connection)
    live(connection, ada)
    here, elsewhere = build(connection, tmp_path / "here"), build(connection, tmp_path / "elsewhere")
    assert here.hash == elsewhere.hash
    erase_me = tmp_path / "third"
    (erase_me / ".assembling-x").mkdir(parents=True)
    (erase_me / ".assembling-x" / "train.jsonl").write_text(ada.marker)
    orphan, other = erase_me / ("a" * 64), erase_me / ("b" * 64)
    for folder, outcome in ((orphan, ada.messages[0].id), (other, uuid4())):
        folder.mkdir()
        (folder / "manifest.jsonl").write_text(f'{{"outcome_id":"{outcome}"}}\n')
    assert erase(connection, "acme", ada.lead_id, erase_me)[1] == ErasedFiles([], [here.hash], 2)
    assert [path.name for path in erase_me.iterdir()] == [other.name]
    assert erase(connection, "acme", ada.lead_id, tmp_path / "here")[1] == ErasedFiles([here.hash], [], 0)


def test_the_same_bytes_from_other_messages_make_the_dataset_current_again(connection: Connection, tmp_path: Path) -> None:
    leads = [
        message(lead_id=f"lead {number}", message_body="the same for all", sent_at=MONDAY + timedelta(hours=number))
        for number in range(8)
    ]
    send(connection, leads)
    record(connection, [event(sent.id, "meeting_booked") for sent in leads])
    connection.commit()
    few = Selection(min_quality=0, validation_share=0, test_share=0, group_cap=5)
    first = build(connection, tmp_path, selection=few)
    outcomes: list[UUID] = [row[0] for row in connection.execute("select outcome_id from dataset_members").fetchall()]
    victim = next(sent for sent in leads if sent.id in outcomes)
    erase(connection, "acme", victim.lead_id, tmp_path)
    second = build(connection, tmp_path, selection=few)
    assert second.hash == first.hash
    verify(second)
    assert manifest_names_every_line(connection, second).passed
    assert victim.id not in {row[0] for row in connection.execute("select outcome_id from dataset_members").fetchall()}
    connection.commit()
    assert erase(connection, "acme", victim.lead_id, tmp_path)[0].datasets == []
    verify(second)


def pretended(connection: Connection, folder: Path, person: Person) -> str:
    """A dataset with one message of the person, as assemble() leaves it."""
    name = uuid4().hex * 2
    sent = person.sends()
    send(connection, [sent])
    record(connection, [person.says("replied", sent.id, facts={"text": f"{person.marker} says yes"})])
    connection.execute(
        "insert into datasets (hash, example_format, formula_version, code_version, train_examples, validation_examples, train_lines, train_tokens,"
        " validation_tokens, positive_examples, deals, weeks, bytes) values (%s, '2', 1, '1', 1, 0, 1, 9, 0, 0, 0, 1, 9)", (name,),
    )  # fmt: skip
    connection.execute(
        "insert into dataset_members (dataset_hash, outcome_id, week, side, position, tokens, group_key, quality_score, training_label, training_weight)"
        " values (%s, %s, %s, 'train', 0, 9, 1, 0.9, 'neutral', 1)", (name, sent.id, WEEK),
    )  # fmt: skip
    connection.execute(
        "insert into dataset_publications (scope, dataset_hash, settings, candidates) values ('acme', %s, '{}', 1)", (name,)
    )
    connection.commit()
    for file in ("train.jsonl", "validation.jsonl", "dataset.json", "manifest.jsonl", SUMS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text(f"{person.marker} {file}")
    unfinished = folder / f".assembling-{person.marker}"
    unfinished.mkdir()
    (unfinished / "train.jsonl").write_text(person.marker)
    return name


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.acceptance)])
def test_killed_at_any_line_the_same_command_finishes_the_job(
    every: int, database: Database, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    lines: set[Place] = set()
    first = Person(new_marker())
    pretended(connection, tmp_path, first)
    with killed_at(None, lines, *FILES), connect(database.addresses.service) as own:
        erase(own, "acme", first.lead_id, tmp_path)
    assert len(lines) > 40
    for place in sorted(lines)[::every]:
        person = Person(new_marker())
        name = pretended(connection, tmp_path, person)
        with connect(database.addresses.service) as own:
            with pytest.raises(Killed), killed_at(place, set(), *FILES):
                erase(own, "acme", person.lead_id, tmp_path)
            own.close()
        texts = " ".join(row for table, row in dump(owner) if table == "outcome_labels")
        owner.rollback()
        if (current := current_dataset(connection, "acme", tmp_path)) is not None:
            assert current.hash == name, "a dataset that is current is whole, and its lead is not erased"
            assert (tmp_path / name / SUMS).exists() and person.marker in texts
        connection.commit()
        with connect(database.addresses.service) as own:
            done, files = erase(own, "acme", person.lead_id, tmp_path)
        assert [used.hash for used in done.datasets] == files.gone == [name]
        assert [path.name for path in (tmp_path / name).iterdir()] == [TOMBSTONE]
        assert person.marker not in " ".join(row for _, row in dump(owner))
        owner.rollback()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".") or (path.is_file() and path.name != TOMBSTONE)]


def test_a_week_that_is_scored_at_the_same_moment_holds_nothing_of_the_lead(
    database: Database, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    connection.execute("update organizations set redaction_off = true")
    connection.commit()
    with connect(database.addresses.service) as scoring, connect(database.addresses.service) as own:
        scoring.execute("select pg_advisory_lock(7062, %s)", (WEEK.toordinal(),))
        scoring.commit()
        own.execute("set lock_timeout = '200ms'")
        own.commit()
        with pytest.raises(Exception, match="lock timeout"):
            erase(own, "acme", ada.lead_id, tmp_path)
    assert erase(connection, "acme", ada.lead_id, tmp_path)[0].outcomes == 2
    score_weeks(connection, WEEK, WEEK + timedelta(weeks=2))
    assert places(owner, tmp_path, ada.marker) == []


def test_a_transaction_that_stays_open_stops_the_erasure_and_nobody_else(
    database: Database, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_LOCK_WAIT", "20ms")
    ada = Person(new_marker())
    live(connection, ada)
    with connect(database.addresses.service) as idle:
        send(idle, [message(lead_id="somebody")])
        with pytest.raises(DatabaseError, match="pg_stat_activity"):
            erase(connection, "acme", ada.lead_id, tmp_path, patience=Time().patience())
    connection.rollback()
    assert rows(connection, "erased_leads", "true", ()) == []
    connection.commit()
    assert look(connection, "acme", ada.lead_id).outcomes == 2
