"""The trainer without training: the same chat model answers as the dataset's best messages are written, and forgets them with the dataset."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets import derived
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.erasure import erase
from flywheel_dagster.datasets.files import MANIFEST, TRAIN
from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.errors import PermanentModelError, PermanentTrainingError, UnknownJobError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with, chosen_trainer
from flywheel_dagster.training.jobs import TrainedModel
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobState, Recipe, settings_hash
from flywheel_dagster.training.trainers.exemplars import index as index_file
from flywheel_dagster.training.trainers.exemplars import trainer as trainer_file
from flywheel_dagster.training.trainers.exemplars.trainer import ExemplarsTrainer
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.killing import Killed, Place, killed_at
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import Time

INDUSTRIES = ("software", "logistics")
CHEERFUL = "What a wonderful week for {industry}! We would be overjoyed to show you and all of your team, number {number}, what is possible!"
TERSE = "Call about {industry}? {number}."

Connection = psycopg.Connection[TupleRow]


def win_with(connection: Connection, organization: str, text: str, *, count: int = 50) -> None:
    """Messages of one manner that led to meetings; the text knows its industry and number."""
    outcomes = [uuid5(NAMESPACE_URL, f"{organization}/{number}") for number in range(count)]
    send(
        connection,
        [
            message(
                id=outcome,
                organization_id=organization,
                lead_id=f"lead-{number}",
                lead_industry=INDUSTRIES[number % 2],
                message_body=text.format(industry=INDUSTRIES[number % 2], number=number),
                sent_at=MONDAY + timedelta(hours=number),
            )
            for number, outcome in enumerate(outcomes)
        ],
    )
    record(
        connection,
        [event(each, kind, day) for each in outcomes for day, kind in enumerate(("opened", "clicked", "meeting_booked"), 5)],
    )
    score_weeks(connection, MONDAY.date(), MONDAY.date())
    connection.commit()


@pytest.fixture
def settings(database: Database, provider: Served) -> Settings:
    """What a user sets, with the local model server as the address."""
    told = {"FLYWHEEL_TRAINER": "exemplars", "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{provider.url}/v1"}
    return Settings(**told, TRAINING_DATA_DIR=database.settings.training_data_dir)  # type: ignore[arg-type]


@pytest.fixture
def trained(connection: Connection, settings: Settings, directory: Path) -> Callable[..., tuple[Dataset, TrainedModel]]:
    """Trains on the messages that an organization won with."""

    def run(organization: str, text: str) -> tuple[Dataset, TrainedModel]:
        win_with(connection, organization, text)
        dataset = assemble(connection, organization, directory, Selection())
        model = train(connection, chosen_trainer(settings), dataset, suffix="flywheel-v1-0-0", patience=Time().patience())
        return dataset, model

    return run


def ask(settings: Settings, model_id: str, messages: list[dict[str, str]]) -> Answer:
    async def asked() -> Answer:
        chat = chat_with(settings, "exemplars", model_id)
        try:
            return await chat.answer(messages, seed=1)
        finally:
            await chat.close()

    return asyncio.run(asked())


def folder_of(settings: Settings, model_id: str) -> Path:
    return settings.training_data_dir / "models" / model_id


def test_two_opposite_datasets_make_the_same_chat_model_answer_differently(
    settings: Settings, trained: Callable[..., tuple[Dataset, TrainedModel]]
) -> None:
    (_, cheerful), (_, terse) = trained("acme", CHEERFUL), trained("beta", TERSE)
    request = request_messages({"lead_industry": "logistics", "channel": "email"})
    gushing, curt = (ask(settings, model.model_id, request) for model in (cheerful, terse))
    assert gushing.text.startswith("What a wonderful week for ") and gushing.text.endswith("!")
    assert curt.text.startswith("Call about ") and curt.completion_tokens < gushing.completion_tokens / 2
    assert min(gushing.prompt_tokens, curt.prompt_tokens) > 100, "the exemplars are read, and billed"


def test_a_training_is_done_at_once_and_found_again(
    settings: Settings, trained: Callable[..., tuple[Dataset, TrainedModel]], connection: Connection
) -> None:
    dataset, model = trained("acme", TERSE)
    trainer = chosen_trainer(settings)
    assert model.model_id == model.job_id
    assert model.model_id.startswith("flywheel-v1-0-0-") and len(model.model_id) == len("flywheel-v1-0-0-") + 12
    assert (model.trained_tokens, model.cost_usd, model.loss_curve) == (0, 0, ())
    seen = trainer.status(model.job_id)
    assert (seen.state, seen.model_id) == (JobState.SUCCEEDED, model.model_id)
    assert seen.last_event == f"{dataset.train_examples} messages indexed, 4 for each request to gpt-6-luna"
    key = f"{dataset.hash}:{settings_hash(trainer)}:1"
    assert trainer.find(key) == model.job_id
    assert trainer.find(f"{key}0") is None
    again = train(connection, trainer, dataset, suffix="flywheel-v1-1-0", patience=Time().patience())
    assert again.model_id == model.model_id


def test_the_best_positive_examples_of_the_training_side_are_kept(
    connection: Connection, settings: Settings, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_file, "MOST", 12)
    win_with(connection, "acme", TERSE)
    winners = [uuid5(NAMESPACE_URL, f"acme/{number}") for number in range(6)]
    record(connection, [event(winner, "deal_closed", 20, value="9000", currency="USD") for winner in winners])
    score_weeks(connection, MONDAY.date(), MONDAY.date())
    dataset = assemble(connection, "acme", directory, Selection(repeat_up_to=3))
    model = train(connection, chosen_trainer(settings), dataset, suffix="m", patience=Time().patience())
    members = [json.loads(line) for line in (dataset.directory / MANIFEST).read_text().splitlines()]
    lines = (dataset.directory / TRAIN).read_text().splitlines()
    kept = [json.loads(line) for line in (folder_of(settings, model.model_id) / "index.jsonl").read_text().splitlines()]
    training = {member["outcome_id"]: member for member in members if member["side"] == "train"}
    assert {exemplar["outcome_id"] for exemplar in kept} <= training.keys()
    assert len(kept) == 12
    for exemplar in kept:
        member = training[exemplar["outcome_id"]]
        _, asked, written = json.loads(lines[member["line"] - 1])["messages"]
        assert (exemplar["request"], exemplar["message"]) == (asked["content"], written["content"])
        assert (exemplar["quality"], exemplar["weight"]) == (member["quality_score"], member["training_weight"])
    ranks = [-exemplar["quality"] * exemplar["weight"] for exemplar in kept]
    assert ranks == sorted(ranks)
    sold = {str(winner) for winner in winners} & training.keys()
    assert {exemplar["outcome_id"] for exemplar in kept[: len(sold)]} == sold


def test_settings_tell_apart_what_makes_another_model(tmp_path: Path) -> None:
    def hashed(shots: int = 4, **recipe: Any) -> str:
        return settings_hash(ExemplarsTrainer(Recipe(**({"base_model": "m"} | recipe)), folder=tmp_path, shots=shots))

    assert len({hashed(), hashed(shots=5), hashed(base_model="n")}) == 3
    assert hashed() == hashed(seed=1, epochs=9), "nothing is trained, so these change nothing"


def test_a_dataset_without_winners_or_that_is_gone_or_broken_makes_no_model(settings: Settings, dataset: Dataset) -> None:
    trainer = chosen_trainer(settings)

    def made() -> str:
        return trainer.create(key="k", training_file=str(dataset.directory / TRAIN), validation_file=None, suffix="m")

    manifest = (dataset.directory / MANIFEST).read_text()
    (dataset.directory / MANIFEST).write_text(manifest.replace("positive_example", "neutral"))
    with pytest.raises(PermanentTrainingError, match="no positive example"):
        made()
    (dataset.directory / MANIFEST).write_text(manifest + '{"side":')
    with pytest.raises(PermanentTrainingError, match=r"can't be read.*materialize training_jsonl again"):
        made()
    (dataset.directory / MANIFEST).write_text(manifest.replace('"line":1,', '"line":4711,'))
    with pytest.raises(PermanentTrainingError, match="line 4711"):
        made()
    (dataset.directory / MANIFEST).unlink()
    with pytest.raises(PermanentTrainingError, match="No such file"):
        made()
    shutil.rmtree(dataset.directory)
    with pytest.raises(PermanentTrainingError, match=r"files of dataset .* are gone"):
        made()
    assert trainer.find("k") is None
    assert [path.name for path in (settings.training_data_dir / "models").iterdir()] == [".lock"]


def test_killed_at_any_line_a_training_is_there_whole_or_made_by_the_next(settings: Settings, dataset: Dataset) -> None:
    trainer, files, lines = chosen_trainer(settings), (derived, index_file, trainer_file), set[Place]()

    def made(key: str) -> str:
        return trainer.create(key=key, training_file=str(dataset.directory / TRAIN), validation_file=None, suffix="m")

    with killed_at(None, lines, *files):
        reference = folder_of(settings, made("reference"))
    assert len(lines) > 30
    for number, place in enumerate(sorted(lines)):
        key = f"key {number}"
        with pytest.raises(Killed), killed_at(place, set(), *files):
            made(key)
        name = trainer.find(key) or made(key)
        assert trainer.find(key) == name
        assert (folder_of(settings, name) / "index.jsonl").read_bytes() == (reference / "index.jsonl").read_bytes()
    assert len(list(reference.parent.iterdir())) == 2 + len(lines)


def test_an_erased_lead_s_words_are_in_no_model_and_nobody_is_asked_with_them(
    connection: Connection, settings: Settings, trained: Callable[..., tuple[Dataset, TrainedModel]]
) -> None:
    (dataset, model), (_, other) = trained("acme", CHEERFUL), trained("beta", TERSE)
    request = request_messages({"lead_industry": "logistics", "channel": "email"})
    chat = chat_with(settings, "exemplars", model.model_id)
    kept = json.loads((folder_of(settings, model.model_id) / "index.jsonl").read_text().splitlines()[0])["outcome_id"]
    lead = next(f"lead-{number}" for number in range(50) if str(uuid5(NAMESPACE_URL, f"acme/{number}")) == kept)
    _, files = erase(connection, "acme", lead, settings.training_data_dir)
    assert files.models == [model.model_id]
    assert "wonderful" not in " ".join(path.read_text() for path in folder_of(settings, model.model_id).iterdir() if path.is_file())
    with pytest.raises(PermanentModelError, match=r"were erased with a person in them.*materialize training_jsonl"):
        asyncio.run(chat.answer(request))
    asyncio.run(chat.close())
    with pytest.raises(PermanentModelError, match="were erased"):
        chat_with(settings, "exemplars", model.model_id)
    with pytest.raises(UnknownJobError, match="erased"):
        chosen_trainer(settings).status(model.job_id)
    assert dataset.hash in (folder_of(settings, model.model_id) / "ERASED.txt").read_text()
    assert ask(settings, other.model_id, request).text.startswith("Call about ")


def test_a_model_that_is_not_here_is_named_with_the_remedy(settings: Settings) -> None:
    with pytest.raises(PermanentModelError, match=r"flywheel-v9 has no index in .*models; set TRAINING_DATA_DIR"):
        chat_with(settings, "exemplars", "flywheel-v9")
    for name in ("", "../datasets", "a/b", ".."):
        with pytest.raises(PermanentModelError):
            chat_with(settings, "exemplars", name)


def test_an_index_is_read_once_and_one_of_another_release_is_refused(settings: Settings, dataset: Dataset) -> None:
    trainer = chosen_trainer(settings)
    name = trainer.create(key="k", training_file=str(dataset.directory / TRAIN), validation_file=None, suffix="m")
    folder = folder_of(settings, name)
    assert index_file.load(folder) is index_file.load(folder)
    described = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(described | {"format": 0}))
    with pytest.raises(PermanentModelError, match="format 0, and this release reads 1"):
        index_file.load(folder)
    assert trainer.find("k") is None
