"""An export that is killed at any step on the disk: readers see the week as it was or as it is, and the next run ends it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.export import export_weeks, stale_exports
from flywheel_dagster.datasets.warehouse.folder import Folder
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, rows_by_week, write

# Forks a child for each line on its standard input, which dies before that step on the disk; says how each one ended.
DRIVER = """
import os, signal, sys
from datetime import date
from pathlib import Path
from flywheel_dagster.database import connect
from flywheel_dagster.datasets.warehouse.export import export_weeks
from flywheel_dagster.datasets.warehouse.folder import Folder

def export(left):
    def watch(event, arguments):
        nonlocal left
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and sys.argv[2] in str(arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with connect(sys.argv[1]) as connection:
        sys.addaudithook(watch)
        export_weeks(connection, [date(2026, 1, 5)], Folder(Path(sys.argv[2])))

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            export(int(line))
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.timeout(300)
def test_a_reader_never_meets_a_half_week(connection: psycopg.Connection[TupleRow], database: Database, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lake")
    write(connection, 3)
    export_weeks(connection, [WEEK], folder)
    write(connection, 2, lead_id="new")
    seen, killed = set(), 0
    command = [sys.executable, "-c", DRIVER, database.addresses.service, str(folder.root)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[3], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdin and driver.stdout
        for step in range(1, 30):
            print(step, file=driver.stdin, flush=True)
            ended = int(driver.stdout.readline())
            seen.add(rows_by_week(folder.root)[WEEK])
            if ended == 0:
                break
            assert ended == -signal.SIGKILL
            killed += 1
        driver.stdin.close()
    assert killed >= 5
    assert seen == {3, 5}
    assert stale_exports(connection, folder) == []
    assert {path.name for path in folder.root.rglob("*.parquet") if ".exporting-" not in str(path)} == {"outcomes.parquet"}
    assert os.listdir(folder.root / "training_ready_outcomes" / "v1" / "week=2026-01-05") == ["outcomes.parquet"]  # noqa: PTH208
