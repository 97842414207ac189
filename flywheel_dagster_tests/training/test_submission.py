"""A training is bought once: whatever answers are lost, whoever asks at the same time, and however often."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import connect
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.files import TRAIN
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.errors import (
    DatabaseError,
    InputError,
    PermanentTrainingError,
    TrainingError,
    TransientTrainingError,
    UnknownJobError,
)
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.jobs import TrainedModel
from flywheel_dagster.training.registration import register_candidate
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobState, JobStatus
from flywheel_dagster.training.trainers.openai import OpenAITrainer
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import Time, trainer_at

CREATE = "POST /v1/fine_tuning/jobs"
LIST = "GET /v1/fine_tuning/jobs"
LOOK = "GET /v1/fine_tuning/jobs/ftjob-*"
UPLOAD = "POST /v1/files"
WAITING = """
select 1 from pg_locks join pg_database d on d.oid = database
where locktype = 'advisory' and not granted and datname = current_database()
"""
NO_JOBS = {"object": "list", "data": [], "has_more": False}

Training = Callable[..., TrainedModel]


class Shop:
    """What the tests ask of the provider: how many jobs and files were bought and sent since the test began."""

    def __init__(self, provider: Served) -> None:
        self._provider = provider
        self._before = self._counts()

    def _counts(self) -> tuple[int, ...]:
        counted = self._provider.count_calls()
        return counted["jobs_created"], *(counted["calls"].get(call, 0) for call in (CREATE, UPLOAD, LIST))

    @property
    def jobs(self) -> int:
        return self._counts()[0] - self._before[0]

    @property
    def orders(self) -> int:
        return self._counts()[1] - self._before[1]

    @property
    def uploads(self) -> int:
        return self._counts()[2] - self._before[2]

    @property
    def searches(self) -> int:
        return self._counts()[3] - self._before[3]


@pytest.fixture
def shop(provider: Served) -> Shop:
    return Shop(provider)


@pytest.fixture
def trainer(provider: Served) -> OpenAITrainer:
    return trainer_at(provider)


@pytest.fixture
def trained(connection: psycopg.Connection[TupleRow], trainer: OpenAITrainer, dataset: Dataset) -> Training:
    """Trains the dataset in no time, unless told otherwise."""

    def run(**options: Any) -> TrainedModel:
        return train(connection, trainer, dataset, **({"suffix": "tests", "patience": Time().patience()} | options))

    return run


def ledger(connection: psycopg.Connection[TupleRow]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from fine_tuning_jobs order by attempt").fetchall()
    connection.commit()
    return rows


def the_job(connection: psycopg.Connection[TupleRow]) -> dict[str, Any]:
    (row,) = ledger(connection)
    return row


def test_a_training_is_bought_recorded_and_waited_for(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, dataset: Dataset
) -> None:
    seen: list[JobStatus] = []
    model = trained(progress=seen.append)
    job, row = provider.client.fine_tuning.jobs.retrieve(model.job_id), the_job(connection)
    assert model.model_id == job.fine_tuned_model == row["model_id"]
    assert model.trained_tokens == job.trained_tokens == row["trained_tokens"]
    assert model.cost_usd == Decimal(0)
    assert (row["status"], row["provider_status"], row["attempt"], row["error"]) == ("succeeded", "succeeded", 1, None)
    assert row["settings"]["endpoint"] == "local"
    assert row["created_at"] <= row["submitted_at"] <= row["finished_at"]
    assert seen[-1].state is JobState.SUCCEEDED
    uploaded = provider.client.files.content(row["training_file_id"]).read()
    assert uploaded == (dataset.directory / TRAIN).read_bytes()


def test_a_second_call_buys_and_asks_nothing(trained: Training, shop: Shop, provider: Served) -> None:
    first = trained()
    before = provider.count_calls()
    assert trained() == first
    assert provider.count_calls() == before
    assert trained(resubmit=True) == first, "asked for again, it is only looked at whether the provider still knows it"
    assert (shop.jobs, shop.uploads) == (1, 2)


def test_other_settings_are_another_training(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, dataset: Dataset, shop: Shop
) -> None:
    first = trained()
    second = train(connection, trainer_at(provider), dataset, suffix="tests", patience=Time().patience())
    assert first.model_id != second.model_id
    assert shop.jobs == 2


def test_two_scopes_with_the_same_rows_share_what_was_bought(
    connection: psycopg.Connection[TupleRow], trained: Training, trainer: OpenAITrainer, directory: Path, shop: Shop
) -> None:
    first = trained()
    connection.execute("update organizations set allows_global_training = true")
    everyone = assemble(connection, "global", directory, Selection())
    assert train(connection, trainer, everyone, suffix="tests") == first
    assert shop.jobs == 1


def test_a_dataset_without_a_validation_side_is_trained_on_without_one(
    connection: psycopg.Connection[TupleRow], trainer: OpenAITrainer, dataset: Dataset, directory: Path, shop: Shop
) -> None:
    whole = assemble(connection, "acme", directory, Selection(validation_share=0))
    assert train(connection, trainer, whole, suffix="tests", patience=Time().patience()).model_id
    assert shop.uploads == 1
    assert the_job(connection)["validation_file_id"] is None


def test_a_failed_job_stays_failed_until_a_new_one_is_asked_for(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(kind="job_fails", code="exceeded_quota", message="Billing hard limit has been reached")
    for _ in range(2):
        with pytest.raises(PermanentTrainingError, match=r"failed: Billing hard limit has been reached .*resubmit: true"):
            trained()
        assert shop.jobs == 1
    bought = trained(resubmit=True)
    assert bought.attempt == 2
    assert trained(resubmit=True) == trained() == bought
    assert shop.jobs == 2
    assert [row["status"] for row in ledger(connection)] == ["failed", "succeeded"]


def test_a_cancelled_job_stays_cancelled_until_a_new_one_is_asked_for(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(kind="job_stuck")

    def cancel(status: JobStatus) -> None:
        if status.state is JobState.RUNNING:
            provider.client.fine_tuning.jobs.cancel(status.job_id)

    with pytest.raises(PermanentTrainingError, match="cancelled: no reason given"):
        trained(progress=cancel)
    with pytest.raises(PermanentTrainingError, match="cancelled: no reason given"):
        trained()
    assert shop.jobs == 1
    assert trained(resubmit=True).attempt == 2
    assert shop.jobs == 2


def test_every_failure_that_is_asked_for_again_is_one_more_job(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(kind="job_fails", times=3)
    for attempt in range(1, 4):
        with pytest.raises(PermanentTrainingError, match="internal error"):
            trained(resubmit=True)
        assert shop.jobs == attempt
    assert trained(resubmit=True).attempt == 4


def test_a_failed_job_is_never_registered(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, dataset: Dataset, trainer: OpenAITrainer
) -> None:
    settings = Settings(TRAINING_DATA_DIR=dataset.directory.parent)
    with pytest.raises(TrainingError, match="has no trained model"):
        register_candidate(connection, settings, "acme")
    provider.set_fault(kind="job_fails")
    with pytest.raises(PermanentTrainingError):
        trained()
    with pytest.raises(TrainingError, match="has no trained model"):
        register_candidate(connection, settings, "acme")
    assert connection.execute("select count(*) from model_registry").fetchone() == (0,)


def test_a_job_whose_answer_was_lost_is_found_and_not_bought_again(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(match=CREATE, kind="drop_after")
    assert trained().model_id
    assert (shop.jobs, shop.orders, shop.uploads) == (1, 1, 2)


def test_a_job_that_the_list_shows_late_is_not_bought_again(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(match=CREATE, kind="drop_after")
    provider.set_fault(match=LIST, kind="status", status=200, body=NO_JOBS, times=6)  # one before the order, five after it
    time = Time()
    assert trained(patience=time.patience()).model_id
    assert (shop.jobs, shop.orders) == (1, 1)
    assert time.slept[:6] == [1, 1, 2, 4, 8, 16]


def test_an_order_without_an_answer_is_looked_for_before_it_is_placed_again(
    trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(match=CREATE, kind="status", status=504)  # a gateway that gave up says nothing about the order
    time = Time()
    assert trained(patience=time.patience()).model_id
    assert (shop.jobs, shop.orders) == (1, 2)
    assert time.slept[:7] == [1, 1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize("times", [1, 3])
def test_an_order_is_placed_again_after_a_rate_limit(trained: Training, provider: Served, shop: Shop, times: int) -> None:
    provider.set_fault(name="rate_limit_exceeded", match=CREATE, times=times)
    time = Time()
    assert trained(patience=time.patience()).model_id
    assert (shop.jobs, shop.orders, shop.uploads) == (1, times + 1, 2)
    assert time.slept[:times] == [1, 2, 4][:times]  # a refusal is an answer: no looking for a job that can't be there


@pytest.mark.parametrize("call", [UPLOAD, LIST])
@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "drop_after"}, {"name": "server_is_overloaded"}], ids=str)
def test_an_order_survives_failures_on_its_way(
    trained: Training, provider: Served, shop: Shop, call: str, fault: dict[str, str]
) -> None:
    provider.set_fault(match=call, **fault)
    assert trained().model_id
    assert shop.jobs == 1


def test_a_provider_that_stays_away_ends_the_call_and_the_next_one_goes_on(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(match="* /v1/*", name="server_is_overloaded", times=None)
    time = Time()
    with pytest.raises(TransientTrainingError, match=r"listing jobs failed: .*overloaded"):
        trained(patience=time.patience())
    assert sum(time.slept) == 63
    assert (the_job(connection)["status"], shop.jobs) == ("planned", 0)
    provider.http.delete("/sandbox/faults")
    assert trained().attempt == 1
    assert shop.jobs == 1


@pytest.mark.parametrize("fault", [{"name": "server_error"}, {"kind": "drop"}, {"name": "rate_limit_exceeded"}], ids=str)
def test_a_provider_that_is_away_while_a_job_runs_is_waited_for(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop, fault: dict[str, str]
) -> None:
    provider.set_fault(match=LOOK, times=29, **fault)
    time = Time()
    assert trained(patience=time.patience()).model_id
    assert sum(time.slept[:29]) > 20 * 60
    assert (the_job(connection)["status"], shop.jobs) == ("succeeded", 1)


def test_a_provider_that_stays_away_while_a_job_runs_loses_nothing(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(match=LOOK, name="server_error", times=30)
    with pytest.raises(TransientTrainingError, match="looking at job"):
        trained()
    assert trained().attempt == 1
    assert shop.jobs == 1


@pytest.mark.parametrize(
    ("name", "said"), [("training_not_available", "choose another trainer"), ("insufficient_quota", "no credit left")]
)
def test_a_refused_order_is_not_repeated_until_it_is_called_again(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop, name: str, said: str
) -> None:
    provider.set_fault(name=name, match=CREATE)
    time = Time()
    with pytest.raises(PermanentTrainingError, match=said):
        trained(patience=time.patience())
    assert (shop.orders, time.slept, the_job(connection)["status"]) == (1, [], "planned")
    assert trained().attempt == 1
    assert (shop.jobs, shop.orders) == (1, 2)


def test_files_that_were_deleted_at_the_provider_are_sent_again_by_the_next_call(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(name="rate_limit_exceeded", match=CREATE, times=None)
    with pytest.raises(TransientTrainingError):
        trained()
    provider.http.delete("/sandbox/faults")
    provider.client.files.delete(the_job(connection)["training_file_id"])
    with pytest.raises(PermanentTrainingError, match="No such File object"):
        trained()
    assert trained().model_id
    assert (shop.jobs, shop.uploads) == (1, 4)


def test_a_job_that_outlasts_the_patience_is_waited_for_by_the_next_call(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(kind="job_stuck", during="queued")
    time = Time()
    with pytest.raises(TransientTrainingError, match=r"is still (queued|validating_files) after 2 h; .*again to go on waiting"):
        trained(patience=time.patience(poll=timedelta(minutes=30), limit=timedelta(hours=2)))
    assert time.slept == [1800] * 4
    job = the_job(connection)
    assert job["status"] == "running"
    jobs = provider.client.fine_tuning.jobs
    jobs.cancel(job["provider_job_id"])
    with pytest.raises(PermanentTrainingError, match=f"{job['provider_job_id']} cancelled"):
        trained()
    assert shop.jobs == 1


def test_a_paused_job_is_waited_for(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(kind="job_slow", seconds=0, looks=2)
    jobs, seen = provider.client.fine_tuning.jobs, list[str]()

    def pause_then_resume(status: JobStatus) -> None:
        if not seen:
            jobs.pause(status.job_id)
        elif status.provider_status == "paused":
            jobs.resume(status.job_id)
        seen.append(status.provider_status)

    assert trained(progress=pause_then_resume).model_id
    assert seen[1] == "paused"
    assert seen[-1] == "succeeded"
    assert shop.jobs == 1


def test_a_job_that_the_provider_forgot_is_an_error_until_a_new_one_is_asked_for(
    connection: psycopg.Connection[TupleRow], trained: Training, provider: Served, shop: Shop
) -> None:
    provider.set_fault(kind="job_stuck")
    with pytest.raises(TransientTrainingError):
        trained(patience=Time().patience(limit=timedelta(0)))
    gone = {"match": LOOK, "kind": "status", "status": 404, "code": "fine_tune_not_found", "times": None}
    provider.set_fault(**gone)
    for _ in range(2):
        with pytest.raises(UnknownJobError, match=r"knows no fine-tuning job ftjob-.*resubmit: true"):
            trained()
    assert (the_job(connection)["status"], shop.jobs) == ("running", 1)  # another key may still know it
    provider.http.delete("/sandbox/faults")
    provider.set_fault(**gone | {"times": 1})
    assert trained(resubmit=True).attempt == 2
    assert [row["status"] for row in ledger(connection)] == ["failed", "succeeded"]
    assert shop.jobs == 2


def test_asking_for_a_new_job_while_one_runs_waits_for_that_one(trained: Training, provider: Served, shop: Shop) -> None:
    provider.set_fault(kind="job_slow", seconds=0, looks=1)
    with pytest.raises(TransientTrainingError):
        trained(patience=Time().patience(limit=timedelta(0)))
    assert trained(resubmit=True).attempt == 1
    assert shop.jobs == 1


def test_two_at_once_buy_one_job(database: Database, provider: Served, dataset: Dataset, shop: Shop) -> None:
    together, trainer = threading.Barrier(2), trainer_at(provider)
    create = trainer.create

    def create_once_the_other_waits(**order: Any) -> str:
        with connect(database.addresses.owner) as watcher:
            while not watcher.execute(WAITING).fetchone():
                watcher.rollback()
        return create(**order)

    trainer.create = create_once_the_other_waits  # type: ignore[method-assign]

    def one() -> TrainedModel:
        with connect(database.addresses.service) as connection:
            together.wait()
            return train(connection, trainer, dataset, suffix="tests", patience=Time().patience())

    with ThreadPoolExecutor(2) as both:
        first, second = [future.result(timeout=30) for future in [both.submit(one), both.submit(one)]]
    assert first == second
    assert (shop.jobs, shop.orders, shop.uploads, shop.searches) == (1, 1, 2, 1)


def test_many_who_ask_for_a_new_job_at_once_get_one(
    database: Database, trainer: OpenAITrainer, trained: Training, provider: Served, dataset: Dataset, shop: Shop
) -> None:
    provider.set_fault(kind="job_fails")
    with pytest.raises(PermanentTrainingError):
        trained()
    together = threading.Barrier(4)

    def one() -> TrainedModel:
        with connect(database.addresses.service) as connection:
            together.wait()
            return train(connection, trainer, dataset, suffix="tests", patience=Time().patience(), resubmit=True)

    with ThreadPoolExecutor(4) as all_of_them:
        models = [future.result(timeout=30) for future in [all_of_them.submit(one) for _ in range(4)]]
    assert {model.attempt for model in models} == {2}
    assert (shop.jobs, shop.orders) == (2, 2)


def test_whoever_saw_the_job_running_does_not_take_its_end_back(
    database: Database, connection: psycopg.Connection[TupleRow], trained: Training, trainer: OpenAITrainer, dataset: Dataset
) -> None:
    def end_meanwhile(status: JobStatus) -> None:
        if status.state is JobState.RUNNING:
            with connect(database.addresses.service) as other:
                train(other, trainer, dataset, suffix="tests", patience=Time().patience())

    seen: list[str] = []
    trained(progress=end_meanwhile, patience=Time(lambda: seen.append(the_job(connection)["status"])).patience())
    assert set(seen) <= {"succeeded"}
    assert the_job(connection)["status"] == "succeeded"


def test_changed_files_are_never_sent(
    connection: psycopg.Connection[TupleRow], trained: Training, dataset: Dataset, shop: Shop
) -> None:
    file = dataset.directory / TRAIN
    content = file.read_bytes()
    file.write_bytes(content.replace(b"Hello", b"Hallo", 1))
    with pytest.raises(InputError, match="not those that were published; delete the folder"):
        trained()
    file.unlink()
    with pytest.raises(InputError, match="materialize training_jsonl again"):
        trained()
    assert (shop.uploads, shop.jobs) == (0, 0)
    file.write_bytes(content)
    assert trained().attempt == 1


def test_a_job_that_was_bought_is_collected_though_its_files_are_gone(
    trained: Training, dataset: Dataset, provider: Served, shop: Shop
) -> None:
    provider.set_fault(match=LOOK, name="server_error", times=30)
    with pytest.raises(TransientTrainingError):
        trained()
    (dataset.directory / TRAIN).unlink()
    assert trained().model_id
    assert shop.jobs == 1


def test_a_lost_connection_to_the_database_loses_no_job(
    database: Database, owner: psycopg.Connection[TupleRow], trainer: OpenAITrainer, dataset: Dataset, trained: Training, shop: Shop
) -> None:
    def cut(victim: psycopg.Connection[TupleRow]) -> None:
        owner.execute("select pg_terminate_backend(%s, 5000)", (victim.info.backend_pid,))
        owner.commit()

    with connect(database.addresses.service) as losing, pytest.raises(DatabaseError, match="goes on at the provider"):
        train(losing, trainer, dataset, suffix="tests", patience=Time().patience(), progress=lambda _: cut(losing))
    assert losing.closed
    assert trained().attempt == 1
    assert shop.jobs == 1


def test_an_order_is_not_placed_by_one_who_lost_the_lock(
    database: Database, owner: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset, shop: Shop
) -> None:
    trainer = trainer_at(provider)
    with connect(database.addresses.service) as losing:
        upload = trainer.upload

        def upload_and_lose(path: Path, *, name: str) -> str:
            owner.execute("select pg_terminate_backend(%s, 5000)", (losing.info.backend_pid,))
            owner.commit()
            return upload(path, name=name)

        trainer.upload = upload_and_lose  # type: ignore[method-assign]
        with pytest.raises(DatabaseError, match="again to wait for it"):
            train(losing, trainer, dataset, suffix="tests", patience=Time().patience())
    assert shop.orders == 0


@pytest.mark.parametrize("interrupted", ["before", "after"])
def test_an_interrupted_order_is_looked_for_by_the_next_call(
    connection: psycopg.Connection[TupleRow], trainer: OpenAITrainer, dataset: Dataset, shop: Shop, interrupted: str
) -> None:
    create = trainer.create

    def interrupt(**order: Any) -> str:
        if interrupted == "after":
            create(**order)
        raise KeyboardInterrupt

    trainer.create = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(connection, trainer, dataset, suffix="tests")
    assert the_job(connection)["status"] == "submitted"
    trainer.create = create  # type: ignore[method-assign]
    time = Time()
    assert train(connection, trainer, dataset, suffix="tests", patience=time.patience()).attempt == 1
    assert shop.jobs == 1
    assert (time.slept[:6] == [1, 2, 4, 8, 16, 32]) == (interrupted == "before")
    assert (1 in time.slept) == (interrupted == "before")


def test_each_step_is_kept_though_the_caller_had_a_transaction_open(
    connection: psycopg.Connection[TupleRow], owner: psycopg.Connection[TupleRow], provider: Served, trained: Training
) -> None:
    connection.execute("select 1")
    provider.set_fault(match=CREATE, name="training_not_available")
    with pytest.raises(PermanentTrainingError):
        trained()
    connection.execute("select 1")
    provider.set_fault(kind="job_slow", seconds=0, looks=2)
    statuses: list[str] = []
    trained(progress=lambda _: statuses.append(the_job(owner)["status"]))
    assert statuses[0] == "running"
    connection.rollback()
    assert the_job(owner)["status"] == "succeeded"


def test_a_success_whose_model_is_named_later_is_waited_for(
    connection: psycopg.Connection[TupleRow], trainer: OpenAITrainer, trained: Training
) -> None:
    status, looks = trainer.status, iter(range(100))

    def told_late(job_id: str) -> JobStatus:
        seen = status(job_id)
        return replace(seen, model_id=None) if seen.state is JobState.SUCCEEDED and next(looks) < 5 else seen

    trainer.status = told_late  # type: ignore[method-assign]
    said: list[str] = []
    assert trained(progress=lambda seen: said.append(seen.provider_status)).model_id.startswith("ft:")
    assert said.count("succeeded, but names no model yet") == 5
    assert the_job(connection)["status"] == "succeeded"


def test_a_success_that_never_names_a_model_is_no_success(
    connection: psycopg.Connection[TupleRow], trainer: OpenAITrainer, trained: Training
) -> None:
    status = trainer.status
    trainer.status = lambda job_id: replace(status(job_id), state=JobState.SUCCEEDED, model_id=None)  # type: ignore[method-assign]
    patience = Time().patience(poll=timedelta(minutes=30), limit=timedelta(hours=2))
    with pytest.raises(TransientTrainingError, match="succeeded, but names no model yet after 2 h"):
        trained(patience=patience)
    assert the_job(connection)["status"] == "running"
