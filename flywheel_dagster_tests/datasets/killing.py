"""Ends a block at any line of given modules, to see what a process leaves behind that ends there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

Place = tuple[str, int]


class Killed(BaseException):
    """The process was ended here."""


@contextmanager
def killed_at(place: Place | None, seen: set[Place], *modules: ModuleType) -> Iterator[None]:
    """Ends the block when it comes to this line of the modules; tells the lines it came to. Unlike after a kill, `finally` blocks run."""
    files = {module.__file__ for module in modules}

    def trace(frame: FrameType, what: str, _: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if what == "line":
            here = (frame.f_code.co_filename, frame.f_lineno)
            seen.add(here)
            if here == place:
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
