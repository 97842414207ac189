"""Waiting for a provider: how often to look, how long to wait, and trying again what may pass by itself."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from flywheel_dagster.errors import TransientError

_T = TypeVar("_T")
_LONGEST_REQUEST = 600.0  # seconds: as long as a provider's Retry-After is obeyed


@dataclass(frozen=True)
class Patience:
    """How often to look and how long to wait; the clock is injectable. `wait`, where given, passes the time between two looks and may end early."""

    poll: timedelta = timedelta(seconds=60)
    limit: timedelta = timedelta(hours=24)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] | None = None

    def until_next_look(self) -> None:
        """Pass the time between two looks."""
        (self.wait or self.sleep)(self.poll.total_seconds())

    def looks(self) -> Iterator[None]:
        """One look after the other, a poll apart, until `limit` is over."""
        deadline = self.clock() + self.limit.total_seconds()
        while True:
            yield
            if self.clock() >= deadline:
                return
            self.until_next_look()

    def tries(self, count: int) -> Iterator[int]:
        """Numbers of tries, with pauses of 1, 2, 4 … seconds in between, none longer than a poll."""
        for number in range(count):
            if number:
                self.sleep(self._backoff(number))
            yield number

    def insist(self, step: Callable[[], _T], *, attempts: int, on: type[Exception]) -> _T:
        """What `step` returns, tried again while it raises `on`, as often as `attempts` allows; then its last error.

        The pauses are those of `tries`, or longer (up to ten minutes) where the error says when the provider wants to be called again.
        """
        for attempt in range(1, attempts):
            try:
                return step()
            except on as error:
                self.sleep(self.pause(attempt, error))
        return step()

    def pause(self, failures: int, error: Exception) -> float:
        """The seconds to wait after so many failures, of which this is the last: the pause of `insist`."""
        asked = error.retry_after if isinstance(error, TransientError) else None
        return max(self._backoff(failures), min(asked or 0.0, _LONGEST_REQUEST))

    def _backoff(self, failures: int) -> float:
        return min(self.poll.total_seconds(), 2.0 ** (failures - 1))
