"""The process that trains one job: `python -m flywheel_dagster.training.trainers.lora FOLDER LOCK`. Whoever started it opened the lock."""

import os
import sys
from pathlib import Path

from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.training.trainer import JobState
from flywheel_dagster.training.trainers.lora.base import INSTALL
from flywheel_dagster.training.trainers.lora.job import Ended, JobFolder


def main(folder: str, lock: str) -> None:
    """Train at low priority, holding the lock until the process ends."""
    os.set_inheritable(int(lock), False)  # no other process that libraries may start is to hold it
    os.nice(10)
    carry_out(JobFolder(Path(folder)))


def carry_out(job: JobFolder) -> None:
    """Train, and write down the end. What nobody foresaw is raised, and no end: whoever looks at the job next starts it again."""
    try:
        from flywheel_dagster.training.trainers.lora.training import train

        ended = train(job)
    except ImportError as error:
        ended = Ended(JobState.FAILED, error=f"what training takes is not installed ({error}): {INSTALL}")
    except FlywheelError as error:
        ended = Ended(JobState.FAILED, error=str(error))
    job.end(ended)


if __name__ == "__main__":
    main(*sys.argv[1:])
