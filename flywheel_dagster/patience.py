"""Waiting for a provider: how often to look, how long to wait, and trying again what may pass by itself."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How often to look and how long to wait; the clock is injectable."""

    poll: timedelta = timedelta(seconds=60)
    limit: timedelta = timedelta(hours=24)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def tries(self, count: int) -> Iterator[int]:
        """Numbers of tries, with pauses of 1, 2, 4 … seconds in between, none longer than a poll."""
        for number in range(count):
            if number:
                self.sleep(min(self.poll.total_seconds(), 2.0 ** (number - 1)))
            yield number

    def insist(self, step: Callable[[], _T], *, attempts: int, on: type[Exception]) -> _T:
        """What `step` returns, tried again while it raises `on`, as often as `attempts` allows; then its last error."""
        for attempt in self.tries(attempts):
            try:
                return step()
            except on:
                if attempt == attempts - 1:
                    raise
        raise AssertionError("unreachable")
