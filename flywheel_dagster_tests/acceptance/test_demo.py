"""`flywheel demo` as a person runs it, killed at many moments and run again: one history, one dataset, one job, one version."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from flywheel_dagster.sandbox import postgres
from flywheel_dagster.sandbox.services import model_server_answers
from flywheel_dagster.sandbox.simulator.world import demo_world

pytestmark = pytest.mark.acceptance

TRACKED = 60  # messages that the demo sends through OutcomeTracker, besides those of its world
FOUND = """
select (select count(*) from outcome_labels) as outcomes, (select count(*) from webhook_events) as events,
  (select count(*) from leads) as leads, (select sum(event_count) from outcome_labels) as folded,
  (select count(*) from webhook_events where not matched) as unmatched, (select count(*) from scored_training_rows) as scored,
  (select array_agg(hash) from datasets) as datasets,
  (select array_agg(array[status, provider_job_id, attempt::text]) from fine_tuning_jobs) as jobs,
  (select array_agg(array[scope, model_version, model_id, fine_tuning_job_id]) from model_registry) as versions
"""


class Demo:
    """A demo that runs in a session of its own, with what it has printed so far."""

    def __init__(self, command: list[str | Path], *, folder: Path, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                self.lines.append(line.strip())

    def until(self, moment: Callable[[], object]) -> None:
        """Come back at the moment, which has to come before the demo ends."""
        deadline = time.monotonic() + 120
        while not moment():
            assert self._process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.005)

    def until_it_says(self, start: str) -> None:
        """Come back once it has printed a line that begins so."""
        self.until(lambda: any(line.startswith(start) for line in self.lines.copy()))

    def kill(self, *, alone: bool = False) -> None:
        """SIGKILL to it and to the runs that it started, or to it alone; the services have sessions of their own."""
        (os.kill if alone else os.killpg)(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)

    def end(self) -> None:
        """Leave nothing behind."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its runs may outlive it
        self._process.wait(timeout=20)
        self._reader.join(timeout=20)

    def complete(self) -> str:
        """Wait until it is done; what it said, which ends in its summary."""
        assert self._process.wait(timeout=240) == 0, "\n".join(self.lines)
        self._reader.join(timeout=20)
        return "\n".join(self.lines)


class Home:
    """A FLYWHEEL_HOME of one's own, and what a test does to the processes that work for it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "home"
        self._folder = folder
        ours = ("DATABASE_URL", "FLYWHEEL_", "TRAINING_DATA_DIR", "OPENAI_", "DAGSTER_")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._environment |= {"FLYWHEEL_HOME": str(self.path), "TRAINING_DATA_DIR": str(folder / "data")}
        self._flywheel = Path(sys.executable).parent / "flywheel"
        self._demos: list[Demo] = []

    def demo(self) -> Demo:
        """Begin a demo."""
        self._demos.append(Demo([self._flywheel, "demo"], folder=self._folder, environment=self._environment))
        return self._demos[-1]

    def close(self) -> None:
        """End what is left, and the services."""
        for demo in self._demos:
            demo.end()
        subprocess.run(
            [self._flywheel, "down"], cwd=self._folder, env=self._environment, check=True, capture_output=True, timeout=60
        )

    def ask(self, query: str) -> dict[str, Any] | None:
        """The first row; None while there is no such database or table, or no row."""
        server = postgres.running(self.path)
        if server is None:
            return None
        try:
            with psycopg.connect(server.url(role="flywheel_owner", database="flywheel"), row_factory=dict_row) as connection:
                return connection.execute(query).fetchone()  # type: ignore[arg-type]
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return None

    def has(self, condition: str) -> Callable[[], object]:
        """A moment: the database has it."""
        return lambda: self.ask(f"select 1 where {condition}")

    def count_jobs(self) -> int:
        """The jobs that were ever created at the model server, by its own count."""
        url = model_server_answers(self.path)
        assert url
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/sandbox/calls", timeout=5) as answer:
            return int(json.load(answer)["jobs_created"])

    def kill_database(self) -> None:
        """End its first process as a crash would; the others follow."""
        server = postgres.running(self.path)
        assert server
        os.kill(int((server.data_directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def kill_model_server(self) -> None:
        """End it as a crash would."""
        assert model_server_answers(self.path)
        os.kill(json.loads((self.path / "model-server" / "server.json").read_text())["pid"], signal.SIGKILL)

    def check_that_all_is_there_once(self) -> dict[str, Any]:
        """One history, one dataset, one job, one version; what there is, to compare."""
        found = self.ask(FOUND)
        assert found
        assert found["outcomes"] == demo_world().messages + TRACKED
        assert found["unmatched"] == 0
        assert found["events"] == found["folded"]
        (dataset,), ((status, job, attempt),), ((scope, version, _, registered_job),) = (
            found["datasets"], found["jobs"], found["versions"],
        )  # fmt: skip
        assert (status, attempt, scope, version, registered_job) == ("succeeded", "1", "global", "v1.0.0", job)
        assert self.count_jobs() == 1
        assert (self._folder / "data" / dataset / "train.jsonl").is_file()
        return found


@pytest.fixture
def home(short_directory: Path) -> Iterator[Home]:
    home = Home(short_directory)
    yield home
    home.close()


def test_a_demo_killed_at_any_moment_is_completed_by_the_next(home: Home) -> None:
    def killed_at(moment: Callable[[], object] | str) -> None:
        demo = home.demo()
        demo.until_it_says(moment) if isinstance(moment, str) else demo.until(moment)
        demo.kill()

    # Each moment is beyond the one before, so that each run goes on where the last one died.
    killed_at("database")
    killed_at(lambda: list(home.path.glob("postgres/data.new-*")))
    killed_at("local model server")
    killed_at("outcomes")
    killed_at(home.has("(select count(*) from outcome_labels) > 0"))
    home.kill_database()
    killed_at(home.has(f"(select count(*) from outcome_labels) > {demo_world().messages}"))
    killed_at("assets")
    killed_at("observe")
    killed_at(home.has("(select count(*) from scored_weeks) > 3"))
    home.kill_database()
    home.kill_model_server()
    killed_at("train global")
    killed_at(home.has("exists (select from datasets)"))
    killed_at(home.has("exists (select from fine_tuning_jobs where training_file_id is not null)"))
    killed_at(home.has("exists (select from fine_tuning_jobs where provider_job_id is not null)"))
    home.kill_model_server()
    killed_at(home.has("exists (select from model_registry)"))
    assert "Done in" in home.demo().complete()
    found = home.check_that_all_is_there_once()
    home.kill_database()
    assert "Model v1.0.0 (global)" in home.demo().complete()
    assert home.check_that_all_is_there_once() == found


@pytest.mark.parametrize("moment", ["score", "train global"])
def test_a_demo_whose_run_goes_on_without_it_can_be_started_again(home: Home, moment: str) -> None:
    """Killed alone, it leaves a run that still works; the next demo meets it, and the two of them buy one job."""
    first = home.demo()
    first.until_it_says(moment)
    first.kill(alone=True)
    assert "Done in" in home.demo().complete()
    home.check_that_all_is_there_once()
