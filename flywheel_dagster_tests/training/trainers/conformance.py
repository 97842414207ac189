"""What every trainer must do, whoever trains: the same dataset in, a model that answers out, failures and cancellations honoured.

A trainer is made by `chosen_trainer` from settings alone, as users do it, and a `Place` says where it trains in a test: on this machine in
`places.py`, at a real provider in `acceptance/test_real_provider.py`.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_args

import orjson
import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import PermanentTrainingError, TrainingError, UnknownJobError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.patience import Patience
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with, chosen_trainer
from flywheel_dagster.training.jobs import TrainedModel
from flywheel_dagster.training.prices import Method
from flywheel_dagster.training.registration import register_candidate
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobStatus, Trainer, settings_hash
from flywheel_dagster_tests.training.making import Time

Connection = psycopg.Connection[TupleRow]
Waiting = Callable[[Callable[[], object]], Patience]


def no_time(during: Callable[[], object]) -> Patience:
    """Patience for those who are done as soon as they are asked often enough; `during` is done in each pause."""
    return Time(during).patience()


@dataclass(frozen=True)
class Place:
    """A trainer, and where it trains.

    `others` are changes of settings that each make another training. `wrong_key`: the settings with a key that is refused, and the key; None
    where none is asked for. `fail` sees to it that the next training of a dataset fails, `hold` that the next job runs until it is cancelled;
    None where that can't be arranged. `unknown_job` is an id of the trainer's own shape. `close` ends what the place started.
    """

    settings: Settings
    others: tuple[Mapping[str, Any], ...]
    unknown_job: str
    wrong_key: tuple[Settings, str] | None = None
    fail: Callable[[Dataset], object] | None = None
    hold: Callable[[], object] | None = None
    waiting: Waiting = no_time
    budget_usd: Decimal | None = None
    close: Callable[[], object] = lambda: None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """The trainer's."""
        return self.settings.trainer

    def trainer(self, **changes: Any) -> Trainer:
        """The trainer that the settings choose, with changes by field."""
        return chosen_trainer(self.settings.model_copy(update=changes))

    def train(
        self, connection: Connection, dataset: Dataset, *, during: Callable[[], object] = lambda: None, **how: Any
    ) -> TrainedModel:
        """Train on the dataset; `during` is done in each pause."""
        patience = self.waiting(during)
        return train(
            connection, self.trainer(), dataset, suffix="conformance-v1-0-0", patience=patience, budget_usd=self.budget_usd, **how
        )

    def ask(self, model_id: str) -> Answer:
        """What the model says to a request in our words."""

        async def asked() -> Answer:
            chat = chat_with(self.settings, self.name, model_id)
            try:
                return await chat.answer(
                    request_messages({"lead_industry": "Logistics", "lead_role": "CTO", "channel": "email"}), max_tokens=200
                )
            finally:
                await chat.close()

        return asyncio.run(asked())


def jobs(connection: Connection) -> list[dict[str, Any]]:
    """The ledger, by attempt."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from fine_tuning_jobs order by attempt").fetchall()
    connection.commit()
    return rows


class Conformance:
    """The suite; fixtures `place`, `connection` and `dataset` are those of whoever runs it."""

    def test_the_same_settings_make_the_same_training_and_others_another(self, place: Place) -> None:
        told = place.trainer().settings()
        assert orjson.loads(orjson.dumps(dict(told))) == dict(told)
        assert not any(secret in str(told) for secret in place.secrets)
        hashes = [settings_hash(place.trainer(**change)) for change in ({}, *place.others)]
        assert len(set(hashes)) == len(hashes)
        assert settings_hash(place.trainer()) == hashes[0]

    def test_the_offer_is_complete(self, place: Place) -> None:
        trainer = place.trainer()
        offer = trainer.offer
        assert trainer.name == place.name
        assert trainer.recipe.base_model
        assert offer.methods and set(offer.methods) <= set(get_args(Method))
        assert offer.least_examples >= 1
        assert all(limit is None or limit > 0 for limit in (offer.most_file_bytes, offer.most_example_tokens))
        assert len(offer.model_id.split()) > 3, "what a model id means is said in words"

    def test_an_estimate_is_given(self, place: Place) -> None:
        trainer = place.trainer()
        few, many = trainer.estimate(100_000, validation_tokens=10_000), trainer.estimate(1_000_000, validation_tokens=100_000)
        assert (few.trainer, few.base_model) == (trainer.name, trainer.recipe.base_model)
        assert few.tokens <= many.tokens
        if few.usd is None:
            assert few.note, "why no price is known"
        else:
            assert many.usd is not None and 0 <= few.usd <= many.usd
            assert few.source
        cost = trainer.cost_usd(100_000)
        assert cost is None or cost >= 0

    def test_a_job_that_nobody_knows_has_an_error_of_its_own(self, place: Place) -> None:
        with pytest.raises(UnknownJobError, match="resubmit: true"):
            place.trainer().status(place.unknown_job)

    def test_a_wrong_key_is_one_clear_error_without_the_key(self, place: Place) -> None:
        if place.wrong_key is None:
            pytest.skip(f"{place.name} asks for no key")
        settings, key = place.wrong_key
        with pytest.raises(PermanentTrainingError, match="the key was refused; set ") as raised:
            chosen_trainer(settings).find("some key")
        assert "\n" not in str(raised.value)
        assert key not in "".join(traceback.format_exception(raised.value))

    def test_a_dataset_becomes_a_model_that_answers_and_is_bought_once(
        self, place: Place, connection: Connection, dataset: Dataset
    ) -> None:
        trainer = place.trainer()
        key = f"{dataset.hash}:{settings_hash(trainer)}:1"
        assert trainer.find(key) is None
        seen: list[JobStatus] = []
        model = place.train(connection, dataset, progress=seen.append)
        assert model.model_id
        assert trainer.find(key) == model.job_id
        assert {status.job_id for status in seen} == {model.job_id}
        answer = place.ask(model.model_id)
        assert answer.text.strip() and answer.refusal is None
        assert answer.prompt_tokens > 0 and answer.completion_tokens > 0
        steps = [point.step for point in model.loss_curve]
        assert steps == sorted(set(steps))
        assert all(point.training is not None or point.validation is not None for point in model.loss_curve)
        assert model.trained_tokens is None or model.trained_tokens >= 0
        assert place.train(connection, dataset).job_id == model.job_id
        assert len(jobs(connection)) == 1

    def test_a_training_that_fails_says_why_and_registers_nothing(
        self, place: Place, connection: Connection, dataset: Dataset
    ) -> None:
        if place.fail is None:
            pytest.skip(f"a failure of {place.name} can't be arranged here")
        place.fail(dataset)
        with pytest.raises(PermanentTrainingError) as raised:
            place.train(connection, dataset)
        assert "; " in str(raised.value) and "\n" not in str(raised.value), "what happened, and the remedy"
        (job,) = jobs(connection)
        assert job["model_id"] is None
        with pytest.raises(TrainingError, match="has no trained model"):
            register_candidate(connection, place.settings, dataset.scope)
        assert connection.execute("select count(*) from model_registry").fetchone() == (0,)

    def test_a_cancelled_job_ends_as_cancelled_and_another_is_bought_only_when_asked_for(
        self, place: Place, connection: Connection, dataset: Dataset
    ) -> None:
        if place.hold is None:
            pytest.skip(f"a job of {place.name} is done before it could be cancelled")
        trainer, seen = place.trainer(), list[str]()

        def cancelled(**how: Any) -> None:
            """Train, and cancel the job in the first pause."""
            told = list[str]()

            def cancel() -> None:
                if told:
                    trainer.cancel(told.pop())

            def note(status: JobStatus) -> None:
                if status.job_id not in seen:
                    seen.append(status.job_id)
                    told.append(status.job_id)

            with pytest.raises(PermanentTrainingError, match="cancelled"):
                place.train(connection, dataset, during=cancel, progress=note, **how)

        place.hold()
        cancelled()
        cancelled()
        assert len(seen) == 1, "nothing is bought unasked"
        place.hold()
        cancelled(resubmit=True)
        assert len(set(seen)) == 2
        assert [(job["attempt"], job["status"]) for job in jobs(connection)] == [(1, "cancelled"), (2, "cancelled")]
        with pytest.raises(TrainingError, match="has no trained model"):
            register_candidate(connection, place.settings, dataset.scope)
