"""Running a trained model at Together: nobody can ask it until it runs on a dedicated endpoint, which is billed by the minute while it does.

docs.together.ai/docs/fine-tuning/deployment; /endpoints and /hardware of github.com/togethercomputer/openapi (2026-04-28)
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flywheel_dagster.errors import PermanentTrainingError
from flywheel_dagster.training.trainers.together.api import FAILURES, Api, rows

HARDWARE_SETTING = "FLYWHEEL_TOGETHER_HARDWARE"

_IDLE_MINUTES = 60  # after which an endpoint that nobody asks stops, so that a forgotten one costs no more
_REPLICAS = {"min_replicas": 1, "max_replicas": 1}


class EndpointState(StrEnum):
    """Where an endpoint stands, the best first. Whatever Together says that is not an end is `starting`; STOPPING leads to STOPPED."""

    STARTED = "started"
    STARTING = "starting"
    DOWN = "down"


_ENDS = {"STARTED": EndpointState.STARTED, "STOPPED": EndpointState.DOWN, "ERROR": EndpointState.DOWN}
_BEST_FIRST = list(EndpointState)


@dataclass(frozen=True)
class Endpoint:
    """One look at an endpoint: its id, the name by which its model is asked, and Together's own word for its state."""

    id: str
    name: str
    state: EndpointState
    said: str


class Endpoints:
    """The dedicated endpoints of an account. One is made for a model that has none; one that is down is started, once by each object."""

    def __init__(self, api: Api, hardware: str) -> None:
        self._api, self._hardware = api, hardware
        self._asked: dict[str, str] = {}  # by model, the id of the endpoint that was made or started here: lists may lag behind

    def require_offered(self, base: str) -> None:
        """Raise PermanentTrainingError, with what there is, unless Together runs this base model on the hardware."""
        answer = self._api.find(f"listing the hardware for {base}", "GET", "/hardware", params={"model": base})
        offered = rows(answer or {}, "data")
        if not offered:
            raise PermanentTrainingError(
                f"Together runs no dedicated endpoint of {base}, so that what is trained from it could not be asked there; set "
                f"FLYWHEEL_BASE_MODEL to another model, or unset {HARDWARE_SETTING} to train all the same"
            )
        if self._hardware not in (row.get("id") for row in offered):
            raise PermanentTrainingError(
                f"{HARDWARE_SETTING} is {self._hardware}, on which Together doesn't run {base}; set it to one of "
                f"{', '.join(map(_described, offered))}"
            )

    def ensure(self, model: str, *, base: str) -> Endpoint:
        """The model's endpoint, which is asked to start where it doesn't run, but not twice: then it comes back `down`.

        Raises PermanentTrainingError or TransientTrainingError; a start whose answer was lost is found by the next call.
        """
        found = self._look(model)
        if found is None:
            self.require_offered(base)
            asked = self._create(model)
        elif found.state is EndpointState.DOWN and model not in self._asked:
            asked = self._start(found)
        else:
            return found
        self._asked[model] = asked.id
        # What it says at once may be of before.
        return asked if asked.state is EndpointState.STARTED else replace(asked, state=EndpointState.STARTING)

    def _look(self, model: str) -> Endpoint | None:
        """The endpoint that was asked to start here, or the best that the account has for the model, of equal ones the oldest."""
        if (known := self._asked.get(model)) is not None:
            return _read(self._api.call(f"looking at endpoint {known}", "GET", f"/endpoints/{known}"), "looking at an endpoint")
        listed = rows(self._api.call("listing endpoints", "GET", "/endpoints", params={"type": "dedicated"}), "data")
        ours = [row for row in listed if model in (row.get("model"), row.get("display_name"))]
        oldest_first = sorted(ours, key=lambda row: str(row.get("created_at")))
        found = [_read(row, "listing endpoints") for row in oldest_first]
        return min(found, key=lambda endpoint: _BEST_FIRST.index(endpoint.state), default=None)

    def _create(self, model: str) -> Endpoint:
        wanted = {
            "display_name": model,
            "model": model,
            "hardware": self._hardware,
            "autoscaling": _REPLICAS,
            "inactive_timeout": _IDLE_MINUTES,
        }
        doing = f"starting an endpoint of {model}"
        return _read(self._api.call(doing, "POST", "/endpoints", json=wanted), doing)

    def _start(self, endpoint: Endpoint) -> Endpoint:
        doing = f"starting endpoint {endpoint.name}"
        return _read(self._api.call(doing, "PATCH", f"/endpoints/{endpoint.id}", json={"state": "STARTED"}), doing)


def end_endpoints(api: Api, model_id: str) -> list[str]:
    """Delete the endpoints of this name, or of the model of this name; the names of those that there were, running or not."""
    listed = rows(api.call("listing endpoints", "GET", "/endpoints", params={"type": "dedicated"}), "data")
    found = [_read(row, "listing endpoints") for row in listed if model_id in (row.get("name"), row.get("model"))]
    for endpoint in found:
        api.delete(f"deleting endpoint {endpoint.name}", f"/endpoints/{endpoint.id}")
    return [endpoint.name for endpoint in found]


def _read(row: dict[str, Any], doing: str) -> Endpoint:
    if not isinstance(row.get("id"), str) or not isinstance(row.get("name"), str):
        raise FAILURES.of_lost_answer(doing, "the answer has an endpoint without id or name")
    said = str(row.get("state"))
    return Endpoint(row["id"], row["name"], _ENDS.get(said, EndpointState.STARTING), said)


def _described(hardware: dict[str, Any]) -> str:
    """Its id, what it costs and whether it can be had now, as far as that is told."""
    pricing, availability = hardware.get("pricing"), hardware.get("availability")
    cents = pricing.get("cents_per_minute") if isinstance(pricing, dict) else None
    status = availability.get("status") if isinstance(availability, dict) else None
    told = [f"${cents * 60 / 100:.2f} an hour"] if isinstance(cents, int | float) else []
    told += [f"{status} now"] if status not in (None, "available") else []
    return f"{hardware.get('id')} ({', '.join(told)})" if told else str(hardware.get("id"))
