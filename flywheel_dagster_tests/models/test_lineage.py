"""Lineage: from a version to the messages that made it, and from a message to the versions that it made."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.files import MANIFEST
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.lineage import lineage_of_model, lineage_of_outcome, members
from flywheel_dagster.models.registry import Entry, TrainedVersion, register
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.training.making import score_good_outcomes

Connection = psycopg.Connection[TupleRow]
Assembled = Callable[..., Dataset]


@pytest.fixture
def assembled(connection: Connection, database: Database) -> Assembled:
    """Makes the dataset of a scope, of 60 good outcomes of acme unless others are there."""
    score_good_outcomes(connection)

    def make(scope: str = "acme", **options: float) -> Dataset:
        connection.commit()
        return assemble(connection, scope, database.settings.training_data_dir, Selection(**options))  # type: ignore[arg-type]

    return make


def registered(connection: Connection, scope: str, dataset: Dataset, **given: str) -> Entry:
    usual = {"model_id": f"ft:{uuid4().hex}", "settings_hash": "s", "fine_tuning_job_id": f"ftjob-{uuid4().hex[:8]}"} | given
    return register(
        connection,
        scope,
        TrainedVersion(
            base_model="gpt-4o-2024-08-06",
            trainer="openai",
            dataset_hash=dataset.hash,
            example_format=dataset.example_format,
            training_examples_count=dataset.train_examples,
            positive_examples=dataset.positive_examples,
            deals_in_training=dataset.deals,
            **usual,
        ),
    )


def manifest(dataset: Dataset) -> list[dict[str, object]]:
    return [json.loads(line) for line in (dataset.directory / MANIFEST).read_text().splitlines()]


def test_a_model_is_traced_to_the_messages_of_its_manifest(connection: Connection, assembled: Assembled) -> None:
    dataset = assembled()
    entry = registered(connection, "acme", dataset)
    found = lineage_of_model(connection, entry.model_version, "acme")
    assert (found.model_id, found.fine_tuning_job_id, found.dataset_hash) == (
        entry.model_id,
        entry.fine_tuning_job_id,
        dataset.hash,
    )
    assert (found.kind, found.example_format, found.erased_at) == ("chat", dataset.example_format, None)
    counted = Counter((str(row["week"]), row["side"]) for row in manifest(dataset))
    assert {(str(row.week), row.side): row.messages for row in found.messages} == counted
    assert sum(row.tokens for row in found.messages if row.side == "train") == dataset.train_tokens
    assert sum(row.lines for row in found.messages if row.side == "train") == dataset.train_lines


def test_the_members_come_one_by_one_in_the_order_of_the_manifest(connection: Connection, assembled: Assembled) -> None:
    dataset = assembled()
    told = [(str(member["outcome_id"]), member["side"]) for member in members(connection, dataset.hash)]
    assert Counter(told) == Counter((row["outcome_id"], row["side"]) for row in manifest(dataset))
    for side in ("train", "validation", "test"):
        assert [one for one, at in told if at == side] == [row["outcome_id"] for row in manifest(dataset) if row["side"] == side]
    assert list(members(connection, None)) == []


def test_a_message_is_traced_to_every_model_it_made(connection: Connection, assembled: Assembled) -> None:
    dataset = assembled()
    connection.execute("update organizations set allows_global_training = true")
    assert assembled("global").hash == dataset.hash
    smaller = assembled(limit=20)
    entries = [
        registered(connection, "acme", dataset),
        registered(connection, "acme", dataset, settings_hash="other"),
        registered(connection, "global", dataset),
        registered(connection, "acme", smaller),
    ]
    of_both = next(row for row in manifest(smaller) if row["side"] == "train")
    found = lineage_of_outcome(connection, str(of_both["outcome_id"]))
    assert {made.model_id for made in found.models if made.side == "train"} == {entry.model_id for entry in entries}
    assert {at.dataset_hash: at.scopes for at in found.datasets} == {dataset.hash: ["acme", "global"], smaller.hash: ["acme"]}
    assert {at.training_label for at in found.datasets} == {"positive_example"}
    only_in_one = {row["outcome_id"] for row in manifest(dataset)} - {row["outcome_id"] for row in manifest(smaller)}
    assert {made.model_id for made in lineage_of_outcome(connection, str(only_in_one.pop())).models} == {
        entry.model_id for entry in entries[:3]
    }


def test_both_directions_agree(connection: Connection, assembled: Assembled) -> None:
    entry = registered(connection, "acme", assembled())
    for member in list(members(connection, entry.dataset_hash))[:10]:
        (made,) = lineage_of_outcome(connection, member["outcome_id"]).models
        assert (made.model_version, made.side) == (entry.model_version, member["side"])


def test_an_erased_dataset_and_an_outcome_that_is_gone_are_still_traced(connection: Connection, assembled: Assembled) -> None:
    dataset = assembled()
    entry = registered(connection, "acme", dataset)
    gone = UUID(str(manifest(dataset)[0]["outcome_id"]))
    connection.execute("update datasets set erased_at = now()")
    connection.execute("delete from outcome_labels where id = %s", (gone,))
    assert lineage_of_model(connection, entry.model_version, "acme").erased_at is not None
    found = lineage_of_outcome(connection, gone)
    assert found.datasets[0].erased_at is not None
    assert [made.model_id for made in found.models] == [entry.model_id]


def test_a_message_in_no_dataset_made_nothing(connection: Connection, assembled: Assembled) -> None:
    dataset = assembled(limit=20)
    taken = {row["outcome_id"] for row in manifest(dataset)}
    left = [row[0] for row in connection.execute("select id from outcome_labels").fetchall() if str(row[0]) not in taken]
    found = lineage_of_outcome(connection, left[0])
    assert (found.datasets, found.models) == ((), ())


def test_a_version_is_found_with_and_without_its_v(connection: Connection, assembled: Assembled) -> None:
    registered(connection, "acme", assembled())
    assert lineage_of_model(connection, "1.0.0", "acme") == lineage_of_model(connection, "v1.0.0", "acme")


def test_an_unknown_version_is_refused_with_those_that_are_known(
    connection: Connection, assembled: Assembled, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="none is registered yet; train one with: flywheel materialize --scope global"):
        lineage_of_model(connection, "v1.0.0")
    registered(connection, "acme", assembled())
    for wrong in ("v9.9.9", "latest", "", "v1"):
        with pytest.raises(InputError, match=r"scope 'acme' has no model .*\(newest: v1\.0\.0\)"):
            lineage_of_model(connection, wrong, "acme")
    with pytest.raises(InputError, match=r"scope 'global' has no models \(newest elsewhere: v1\.0\.0 --scope acme\)"):
        lineage_of_model(connection, "v1.0.0")


def test_an_unknown_outcome_is_refused_with_some_that_are_known(connection: Connection, assembled: Assembled) -> None:
    newest = connection.execute("select id from outcome_labels order by sent_at desc, id limit 1").fetchone()
    assert newest is not None
    for wrong, said in ((str(uuid4()), "is not known"), ("17", "'17' is not an outcome's id")):
        with pytest.raises(InputError, match=said) as refused:
            lineage_of_outcome(connection, wrong)
        assert str(newest[0]) in str(refused.value)


def test_without_any_outcome_that_is_said(connection: Connection) -> None:
    with pytest.raises(InputError, match="there are no outcomes yet"):
        lineage_of_outcome(connection, uuid4())
