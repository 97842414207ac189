"""The server in Together's wire format: its answers have the described shapes, and its jobs are jobs of the server like any other."""

from typing import Any

import httpx
import jsonschema
import pytest

from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl

BEARER = {"Authorization": "Bearer anyone"}
ROOT = "/together/v1"
BASE = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"

# What matters of the shapes in github.com/togethercomputer/openapi (2026-04-28), written down by hand.
TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
STATUS = {
    "enum": ["pending", "queued", "running", "compressing", "uploading", "cancel_requested", "cancelled", "error", "completed"]
}


def shape(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}


def listed(row: dict[str, Any], name: str = "data") -> dict[str, Any]:
    return shape({name: {"type": "array", "items": row}})


FILE = shape(
    {
        "id": TEXT, "object": {"const": "file"}, "created_at": WHOLE, "filename": TEXT, "bytes": WHOLE, "purpose": {"const": "fine-tune"},
        "FileType": {"const": "jsonl"}, "Processed": {"type": "boolean"},
    },
)  # fmt: skip
EVENT = shape(
    {
        "object": {"const": "fine-tune-event"}, "created_at": TIME, "message": TEXT, "param_count": WHOLE, "token_count": WHOLE, "step": WHOLE,
        "total_steps": WHOLE, "wandb_url": TEXT, "checkpoint_path": TEXT, "model_path": TEXT, "training_offset": WHOLE, "hash": TEXT,
        "type": {
            "enum": [
                "job_pending", "job_stopped", "job_restarted", "training_data_downloading", "training_data_download_complete",
                "training_start", "epoch_complete", "checkpoint_save", "model_upload_complete", "job_complete", "job_error", "warning",
            ]
        },
    },
    {"level": {"enum": ["info", "warning", "error"]}},
)  # fmt: skip
JOB = shape(
    {"id": {"type": "string", "pattern": "^ft-"}, "status": STATUS, "created_at": TIME, "updated_at": TIME},
    {
        "training_file": TEXT, "validation_file": TEXT, "model": TEXT, "model_output_name": TEXT, "suffix": TEXT, "n_epochs": WHOLE,
        "n_evals": WHOLE, "n_checkpoints": WHOLE, "batch_size": WHOLE, "learning_rate": NUMBER, "token_count": WHOLE, "total_price": WHOLE,
        "random_seed": WHOLE, "packing": {"type": "boolean"}, "events": {"type": "array", "items": EVENT},
        "training_type": shape({"type": {"const": "Lora"}, "lora_r": WHOLE, "lora_alpha": WHOLE}),
        "training_method": shape({"method": {"enum": ["sft", "dpo"]}}),
        "lr_scheduler": shape({"lr_scheduler_type": {"enum": ["linear", "cosine"]}}),
        "progress": shape({"estimate_available": {"type": "boolean"}, "seconds_remaining": WHOLE}),
    },
)  # fmt: skip
CHECKPOINT = shape({"step": WHOLE, "path": TEXT, "created_at": TIME, "checkpoint_type": TEXT})
METRICS = listed({"type": "object", "additionalProperties": NUMBER}, "metrics")
PRICE = shape(
    {
        "estimated_total_price": NUMBER, "allowed_to_proceed": {"type": "boolean"}, "user_limit": NUMBER,
        "estimated_train_token_count": NUMBER, "estimated_eval_token_count": NUMBER,
    }
)  # fmt: skip
LISTED_ENDPOINT = shape(
    {
        "object": {"const": "endpoint"}, "id": {"type": "string", "pattern": "^endpoint-"}, "name": TEXT, "model": TEXT, "owner": TEXT,
        "type": {"const": "dedicated"}, "created_at": TIME,
        "state": {"enum": ["PENDING", "STARTING", "STARTED", "STOPPING", "STOPPED", "ERROR"]},
    }
)  # fmt: skip
ENDPOINT = {
    "allOf": [
        LISTED_ENDPOINT,
        shape({"display_name": TEXT, "hardware": TEXT, "autoscaling": shape({"min_replicas": WHOLE, "max_replicas": WHOLE})}),
    ]
}
HARDWARE = shape(
    {
        "object": {"const": "hardware"}, "id": TEXT, "pricing": shape({"cents_per_minute": NUMBER}), "updated_at": TIME,
        "specs": shape({"gpu_type": TEXT, "gpu_link": TEXT, "gpu_memory": NUMBER, "gpu_count": WHOLE}),
    },
    {"availability": shape({"status": {"enum": ["available", "unavailable", "insufficient"]}})},
)  # fmt: skip
ERROR = shape({"error": shape({"type": TEXT, "message": TEXT})})


def call(server: Served, method: str, path: str, **options: Any) -> httpx.Response:
    return server.http.request(method, ROOT + path, headers=BEARER, **options)


def answered(server: Served, method: str, path: str, schema: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A good answer, of the shape that it should have."""
    answer = call(server, method, path, **options)
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json(), schema)
    body: dict[str, Any] = answer.json()
    return body


def refused(server: Served, status: int, method: str, path: str, **options: Any) -> str:
    answer = call(server, method, path, **options)
    assert answer.status_code == status, answer.text
    jsonschema.validate(answer.json(), ERROR)
    return str(answer.json()["error"]["message"])


def upload(server: Served, content: bytes, *, name: str = "train.jsonl") -> dict[str, Any]:
    form = {"purpose": "fine-tune", "file_name": name, "file_type": "jsonl"}
    return answered(server, "POST", "/files/upload", FILE, data=form, files={"file": ("local.jsonl", content)})


def create(server: Served, file_id: str, **options: Any) -> dict[str, Any]:
    return answered(server, "POST", "/fine-tunes", JOB, json={"model": BASE, "training_file": file_id, **options})


def start(server: Served, model: str, **options: Any) -> dict[str, Any]:
    body = {"model": model, "hardware": "1x_nvidia_h100_80gb_sxm", "autoscaling": {"min_replicas": 1, "max_replicas": 1}}
    return answered(server, "POST", "/endpoints", ENDPOINT, json=body | options)


def states(server: Served, endpoint_id: str, *, looks: int) -> list[str]:
    return [answered(server, "GET", f"/endpoints/{endpoint_id}", ENDPOINT)["state"] for _ in range(looks)]


def say(server: Served, model: str) -> httpx.Response:
    message = {"role": "user", "content": make_examples(1)[0]["messages"][0]["content"]}
    return call(server, "POST", "/chat/completions", json={"model": model, "messages": [message], "temperature": 0})


def wait(server: Served, job_id: str) -> dict[str, Any]:
    for _ in range(500):
        job: dict[str, Any] = call(server, "GET", f"/fine-tunes/{job_id}").json()
        if job["status"] in ("completed", "error", "cancelled"):
            jsonschema.validate(job, JOB)
            return job
    raise AssertionError(f"{job_id} is still {job['status']}")


def test_a_file_is_kept_under_the_name_of_the_form_and_listed(server: Served) -> None:
    content = to_jsonl(make_examples(3))
    file = upload(server, content, name="kept.jsonl")
    assert (file["filename"], file["bytes"], file["Processed"]) == ("kept.jsonl", len(content), True)
    assert answered(server, "GET", f"/files/{file['id']}", FILE) == file
    assert file in answered(server, "GET", "/files", listed(FILE))["data"]
    assert not upload(server, b"no JSON\n")["Processed"]


@pytest.mark.parametrize("change", [{"purpose": "assistants"}, {"file_name": ""}, {"file_type": "parquet"}])
def test_a_form_that_lacks_something_is_refused(server: Served, change: dict[str, str]) -> None:
    form = {"purpose": "fine-tune", "file_name": "a.jsonl", "file_type": "jsonl"} | change
    refused(server, 400, "POST", "/files/upload", data=form, files={"file": ("a.jsonl", b"{}")})


@pytest.mark.parametrize(("stuck", "status"), [("validating_files", "pending"), ("queued", "queued"), ("running", "running")])
def test_the_states_of_a_job_have_togethers_names(server: Served, stuck: str, status: str) -> None:
    server.set_fault(kind="job_stuck", during=stuck)
    job_id = create(server, upload(server, to_jsonl(make_examples(3)))["id"])["id"]
    while (job := answered(server, "GET", f"/fine-tunes/{job_id}", JOB))["status"] != status:
        assert job["status"] in ("pending", "queued")
    assert "model_output_name" not in job


def test_a_job_goes_its_way_and_its_model_answers(server: Served) -> None:
    file_id = upload(server, to_jsonl(make_examples(12)))["id"]
    made = create(server, file_id, validation_file=file_id, n_epochs=2, n_evals=2, suffix="acme", random_seed=5, batch_size=4)
    assert (made["status"], made.get("model_output_name"), made["token_count"]) == ("pending", None, 0)
    job = wait(server, made["id"])
    assert (job["status"], job["epochs_completed"], job["n_evals"], job["random_seed"]) == ("completed", 2, 2, 5)
    assert job["token_count"] > 0
    assert job["updated_at"] >= job["created_at"]
    assert job["model_output_name"].startswith("flywheel-sandbox/Meta-Llama-3.1-8B-Instruct-Reference-acme-")
    types = [event["type"] for event in answered(server, "GET", f"/fine-tunes/{job['id']}/events", listed(EVENT))["data"]]
    assert [types[0], types[-1], types.count("epoch_complete")] == ["job_pending", "job_complete", 2]
    checkpoints = answered(server, "GET", f"/fine-tunes/{job['id']}/checkpoints", listed(CHECKPOINT))["data"]
    assert [checkpoint["step"] for checkpoint in checkpoints] == [3, 6]
    metrics = answered(server, "GET", f"/fine-tunes/{job['id']}/metrics", METRICS)["metrics"]
    assert [sorted(snapshot) for snapshot in metrics] == [
        ["train/global_step", "train/loss"],
        ["eval/global_step", "eval/loss"],
    ] * 2
    said = say(server, job["model_output_name"])
    assert said.json()["choices"][0]["message"]["content"] == "Hello Person0, shall we talk about routes at Firm0?"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "model is required"),
        ({"model": "gpt-4o"}, 404, "not a fine-tunable model"),
        ({"model": None}, 400, "model"),
        ({"training_file": "file-gone"}, 404, "file-gone"),
        ({"validation_file": "file-gone"}, 404, "file-gone"),
        ({"n_evals": 1}, 400, "needs a validation_file"),
        ({"n_epochs": 0}, 400, "n_epochs is an integer from 1"),
        ({"n_epochs": True}, 400, "n_epochs"),
        ({"batch_size": "large"}, 400, "batch_size"),
        ({"learning_rate": 0}, 400, "learning_rate is a number above 0"),
        ({"suffix": "s" * 41}, 400, "suffix may have 40 characters"),
        ({"training_method": {"method": "ppo"}}, 400, "sft or dpo"),
        ({"training_method": {"method": "sft"}}, 400, "needs train_on_inputs"),
        ({"training_type": {"type": "Lora"}}, 400, "with lora_r and lora_alpha"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_at_once(server: Served, body: dict[str, Any], status: int, said: str) -> None:
    before = server.count_calls()["jobs_created"]
    given = {"model": BASE, "training_file": upload(server, to_jsonl(make_examples(3)))["id"]} if body else {}
    assert said in refused(server, status, "POST", "/fine-tunes", json=given | body)
    assert server.count_calls()["jobs_created"] == before


@pytest.mark.parametrize(
    ("content", "method", "said"),
    [
        (b"no JSON\n", "sft", "cannot be parsed"),
        (to_jsonl([*make_examples(3), {"messages": [], "weight": 1}]), "sft", 'contains an extra "weight"'),
        (to_jsonl(make_examples(3)), "dpo", "missing key 'input'"),
        (b"", "sft", "must have at least 1 examples"),
    ],
)
def test_a_bad_file_fails_its_job_later(server: Served, content: bytes, method: str, said: str) -> None:
    asked = {"method": method} | ({"train_on_inputs": "auto"} if method == "sft" else {})
    made = create(server, upload(server, content)["id"], training_method=asked)
    job = wait(server, made["id"])
    assert job["status"] == "error"
    assert (job["events"][-1]["type"], job["events"][-1]["level"]) == ("job_error", "error")
    assert said in job["events"][-1]["message"]


def test_a_job_is_cancelled_once(server: Served) -> None:
    server.set_fault(kind="job_stuck", during="running")
    made = create(server, upload(server, to_jsonl(make_examples(3)))["id"])
    assert answered(server, "POST", f"/fine-tunes/{made['id']}/cancel", JOB)["status"] == "cancelled"
    refused(server, 400, "POST", f"/fine-tunes/{made['id']}/cancel")


def test_together_shows_its_own_jobs_only(server: Served) -> None:
    others = server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=server.upload(make_examples(10)))
    made = create(server, upload(server, to_jsonl(make_examples(3)))["id"])
    ids = [job["id"] for job in answered(server, "GET", "/fine-tunes", listed(JOB))["data"]]
    assert made["id"] == ids[0]
    assert others.id not in ids
    for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/checkpoints"), ("GET", "/metrics"), ("POST", "/cancel")):
        refused(server, 404, method, f"/fine-tunes/{others.id}{path}")


def test_times_are_ordered_as_jobs_are(server: Served) -> None:
    file_id = upload(server, to_jsonl(make_examples(3)))["id"]
    made = [create(server, file_id)["created_at"] for _ in range(5)]
    assert made == sorted(set(made))


def test_a_price_is_estimated_and_is_nothing(server: Served) -> None:
    file_id = upload(server, to_jsonl(make_examples(12)))["id"]
    price = answered(server, "POST", "/fine-tunes/estimate-price", PRICE, json={"training_file": file_id, "n_epochs": 3})
    job = wait(server, create(server, file_id, n_epochs=3)["id"])
    assert (price["estimated_total_price"], price["estimated_train_token_count"]) == (0, job["token_count"])


def test_a_key_is_wanted(server: Served) -> None:
    assert server.http.get(f"{ROOT}/fine-tunes").status_code == 401
    assert server.http.get(f"{ROOT}/fine-tunes", headers={"Authorization": "Bearer sk-revoked"}).status_code == 401


def test_faults_of_jobs_and_calls_are_played(server: Served) -> None:
    file_id = upload(server, to_jsonl(make_examples(3)))["id"]
    before = server.count_calls()
    server.set_fault(kind="status", match=f"POST {ROOT}/fine-tunes", status=429, headers={"retry-after": "7"})
    limited = call(server, "POST", "/fine-tunes", json={"model": BASE, "training_file": file_id})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    server.set_fault(kind="drop_after", match=f"POST {ROOT}/fine-tunes")
    with pytest.raises(httpx.RemoteProtocolError):
        call(server, "POST", "/fine-tunes", json={"model": BASE, "training_file": file_id})
    after = server.count_calls()
    assert after["jobs_created"] == before["jobs_created"] + 1
    assert after["calls"][f"POST {ROOT}/fine-tunes"] == before["calls"].get(f"POST {ROOT}/fine-tunes", 0) + 2
    server.set_fault(kind="job_slow", seconds=0, looks=3)
    slow = create(server, file_id)
    seen = [answered(server, "GET", f"/fine-tunes/{slow['id']}", JOB)["status"] for _ in range(3)]
    assert "completed" not in seen[:2]
    assert wait(server, slow["id"])["status"] == "completed"


def test_an_endpoint_starts_stops_and_answers_only_in_between(server: Served) -> None:
    model = wait(server, create(server, upload(server, to_jsonl(make_examples(12)))["id"])["id"])["model_output_name"]
    made = start(server, model, display_name="Ours", inactive_timeout=60)
    assert (made["state"], made["display_name"], made["model"]) == ("PENDING", "Ours", model)
    assert made["name"].startswith(f"{model}-")
    refused_chat = say(server, made["name"])
    assert (refused_chat.status_code, refused_chat.json()["error"]["code"]) == (400, "dedicated_endpoint_not_running")
    assert states(server, made["id"], looks=3) == ["STARTING", "STARTED", "STARTED"]
    told = say(server, made["name"]).json()["choices"][0]["message"]["content"]
    assert told == "Hello Person0, shall we talk about routes at Firm0?"
    stopping = answered(server, "PATCH", f"/endpoints/{made['id']}", ENDPOINT, json={"state": "STOPPED"})
    assert (stopping["state"], states(server, made["id"], looks=2)) == ("STOPPING", ["STOPPED", "STOPPED"])
    assert say(server, made["name"]).status_code == 400
    again = answered(server, "PATCH", f"/endpoints/{made['id']}", ENDPOINT, json={"state": "STARTED"})
    assert (again["state"], again["name"], states(server, made["id"], looks=2)) == (
        "PENDING",
        made["name"],
        ["STARTING", "STARTED"],
    )
    assert call(server, "DELETE", f"/endpoints/{made['id']}").status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        refused(server, 404, method, f"/endpoints/{made['id']}")
    assert say(server, made["name"]).status_code == 404


def test_a_start_fails_by_a_fault_and_the_next_one_does_not(server: Served) -> None:
    server.set_fault(kind="endpoint_fails")
    made = start(server, BASE)
    assert states(server, made["id"], looks=3) == ["STARTING", "ERROR", "ERROR"]
    answered(server, "PATCH", f"/endpoints/{made['id']}", ENDPOINT, json={"state": "STARTED"})
    assert states(server, made["id"], looks=2) == ["STARTING", "STARTED"]


def test_endpoints_are_listed_without_their_display_names_and_an_endpoint_may_be_made_stopped(server: Served) -> None:
    made = start(server, BASE, state="STOPPED")
    listed_endpoints = answered(server, "GET", "/endpoints?type=dedicated", listed(LISTED_ENDPOINT))["data"]
    ours = next(endpoint for endpoint in listed_endpoints if endpoint["id"] == made["id"])
    assert (ours["state"], "display_name" in ours) == ("STOPPED", False)
    assert answered(server, "GET", "/endpoints?type=serverless", listed(LISTED_ENDPOINT))["data"] == []


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"model": ""}, 400, "model is required"),
        ({"model": "gpt-4o"}, 404, "not available for dedicated endpoints"),
        ({"hardware": "1x_abacus"}, 400, "check the hardware API"),
        ({"autoscaling": None}, 400, "autoscaling is required"),
        ({"autoscaling": {"min_replicas": 2, "max_replicas": 1}}, 400, "max_replicas is an integer from 2"),
        ({"inactive_timeout": "1h"}, 400, "inactive_timeout is an integer"),
        ({"state": "ASLEEP"}, 400, "state is STARTED or STOPPED"),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_refused(server: Served, options: dict[str, Any], status: int, said: str) -> None:
    body = {"model": BASE, "hardware": "1x_nvidia_h100_80gb_sxm", "autoscaling": {"min_replicas": 1, "max_replicas": 1}}
    assert said in refused(server, status, "POST", "/endpoints", json=body | options)


def test_hardware_tells_its_price_and_for_a_model_whether_it_can_be_had(server: Served) -> None:
    every = answered(server, "GET", "/hardware", listed(HARDWARE))["data"]
    fitting = answered(server, "GET", f"/hardware?model={BASE}", listed(HARDWARE))["data"]
    assert [row["id"] for row in every] == [row["id"] for row in fitting]
    assert {row["availability"]["status"] for row in fitting} == {"available"}
    assert "availability" not in every[0]
    refused(server, 404, "GET", "/hardware?model=gpt-4o")


@pytest.mark.acceptance
def test_endpoints_survive_the_death_of_the_server(start_server: StartServer) -> None:
    server = start_server()
    made = start(server, BASE)
    states(server, made["id"], looks=1)
    server.kill()
    server = start_server()
    assert states(server, made["id"], looks=1) == ["STARTED"]
    assert say(server, made["name"]).status_code == 200
