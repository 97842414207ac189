"""Runs assemble → train → examine → register in a child process that dies where it is told to. A program for `test_killed_anywhere`, not a test.

It imports everything once, and what the traced run imported besides, and forks a child for each line of JSON on its standard input, so that a
run starts in no time. A child can trace the lines of our code that it runs, and kill itself with SIGKILL right before it runs one of them for the n-th time.
"""

import gc
import importlib
import json
import os
import signal
import ssl
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from flywheel_dagster import database
from flywheel_dagster.database import connect
from flywheel_dagster.datasets import assemble as assembling
from flywheel_dagster.datasets import choosing, files, published
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.models import registry
from flywheel_dagster.patience import Patience
from flywheel_dagster.settings import Settings
from flywheel_dagster.training import candidates, choice, jobs, registration, submission
from flywheel_dagster.training.examination import asking, examine, report
from flywheel_dagster.training.trainer import Recipe
from flywheel_dagster.training.trainers import azure, openai, together
from flywheel_dagster.training.trainers.azure import deployments
from flywheel_dagster.training.trainers.together import api, endpoints

TRACED = {
    Path(module.__file__ or "").resolve().as_posix()
    for module in (
        database, assembling, choosing, files, published, submission, jobs, candidates, registration, registry, asking, examine, report,
        openai, together, api, endpoints, azure, deployments,
    )
}  # fmt: skip
PACKAGE = Path(database.__file__).resolve().parent


class Tracer:
    """Notes every line of the traced files as "folder/file:line:n-th time", and dies before the one that is named."""

    def __init__(self, fatal: str | None) -> None:
        self.lines: list[str] = []
        self._fatal = fatal
        self._times: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, argument: object) -> "Tracer | None":
        """The function for `sys.settrace`."""
        if frame.f_code.co_filename not in TRACED or frame.f_code.co_name == "<module>":
            return None
        if event == "line":
            place = f"{Path(frame.f_code.co_filename).relative_to(PACKAGE)}:{frame.f_lineno}"
            self._times[place] += 1
            line = f"{place}:{self._times[place]}"
            self.lines.append(line)
            if line == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def settings_of(order: dict[str, Any]) -> Settings:
    """Settings that lead to the local model server; a seed makes the jobs this round's own."""
    return Settings(
        FLYWHEEL_TRAINER=order["trainer"],
        FLYWHEEL_HOME=order["home"],
        TRAINING_DATA_DIR=order["directory"],
        FLYWHEEL_TRAINING_SEED=order["seed"],
        FLYWHEEL_EPOCHS=1,
        FLYWHEEL_TOGETHER_HARDWARE="1x_nvidia_h100_80gb_sxm",
    )


def run(order: dict[str, Any]) -> dict[str, Any]:
    """From scored rows to a registered version; what came of it."""
    settings = settings_of(order)
    trainer = choice.chosen_trainer(settings)
    patience = Patience(poll=timedelta(milliseconds=order["poll_milliseconds"]))
    with connect(order["database"]) as connection:
        dataset = assembling.assemble(connection, "acme", settings.training_data_dir, Selection(test_share=0.25))
        trained = submission.train(connection, trainer, dataset, suffix="killed", patience=patience)
        candidates.note_training(connection, "acme", trained.id)
        candidates.examine_candidate(connection, settings, "acme")
        entry = registration.register_candidate(connection, settings, "acme")
    return {"dataset": dataset.hash, "model": trained.model_id, "job": trained.job_id, "version": entry.model_version}


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """In the child: run, traced if asked."""
    tracer = Tracer(order.get("fatal"))
    if order.get("fatal") or order.get("trace"):
        sys.settrace(tracer)
    try:
        done = run(order)
    finally:
        sys.settrace(None)
    return done | ({"lines": tracer.lines, "imported": sorted(sys.modules)} if order.get("trace") else {})


def main() -> None:
    """Answer each order with a line: what came of it, or the signal that ended it."""
    ssl.create_default_context = cache(ssl.create_default_context)  # a tenth of a second for every client
    openai.OpenAITrainer(Recipe("m"), api_key="sk-test", base_url="http://127.0.0.1/v1")
    gc.freeze()
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(writer, json.dumps(answer(json.loads(line))).encode())
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writer)
        with open(reader, "rb") as said:  # noqa: PTH123  a descriptor
            content = said.read()
        _, status = os.waitpid(child, 0)
        told = json.loads(content or b"{}")
        for module in told.pop("imported", ()):
            importlib.import_module(module)
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status), **told}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
