"""A year of replies judged by a model, in one run over 52 weeks that is killed five times: complete, each reply paid for once, memory bounded."""

import csv
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.ledger import rebuild
from flywheel_dagster.processes import dagster_environment
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY
from flywheel_dagster_tests.replies.making import billed
from flywheel_dagster_tests.sandbox.model_server.served import Served

pytestmark = pytest.mark.acceptance

REPLIES, WEEKS = 100_000, 52
MOST_MEMORY = 700 * 2**20  # of a run, Dagster included
Connection = psycopg.Connection[TupleRow]


class Run:
    """One run of the backfill, as `flywheel materialize --replies` starts it, and the most memory that it had."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.peak = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flywheel_dagster.run", "--replies"], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._watch = threading.Thread(target=self._look)
        self._watch.start()

    def _look(self) -> None:
        while self.process.poll() is None:
            try:
                pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                break
            self.peak = max(self.peak, pages * os.sysconf("SC_PAGE_SIZE"))
            time.sleep(0.05)

    def kill_when(self, moment: Callable[[], bool]) -> None:
        """SIGKILL at the moment, which has to come before the run's end."""
        deadline = time.monotonic() + 400
        while not moment():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline
            time.sleep(0.1)  # it looks at a hundred thousand rows
        self.process.send_signal(signal.SIGKILL)
        self.output()

    def output(self) -> str:
        """What it printed, at its end."""
        text = self.process.communicate(timeout=600)[0]
        self._watch.join()
        return text


def test_a_year_of_replies_is_judged_and_paid_for_once_whatever_happens_to_the_run(
    database: Database, connection: Connection, model_server: Served, tmp_path: Path
) -> None:
    model_server.http.delete("/sandbox/billed")
    write_a_year(connection, tmp_path / "year.csv")
    environment = dagster_environment(database.settings) | {
        "DATABASE_URL": database.addresses.owner,
        "FLYWHEEL_DAGSTER_DATABASE_URL": database.addresses.dagster,
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": f"{model_server.url}/v1",
        "FLYWHEEL_POLL_SECONDS": "0.05",
    }

    def count(query: str) -> int:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
        connection.commit()
        assert row is not None
        return int(row[0])

    judged = "select count(*) from outcome_labels where classification_method = 'llm'"
    moments: list[Callable[[], bool]] = [
        lambda: count("select count(*) from reply_batches where input_file_id is null") > 0,
        lambda: count("select count(*) from reply_batches where provider_batch_id is not null") >= 3,
        lambda: count(judged) >= 5_000,
        lambda: count(judged) >= 45_000,
        lambda: count(judged) >= 90_000,
    ]
    runs = []
    for moment in moments:
        runs.append(Run(environment))
        runs[-1].kill_when(moment)
    runs.append(Run(environment))
    said = runs[-1].output()
    assert runs[-1].process.returncode == 0, said

    assert count(judged) == REPLIES
    bill = billed(model_server, "batch")
    assert (len(bill), set(bill.values())) == (REPLIES, {1})
    assert billed(model_server) == {}
    assert count("select count(*) from reply_questions where answer = 'analysis' and cost_usd > 0") == REPLIES
    assert count("select count(*) from webhook_events where event_type = 'reply_classified'") == REPLIES
    assert sum(changed for _, changed in rebuild(connection)) == 0
    assert max(run.peak for run in runs) < MOST_MEMORY, f"{[run.peak // 2**20 for run in runs]} MB"


def write_a_year(connection: Connection, path: Path) -> None:
    """Import messages of 52 weeks, each with its reply, of the kinds that people write."""
    draw = random.Random(4)
    beginnings = ("Hi,", "Hello", "Thanks for the note.", "Hey there,", "Good morning,")
    middles = (
        "sounds interesting, can we schedule a call next week?", "could you tell me more about how it works?", "not interested, thanks.",
        "we already use another tool for this.", "this is too expensive for us.", "I need to ask my boss first.", "maybe next quarter.",
        "please remove me from your list.", "noted, thank you.", "what would it cost for a team of 40?",
    )  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "id",
                "organization_id",
                "campaign_id",
                "lead_id",
                "channel",
                "message_body",
                "sent_at",
                "replied",
                "replied_at",
                "reply_text",
            ]
        )
        for number in range(REPLIES):
            sent_at = MONDAY + timedelta(weeks=number % WEEKS - WEEKS, minutes=number % 6_000)
            text = f"{draw.choice(beginnings)}\n\n{draw.choice(middles)} (Your note no. {number}.)"
            writer.writerow(
                [f"00000000-0000-4000-8000-{number:012x}", "acme", "year", f"lead-{number % 40_000}", "email", f"Message {number}",
                 sent_at.isoformat(), "true", (sent_at + timedelta(days=2)).isoformat(), text]
            )  # fmt: skip
    assert import_outcomes(connection, path).recorded == REPLIES
    connection.commit()
