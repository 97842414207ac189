"""Stands in for the training where only a job's bookkeeping is tested: `python -m … BEHAVIOUR FOLDER LOCK`. It needs no torch."""

import os
import sys
import time
from pathlib import Path

from flywheel_dagster.training.trainer import JobState
from flywheel_dagster.training.trainers.lora.job import Ended, JobFolder, Point


def main(behaviour: str, folder: str, lock: str) -> None:
    """End well, fail, or wait until it is cancelled or the file `go` is there."""
    os.fstat(int(lock))
    job = JobFolder(Path(folder))
    if behaviour == "fails":
        job.end(Ended(JobState.FAILED, error="line 3 is too long"))
        return
    job.add_point(Point(1, 2, 10, training=2.5))
    if behaviour == "waits":
        while not (job.is_to_cancel() or (job.path / "go").exists()):
            time.sleep(0.002)
    if job.is_to_cancel():
        job.end(Ended(JobState.CANCELLED, tokens=10, error="cancelled before it was done"))
        return
    job.add_point(Point(2, 2, 20, training=1.5, validation=1.75))
    job.end(Ended(JobState.SUCCEEDED, tokens=20))


if __name__ == "__main__":
    main(*sys.argv[1:])
