"""Numerical work on one thread: for a few hundred rows, threads that wait for each other cost more than they save, and a hundred times more where other
processes hold the cores."""

from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread(*modules: str) -> AbstractContextManager[object]:
    """Within it, linear algebra and OpenMP use one thread. Only libraries that are loaded can be limited, so `modules` are imported first."""
    limited: AbstractContextManager[object] = _controller(modules).limit(limits=1)
    return limited


@cache
def _controller(modules: tuple[str, ...]) -> ThreadpoolController:
    for module in modules:
        import_module(module)
    return ThreadpoolController()
