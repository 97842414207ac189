"""A web server on this machine that answers exactly our queries as Dagster's own did when it was recorded."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

RECORDED = json.loads((Path(__file__).parents[1] / "samples/dagster_graphql/recorded.json").read_text(encoding="utf-8"))[
    "exchanges"
]
Answer = tuple[int, dict[str, Any]]


class DagsterThere:
    """Launched runs are queued until a test says otherwise. `refuses` answers every launch as that recording does."""

    def __init__(self) -> None:
        self.launched: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, str] = {}
        self.partitions: set[str] = set()
        self.refuses: str | None = None
        self.loses_answers = False
        self._lock = threading.Lock()

    def finish(self, run_id: str, recording: str, *, registry_id: str | None = None, job_id: str | None = None) -> None:
        """Let a run end as a recorded one did; its own tags stay."""
        run = deepcopy(RECORDED[recording]["answer"]["data"]["runOrError"]) | {"runId": run_id}
        tags = {tag["key"]: tag["value"] for tag in (*run["tags"], *self.runs[run_id]["tags"])}
        run["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        told = {"registry_id": registry_id, "job_id": job_id}
        for entry in (entry for asset in run["assetMaterializations"] for entry in asset["metadataEntries"]):
            if told.get(entry["label"]) is not None:
                entry["text"] = told[entry["label"]]
        self.runs[run_id] = run

    def tag(self, run_id: str, key: str, value: str) -> None:
        """Add a tag to a run."""
        self.runs[run_id]["tags"].append({"key": key, "value": value})

    def answer(self, request: dict[str, Any]) -> Answer:
        """The answer to a query of ours; anything else is an error of the test."""
        values = request["variables"]
        names = {name for name, exchange in RECORDED.items() if exchange["request"]["query"] == request["query"]}
        assert names, "Dagster was never asked this; record its answer"
        with self._lock:
            if "partition added" in names:
                key = (values["partitions"], values["key"])
                known = str(key) in self.partitions
                self.partitions.add(str(key))
                return _recorded("partition there" if known else "partition added")
            if "run launched" in names:
                return self._launch(values["run"])
            if "run found" in names:
                return self._find(values["tagged"]["tags"][0])
            if "run queued" in names:
                run = self.runs.get(values["id"])
                return _recorded("run unknown") if run is None else (200, {"data": {"runOrError": run}})
            return _recorded(self.failures[values["id"]])

    def _launch(self, run: dict[str, Any]) -> Answer:
        if self.refuses is not None:
            return _recorded(self.refuses)
        run_id = str(uuid4())
        self.launched[run_id] = run
        self.runs[run_id] = _recorded("run queued")[1]["data"]["runOrError"] | {
            "runId": run_id,
            "tags": run["executionMetadata"]["tags"],
        }
        status, answer = _recorded("run launched")
        answer["data"]["launchRun"]["run"]["runId"] = run_id
        return (0, {}) if self.loses_answers else (status, answer)

    def _find(self, tag: dict[str, str]) -> Answer:
        status, answer = _recorded("no run found")
        answer["data"]["runsOrError"]["results"] = [{"runId": run["runId"]} for run in self.runs.values() if tag in run["tags"]]
        return status, answer


@contextmanager
def dagster_there() -> Iterator[tuple[str, DagsterThere]]:
    """Its address, and what it knows."""
    there = DagsterThere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"dagster_webserver_version": "1.13.27"})

        def do_POST(self) -> None:
            status, answer = there.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if status:
                self._send(status, answer)
            else:
                self.close_connection = True

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _recorded(name: str) -> Answer:
    exchange = deepcopy(RECORDED[name])
    return exchange["status"], exchange["answer"]
