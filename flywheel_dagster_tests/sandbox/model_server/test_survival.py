"""SIGKILL at any moment, restarts, and the command line."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import openai

from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples


def test_a_killed_server_goes_on_with_its_jobs(start_server: StartServer) -> None:
    server = start_server(job_seconds=0.8)
    jobs, file_id = server.client.fine_tuning.jobs, server.upload(make_examples(12))
    running = jobs.create(model="gpt-4o-mini", training_file=file_id, hyperparameters={"n_epochs": 8}, suffix="kept")
    server.wait_for_event(running.id, "Step 36/")
    fresh = jobs.create(model="gpt-4o-mini", training_file=file_id)
    paused = jobs.create(model="gpt-4o-mini", training_file=file_id)
    jobs.pause(paused.id)
    server.client.files.delete(file_id)  # open jobs still need its bytes
    server.kill()

    again = start_server(job_seconds=0.8, port=server.ready["port"])
    assert again.url == server.url
    jobs = again.client.fine_tuning.jobs
    assert [job.id for job in jobs.list()] == [paused.id, fresh.id, running.id]
    assert again.wait(running.id).status == "succeeded"
    assert again.wait(fresh.id).status == "succeeded"
    assert str(jobs.retrieve(paused.id).status) == "paused"
    jobs.resume(paused.id)
    assert again.wait(paused.id).status == "succeeded"
    steps = [event.message.split("/")[0] for event in jobs.list_events(running.id, limit=100) if event.type == "metrics"]
    assert steps == [f"Step {12 * epoch}" for epoch in range(8, 0, -1)], "no epoch is lost or written twice"
    losses = [event.data["train_loss"] for event in jobs.list_events(running.id, limit=100) if event.data]  # type: ignore[index]
    assert losses == sorted(losses)


def test_nothing_that_was_answered_is_lost_by_a_kill_in_the_middle(start_server: StartServer) -> None:
    server = start_server()
    files: list[str] = []
    jobs: list[str] = []

    def use_until_it_dies() -> None:
        try:
            while True:
                files.append(server.upload(make_examples(10)))
                jobs.append(server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=files[-1]).id)
        except (openai.APIError, RuntimeError):
            return

    users = [threading.Thread(target=use_until_it_dies) for _ in range(2)]
    for user in users:
        user.start()
    deadline = time.monotonic() + 10
    while len(jobs) < 15 and time.monotonic() < deadline:
        server.client.models.list()
    server.kill()
    for user in users:
        user.join(timeout=10)
    assert len(jobs) >= 15

    again = start_server()
    for file_id in files:
        assert again.client.files.content(file_id).read().count(b"\n") == 10
    assert set(jobs) <= {job.id for job in again.client.fine_tuning.jobs.list(limit=100)}
    names = [again.wait(job_id).fine_tuned_model for job_id in jobs]
    assert len(set(names)) == len(jobs)
    assert again.ask(str(names[0]), "Name: Bo\nCompany: Ox\nWrite a first e-mail.").startswith("Hello Bo, ")


def test_half_written_files_are_swept_at_the_next_start(start_server: StartServer) -> None:
    server = start_server()
    kept = server.upload(make_examples(1))
    server.kill()
    contents = server.state / "files"
    (contents / ".half-x").write_bytes(b"half")
    (contents / "file-orphan").write_bytes(b"orphan")
    start_server()
    assert [path.name for path in contents.iterdir()] == [kept]


def test_it_starts_quickly_and_stops_cleanly(start_server: StartServer) -> None:
    begun = time.monotonic()
    server = start_server(identity="mine")
    assert time.monotonic() - begun < 5, "1.5 s is the aim; the bound leaves room for a busy machine"
    assert server.ready == {"port": server.ready["port"], "pid": server.process.pid, "identity": "mine", "url": server.url}
    assert server.stop() == 0


def test_a_second_server_on_the_same_directory_is_refused(server: Served) -> None:
    command = [sys.executable, "-m", "flywheel_dagster.sandbox.model_server", "--state", str(server.state)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 2
    assert "Another model server uses" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_named(server: Served, tmp_path: Path) -> None:
    port = str(server.ready["port"])
    command = [sys.executable, "-m", "flywheel_dagster.sandbox.model_server", "--state", str(tmp_path / "s"), "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (second.returncode, second.stderr.startswith(f"Port {port} is taken")) == (2, True)


def test_health_answers_while_a_large_file_is_learned(server: Served) -> None:
    file_id = server.upload(make_examples(4000))
    job = server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file_id)
    longest = 0.0
    while server.client.fine_tuning.jobs.retrieve(job.id).status not in ("succeeded", "failed"):
        begun = time.monotonic()
        assert server.http.get("/health").status_code == 200
        longest = max(longest, time.monotonic() - begun)
    assert longest < 1.0
    assert server.client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"


def test_the_server_and_its_imports_leave_dagster_alone() -> None:
    script = (
        "import sys, flywheel_dagster.sandbox.model_server.app, flywheel_dagster.sandbox.model_server.__main__;"
        "sys.exit(any(name.split('.')[0] in ('dagster', 'numpy', 'pydantic', 'openai') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
