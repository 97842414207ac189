"""A lead's answers are erased with the lead: they were made of what is known of them."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.erasure import erase
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.chat import Messages
from flywheel_dagster.training.examination.examine import examine
from flywheel_dagster.training.examination.report import Limits
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.training.examination.making import Scripted, healthy

Connection = psycopg.Connection[TupleRow]
LIMITS = Limits(30, 200, 4)


def lead_of_an_answer(connection: Connection) -> str:
    found = connection.execute(
        "select o.lead_id from model_answers a join outcome_labels o on o.id = a.outcome_id order by 1 limit 1"
    ).fetchone()
    connection.commit()
    assert found is not None
    return str(found[0])


def answers(connection: Connection) -> int:
    found = connection.execute("select count(*) from model_answers").fetchone()
    connection.commit()
    assert found is not None
    return int(found[0])


def test_the_answers_to_an_erased_leads_requests_go_and_the_report_stays(
    connection: Connection, database: Database, dataset: Dataset
) -> None:
    done = examine(connection, "acme", dataset, Scripted().examinee(), limits=LIMITS)
    before = answers(connection)
    erase(connection, "acme", lead_of_an_answer(connection), database.settings.training_data_dir)
    assert answers(connection) == before - 1
    again = examine(connection, "acme", dataset, Scripted().examinee(), limits=LIMITS)
    assert (again.id, again.new) == (done.id, False)
    with pytest.raises(InputError, match="a lead who was erased"):
        examine(connection, "acme", dataset, Scripted(name="other").examinee(), limits=LIMITS)


def test_what_models_said_who_learnt_from_an_erased_lead_goes_and_what_others_said_stays(
    connection: Connection, database: Database, dataset: Dataset
) -> None:
    def letter(messages: Messages, seed: int) -> str:
        return "A"

    learnt, other = Scripted(name="learnt"), Scripted(name="other")
    examine(connection, "acme", dataset, learnt.examinee(), limits=LIMITS, judge=Scripted(letter, name="judge"))
    examine(connection, "acme", dataset, other.examinee(), limits=LIMITS)
    connection.execute(
        "insert into fine_tuning_jobs (dataset_hash, trainer, settings, settings_hash, model_id) values (%s, 'openai', '{}', '', 'learnt')",
        (dataset.hash,),
    )
    found = connection.execute(
        "select o.lead_id from dataset_members m join outcome_labels o on o.id = m.outcome_id where m.side = 'train' order by 1 limit 1"
    ).fetchone()
    assert found is not None
    connection.commit()
    erase(connection, "acme", found[0], database.settings.training_data_dir)
    kept = connection.execute("select distinct model_id from model_answers").fetchall()
    assert (kept, answers(connection)) == ([("other",)], dataset.test_examples)


def test_an_answer_that_comes_after_the_erasure_is_not_kept(
    connection: Connection, owner: Connection, database: Database, dataset: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"

    def say(messages: Messages, seed: int) -> str:
        if len(chat.asked) == 20:
            erase(owner, "acme", lead_of_an_answer(owner), folder)
        return healthy(messages, seed)

    chat = Scripted(say)
    with pytest.raises(InputError, match="a lead who was erased"):
        examine(connection, "acme", dataset, chat.examinee(), limits=Limits(30, 200, 1))
    assert len(chat.asked) == dataset.test_examples
    assert answers(connection) == 18
