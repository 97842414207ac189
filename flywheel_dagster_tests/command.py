"""Runs `flywheel` in a process of its own, forked from one that has imported it once: a tenth of the time of a new interpreter."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from flywheel_dagster.cli import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_OURS = ("FLYWHEEL_", "OPENAI_", "DAGSTER_", "DATABASE_")


def run_flywheel(
    *arguments: str, folder: Path, environment: Mapping[str, str], stdin: bytes = b"", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """What `flywheel ARGUMENTS` says in `folder`, with these variables besides those of the shell, and none of the developer's own."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | dict(environment)
    with TemporaryDirectory() as held:
        streams = [Path(held) / name for name in ("in", "out", "err")]
        streams[0].write_bytes(stdin)
        process = _FORKS.Process(target=_become_flywheel, args=(arguments, folder, surroundings, streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"flywheel {' '.join(arguments)} is not done after {timeout} s")
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _become_flywheel(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], streams: list[Path]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, (stream, flags) in enumerate(zip(streams, (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2), strict=True)):
        os.dup2(os.open(stream, flags, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  multiprocessing has closed it
    sys.argv = ["flywheel", *arguments]
    main()
