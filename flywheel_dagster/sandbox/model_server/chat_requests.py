"""What a chat request may ask, as a pure reading of its JSON body. Options a sandbox has no use for (tools, penalties) are ignored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_dagster.sandbox.model_server.wire import ApiError

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


@dataclass(frozen=True)
class ChatRequest:
    """A well-formed request. `schema` is that of structured outputs, under its name; `temperature` is 1 unless asked, as OpenAI's."""

    model: str
    messages: list[dict[str, Any]]
    n: int
    temperature: float
    seed: int | None
    stop: list[str]
    max_tokens: int | None
    stream: bool
    include_usage: bool
    json_object: bool
    schema: dict[str, Any] | None
    schema_name: str | None


def read_chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """Check the body of POST /v1/chat/completions; 400 in OpenAI's shape for the first thing wrong."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError(400, "you must provide a model parameter", param="model")
    messages = _read_messages(body.get("messages"))
    kind, schema, schema_name = _read_response_format(body.get("response_format"))
    if kind == "json_object" and "json" not in str(messages).lower():
        message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise ApiError(400, message, param="messages")
    stop = body.get("stop") or []
    stop = [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(word, str) and word for word in stop):
        raise _invalid("stop", "expected a string or up to 4 strings")
    options = body.get("stream_options")
    max_tokens_key = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    return ChatRequest(
        model=model,
        messages=messages,
        n=int(_number(body, "n", 1, low=1, high=128, whole=True) or 1),
        temperature=float(_number(body, "temperature", 1, low=0, high=2) or 0),
        seed=_whole(_number(body, "seed", None, low=-(2**63), high=2**63 - 1, whole=True)),
        stop=stop,
        max_tokens=_whole(_number(body, max_tokens_key, None, low=1, high=2**31, whole=True)),
        stream=body.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        json_object=kind == "json_object",
        schema=schema,
        schema_name=schema_name,
    )


def _read_messages(messages: Any) -> list[dict[str, Any]]:
    if not isinstance(messages, list) or not messages:
        raise ApiError(
            400, "Invalid 'messages': expected an array with at least one message.", code="invalid_value", param="messages"
        )
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise _invalid(f"messages[{position}].role", f"expected one of {', '.join(_ROLES)}")
        if not isinstance(message.get("content"), str | list) and message["role"] != "assistant":
            raise _invalid(f"messages[{position}].content", "expected a string or an array of content parts")
    return messages


def _read_response_format(asked: Any) -> tuple[str, dict[str, Any] | None, str | None]:
    if asked is None:
        return "text", None, None
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind in ("text", "json_object"):
        return kind, None, None
    wrapper = asked.get("json_schema") if kind == "json_schema" else None
    if not isinstance(wrapper, dict) or not isinstance(wrapper.get("name"), str) or not isinstance(wrapper.get("schema"), dict):
        raise _invalid("response_format", "expected type text, json_object, or json_schema with a name and a schema")
    schema = wrapper["schema"]
    if schema.get("type") != "object":
        raise _invalid("response_format", f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {schema.get('type')!r}'")
    if wrapper.get("strict"):
        _require_strict(schema)
    return "json_schema", schema, wrapper["name"]


def _require_strict(schema: Any, path: str = "()") -> None:
    """Strict structured outputs want every object closed and every property required; OpenAI refuses others, so do we."""
    if isinstance(schema, list):
        for part in schema:
            _require_strict(part, path)
        return
    if not isinstance(schema, dict):
        return
    members = schema.get("properties")
    if schema.get("type") == "object" or isinstance(members, dict):
        if schema.get("additionalProperties") is not False:
            raise _invalid(
                "response_format", f"In context={path}, 'additionalProperties' is required to be supplied and to be false"
            )
        missing = sorted(set(members or {}) - set(schema.get("required") or ()))
        if missing:
            raise _invalid("response_format", f"In context={path}, 'required' must include every property. Missing {missing[0]!r}")
    for key in ("anyOf", "items"):
        if key in schema:
            _require_strict(schema[key], path)
    for key in ("properties", "$defs", "definitions"):
        for name, part in (schema.get(key) or {}).items():
            _require_strict(part, f"('{key}', '{name}')")


def _number(body: Mapping[str, Any], key: str, default: int | None, *, low: int, high: int, whole: bool = False) -> float | None:
    value = body.get(key)
    if value is None:
        return default
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise _invalid(key, f"expected {'an integer' if whole else 'a number'} from {low} to {high}, but got {value!r}")
    return value


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _invalid(param: str, detail: str) -> ApiError:
    return ApiError(400, f"Invalid '{param}': {detail}.", code="invalid_value", param=param)
