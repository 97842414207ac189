"""What every use of the official OpenAI client shares: a key that never leaks, and failures that are classified once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import openai

from flywheel_dagster.errors import FlywheelError, SettingsError


@dataclass(frozen=True)
class Failures:
    """The errors to raise. `unanswered` is for calls that may have taken effect though they failed; `remedies` go by the error's code."""

    permanent: type[FlywheelError]
    transient: type[FlywheelError]
    unanswered: type[FlywheelError]
    remedies: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def classified(doing: str, *, api_key: str, failures: Failures) -> Iterator[None]:
    """Name what fails inside: 408, 409 and 429 are transient, 5xx and lost connections unanswered, everything else is permanent.

    The key is never told, neither in the message nor in the cause, which is logged with its text.
    """
    try:
        yield
    except openai.APIConnectionError as error:
        raise failures.unanswered(f"{doing} failed: no answer from OpenAI ({error.__cause__ or error})") from error
    except openai.APIStatusError as error:
        code = error.code or ""
        said = error.body.get("message") if isinstance(error.body, dict) else None
        message = f"{doing} failed: {said or error.message} (HTTP {error.status_code}{f', {code}' if code else ''})"
        message = message.replace(api_key, "sk-…")
        cause = None if api_key in str(error) else error
        if code in failures.remedies:
            raise failures.permanent(f"{message}; {failures.remedies[code]}") from cause
        if error.status_code >= 500:
            raise failures.unanswered(message) from cause
        if error.status_code in (408, 409, 429):
            raise failures.transient(message) from cause
        raise failures.permanent(message) from cause


def checked_key(key: str) -> str:
    """The key without the line end that files and shells add; what can't stand in a header would be quoted in the client's error."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError("OPENAI_API_KEY is not a key: it is empty or has spaces or signs that no key has; copy it again")
    return key
