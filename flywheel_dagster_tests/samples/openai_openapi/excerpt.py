"""Cuts the answers of the endpoints that the local model server has out of OpenAI's published OpenAPI description. A program, not a test.

    python -m flywheel_dagster_tests.samples.openai_openapi.excerpt openapi.json COMMIT

reads the description (https://github.com/openai/openai-openapi, MIT) as of a commit, and writes schemas.json beside this file: for each call
its answers by media type, and the schemas that they are made of, without prose and examples.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent / "schemas.json"
JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
CALLS = (
    *("POST /files", "GET /files", "GET /files/{file_id}", "GET /files/{file_id}/content", "DELETE /files/{file_id}"),
    *("POST /fine_tuning/jobs", "GET /fine_tuning/jobs", f"GET {JOB}", f"GET {JOB}/events", f"GET {JOB}/checkpoints"),
    *(f"POST {JOB}/cancel", f"POST {JOB}/pause", f"POST {JOB}/resume"),
    *("GET /models", "GET /models/{model}", "DELETE /models/{model}"),
    "POST /chat/completions",
    *("POST /batches", "GET /batches", "GET /batches/{batch_id}", "POST /batches/{batch_id}/cancel"),
)
BESIDE = ("ErrorResponse",)  # what every call may answer, though none says so
PROSE = {"description", "title", "example", "examples", "x-oaiMeta", "x-stainless-const", "x-oaiTypeLabel", "externalDocs"}
NAMED = {"properties", "patternProperties", "$defs"}  # whose keys are names, not keywords


def excerpt(description: dict[str, Any], commit: str) -> dict[str, Any]:
    """The part of a description that speaks of the answers of our endpoints."""
    components: dict[str, Any] = description["components"]["schemas"]
    answers = {}
    for call in CALLS:
        method, path = call.split()
        content = description["paths"][path][method.lower()]["responses"]["200"]["content"]
        answers[call] = {media: without_prose(answer["schema"]) for media, answer in content.items()}
    schemas: dict[str, Any] = {}
    wanted = [*references(answers), *BESIDE]
    while wanted:
        if (name := wanted.pop()) not in schemas:
            schemas[name] = without_prose(components[name])
            wanted += references(schemas[name])
    return {
        "source": f"https://github.com/openai/openai-openapi/blob/{commit}/openapi.json",
        "licence": "MIT, Copyright (c) OpenAI (https://openai.com); see LICENSE beside this file",
        "version": description["info"]["version"],
        "answers": answers,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def without_prose(schema: Any, *, names: bool = False) -> Any:
    """A schema that says the same to a validator of JSON Schema 2020-12; `names`: the keys are names of properties.

    The description is one of OpenAPI 3.1, but writes exclusive bounds and values that may be null as 3.0 did.
    """
    if isinstance(schema, dict):
        if schema.get("nullable") is True:
            schema = {"anyOf": [{key: value for key, value in schema.items() if key != "nullable"}, {"type": "null"}]}
        if schema.get("exclusiveMinimum") is True:
            schema = {key: value for key, value in schema.items() if key != "minimum"} | {"exclusiveMinimum": schema["minimum"]}
        return {
            key: without_prose(value, names=not names and key in NAMED)
            for key, value in schema.items()
            if names or key not in PROSE
        }
    return [without_prose(part) for part in schema] if isinstance(schema, list) else schema


def references(schema: Any) -> Iterator[str]:
    """The names of the components that a schema refers to."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[1]
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from references(part)


if __name__ == "__main__":
    source, commit = sys.argv[1:]
    found = excerpt(json.loads(Path(source).read_text(encoding="utf-8")), commit)
    OUTPUT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
