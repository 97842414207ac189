"""The real server as a child process, driven by the official client over HTTP, and the data sets that the tests give it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

FINISHED = ("succeeded", "failed", "cancelled")


class Served:
    """One running server. `kill` is SIGKILL, `stop` is SIGTERM; both wait for its end."""

    def __init__(self, state: Path, *, job_seconds: float = 0, port: int = 0, identity: str = "test") -> None:
        self.state = state
        ready = state.parent / f"{state.name}-ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "flywheel_dagster.sandbox.model_server", "--state", str(state), "--port", str(port)]
        command += ["--identity", identity, "--ready-file", str(ready), "--job-seconds", str(job_seconds)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if not self.process.stdout.readline():  # the line comes once it accepts connections
            raise AssertionError(self.process.communicate()[1])
        self.ready: dict[str, Any] = json.loads(ready.read_text())
        self.url: str = self.ready["url"]
        self.http = httpx.Client(base_url=self.url, timeout=20)  # for what the official client has no call for
        self.client = OpenAI(base_url=f"{self.url}/v1", api_key="sk-test", max_retries=0, timeout=20)

    def stand_in(self, home: Path) -> None:
        """Be the local model server of this FLYWHEEL_HOME, for settings that lead to it."""
        (home / "model-server").mkdir(parents=True, exist_ok=True)
        (home / "model-server" / "server.json").write_text(json.dumps(self.ready))

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> int:
        """End it politely; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            self._reap()
        assert self.process.returncode is not None
        return self.process.returncode

    def _reap(self) -> None:
        self.client.close()
        self.http.close()
        self.process.communicate(timeout=10)

    def set_fault(self, **fault: Any) -> httpx.Response:
        """POST /sandbox/faults."""
        return self.http.post("/sandbox/faults", json=fault)

    def count_calls(self) -> dict[str, Any]:
        """GET /sandbox/calls."""
        answer: dict[str, Any] = self.http.get("/sandbox/calls").json()
        return answer

    def upload(self, examples: list[dict[str, Any]]) -> str:
        """Upload examples as a training file; its id."""
        return self.client.files.create(file=("train.jsonl", to_jsonl(examples)), purpose="fine-tune").id

    def wait(self, job_id: str, *, seconds: float = 15) -> FineTuningJob:
        """The job once it has finished."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            if job.status in FINISHED:
                return job
        raise AssertionError(f"{job_id} is still {job.status} after {seconds} s")

    def wait_for_event(self, job_id: str, text: str, *, seconds: float = 10) -> None:
        """Come back once one of the job's events contains the text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(text in event.message for event in self.client.fine_tuning.jobs.list_events(job_id, limit=100)):
                return
        raise AssertionError(f"{job_id} had no event with {text!r} within {seconds} s")

    def train(self, examples: list[dict[str, Any]], **options: Any) -> FineTuningJob:
        """Upload, create a job and wait for its end."""
        options.setdefault("model", "gpt-4o-mini-2024-07-18")
        return self.wait(self.client.fine_tuning.jobs.create(training_file=self.upload(examples), **options).id)

    def ask(self, model: str, prompt: str, **options: Any) -> str:
        """One answer, at temperature 0 unless said."""
        options.setdefault("temperature", 0)
        answer = self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}], **options)
        return answer.choices[0].message.content or ""


def to_jsonl(examples: list[dict[str, Any]]) -> bytes:
    """The lines of a training file."""
    return "".join(json.dumps(example) + "\n" for example in examples).encode()


def make_examples(
    count: int = 12, *, answer: str = "Hello {name}, shall we talk about routes at {company}?"
) -> list[dict[str, Any]]:
    """Valid chat examples about different people."""
    examples = []
    for number in range(count):
        name, company = f"Person{number}", f"Firm{number}"
        prompt = f"Name: {name}\nCompany: {company}\nIndustry: {'logistics' if number % 2 else 'retail'}\nWrite a first e-mail."
        text = answer.format(name=name, company=company)
        examples.append({"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]})
    return examples
