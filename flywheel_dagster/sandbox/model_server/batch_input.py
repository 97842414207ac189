"""The lines of a batch's input file: what makes the whole batch fail. What is wrong with one request only shows when it is answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

MOST_REQUESTS = 50_000
_MOST_PROBLEMS = 100

# invalid_json_line, duplicate_custom_id, missing_required_parameter and model_not_found were seen from OpenAI; the other codes and texts
# follow its documentation and Azure's.


def check_input(path: Path, *, endpoint: str, known_model: Callable[[str], bool]) -> tuple[int, str | None, list[dict[str, Any]]]:
    """The number of requests, their model, and what is wrong with the file: its first problems, each with its line.

    Holds one line and the custom ids in memory.
    """
    total, model = 0, None
    problems: list[dict[str, Any]] = []
    seen: set[str] = set()
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return 0, None, [_problem("invalid_request", "The input file could not be read.", "input_file_id", None)]
    with file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            total += 1
            problem, asked = _check_line(line, number, endpoint, seen)
            if problem is None and asked is not None:
                if not known_model(asked):
                    message = f"The provided model '{asked}' is not supported by the Batch API."
                    problem = _problem("model_not_found", message, "body.model", number)
                elif asked != (model := model or asked):
                    message = f"All requests of a batch must use the same model: expected '{model}', but got '{asked}'."
                    problem = _problem("mismatched_model", message, "body.model", number)
            if problem and len(problems) < _MOST_PROBLEMS:
                problems.append(problem)
    if total == 0:
        problems.append(_problem("empty_file", "The input file has no requests.", None, None))
    if total > MOST_REQUESTS:
        message = f"The batch has {total} requests, but may have at most {MOST_REQUESTS}."
        problems.insert(0, _problem("too_many_tasks", message, None, None))
    return total, model, problems


def _check_line(line: bytes, number: int, endpoint: str, seen: set[str]) -> tuple[dict[str, Any] | None, str | None]:
    """The problem of one line, and the model that it asks, where it names one."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        return _problem("invalid_json_line", "This line is not parseable as valid JSON.", None, number), None
    for key, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if not isinstance(value.get(key), kind) or not value[key]:
            return _problem("missing_required_parameter", f"Missing required parameter: '{key}'.", key, number), None
    custom_id = value["custom_id"]
    if custom_id in seen:
        message = (
            f"The custom_id '{custom_id}' for this request is a duplicate of another request. The custom_id parameter must be unique for "
            "each request in a batch."
        )
        return _problem("duplicate_custom_id", message, "custom_id", number), None
    seen.add(custom_id)
    if value["method"] != "POST":
        return _problem(
            "invalid_method", f"Invalid method '{value['method']}'. Supported values are: 'POST'.", "method", number
        ), None
    if value["url"] != endpoint:
        message = f"The url '{value['url']}' for this request does not match the batch endpoint '{endpoint}'."
        return _problem("invalid_url", message, "url", number), None
    model = value["body"].get("model")
    if not isinstance(model, str) or not model:
        return _problem("missing_required_parameter", "Missing required parameter: 'body.model'.", "body.model", number), None
    return None, model


def _problem(code: str, message: str, param: str | None, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": line}
