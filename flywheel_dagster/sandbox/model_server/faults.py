"""Faults on demand for tests: what fails, and how. Not part of OpenAI's API. How a call suffers is `fault_calls`'s.

A fault is JSON: `match` ("POST /v1/fine_tuning/jobs", `*` matches anything), `kind`, `times` (1; null = always), `skip` (calls let
through first), and by kind `status`, `body`, `headers`, `seconds`, `looks`, `code`, `message`, `param`, `during`, `after`, `answer`,
`content`. Or `name`: a ready-made one.

- Calls: status, drop, drop_after (done, but the answer is lost), delay (`seconds`), hold (until the faults are cleared).
- The next job, whichever API creates it: job_fails, job_stuck, job_slow (lasts `seconds`, and is not done before it was asked for `looks` times).
- The next batch: batch_fails, batch_stuck, batch_slow (as jobs), batch_expires (once `after` requests were answered).
- The next start of an endpoint at Together: endpoint_fails (it ends in ERROR).
- A chat answer: answer, either with `content` as its text, or one of refusal, cut_off, invalid_json, out_of_range, disagreeing.

A request in a batch is the call "BATCH custom_id" to status and answer faults.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from flywheel_dagster.sandbox.model_server.ready_made import READY_MADE
from flywheel_dagster.sandbox.model_server.wire import ApiError, error_body, new_id

CHAT = "POST /v1/chat/completions"
_CREATE_BATCH = "POST /v1/batches"


class FaultKind(StrEnum):
    """What a fault does to a call, to the next job or batch that is created, or to a model's answer."""

    STATUS = "status"
    DROP = "drop"
    DROP_AFTER = "drop_after"
    DELAY = "delay"
    HOLD = "hold"
    JOB_FAILS = "job_fails"
    JOB_SLOW = "job_slow"
    JOB_STUCK = "job_stuck"
    BATCH_FAILS = "batch_fails"
    BATCH_SLOW = "batch_slow"
    BATCH_STUCK = "batch_stuck"
    BATCH_EXPIRES = "batch_expires"
    ENDPOINT_FAILS = "endpoint_fails"
    ANSWER = "answer"


ANSWERS = ("refusal", "cut_off", "invalid_json", "out_of_range", "disagreeing")
_JOB_KINDS = frozenset({FaultKind.JOB_FAILS, FaultKind.JOB_SLOW, FaultKind.JOB_STUCK})
_BATCH_KINDS = frozenset({FaultKind.BATCH_FAILS, FaultKind.BATCH_SLOW, FaultKind.BATCH_STUCK, FaultKind.BATCH_EXPIRES})
_ENDPOINT_KINDS = frozenset({FaultKind.ENDPOINT_FAILS})
_CALL_KINDS = frozenset({FaultKind.STATUS, FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.DELAY, FaultKind.HOLD})
_REQUEST_KINDS = frozenset({FaultKind.STATUS})
_MATCHES = {
    **dict.fromkeys(_JOB_KINDS | _ENDPOINT_KINDS, "*"),
    **dict.fromkeys(_BATCH_KINDS, _CREATE_BATCH),
    FaultKind.ANSWER: CHAT,
}


@dataclass
class Fault:
    """One fault that waits for its calls; `left` is None when it never ends."""

    match: str
    kind: FaultKind
    left: int | None
    skip: int
    options: dict[str, Any]
    id: str = field(default_factory=lambda: new_id("fault-", length=8))

    def as_wire(self) -> dict[str, Any]:
        """The fault as GET /sandbox/faults shows it."""
        return {"id": self.id, "match": self.match, "kind": self.kind.value, "times": self.left, "skip": self.skip, **self.options}


class FaultPlan:
    """The faults that wait, in order; the first that fits is played. Kept in memory: a restart forgets them. Threads may share it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.released = asyncio.Event()  # set, then replaced, when the faults are cleared: held calls go on

    def add(self, asked: Mapping[str, Any]) -> Fault:
        """Add a fault from its JSON; 400 for one that can't be played."""
        fault = read_fault(asked)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults and let held calls go. A job or batch that was created under one keeps it."""
        with self._lock:
            self._faults.clear()
        self.released.set()
        self.released = asyncio.Event()

    def show(self) -> list[dict[str, Any]]:
        """The faults that still wait."""
        return [fault.as_wire() for fault in self._faults]

    def take_for_call(self, call: str) -> Fault | None:
        """The fault to play on a call such as "GET /v1/models", used up by one."""
        return self._take(call, _CALL_KINDS)

    def take_for_request(self, custom_id: str) -> Fault | None:
        """The refusal to play on one request of a batch, used up by one."""
        return self._take(f"BATCH {custom_id}", _REQUEST_KINDS)

    def take_for_answer(self, call: str) -> dict[str, Any] | None:
        """How the answer to a chat call is to be spoilt, used up by one."""
        fault = self._take(call, frozenset({FaultKind.ANSWER}))
        return None if fault is None else fault.options

    def take_for_job(self, call: str) -> dict[str, Any] | None:
        """What a job created now by this call has to suffer, used up by one."""
        return _as_suffered(self._take(call, _JOB_KINDS))

    def take_for_batch(self) -> dict[str, Any] | None:
        """What a batch created now has to suffer, used up by one."""
        return _as_suffered(self._take(_CREATE_BATCH, _BATCH_KINDS))

    def take_for_endpoint(self, call: str) -> bool:
        """Whether the endpoint that this call starts has to fail, used up by one."""
        return self._take(call, _ENDPOINT_KINDS) is not None

    def _take(self, call: str, kinds: frozenset[FaultKind]) -> Fault | None:
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.kind not in kinds or not fnmatchcase(call, fault.match):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if not fault.left:
                        self._faults.remove(fault)
                return fault
        return None


def read_fault(asked: Mapping[str, Any]) -> Fault:
    """Check a fault's JSON and fill what it leaves out; raises `ApiError` (400) for one that can't be played."""
    if "name" in asked and asked["name"] not in READY_MADE:
        raise ApiError(400, f"Unknown fault name {asked['name']!r}: one of {', '.join(READY_MADE)}.", param="name")
    options = {"kind": "status", **READY_MADE[asked["name"]], **asked} if "name" in asked else dict(asked)
    try:
        kind = FaultKind(options.pop("kind", None))
    except ValueError as error:
        raise ApiError(400, f"Unknown fault kind: one of {', '.join(FaultKind)}.", param="kind") from error
    match = options.pop("match", _MATCHES.get(kind, "* /v1/*"))
    times, skip = options.pop("times", 1), options.pop("skip", 0)
    if (
        not isinstance(match, str)
        or not isinstance(skip, int)
        or skip < 0
        or not (times is None or (isinstance(times, int) and times > 0))
    ):
        raise ApiError(400, "A fault needs match (text), times (above 0, or null for always) and skip (0 or more).")
    if kind == FaultKind.STATUS:
        options.setdefault("status", 500)
        message = options.get("message", "A fault set for this call.")
        options.setdefault("body", error_body(message, code=options.get("code"), param=options.get("param")))
    slow = kind in (FaultKind.JOB_SLOW, FaultKind.BATCH_SLOW)
    if (kind == FaultKind.DELAY or slow) and not isinstance(options.setdefault("seconds", 0.5), int | float):
        raise ApiError(400, "seconds must be a number.", param="seconds")
    if slow and not isinstance(options.setdefault("looks", 0), int):
        raise ApiError(400, "looks must be a whole number.", param="looks")
    if kind == FaultKind.BATCH_EXPIRES and not isinstance(options.setdefault("after", 0), int):
        raise ApiError(400, "after must be a whole number of requests.", param="after")
    if kind in (FaultKind.JOB_FAILS, FaultKind.BATCH_FAILS):
        options.setdefault("code", "server_error")
        options.setdefault("message", "The job failed due to an internal error.")
    if kind == FaultKind.ANSWER and not isinstance(options.get("content"), str) and options.get("answer") not in ANSWERS:
        raise ApiError(400, f"answer must be one of {', '.join(ANSWERS)}, or content a text.", param="answer")
    return Fault(match, kind, times, skip, options)


def _as_suffered(fault: Fault | None) -> dict[str, Any] | None:
    return None if fault is None else {"kind": fault.kind.value, **fault.options}
