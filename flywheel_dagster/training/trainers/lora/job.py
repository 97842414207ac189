"""A training job's folder: what is to be trained, how far it is, how it ended. Each file is whole or absent, whoever is killed.

`job.json` is the order, `progress.jsonl` the losses so far, `ended.json` the end. Whoever trains holds the lock on `lock` for as long as it
lives; a file `cancel` asks it to stop. `checkpoint-STEP` and `adapter` are folders that the training writes.
"""

import fcntl
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from flywheel_dagster.durable import clear_leftovers, sync, write_synced
from flywheel_dagster.training.prices import Method
from flywheel_dagster.training.trainer import JobState

ADAPTER = "adapter"
_CHECKPOINT, _UNFINISHED = "checkpoint-", ".unfinished-"
_ORDER, _ENDED, _PROGRESS, _STARTS, _CANCEL, _LOCK, _LOG = (
    "job.json", "ended.json", "progress.jsonl", "starts.jsonl", "cancel", "lock", "log.txt",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What is to be trained, and how. Files are named by their path within the folder of training data, or absolutely."""

    key: str
    base_model: str
    method: Method
    epochs: int
    seed: int
    batch_size: int
    learning_rate: float
    rank: int
    alpha: int
    training_file: str
    validation_file: str | None


@dataclass(frozen=True)
class Point:
    """A line of progress after `step` of `steps`: mean losses, and the tokens trained so far."""

    step: int
    steps: int
    tokens: int
    training: float | None = None
    validation: float | None = None


@dataclass(frozen=True)
class Ended:
    """How a job ended; `tokens` is what was trained, `error` the reason of a failure."""

    state: JobState
    tokens: int | None = None
    error: str | None = None


class JobFolder:
    """One job. Everything that must not happen twice is done under `held()`."""

    def __init__(self, path: Path) -> None:
        self.path, self.log, self.adapter = path, path / _LOG, path / ADAPTER

    @property
    def id(self) -> str:
        """The job's id, and its model's."""
        return self.path.name

    def exists(self) -> bool:
        """Whether it was ordered: the folder comes with its order in it."""
        return (self.path / _ORDER).is_file()

    def order(self) -> Order:
        """What is to be trained."""
        return Order(**json.loads((self.path / _ORDER).read_bytes()))

    def file(self, name: str) -> Path:
        """Where a file of the order is: the folder of training data is the one above all jobs."""
        return self.path.parent.parent / name

    @contextmanager
    def held(self) -> Iterator[int | None]:
        """The lock's descriptor, to be handed to a child that goes on holding it; None while somebody else holds it."""
        handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield handle
        finally:
            os.close(handle)

    def ended(self) -> Ended | None:
        """How it ended, if it has."""
        try:
            found = json.loads((self.path / _ENDED).read_bytes())
        except FileNotFoundError:
            return None
        return Ended(**found | {"state": JobState(found["state"])})

    def end(self, ended: Ended) -> None:
        """Write down the end; what only a training that goes on would need is removed."""
        _write(self.path / _ENDED, json.dumps(asdict(ended)))
        for folder in (*self.path.glob(f"{_CHECKPOINT}*"), *self.path.glob(f"{_UNFINISHED}*")):
            shutil.rmtree(folder, ignore_errors=True)

    def ask_to_cancel(self) -> None:
        """Ask whoever trains to stop at the next step."""
        _write(self.path / _CANCEL, "")

    def is_to_cancel(self) -> bool:
        """Whether somebody asked to stop."""
        return (self.path / _CANCEL).exists()

    def note_start(self, pid: int) -> None:
        """A process of this machine was sent to train, from the newest checkpoint on."""
        start = {"from_step": self.checkpoint_step(), "at": datetime.now(UTC), "host": socket.gethostname(), "pid": pid}
        with (self.path / _STARTS).open("ab") as file:
            file.write(orjson.dumps(start, option=orjson.OPT_APPEND_NEWLINE))

    def starts(self) -> list[dict[str, Any]]:
        """Who was sent to train, when, and from which step on."""
        return list(_lines(self.path / _STARTS))

    def starts_without_progress(self) -> int:
        """How often somebody was sent to train from where the newest checkpoint is."""
        step = self.checkpoint_step()
        return sum(start["from_step"] == step for start in self.starts())

    def last_words(self) -> str:
        """The last line of the log."""
        if not self.log.exists():
            return "nothing"
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4_096))
            return next((line for line in reversed(file.read().decode(errors="replace").splitlines()) if line.strip()), "nothing")

    def points(self) -> list[Point]:
        """All losses so far."""
        return [Point(**line) for line in _lines(self.path / _PROGRESS)]

    def add_point(self, point: Point) -> None:
        """Write down losses."""
        told = {name: value for name, value in asdict(point).items() if value is not None}
        with (self.path / _PROGRESS).open("ab") as file:
            file.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))

    def forget_points_after(self, step: int) -> None:
        """Drop what a training wrote that died behind its last checkpoint, a torn line among it."""
        kept = [{name: value for name, value in asdict(point).items() if value is not None} for point in self.points()]
        _write(self.path / _PROGRESS, "".join(f"{json.dumps(line)}\n" for line in kept if line["step"] <= step))

    def checkpoint(self) -> Path | None:
        """The newest checkpoint."""
        return max(self.path.glob(f"{_CHECKPOINT}*"), key=_step, default=None)

    def checkpoint_step(self) -> int:
        """The step of the newest checkpoint, 0 before the first."""
        newest = self.checkpoint()
        return 0 if newest is None else _step(newest)

    def save_checkpoint(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep what `write` puts into a folder as the state after a step, and forget older ones."""
        kept = self.path / f"{_CHECKPOINT}{step:08d}"
        write_folder(kept, write)
        for folder in self.path.glob(f"{_CHECKPOINT}*"):
            if folder != kept:
                shutil.rmtree(folder, ignore_errors=True)


def begin_job(path: Path, order: Order) -> None:
    """Make a job's folder with its order. The caller sees to it that no two do so at once."""
    write_folder(path, lambda folder: write_synced(folder / _ORDER, json.dumps(asdict(order), indent=2)))


def job_folders(models: Path, pattern: str) -> list[JobFolder]:
    """The jobs whose names fit a glob pattern."""
    return [job for job in map(JobFolder, sorted(models.glob(pattern))) if job.exists()]


def write_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a folder, and put it in place whole and on disk; whatever stood there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path.parent, _UNFINISHED)
    temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=path.parent))
    try:
        write(temporary)
        for each in (*temporary.rglob("*"), temporary):
            sync(each)
        temporary.chmod(0o755)
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    write_synced(temporary, text)
    temporary.replace(path)
    sync(path.parent)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with suppress(orjson.JSONDecodeError):  # torn by a power cut, as is what stands before the next line
            yield orjson.loads(line)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_CHECKPOINT))
