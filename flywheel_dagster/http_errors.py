"""What a provider's HTTP answer means when it isn't the wanted one: transient, unanswered or permanent, with the remedy and without secrets."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from flywheel_dagster.errors import FlywheelError, TransientError


@dataclass(frozen=True)
class Failures:
    """The errors to raise. `unanswered` is for calls that may have taken effect though they failed.

    `remedies` go by the error's code, else by the HTTP status as text; what has a remedy is permanent. `provider` is the name people know.
    """

    permanent: type[FlywheelError]
    transient: type[TransientError]
    unanswered: type[TransientError]
    remedies: Mapping[str, str] = field(default_factory=dict)
    provider: str = "OpenAI"

    def of_status(self, message: str, *, status: int, code: str = "", headers: Mapping[str, str]) -> FlywheelError:
        """The error for an answer with this status: 408, 409 and 429 are transient, 5xx unanswered, everything else is permanent."""
        if remedy := self.remedies.get(code, self.remedies.get(str(status))):
            return self.permanent(f"{message}; {remedy}")
        if status >= 500:
            return self.unanswered(message, retry_after=retry_after(headers))
        if status in (408, 409, 429):
            return self.transient(message, retry_after=retry_after(headers))
        return self.permanent(message)

    def of_lost_answer(self, doing: str, cause: object) -> FlywheelError:
        """The error for a call that no answer came to."""
        return self.unanswered(f"{doing} failed: no answer from {self.provider} ({cause})")


@contextmanager
def classified(doing: str, *, secrets: Iterable[str], failures: Failures) -> Iterator[None]:
    """Name what fails in calls by httpx2 (with `raise_for_status`), as `Failures` says. A lost connection is unanswered.

    The secrets are never told, neither in the message nor in the cause, which is logged with its text.
    """
    secrets = tuple(secrets)
    try:
        yield
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise failures.permanent(f"{doing} failed: {error}; correct the address of {failures.provider}") from error
    except httpx2.HTTPStatusError as error:
        status, (said, code) = error.response.status_code, _told(error.response)
        message = hidden(f"{doing} failed: {said} (HTTP {status}{f', {code}' if code else ''})", secrets)
        named = failures.of_status(message, status=status, code=code, headers=error.response.headers)
        raise named from None if any(secret in str(error) for secret in secrets) else error
    except (httpx2.HTTPError, ValueError) as error:  # ValueError: the answer is no JSON, so it isn't the provider's
        raise failures.of_lost_answer(doing, hidden(str(error) or type(error).__name__, secrets)) from error


def json_object(response: httpx2.Response) -> dict[str, Any]:
    """What an answer says. To be called inside `classified`: raises for another status than 2xx, and for what is no JSON object."""
    said = response.raise_for_status().json()
    if not isinstance(said, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004  as json() does
    return said


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds by retry-after-ms or Retry-After (a number or an HTTP date, RFC 9110 10.2.3); None where there is none to be read."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return seconds if seconds >= 0 else None
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None


def _told(response: httpx2.Response) -> tuple[str, str]:
    """The message and the code of an error's body: `{"error": {"message", "code"}}`, or what login.microsoftonline.com says."""
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    error = body.get("error")
    if isinstance(error, dict):
        return str(error.get("message") or response.reason_phrase), str(error.get("code") or "")
    said = body.get("error_description") or body.get("message") or error or response.reason_phrase
    return str(said).partition("\r\n")[0], str(error or "")
