"""A job's life seen through the official client: states, events, numbers, checkpoints, pausing, cancelling."""

import time
from typing import Any

import openai
import pytest

from flywheel_dagster_tests.sandbox.model_server.served import FINISHED, Served, make_examples


def test_a_job_passes_its_states_in_order(slow_server: Served) -> None:
    jobs = slow_server.client.fine_tuning.jobs
    job = jobs.create(model="gpt-4o-mini", training_file=slow_server.upload(make_examples(40)))
    seen = [job.status]
    deadline = time.monotonic() + 15
    while job.status not in FINISHED and time.monotonic() < deadline:
        job = jobs.retrieve(job.id)
        if job.status != seen[-1]:
            seen.append(job.status)
    assert seen == ["validating_files", "queued", "running", "succeeded"]


def test_a_succeeded_job_answers_everything_the_client_needs(server: Served) -> None:
    file_id = server.upload(make_examples(12))
    job = server.client.fine_tuning.jobs.create(
        model="gpt-4.1-mini-2025-04-14",
        training_file=file_id,
        suffix="Week 47.v2",
        seed=42,
        metadata={"run_id": "run-1"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": "auto"}}},
    )
    assert job.finished_at is None
    assert job.hyperparameters.batch_size == "auto"
    job = server.wait(job.id)
    assert job.status == "succeeded"
    assert job.fine_tuned_model is not None
    assert job.fine_tuned_model.startswith("ft:gpt-4.1-mini-2025-04-14:flywheel-sandbox:week-47-v2:")
    assert (job.seed, job.metadata, job.training_file, job.model) == (42, {"run_id": "run-1"}, file_id, "gpt-4.1-mini-2025-04-14")
    assert job.error is None or job.error.code is None
    assert job.finished_at is not None
    assert job.method is not None
    assert job.method.supervised is not None
    assert job.method.supervised.hyperparameters is not None
    numbers = job.method.supervised.hyperparameters
    assert (numbers.n_epochs, numbers.batch_size, numbers.learning_rate_multiplier) == (4, 1, 1.8)
    assert job.hyperparameters.n_epochs == 4
    assert job.trained_tokens is not None
    assert job.trained_tokens > 0
    assert job.trained_tokens % 4 == 0
    content = server.client.files.content(job.result_files[0]).text.splitlines()
    assert content[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert [line.split(",")[0] for line in content[1:]] == ["12", "24", "36", "48"]
    assert server.client.files.retrieve(job.result_files[0]).purpose == "fine-tune-results"


def test_trained_tokens_are_tokens_times_epochs(server: Served) -> None:
    one, three = (server.train(make_examples(10), hyperparameters={"n_epochs": epochs}) for epochs in (1, 3))
    assert one.trained_tokens
    assert three.trained_tokens == 3 * one.trained_tokens


def test_few_examples_get_more_automatic_epochs_than_many(server: Served) -> None:
    few, many = (server.train(make_examples(count)).hyperparameters.n_epochs for count in (10, 40))
    assert (few, many) == (10, 3)


def test_events_are_newest_first_and_tell_the_whole_story(server: Served) -> None:
    job = server.train(make_examples(40))
    events = list(server.client.fine_tuning.jobs.list_events(job.id, limit=3))  # several pages
    messages = [event.message for event in reversed(events)]
    assert messages[:4] == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert messages[-2:] == [f"New fine-tuned model created: {job.fine_tuned_model}", "The job has successfully completed"]
    assert next(message for message in messages if message.startswith("Step ")).startswith("Step 40/120: training loss=")
    assert len({event.id for event in events}) == len(events)
    assert {event.type for event in events} == {"message", "metrics"}


def test_checkpoints_are_of_the_last_three_epochs_and_can_answer(server: Served) -> None:
    job = server.train(make_examples(10), hyperparameters={"n_epochs": 5})
    checkpoints = list(server.client.fine_tuning.jobs.checkpoints.list(job.id, limit=2))
    assert [checkpoint.step_number for checkpoint in checkpoints] == [50, 40, 30]
    name = checkpoints[1].fine_tuned_model_checkpoint
    assert name == f"{job.fine_tuned_model}:ckpt-step-40"
    assert server.ask(name, make_examples(1)[0]["messages"][0]["content"]).startswith("Hello Person0")
    assert server.client.models.retrieve(name).id == name


def test_the_training_loss_is_measured_and_falls(server: Served) -> None:
    examples = make_examples(30)
    job = server.train(examples, validation_file=server.upload(make_examples(4)), hyperparameters={"n_epochs": 6})
    data = [_metrics(event) for event in server.client.fine_tuning.jobs.list_events(job.id, limit=100) if event.type == "metrics"][
        ::-1
    ]
    losses = [row["train_loss"] for row in data]
    assert len(losses) == 6
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert data[-1]["full_valid_loss"] < data[0]["full_valid_loss"]
    varied = make_examples(30)
    for number, example in enumerate(varied):
        example["messages"][-1]["content"] = " ".join(f"w{(number * 37 + place * place) % 211}" for place in range(12))
    harder = server.train(varied, hyperparameters={"n_epochs": 6})
    last = next(event for event in server.client.fine_tuning.jobs.list_events(harder.id) if event.type == "metrics")
    assert _metrics(last)["train_loss"] > 2 * losses[-1], "noise has to be harder to predict than a template"


def test_a_job_can_be_cancelled_and_stays_so(slow_server: Served) -> None:
    jobs = slow_server.client.fine_tuning.jobs
    job = jobs.create(model="gpt-4o-mini", training_file=slow_server.upload(make_examples(10)))
    assert jobs.cancel(job.id).status == "cancelled"
    later = slow_server.train(make_examples(10))  # a whole other life goes by
    assert later.status == "succeeded"
    job = jobs.retrieve(job.id)
    assert (job.status, job.fine_tuned_model, job.trained_tokens) == ("cancelled", None, None)
    for change in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError, match="already completed"):
            change(job.id)


def test_a_paused_job_waits_and_goes_on_where_it_was(slow_server: Served) -> None:
    jobs = slow_server.client.fine_tuning.jobs
    job = jobs.create(model="gpt-4o-mini", training_file=slow_server.upload(make_examples(10)), hyperparameters={"n_epochs": 8})
    slow_server.wait_for_event(job.id, "Step ")
    assert str(jobs.pause(job.id).status) == "paused"  # not in the published enumeration
    with pytest.raises(openai.BadRequestError, match="Cannot pause"):
        jobs.pause(job.id)
    assert slow_server.train(make_examples(10)).status == "succeeded"  # a whole other life goes by
    assert str(jobs.retrieve(job.id).status) == "paused"
    assert jobs.resume(job.id).status == "queued"
    assert slow_server.wait(job.id).status == "succeeded"
    steps = [_metrics(event)["step"] for event in jobs.list_events(job.id, limit=100) if event.type == "metrics"]
    assert steps == [80, 70, 60, 50, 40, 30, 20, 10]


def test_a_running_job_can_not_be_resumed(slow_server: Served) -> None:
    job = slow_server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=slow_server.upload(make_examples(10)))
    with pytest.raises(openai.BadRequestError, match="Cannot resume"):
        slow_server.client.fine_tuning.jobs.resume(job.id)


def test_a_fine_tune_can_be_trained_further_and_remembers(server: Served) -> None:
    first = server.train(make_examples(10, answer="Dear {name}, about the harbour."))
    prompt = "The weather in Oslo"
    more = [
        {"messages": [{"role": "user", "content": f"{prompt} {n}"}, {"role": "assistant", "content": "Rain."}]} for n in range(10)
    ]
    assert first.fine_tuned_model is not None
    second = server.train(more, model=first.fine_tuned_model)
    assert second.fine_tuned_model is not None
    assert second.fine_tuned_model.startswith("ft:gpt-4o-mini-2024-07-18:flywheel-sandbox::")
    assert second.model == first.fine_tuned_model
    assert server.ask(second.fine_tuned_model, prompt) == "Rain."
    assert "harbour" in server.ask(second.fine_tuned_model, make_examples(1)[0]["messages"][0]["content"])


def test_preference_pairs_teach_the_preferred_answer(server: Served) -> None:
    pairs = [
        {
            "input": {"messages": example["messages"][:1]},
            "preferred_output": example["messages"][1:],
            "non_preferred_output": [{"role": "assistant", "content": "BUY NOW"}],
        }
        for example in make_examples(10)
    ]
    job = server.train(pairs, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}})
    assert job.status == "succeeded"
    assert job.method is not None
    assert job.method.dpo is not None
    assert job.method.dpo.hyperparameters is not None
    assert job.method.dpo.hyperparameters.beta == 0.2
    assert job.fine_tuned_model is not None
    assert server.ask(job.fine_tuned_model, "Name: Bo\nCompany: Ox\nWrite a first e-mail.").startswith("Hello Bo, ")


def _metrics(event: Any) -> dict[str, Any]:
    data: dict[str, Any] = event.data
    return data
