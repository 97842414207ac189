"""What a request for a fine-tuning job may ask, as a pure reading of its JSON body. Whether its files are good is found in the job."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_dagster.sandbox.model_server.wire import ApiError

_LARGEST_SEED = 2**31 - 1
_SUPERVISED: tuple[str, ...] = ("batch_size", "learning_rate_multiplier", "n_epochs")
_HYPERPARAMETERS = {"supervised": _SUPERVISED, "dpo": ("beta", *_SUPERVISED)}


@dataclass(frozen=True)
class JobRequest:
    """A well-formed request; each hyperparameter is a number or "auto"."""

    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    method: str
    hyperparameters: dict[str, Any]
    metadata: dict[str, str] | None
    integrations: list[Any]


def read_job_request(body: Mapping[str, Any]) -> JobRequest:
    """Check the body of POST /v1/fine_tuning/jobs; 400 in OpenAI's shape for the first thing wrong."""
    for key in ("model", "training_file"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise ApiError(400, f"Missing required parameter: '{key}'.", code="missing_required_parameter", param=key)
    suffix = _optional(body, "suffix", str)
    if suffix is not None and not 1 <= len(suffix) <= 64:
        raise _invalid("suffix", "expected a string of 1 to 64 characters")
    seed = _optional(body, "seed", int)
    if seed is not None and not 0 <= seed <= _LARGEST_SEED:
        raise _invalid("seed", f"expected an integer from 0 to {_LARGEST_SEED}")
    method, asked = _read_method(body)
    return JobRequest(
        model=body["model"],
        training_file=body["training_file"],
        validation_file=_optional(body, "validation_file", str),
        suffix=suffix,
        seed=secrets.randbelow(_LARGEST_SEED) if seed is None else seed,
        method=method,
        hyperparameters={key: _read_hyperparameter(key, asked.get(key, "auto")) for key in _HYPERPARAMETERS[method]},
        metadata=read_metadata(body.get("metadata")),
        integrations=_optional(body, "integrations", list) or [],
    )


def normalise_suffix(suffix: str | None) -> str:
    """The suffix as it stands in a model's name: lower case, anything but letters, digits, _ and - becomes a dash."""
    return re.sub(r"[^a-z0-9_-]+", "-", (suffix or "").lower())


def read_metadata(value: Any) -> dict[str, str] | None:
    """The `metadata` of a job or batch; 400 for more than 16 pairs, long keys, or values that are no short strings."""
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > 16:
        raise _invalid("metadata", "expected an object of at most 16 pairs")
    for key, text in value.items():
        if len(key) > 64 or not isinstance(text, str) or len(text) > 512:
            raise _invalid("metadata", "keys have at most 64 characters, values are strings of at most 512")
    return value


def _read_method(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The method's name and what it asks; the deprecated top-level `hyperparameters` still count."""
    method = _optional(body, "method", dict)
    if method is None:
        return "supervised", _optional(body, "hyperparameters", dict) or {}
    name = method.get("type")
    if name not in _HYPERPARAMETERS:
        raise _invalid("method.type", "this server knows 'supervised' and 'dpo'")
    options = _optional(method, name, dict, prefix="method.") or {}
    return name, _optional(options, "hyperparameters", dict, prefix=f"method.{name}.") or {}


def _read_hyperparameter(key: str, value: Any) -> Any:
    if value == "auto" or value is None:
        return "auto"
    wrong_kind = isinstance(value, bool) or not isinstance(value, int | float)
    if key in ("n_epochs", "batch_size"):
        largest = 50 if key == "n_epochs" else 256
        if wrong_kind or not isinstance(value, int) or not 1 <= value <= largest:
            raise _invalid(key, f"expected 'auto' or an integer from 1 to {largest}")
    elif wrong_kind or value <= 0:
        raise _invalid(key, "expected 'auto' or a number above 0")
    return value


def _optional(body: Mapping[str, Any], key: str, kind: type, *, prefix: str = "") -> Any:
    value = body.get(key)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise _invalid(prefix + key, f"expected {kind.__name__}, but got {type(value).__name__}")
    return value


def _invalid(param: str, detail: str) -> ApiError:
    return ApiError(400, f"Invalid '{param}': {detail}.", code="invalid_value", param=param)
