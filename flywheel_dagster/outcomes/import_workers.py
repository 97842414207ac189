"""Child processes that each load blocks over a connection of their own. Plain pipes: a child whose parent is gone, however it ended,
reads the end of its input and ends too. What is loaded, and how, is in `import_chunks.py`."""

import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import IO, Self

from flywheel_dagster.database import connect
from flywheel_dagster.errors import DatabaseError
from flywheel_dagster.outcomes.import_chunks import ChunkLoader, Loaded
from flywheel_dagster.outcomes.import_files import Block, Layout


@dataclass(frozen=True)
class Task:
    """What a child needs to know before the first block. The address has a password, so it is told, not put on a command line."""

    url: str
    layout: Layout
    organization_id: str | None


def load_in_parallel(task: Task, blocks: Iterable[Block], processes: int) -> Iterator[Loaded]:
    """Load blocks in several processes; yields what became of each, in their order.

    Memory holds one block a process. Raises what a child raises; what the others have in hand then rolls back.
    """
    source, turn = enumerate(blocks), Lock()
    done: SimpleQueue[tuple[int, Loaded] | BaseException | None] = SimpleQueue()

    def feed(child: _Child) -> None:
        try:
            while True:
                with turn:
                    taken = next(source, None)
                if taken is None:
                    break
                done.put((taken[0], child.load(taken[1])))
            done.put(None)
        except BaseException as error:  # raised again by the thread that waits
            done.put(error)

    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(_Child(task)) for _ in range(processes)]
        with ThreadPoolExecutor(processes) as threads:
            try:
                for child in children:
                    threads.submit(feed, child)
                yield from _in_order(done, processes)
            except BaseException:
                for child in children:
                    child.kill()  # so that no thread waits for an answer
                raise


def _in_order(done: "SimpleQueue[tuple[int, Loaded] | BaseException | None]", feeding: int) -> Iterator[Loaded]:
    waiting: dict[int, Loaded] = {}
    position = 0
    while feeding:
        found = done.get()
        if isinstance(found, BaseException):
            raise found
        if found is None:
            feeding -= 1
            continue
        waiting[found[0]] = found[1]
        while position in waiting:
            yield waiting.pop(position)
            position += 1


class _Child:
    """One process, and the pipes to it."""

    def __init__(self, task: Task) -> None:
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
        self._tell(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()

    def kill(self) -> None:
        self._process.kill()

    def load(self, block: Block) -> Loaded:
        self._tell(block)
        assert self._process.stdout is not None
        try:
            found = pickle.load(self._process.stdout)  # noqa: S301 - from our own child
        except (EOFError, pickle.UnpicklingError) as error:
            code = self._process.wait()
            raise DatabaseError(f"a process of the import ended early ({code}); run the import again, it continues") from error
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, Loaded)
        return found

    def _tell(self, message: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # load() finds out why
            _send(self._process.stdin, message)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Load block after block until the input ends."""
    task = pickle.load(requests)  # noqa: S301 - from our own parent
    gc.set_threshold(100_000)  # a block is many small objects and no circles
    try:
        with connect(task.url) as connection:
            loader = ChunkLoader(connection, task.layout, task.organization_id)
            while True:
                try:
                    block = pickle.load(requests)  # noqa: S301
                except EOFError:
                    return
                _send(answers, loader.load(block))
    except Exception as error:  # raised again in the parent
        _send(answers, error)


def _send(pipe: IO[bytes], message: object) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and ends us
    with contextlib.suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
