"""Calls of Together's HTTP API, none of which is repeated, and what its refusals mean."""

import weakref
from collections.abc import Mapping
from typing import Any

import httpx2

from flywheel_dagster.errors import PermanentTrainingError, TransientTrainingError, UnansweredError
from flywheel_dagster.http_errors import Failures, classified, json_object
from flywheel_dagster.openai_errors import checked_key

KEY_SETTING = "TOGETHER_API_KEY"

_NO_CREDIT = (
    "the account has no credit left, or has reached its limit; add some at together.ai, then materialize fine_tuned_model again"
)
_REMEDIES = {
    "401": f"the key was refused; set {KEY_SETTING} to a valid one",
    "402": _NO_CREDIT,
    "403": "the key may not do this; give it the right at together.ai, or set another one",
    "insufficient_credits": _NO_CREDIT,
    "insufficient_quota": _NO_CREDIT,
}
FAILURES = Failures(PermanentTrainingError, TransientTrainingError, UnansweredError, _REMEDIES, provider="Together")


class Api:
    """Together, or whoever speaks its API, at an address. What fails is raised as `FAILURES` says, without the key."""

    def __init__(self, address: str, api_key: str) -> None:
        self.address, self._key = address, checked_key(api_key, setting=KEY_SETTING)
        self._client = httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {self._key}"}, timeout=120)
        weakref.finalize(self, self._client.close)  # its connections go with it

    def call(self, doing: str, method: str, path: str, **options: Any) -> dict[str, Any]:
        """What a call answers; `doing` names it in errors."""
        with classified(doing, secrets=[self._key], failures=FAILURES):
            return json_object(self._client.request(method, path, **options))

    def find(self, doing: str, method: str, path: str, **options: Any) -> dict[str, Any] | None:
        """What a call answers, or None for HTTP 404."""
        with classified(doing, secrets=[self._key], failures=FAILURES):
            answer = self._client.request(method, path, **options)
            return None if answer.status_code == httpx2.codes.NOT_FOUND else json_object(answer)

    def delete(self, doing: str, path: str) -> None:
        """DELETE; what isn't there is gone already."""
        with classified(doing, secrets=[self._key], failures=FAILURES):
            answer = self._client.delete(path)
            if answer.status_code != httpx2.codes.NOT_FOUND:
                answer.raise_for_status()


def rows(listed: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list that an answer has under a name; none where it has no such list."""
    found = listed.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
