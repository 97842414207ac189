"""The provider's own refusals by name, to be played as faults."""

from typing import Any

from flywheel_dagster.sandbox.model_server.wire import error_body

# Texts as published by OpenAI or captured; the type of training_not_available is assumed.
READY_MADE: dict[str, dict[str, Any]] = {
    "training_not_available": {
        "match": "POST /v1/fine_tuning/jobs",
        "status": 403,
        "body": error_body(
            "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new fine-tuning "
            "training jobs.",
            code="training_not_available",
        ),
    },
    "rate_limit_exceeded": {
        "status": 429,
        "headers": {"retry-after": "1"},
        "body": error_body("Rate limit reached for requests. Please try again in 1s.", code="rate_limit_exceeded", kind="requests"),
    },
    "insufficient_quota": {
        "status": 429,
        "body": error_body(
            "You exceeded your current quota, please check your plan and billing details.",
            code="insufficient_quota",
            kind="insufficient_quota",
        ),
    },
    "server_error": {
        "status": 500,
        "body": error_body("The server had an error while processing your request. Sorry about that!", kind="server_error"),
    },
    "server_is_overloaded": {
        "status": 503,
        "body": error_body(
            "The engine is currently overloaded, please try again later.",
            code="server_is_overloaded",
            kind="service_unavailable_error",
        ),
    },
}
