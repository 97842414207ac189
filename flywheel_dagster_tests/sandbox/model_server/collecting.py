"""Collects the raw answers of the model server: each call of the API that it has, in every state that an answer can tell of."""

import json
from dataclasses import dataclass
from typing import Any

from flywheel_dagster_tests.sandbox.model_server.batching import as_lines, ended, make_requests
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl

JSON, EVENTS = "application/json", "text/event-stream"
_KEY = {"authorization": "Bearer sk-test"}
_MODEL = "gpt-4o-mini-2024-07-18"
_ASKED = [{"role": "system", "content": "You sell."}, {"role": "user", "content": "Write to Dana at Acme. Answer in JSON."}]
_SCHEMA = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"], "additionalProperties": False}


@dataclass(frozen=True)
class Said:
    """One answer. `call` is the method with the path as OpenAI's description writes it, `title` says of what; `body` is as it came."""

    call: str
    title: str
    status: int
    media: str
    body: str

    @property
    def documents(self) -> list[Any]:
        """The JSON documents of the answer: one, each of a stream, or none in a file."""
        if self.media == EVENTS:
            return [json.loads(line.removeprefix("data: ")) for line in self.body.splitlines() if line.startswith("data: {")]
        return [json.loads(self.body)] if self.media == JSON else []


class Asking:
    """Asks a server and keeps what it says."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self.said: list[Said] = []

    def __call__(self, call: str, title: str = "", *, at: str = "", **request: Any) -> Any:
        """Ask; `at` stands for the path's placeholder. The answer as JSON, or as text."""
        method, path = call.split()
        real = "/".join(at if part.startswith("{") else part for part in path.split("/"))
        answer = self._server.http.request(method, f"/v1{real}", headers=_KEY, **request)
        media = answer.headers["content-type"].split(";")[0]
        self.said.append(Said(call, title, answer.status_code, media, answer.text))
        return answer.json() if media == JSON else answer.text


def collect(server: Served) -> list[Said]:
    """Every call, and its answers in every state; the shared server's jobs run at once, so that faults have to hold them."""
    ask = Asking(server)
    for part in (_files, _jobs, _models, _chat, _batches, _refusals):
        part(ask, server)
    return ask.said


def _refusals(ask: Asking, server: Served) -> None:
    """Errors of the server's own, and those that it plays for OpenAI."""
    ask("GET /files/{file_id}", "unknown file", at="file-none")
    ask("GET /models/{model}", "unknown model", at="gpt-9")
    ask("POST /fine_tuning/jobs", "nothing asked", json={})
    ask("GET /fine_tuning/jobs/{fine_tuning_job_id}", "unknown job", at="ftjob-none")
    ask("GET /batches/{batch_id}", "unknown batch", at="batch_none")
    ask("POST /chat/completions", "no message", json={"model": _MODEL, "messages": []})
    ask("GET /nothing", "unknown path")
    for name in ("training_not_available", "rate_limit_exceeded", "insufficient_quota", "server_error", "server_is_overloaded"):
        server.set_fault(name=name)
        ask("POST /fine_tuning/jobs", name, json={})


def _files(ask: Asking, server: Served) -> None:
    upload = {"file": ("train.jsonl", to_jsonl(make_examples(10)))}
    kept = ask("POST /files", files=upload, data={"purpose": "fine-tune"})["id"]
    expiring = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    passing = ask("POST /files", "expiring", files=upload, data=expiring)["id"]
    ask("GET /files/{file_id}", at=kept)
    ask("GET /files/{file_id}", "expiring", at=passing)
    ask("GET /files/{file_id}/content", at=kept)
    ask("GET /files", params={"limit": 2})
    ask("GET /files", "none", params={"purpose": "vision"})
    ask("DELETE /files/{file_id}", at=passing)


def _jobs(ask: Asking, server: Served) -> None:
    job_path = "/fine_tuning/jobs/{fine_tuning_job_id}"
    file, pairs = server.upload(make_examples(10)), server.upload(_preferences())

    def create(title: str, during: str | None = None, **more: Any) -> str:
        if during is not None:
            server.set_fault(kind="job_stuck", during=during)
        asked = {"model": _MODEL, "training_file": file, "seed": 1, **more}
        return str(ask("POST /fine_tuning/jobs", title, json=asked)["id"])

    def look(title: str, job: str) -> None:
        ask(f"GET {job_path}", title, at=job)

    done = create("full", validation_file=file, suffix="acme v1", metadata={"run": "7"})
    server.wait(done)
    look("succeeded", done)
    ask(f"GET {job_path}/events", at=done, params={"limit": 100})
    ask(f"GET {job_path}/events", "a page", at=done, params={"limit": 2})
    ask(f"GET {job_path}/checkpoints", at=done)
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "learning_rate_multiplier": 0.5}}}
    preferring = create("dpo", training_file=pairs, method=method)
    server.wait(preferring)
    look("dpo, succeeded", preferring)
    failing = create("to fail", training_file=server.upload(make_examples(9)))
    server.wait(failing)
    look("failed", failing)
    ask(f"GET {job_path}/events", "failed", at=failing)
    ask(f"GET {job_path}/checkpoints", "none", at=failing)
    for state in ("validating_files", "queued", "running"):
        held = create(f"to be {state}", during=state)
        server.wait_for_event(held, {"validating_files": "Validating", "queued": "moving", "running": "started"}[state])
        look(state, held)
        ask(f"POST {job_path}/pause", state, at=held)
        look(f"paused when {state}", held)
        ask(f"POST {job_path}/resume", state, at=held)
        ask(f"POST {job_path}/cancel", state, at=held)
    ask("GET /fine_tuning/jobs", params={"limit": 3})
    ask("GET /fine_tuning/jobs", "none", params={"metadata[run]": "no such run"})


def _models(ask: Asking, server: Served) -> None:
    tuned = server.train(make_examples(10)).fine_tuned_model
    assert tuned is not None
    ask("GET /models")
    for model in (_MODEL, "gpt-6-luna", tuned):
        ask("GET /models/{model}", model.split(":")[0], at=model)
    ask("DELETE /models/{model}", at=tuned)


def _chat(ask: Asking, server: Served) -> None:
    def say(title: str, **more: Any) -> None:
        ask("POST /chat/completions", title, json={"model": "gpt-6-luna", "messages": _ASKED, "seed": 3, **more})

    say("plain")
    say("three", n=3)
    say("cut off", max_completion_tokens=3)
    say("object", response_format={"type": "json_object"})
    say("schema", response_format={"type": "json_schema", "json_schema": {"name": "mood", "strict": True, "schema": _SCHEMA}})
    server.set_fault(kind="answer", answer="refusal")
    say("refused")
    say("streamed", stream=True, stream_options={"include_usage": True})
    server.set_fault(kind="answer", answer="refusal")
    say("streamed refusal", stream=True)


def _batches(ask: Asking, server: Served) -> None:
    def create(title: str, content: bytes, **more: Any) -> str:
        file = server.client.files.create(file=("in.jsonl", content), purpose="batch").id
        asked = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
        return str(ask("POST /batches", title, json=asked)["id"])

    def look(title: str, batch: str) -> None:
        ask("GET /batches/{batch_id}", title, at=batch)

    requests = make_requests(3)
    server.set_fault(kind="status", match=f"BATCH {requests[0]['custom_id']}", status=400)
    done = create("full", as_lines(requests), metadata={"run": "7"})
    batch = ended(server, done)
    look("completed", done)
    for file in (batch.output_file_id, batch.error_file_id):
        ask("GET /files/{file_id}", "a batch's", at=str(file))
        for line in ask("GET /files/{file_id}/content", "a batch's", at=str(file)).splitlines():
            answer = json.loads(line)["response"]
            ask.said.append(Said("POST /chat/completions", "in a batch", answer["status_code"], JSON, json.dumps(answer["body"])))
    failing = create("to fail", b"{")
    ended(server, failing)
    look("failed", failing)
    server.set_fault(kind="batch_stuck", during="in_progress")
    stuck = create("to be stuck", as_lines(make_requests(1)))
    ask("POST /batches/{batch_id}/cancel", at=stuck)
    ended(server, stuck)
    look("cancelled", stuck)
    server.set_fault(kind="batch_expires", after=1)
    expiring = create("to expire", as_lines(make_requests(2)))
    ended(server, expiring)
    look("expired", expiring)
    ask("GET /batches", params={"limit": 3})


def _preferences() -> list[dict[str, Any]]:
    return [
        {
            "input": {"messages": [{"role": "user", "content": f"Write to person {number}"}]},
            "preferred_output": [{"role": "assistant", "content": f"Hello person {number}, shall we talk?"}],
            "non_preferred_output": [{"role": "assistant", "content": "BUY NOW"}],
        }
        for number in range(10)
    ]
