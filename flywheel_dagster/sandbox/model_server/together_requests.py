"""What requests for jobs and endpoints may ask by Together's API, as a pure reading of their JSON bodies.

github.com/togethercomputer/openapi, 2026-04-28
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_dagster.sandbox.model_server.job_requests import JobRequest
from flywheel_dagster.sandbox.model_server.wire import ApiError

_LONGEST_SUFFIX = 40  # the official client says so; the description doesn't
_LARGEST_BATCH = 8
_DEFAULT_SEED = 42
_LORA = {"type": "Lora", "lora_r": 64, "lora_alpha": 128, "lora_dropout": 0.0, "lora_trainable_modules": "all-linear"}
_SFT = {"method": "sft", "train_on_inputs": "auto"}
_METHODS = {"sft": "supervised", "dpo": "dpo"}
_WANTED_STATES = ("STARTED", "STOPPED")


@dataclass(frozen=True)
class EndpointRequest:
    """The body of POST /endpoints, as far as this server heeds it."""

    model: str
    hardware: str
    display_name: str
    autoscaling: dict[str, int]
    state: str


def read_request(body: Mapping[str, Any]) -> tuple[JobRequest, dict[str, Any]]:
    """Check the body of POST /fine-tunes; what it asks of the trainer, and in Together's words with its defaults. 400 for what is wrong."""
    for name in ("model", "training_file"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise _refused(name, "is required")
    suffix, validation_file = _optional(body, "suffix", str), _optional(body, "validation_file", str)
    if suffix is not None and len(suffix) > _LONGEST_SUFFIX:
        raise _refused("suffix", f"may have {_LONGEST_SUFFIX} characters")
    batch_size = body.get("batch_size", "max")
    asked: dict[str, Any] = {
        "n_epochs": _whole(body, "n_epochs", default=1, least=1),
        "n_checkpoints": _whole(body, "n_checkpoints", default=1, least=1),
        "n_evals": _whole(body, "n_evals", default=0, least=0),
        "batch_size": _LARGEST_BATCH if batch_size == "max" else _whole(body, "batch_size", default=_LARGEST_BATCH, least=1),
        "learning_rate": _positive(body, "learning_rate", default=0.00001),
        "random_seed": _whole(body, "random_seed", default=_DEFAULT_SEED, least=0),
        "training_method": _read_method(_optional(body, "training_method", dict)),
        "training_type": _read_type(_optional(body, "training_type", dict)),
    }
    if asked["n_evals"] and validation_file is None:
        raise _refused("n_evals", "needs a validation_file")
    numbers = {"n_epochs": asked["n_epochs"], "batch_size": asked["batch_size"], "learning_rate_multiplier": "auto"}
    request = JobRequest(
        model=body["model"],
        training_file=body["training_file"],
        validation_file=validation_file,
        suffix=suffix,
        seed=asked["random_seed"],
        method=_METHODS[asked["training_method"]["method"]],
        hyperparameters=numbers,
        metadata=None,
        integrations=[],
    )
    return request, asked


def read_endpoint(body: Mapping[str, Any]) -> EndpointRequest:
    """Check the body of POST /endpoints. 400 for what is wrong."""
    for name in ("model", "hardware"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise _refused(name, "is required")
    scaling = _optional(body, "autoscaling", dict)
    if scaling is None:
        raise _refused("autoscaling", "is required")
    least = _whole(scaling, "min_replicas", default=1, least=0)
    _whole(body, "inactive_timeout", default=0, least=0)
    return EndpointRequest(
        model=body["model"],
        hardware=body["hardware"],
        display_name=_optional(body, "display_name", str) or body["model"],
        autoscaling={"min_replicas": least, "max_replicas": _whole(scaling, "max_replicas", default=least, least=least)},
        state=read_wanted_state(body),
    )


def read_wanted_state(body: Mapping[str, Any]) -> str:
    """The state that an endpoint is to be in: STARTED, unless STOPPED is asked for."""
    state = _optional(body, "state", str) or "STARTED"
    if state not in _WANTED_STATES:
        raise _refused("state", f"is {' or '.join(_WANTED_STATES)}")
    return state


def _read_method(method: dict[str, Any] | None) -> dict[str, Any]:
    if method is None:
        return _SFT
    if method.get("method") not in _METHODS:
        raise _refused("training_method", "has method sft or dpo")
    if method["method"] == "sft" and method.get("train_on_inputs") not in (True, False, "auto"):
        raise _refused("training_method", "of sft needs train_on_inputs: true, false or auto")
    return method


def _read_type(kind: dict[str, Any] | None) -> dict[str, Any]:
    if kind is None:
        return _LORA
    if kind.get("type") == "Full":
        return kind
    if kind.get("type") != "Lora" or not all(isinstance(kind.get(name), int) for name in ("lora_r", "lora_alpha")):
        raise _refused("training_type", "is Full, or Lora with lora_r and lora_alpha")
    return {**_LORA, **kind}


def _whole(body: Mapping[str, Any], name: str, *, default: int, least: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _refused(name, f"is an integer from {least}")
    return value


def _positive(body: Mapping[str, Any], name: str, *, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _refused(name, "is a number above 0")
    return float(value)


def _optional(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise _refused(name, f"is of type {kind.__name__}")
    return value


def _refused(name: str, rule: str) -> ApiError:
    return ApiError(400, f"{name} {rule}", param=name)
