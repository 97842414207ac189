"""What a provider's HTTP answer is named, and when it wants to be called again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from flywheel_dagster.errors import PermanentTrainingError, TransientError, TransientTrainingError, UnansweredError
from flywheel_dagster.http_errors import Failures, classified, json_object, retry_after

FAILURES = Failures(
    PermanentTrainingError,
    TransientTrainingError,
    UnansweredError,
    {"no_credit": "add some", "403": "ask for the right"},
    provider="Acme",
)


def answer(status: int, content: str = "", **headers: str) -> httpx2.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, text=content, headers=headers, request=httpx2.Request("GET", "https://acme.test/v1/things"))


@pytest.mark.parametrize(
    ("status", "content", "error", "said"),
    [
        (400, '{"error": {"message": "No.", "code": "bad"}}', PermanentTrainingError, "looking failed: No. (HTTP 400, bad)"),
        (402, '{"error": {"message": "No.", "code": "no_credit"}}', PermanentTrainingError, "(HTTP 402, no_credit); add some"),
        (403, "<html>", PermanentTrainingError, "looking failed: Forbidden (HTTP 403); ask for the right"),
        (429, '{"error": {"message": "No.", "code": "no_credit"}}', PermanentTrainingError, "add some"),
        (404, '{"message": "Gone"}', PermanentTrainingError, "looking failed: Gone (HTTP 404)"),
        (401, '{"error": "invalid_client", "error_description": "AADSTS1: Wrong.\\r\\nTrace: 1"}', PermanentTrainingError, "AADSTS1: Wrong. (HTTP 401, invalid_client)"),
        (302, "", PermanentTrainingError, "(HTTP 302)"),
        (408, "", TransientTrainingError, "(HTTP 408)"),
        (409, "[]", TransientTrainingError, "(HTTP 409)"),
        (429, '{"error": {}}', TransientTrainingError, "(HTTP 429)"),
        (500, '{"error": null}', UnansweredError, "(HTTP 500)"),
        (529, "", UnansweredError, "(HTTP 529)"),
        (200, "<html>Log in</html>", UnansweredError, "looking failed: no answer from Acme ("),
        (200, "[1]", UnansweredError, "no answer from Acme (the answer is no JSON object)"),
    ],
)  # fmt: skip
def test_every_answer_but_the_wanted_one_is_named(status: int, content: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised, classified("looking", secrets=[], failures=FAILURES):
        json_object(answer(status, content))
    assert raised.type is error
    assert said in str(raised.value)


def test_a_good_answer_is_given_back() -> None:
    assert json_object(answer(201, '{"id": "1"}')) == {"id": "1"}


def test_an_address_that_is_none_is_permanent() -> None:
    for address in ("acme.test/v1", "http://acme.test:port/"):
        with (
            pytest.raises(PermanentTrainingError, match="correct the address of Acme"),
            classified("x", secrets=[], failures=FAILURES),
        ):
            httpx2.get(address)


def test_no_secret_is_told_though_the_provider_repeats_it() -> None:
    with pytest.raises(PermanentTrainingError) as raised, classified("looking", secrets=["s3cret", "t0ken"], failures=FAILURES):
        json_object(answer(400, '{"error": {"message": "What are s3cret and t0ken?", "code": "t0ken"}}'))
    assert str(raised.value) == "looking failed: What are … and …? (HTTP 400, …)"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_when_to_call_again_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_call_again_is_turned_into_seconds() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    assert retry_after({"retry-after": date}) == pytest.approx(300, abs=5)


@pytest.mark.parametrize("status", [429, 503])
def test_a_transient_error_says_when_to_call_again(status: int) -> None:
    with pytest.raises(TransientError) as raised, classified("looking", secrets=[], failures=FAILURES):
        json_object(answer(status, retry_after="120"))
    assert raised.value.retry_after == 120
