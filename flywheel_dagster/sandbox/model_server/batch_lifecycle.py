"""What moves batches on: one task a batch walks it through its states, writing each step in one transaction. No HTTP here."""

import asyncio
import logging
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from flywheel_dagster.sandbox.model_server.answers import FittedModels
from flywheel_dagster.sandbox.model_server.batch_answers import Answerer, BatchFiles
from flywheel_dagster.sandbox.model_server.batch_input import check_input
from flywheel_dagster.sandbox.model_server.batches import (
    Batch,
    BatchStatus,
    Progress,
    list_open_batches,
    require_batch,
    update_batch,
)
from flywheel_dagster.sandbox.model_server.billing import bill
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.files import content_path, insert_file
from flywheel_dagster.sandbox.model_server.models import base_model_names, find_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import new_id

_LOG = logging.getLogger(__name__)
_CHUNK = 500
_SHARES = {BatchStatus.VALIDATING: 0.2, BatchStatus.IN_PROGRESS: 0.6, BatchStatus.FINALIZING: 0.2}


class Batcher:
    """Runs the open batches. `batch_seconds` is the least time a whole batch takes; 0 means as fast as it computes."""

    def __init__(self, store: Store, *, fitted: FittedModels, faults: FaultPlan, batch_seconds: float) -> None:
        self._store, self._fitted, self._faults, self._batch_seconds = store, fitted, faults, batch_seconds
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looks: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def start_open_batches(self) -> None:
        """Go on with every batch that a restart interrupted."""
        for batch_id in list_open_batches(self._store):
            self.start(batch_id)

    def start(self, batch_id: str) -> None:
        """Begin or go on with a batch, from the state it is in."""
        task = asyncio.get_running_loop().create_task(self._run(batch_id))
        self._tasks[batch_id] = task
        task.add_done_callback(lambda done: self._forget(batch_id, done))

    def note_look(self, batch_id: str) -> None:
        """Somebody asked for this batch, and was shown it."""
        self._looks[batch_id] += 1
        self.wake()

    def wake(self) -> None:
        """Have waiting batches look at their state again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def close(self) -> None:
        """Let go of all batches; the next start goes on with them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, batch_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(batch_id, None)
        if task.cancelled() or task.exception() is None:
            return
        _LOG.error("Batch %s broke the model server's own code", batch_id, exc_info=task.exception())
        self._fail(
            batch_id, {"code": "server_error", "message": "The batch failed due to an internal error.", "param": None, "line": None}
        )

    async def _run(self, batch_id: str) -> None:
        steps = {
            BatchStatus.VALIDATING: self._validate,
            BatchStatus.IN_PROGRESS: self._answer,
            BatchStatus.CANCELLING: self._answer,
            BatchStatus.FINALIZING: self._finalize,
        }
        while (batch := self._batch(batch_id)).status in steps:
            await self._pass(batch)
            if self._batch(batch_id).status == batch.status:
                await steps[batch.status](batch)

    async def _pass(self, batch: Batch) -> None:
        """Let the state's share of the time go by, or all time where a fault says so; a cancellation ends the wait."""
        fault = batch.fault or {}
        slow = fault.get("kind") == "batch_slow"
        stuck = fault.get("kind") == "batch_stuck" and fault.get("during", BatchStatus.IN_PROGRESS) == batch.status
        seconds = _SHARES.get(batch.status, 0) * (fault["seconds"] if slow else self._batch_seconds)
        over = asyncio.get_running_loop().time() + seconds
        while self._batch(batch.id).status == batch.status:
            left = over - asyncio.get_running_loop().time()
            looked = not (slow and batch.status == BatchStatus.FINALIZING) or self._looks[batch.id] >= fault["looks"]
            if left <= 0 and looked and not stuck:
                return
            try:
                await asyncio.wait_for(self._changed.wait(), left if left > 0 else None)
            except TimeoutError:
                continue

    async def _validate(self, batch: Batch) -> None:
        fault = batch.fault or {}
        if fault.get("kind") == "batch_fails":
            self._fail(batch.id, {key: fault.get(key) for key in ("code", "message", "param", "line")})
            return
        tuned = {row["id"] for row in self._store.database.execute("SELECT id FROM models WHERE NOT deleted")}
        known = tuned | base_model_names()
        check = partial(check_input, self._files(batch).input, endpoint=batch.endpoint, known_model=known.__contains__)
        total, model, problems = await asyncio.to_thread(check)
        if problems:
            self._fail(batch.id, *problems)
            return
        self._write(batch.id, BatchStatus.IN_PROGRESS, model=model, progress=Progress(total=total), only_from=batch.status)

    async def _answer(self, batch: Batch) -> None:
        """Chunk by chunk, each recorded and billed in one transaction; cancelled or expired, the rest is given back."""
        model = find_model(self._store, batch.model or "")
        answerer = Answerer(model, fitted=self._fitted, models=self._store.models, faults=self._faults) if model else None
        files, at_end, undone = self._files(batch), batch.progress.total == 0, None
        after = (batch.fault or {}).get("after") if (batch.fault or {}).get("kind") == "batch_expires" else None
        while answerer and not at_end:
            batch = self._batch(batch.id)
            most = _CHUNK
            if batch.status == BatchStatus.CANCELLING:
                undone = "batch_cancelled"
            elif after is not None:
                most = min(most, max(0, after - batch.progress.done)) or _CHUNK
                undone = "batch_expired" if batch.progress.done >= after else None
            chunk = await asyncio.to_thread(answerer.work, files, batch.progress, most=most, undone=undone)
            at_end = chunk.at_end
            with self._store.transaction() as database:
                batch = update_batch(database, self._batch(batch.id), progress=chunk.progress)
                bill(database, "batch", chunk.answered)
        if undone or batch.status == BatchStatus.CANCELLING:
            self._end(self._batch(batch.id), BatchStatus.EXPIRED if undone == "batch_expired" else BatchStatus.CANCELLED)
        else:
            self._write(batch.id, BatchStatus.FINALIZING, only_from=batch.status)

    async def _finalize(self, batch: Batch) -> None:
        self._end(batch, BatchStatus.COMPLETED)

    def _end(self, batch: Batch, status: BatchStatus) -> None:
        """Publish the two files, those that have lines, and end the batch. The links come first: a kill leaves orphans, which are swept."""
        files = self._files(batch)
        published: dict[str, str] = {}
        with self._store.transaction() as database:
            for column, path, size in (
                ("output_file", files.output, batch.progress.output_bytes),
                ("error_file", files.errors, batch.progress.error_bytes),
            ):
                if size:
                    published[column] = file_id = new_id("file-")
                    os.link(path, content_path(self._store, file_id))
                    name = f"{batch.id}_{'output' if column == 'output_file' else 'error'}.jsonl"
                    insert_file(database, file_id, size=size, filename=name, purpose="batch_output")
            update_batch(database, self._batch(batch.id), status=status, **published)
        for path in (files.output, files.errors):
            path.unlink(missing_ok=True)

    def _fail(self, batch_id: str, *problems: dict[str, Any]) -> None:
        self._write(batch_id, BatchStatus.FAILED, errors=list(problems))

    def _write(self, batch_id: str, status: BatchStatus, *, only_from: BatchStatus | None = None, **changes: Any) -> None:
        """Move a batch on; with `only_from`, not if it was cancelled in the meantime."""
        batch = self._batch(batch_id)
        if only_from is not None and batch.status != only_from:
            status = batch.status
        with self._store.transaction() as database:
            update_batch(database, batch, status=status, **changes)

    def _batch(self, batch_id: str) -> Batch:
        return require_batch(self._store, batch_id)

    def _files(self, batch: Batch) -> BatchFiles:
        growing: Path = self._store.batches
        return BatchFiles(
            content_path(self._store, batch.input_file), growing / f"{batch.id}.output", growing / f"{batch.id}.errors"
        )
