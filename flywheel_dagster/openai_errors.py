"""What every use of the official OpenAI client shares: a key that never leaks, and failures that are classified once."""

from collections.abc import Iterator
from contextlib import contextmanager

import openai

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.http_errors import Failures, hidden


@contextmanager
def classified(doing: str, *, api_key: str, failures: Failures) -> Iterator[None]:
    """Name what fails inside: 408, 409 and 429 are transient, 5xx and lost connections unanswered, everything else is permanent.

    The key is never told, neither in the message nor in the cause, which is logged with its text.
    """
    try:
        yield
    except openai.APIConnectionError as error:
        raise failures.of_lost_answer(doing, str(error.__cause__ or "") or error) from error  # a timeout's cause has no text
    except openai.APIStatusError as error:
        code = error.code or ""
        said = error.body.get("message") if isinstance(error.body, dict) else None
        message = f"{doing} failed: {said or error.message} (HTTP {error.status_code}{f', {code}' if code else ''})"
        named = failures.of_status(hidden(message, [api_key]), status=error.status_code, code=code, headers=error.response.headers)
        raise named from None if api_key in str(error) else error


def checked_key(key: str, *, setting: str = "OPENAI_API_KEY") -> str:
    """The key without the line end that files and shells add; what can't stand in a header would be quoted in the client's error."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"{setting} is not a key: it is empty or has spaces or signs that no key has; copy it again")
    return key
