"""Dagster, reached by GraphQL over HTTP: launch a run, find it, look at it. Which run is launched is said in `launching.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from flywheel_dagster.api.errors import RefusedError

LOCATION, REPOSITORY = (
    "flywheel_dagster",
    "__repository__",
)  # as in workspace.yaml; the latter is Dagster's name for a Definitions object
_EVENTS_A_PAGE = 1_000
_PAGES = 10

# Written for and tested with Dagster 1.13.
_ADD_PARTITION = """
mutation AddPartition($repository: RepositorySelector!, $partitions: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $repository, partitionsDefName: $partitions, partitionKey: $key) {
    __typename
    ... on Error { message }
  }
}
"""
_LAUNCH = """
mutation Launch($run: ExecutionParams!) {
  launchRun(executionParams: $run) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}
"""
_FIND = """
query Find($tagged: RunsFilter!) {
  runsOrError(filter: $tagged, limit: 1) {
    __typename
    ... on Runs { results { runId } }
    ... on Error { message }
  }
}
"""
_LOOK = """
query Look($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on Run {
      runId jobName status startTime endTime
      tags { key value }
      assetMaterializations {
        assetKey { path }
        metadataEntries {
          label
          ... on TextMetadataEntry { text }
          ... on FloatMetadataEntry { floatValue }
        }
      }
    }
    ... on Error { message }
  }
}
"""
_FAILURES = """
query Failures($id: ID!, $after: String, $limit: Int!) {
  logsForRun(runId: $id, afterCursor: $after, limit: $limit) {
    __typename
    ... on EventConnection {
      cursor hasMore
      events {
        __typename
        ... on ExecutionStepFailureEvent { stepKey failureMetadata { description } }
        ... on AssetCheckEvaluationEvent { evaluation { checkName success severity description } }
      }
    }
    ... on Error { message }
  }
}
"""


@dataclass(frozen=True)
class Run:
    """A run as Dagster knows it. Times in seconds since 1970; `materialized`: asset → its metadata that is text or a number."""

    id: str
    job: str
    status: str
    started_at: float | None
    ended_at: float | None
    tags: Mapping[str, str]
    materialized: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Failures:
    """Why a run failed: blocking checks that found something, as they say it, and steps, each with its own words where it has any."""

    checks: list[str] = field(default_factory=list)
    steps: dict[str, str | None] = field(default_factory=dict)


class Dagster:
    """The web server at an address. Every call raises RefusedError with 503 where it can't be had."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(30, connect=3))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def answers(self) -> bool:
        """Whether it is there, within a second."""
        try:
            return (await self._http.get(f"{self._url}/server_info", timeout=1)).is_success
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return False

    async def add_partition(self, partitions: str, key: str) -> None:
        """Make sure that a dynamic partition is there."""
        values = {
            "repository": {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}, "partitions": partitions, "key": key,
        }  # fmt: skip
        await self._ask(_ADD_PARTITION, values, "AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError")

    async def launch(self, job: str, assets: Sequence[str], config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Launch a job on some of its assets; returns the run's id. Raises RefusedError with 409 for a config that the graph doesn't know."""
        run = {
            "selector": {
                "repositoryLocationName": LOCATION,
                "repositoryName": REPOSITORY,
                "jobName": job,
                "assetSelection": [{"path": [asset]} for asset in assets],
            },
            "runConfigData": config,
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        launched = await self._ask(_LAUNCH, {"run": run}, "LaunchRunSuccess", "RunConfigValidationInvalid")
        if launched["__typename"] == "RunConfigValidationInvalid":
            said = "; ".join(str(error["message"]).partition(". Expected")[0] for error in launched["errors"])
            raise RefusedError(
                409, "graph_differs", f"Dagster's graph is not this version's: {said}; restart it with the same version"
            )
        return str(launched["run"]["runId"])

    async def find(self, tag: str, value: str) -> str | None:
        """The id of the newest run with this tag."""
        found = await self._ask(_FIND, {"tagged": {"tags": [{"key": tag, "value": value}]}}, "Runs")
        return next((str(run["runId"]) for run in found["results"]), None)

    async def look(self, run_id: str) -> Run | None:
        """The run; None where there is none with this id."""
        found = await self._ask(_LOOK, {"id": run_id}, "Run", "RunNotFoundError")
        if found["__typename"] == "RunNotFoundError":
            return None
        return Run(
            id=found["runId"],
            job=found["jobName"],
            status=found["status"],
            started_at=found["startTime"],
            ended_at=found["endTime"],
            tags={tag["key"]: tag["value"] for tag in found["tags"]},
            materialized={
                each["assetKey"]["path"][-1]: _metadata(each["metadataEntries"]) for each in found["assetMaterializations"]
            },
        )

    async def failures(self, run_id: str) -> Failures:
        """Why the run failed, from its events (the first ten thousand)."""
        failures, after = Failures(), None
        for _ in range(_PAGES):
            page = await self._ask(_FAILURES, {"id": run_id, "after": after, "limit": _EVENTS_A_PAGE}, "EventConnection")
            for event in page["events"]:
                if event["__typename"] == "ExecutionStepFailureEvent":
                    failures.steps[event["stepKey"]] = (event["failureMetadata"] or {}).get("description")
                elif event["__typename"] == "AssetCheckEvaluationEvent":
                    check = event["evaluation"]
                    if not check["success"] and check["severity"] == "ERROR":
                        failures.checks.append(f"{check['checkName']}: {check['description']}")
            after = page["cursor"]
            if not page["hasMore"]:
                break
        return failures

    async def _ask(self, query: str, values: Mapping[str, Any], *expected: str) -> dict[str, Any]:
        """The one field of an answer, whose type is one of those expected."""
        try:
            answer = await self._http.post(f"{self._url}/graphql", json={"query": query, "variables": values})
            said: Any = answer.json()  # Dagster's own errors come with HTTP 500, and as JSON
            found = next(iter(said["data"].values()))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, LookupError, AttributeError, TypeError, StopIteration) as error:
            raise RefusedError(
                503, "dagster_away", "Dagster does not answer; start it (flywheel dev), or set FLYWHEEL_DAGSTER_URL to its address",
                retry_after=30,
            ) from error  # fmt: skip
        if not isinstance(found, dict) or found.get("__typename") not in expected:
            raise RefusedError(
                503, "dagster_refuses",
                f"Dagster can't do it: see whether its web server has loaded the code location {LOCATION} (in the UI under Deployment), and its log",
                retry_after=30,
            )  # fmt: skip
        return found


def _metadata(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        entry["label"]: entry.get("text", entry.get("floatValue")) for entry in entries if "text" in entry or "floatValue" in entry
    }
