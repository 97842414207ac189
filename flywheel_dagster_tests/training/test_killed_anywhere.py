"""Assemble → train → examine → register, killed by SIGKILL before any line of its code, and run again: one dataset, one job, one version, at each provider.

The lines are those that a run really goes through, traced by `driver`; nothing in the code knows of it.
"""

import json
import linecache
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

import flywheel_dagster
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import score_good_outcomes

TRAINERS = ("openai", "together", "azure")
EXAMPLES = 20
KILLED = -9
STATE = """
select (select count(*) from datasets), (select count(*) from dataset_publications), (select count(*) from dataset_members),
  (select array_agg(array[status, provider_job_id, attempt::text]) from fine_tuning_jobs), (select count(*) from model_examinations),
  (select array_agg(array[model_version, status, model_id, fine_tuning_job_id]) from model_registry)
"""
# Where most is at stake; they belong to each sample.
DELICATE = (
    "temporary.replace(directory / named)",
    "update_job(connection, job, **{column: file_id})",
    'update_job(connection, job, status="submitted")',
    "update_job(connection, job, provider_job_id=job_id",
    "return read_job(connection, job)",
    'connection.execute("select pg_advisory_unlock',
    'update_job(connection, row["id"], **changes)',
    'connection.execute(statement("note_training")',
    "examination = store(connection, subject",
    'connection.execute(statement("note_examination")',
    'written = connection.execute(statement("register_model")',
)
# Of these, where something outside is done and not yet written down; `make test` kills before these alone.
UNWRITTEN = (
    "temporary.replace(directory / named)",
    "update_job(connection, job, **{column: file_id})",
    "return job.id",
    "update_job(connection, job, provider_job_id=job_id",
    'update_job(connection, row["id"], **changes)',
    "examination = store(connection, subject",
    'written = connection.execute(statement("register_model")',
)
# Where a trainer uploads, buys, looks, and makes a model askable.
DELICATE_OF = {
    "openai": (
        "return self._client.files.create(",
        "job = self._client.fine_tuning.jobs.create(",
        "return job.id",
        "job = self._client.fine_tuning.jobs.retrieve(",
    ),
    "together": (
        'sent = self._call("the upload"',
        'created = self._call("creating the job"',
        'return _id(created, "creating the job")',
        'job = self._call(f"looking at job',
        "asked = self._create(model)",
        "self._asked[model] = asked.id",
        "if endpoint.state is EndpointState.STARTED",
    ),
    "azure": (
        "return self._client.files.create(",
        "file = self._client.files.retrieve(",
        "job = self._client.fine_tuning.jobs.create(",
        "return job.id",
        "return self._deployments.put(model)",
        "if deployment.state is DeploymentState.STANDING",
    ),
}


class Loop:
    """Runs of the whole loop in children of `driver`; each round begins with nothing but scored rows, and has settings of its own."""

    def __init__(self, trainer: str, database: Database, provider: Served, owner: psycopg.Connection[TupleRow]) -> None:
        self.trainer, self._provider, self._owner = trainer, provider, owner
        self._directory = database.settings.training_data_dir
        provider.stand_in(database.settings.home)
        self._order = {
            "trainer": trainer,
            "database": database.addresses.service,
            "home": str(database.settings.home),
            "poll_milliseconds": 5,
        }
        self._round = uuid4().int % 2**30  # the provider remembers the jobs of other tests
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "flywheel_dagster_tests.training.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> None:
        """Let the driver go."""
        self._process.communicate(timeout=10)

    def begin_round(self) -> None:
        """Forget what the last round came to, the history of versions too, which nobody else may."""
        self._owner.execute("alter table model_changes disable trigger history_stays")
        for table in (
            "scope_trainings",
            "model_examinations",
            "model_answers",
            "model_changes",
            "model_registry",
            "fine_tuning_jobs",
            "dataset_members",
            "dataset_publications",
            "datasets",
        ):
            self._owner.execute(f"delete from {table}")  # type: ignore[arg-type]
        self._owner.execute("alter table model_changes enable trigger history_stays")
        self._owner.commit()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._round += 1

    def run(self, **how: Any) -> dict[str, Any]:
        """One child: how it ended, and what came of it if it came to an end."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(self._order | {"seed": self._round, "directory": str(self._directory)} | how) + "\n")
        self._process.stdin.flush()
        ended: dict[str, Any] = json.loads(self._process.stdout.readline())
        return ended

    def count_jobs(self) -> int:
        """The jobs that were ever bought."""
        return int(self._provider.count_calls()["jobs_created"])

    def count_endpoints(self) -> int:
        """How often an endpoint was asked for, which only Together has."""
        return int(self._provider.count_calls()["calls"].get("POST /together/v1/endpoints", 0))

    def state(self) -> Any:
        """What the database holds of datasets, jobs and versions."""
        found = self._owner.execute(STATE).fetchone()
        self._owner.commit()
        return found

    def check(self, *fatal: str, surely: bool = True) -> None:
        """A round: a run that dies before each of the given lines, and one that is left alone. Then all is there, and once."""
        self.begin_round()
        before, endpoints = self.count_jobs(), self.count_endpoints()
        for line in fatal:
            ended = self.run(fatal=line)["ended"]
            assert ended == KILLED or (not surely and ended == 0), (fatal, ended)
        done = self.run()
        assert done["ended"] == 0, fatal
        assert self.count_jobs() - before == 1, fatal
        assert self.count_endpoints() - endpoints == (self.trainer == "together"), fatal
        assert done["dataset"] == self.reference["dataset"], fatal
        assert self.state() == (
            1, 1, EXAMPLES, [["succeeded", done["job"], "1"]], 1, [["v1.0.0", "ready", done["model"], done["job"]]],
        ), fatal  # fmt: skip

    @property
    def reference(self) -> dict[str, Any]:
        """An undisturbed run, with the lines that it went through."""
        if not hasattr(self, "_reference"):
            self.begin_round()
            self._reference = self.run(trace=True)
            assert self._reference["ended"] == 0
        return self._reference

    def points(self, *, times: int = 1) -> list[str]:
        """The lines in the order of the run: each up to so many times, where it is reached that often."""
        return [line for line in self.reference["lines"] if int(line.rsplit(":", 1)[1]) <= times]


@pytest.fixture
def loop(
    trainer: str,
    database: Database,
    connection: psycopg.Connection[TupleRow],
    owner: psycopg.Connection[TupleRow],
    provider: Served,
) -> Iterator[Loop]:
    score_good_outcomes(connection, count=EXAMPLES)
    provider.set_fault(kind="job_slow", seconds=0, looks=2, times=None)  # so that each run looks more than twice
    loop = Loop(trainer, database, provider, owner)
    yield loop
    loop.end()


def source(point: str) -> str:
    file, line, _ = point.split(":")
    return linecache.getline(str(Path(flywheel_dagster.__file__).parent / file), int(line)).strip()


def passed(loop: Loop, texts: tuple[str, ...], *, times: int) -> list[str]:
    """The lines that begin so, in the order of the run, each up to so many times. All of them are there."""
    points = loop.points(times=times)
    found = [[point for point in points if source(point).startswith(text)] for text in texts]
    assert all(found)
    return sorted(chain.from_iterable(found), key=points.index)


def delicate(loop: Loop) -> list[str]:
    """The lines where most is at stake; the lock is given back by two steps."""
    return passed(loop, (*DELICATE, *DELICATE_OF[loop.trainer]), times=2)


@pytest.mark.parametrize("trainer", ["openai"])
def test_a_run_killed_with_something_done_that_is_not_written_down_is_completed_by_the_next(loop: Loop) -> None:
    for point in passed(loop, UNWRITTEN, times=1):
        loop.check(point)


@pytest.mark.acceptance
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_killed_where_most_is_at_stake_is_completed_by_the_next(loop: Loop) -> None:
    for point in delicate(loop):
        loop.check(point)


@pytest.mark.acceptance
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_killed_at_a_sample_of_its_lines_is_completed_by_the_next(loop: Loop) -> None:
    points, twice = loop.points(), loop.points(times=2)
    sample = sorted({*points[:: len(points) // 20], *delicate(loop)}, key=twice.index)
    assert len(sample) >= 30
    for point in sample:
        loop.check(point)


@pytest.mark.acceptance
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_killed_before_any_of_its_lines_is_completed_by_the_next(loop: Loop) -> None:
    points = loop.points(times=2)
    assert len(points) > 200
    for point in points:
        loop.check(point)


@pytest.mark.acceptance
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_killed_twice_is_completed_by_the_third(loop: Loop) -> None:
    points, chance = loop.points(), random.Random(7)
    for _ in range(60):
        loop.check(*chance.choices(points, k=2), surely=False)
