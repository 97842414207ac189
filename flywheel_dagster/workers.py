"""Child processes that work through items side by side. Plain pipes: a child whose parent is gone, however it ended, reads the end of its
input and ends too. What is done with an item is said by whoever calls."""

import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import IO, Any, Generic, Protocol, Self, TypeVar, cast

from flywheel_dagster.errors import WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Worker(Protocol[Item_contra, Result_co]):
    """What a child needs to know; it is pickled, as are items and results. It may hold a password: it is told, not put on a command line."""

    def ready(self) -> AbstractContextManager[Callable[[Item_contra], Result_co]]:
        """What is done with each item, with whatever it takes held open."""
        ...


def in_processes(worker: Worker[Item, Result], items: Iterable[Item], processes: int) -> Iterator[Result]:
    """Work through the items in several processes; yields the results in the items' order.

    Memory holds one item a process. Raises what a child raises; whatever the others have in hand is broken off.
    """
    source, turn = enumerate(items), Lock()
    done: SimpleQueue[tuple[int, Result] | BaseException | None] = SimpleQueue()

    def feed(child: "_Child[Item, Result]") -> None:
        try:
            while True:
                with turn:
                    taken = next(source, None)
                if taken is None:
                    break
                done.put((taken[0], child.work(taken[1])))
            done.put(None)
        except BaseException as error:  # raised again by the thread that waits
            done.put(error)

    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(_Child(worker)) for _ in range(processes)]
        with ThreadPoolExecutor(processes) as threads:
            try:
                for child in children:
                    threads.submit(feed, child)
                yield from _in_order(done, processes)
            except BaseException:
                for child in children:
                    child.kill()  # so that no thread waits for an answer
                raise


def _in_order(done: "SimpleQueue[tuple[int, Result] | BaseException | None]", feeding: int) -> Iterator[Result]:
    waiting: dict[int, Result] = {}
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


class _Child(Generic[Item, Result]):
    """One process, and the pipes to it."""

    def __init__(self, worker: Worker[Item, Result]) -> None:
        paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
        self._tell(worker)

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

    def work(self, item: Item) -> Result:
        self._tell(item)
        assert self._process.stdout is not None
        try:
            found = pickle.load(self._process.stdout)  # noqa: S301 - from our own child
        except (EOFError, pickle.UnpicklingError) as error:
            code = self._process.wait()
            raise WorkerError(f"a process at work ended early ({code}); run it again, it continues") from error
        if isinstance(found, BaseException):
            raise found
        return cast(Result, found)

    def _tell(self, message: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # work() finds out why
            _send(self._process.stdin, message)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Work on item after item until the input ends."""
    worker: Worker[Any, Any] = pickle.load(requests)  # noqa: S301 - from our own parent
    gc.set_threshold(100_000)  # an item is many small objects and no circles
    try:
        with worker.ready() as work:
            while True:
                try:
                    item = pickle.load(requests)  # noqa: S301
                except EOFError:
                    return
                _send(answers, work(item))
    except Exception as error:  # raised again in the parent
        _send(answers, error)


def _send(pipe: IO[bytes], message: object) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and ends us
    with contextlib.suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
