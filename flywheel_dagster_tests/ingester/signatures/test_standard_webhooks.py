"""Standard Webhooks: the official vector, rotation, the five minutes, and that nothing signed can be changed."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Provider, Received
from flywheel_dagster.ingester.signatures.standard_webhooks import is_genuine
from flywheel_dagster_tests.ingester.sources.shapes import connected

# standard-webhooks/standard-webhooks, libraries/python/tests/test_webhook.py (Apache-2.0)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = datetime.fromtimestamp(int(TIMESTAMP), UTC)


def judge(
    signature: str = SIGNATURE,
    *,
    message: str = ID,
    timestamp: str = TIMESTAMP,
    body: bytes = BODY,
    secrets: tuple[str, ...] = (SECRET,),
    at: datetime = AT,
    **settings: Any,
) -> bool:
    headers = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signature}
    connection = connected(Provider.GENERIC, secrets={"secrets": secrets}, **settings)
    return is_genuine(Received(body=body, at=at, headers=headers), connection)


def sign(key: bytes, *, message: str = ID, timestamp: str = TIMESTAMP, body: bytes = BODY) -> str:
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_the_official_vector_is_genuine() -> None:
    assert judge() is True


def test_one_of_several_signatures_and_one_of_several_secrets_will_do() -> None:
    others = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2," + SIGNATURE[3:]
    assert judge(f"{others} {SIGNATURE}", secrets=("another", SECRET)) is True
    assert judge(others) is False
    assert judge(SIGNATURE.replace("v1,", "v2,")) is False


def test_a_secret_of_any_other_kind_is_its_text() -> None:
    for secret in ("5f4dcc3b5aa765d61d8327deb882cf99", "schlüssel", "whsec_not base64!", "whsec_=="):
        assert judge(sign(secret.encode()), secrets=(secret,)) is True


def test_an_empty_secret_is_none() -> None:
    for secret in ("", "whsec_"):
        assert judge(sign(b""), secrets=(secret,)) is False
    assert judge(secrets=()) is False


@pytest.mark.parametrize(("seconds", "genuine"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way(seconds: int, genuine: bool) -> None:
    assert judge(at=AT + timedelta(seconds=seconds)) is genuine


def test_the_tolerance_is_a_setting() -> None:
    assert judge(at=AT + timedelta(minutes=30), tolerance_seconds=3600) is True
    assert judge(at=AT + timedelta(seconds=11), tolerance_seconds=10) is False


@pytest.mark.parametrize(
    "signature", ["", "v1", "v1,", SIGNATURE[3:], SIGNATURE + "junk", SIGNATURE[:-1], SIGNATURE.replace("v1,", "v1, ")]
)
def test_a_signature_is_compared_as_it_is_written(signature: str) -> None:
    assert judge(signature) is False


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1614265330.0", " 1614265330", "1_614_265_330", "9" * 5000])
def test_a_time_is_digits_alone(timestamp: str) -> None:
    assert judge(sign(base64.b64decode(SECRET[6:]), timestamp=timestamp), timestamp=timestamp) is False


def test_a_message_without_an_id_is_refused() -> None:
    assert judge(sign(base64.b64decode(SECRET[6:]), message=""), message="") is False


@given(
    field=st.sampled_from(["signature", "message", "timestamp", "body"]), position=st.integers(0, 10**6), flip=st.integers(1, 127)
)
def test_any_changed_byte_is_refused(field: str, position: int, flip: int) -> None:
    value = {"signature": SIGNATURE, "message": ID, "timestamp": TIMESTAMP, "body": BODY}[field]
    changed = bytearray(value if isinstance(value, bytes) else value.encode())
    changed[position % len(changed)] ^= flip
    assert judge(**{field: bytes(changed) if field == "body" else changed.decode("latin-1")}) is False  # type: ignore[arg-type]


@given(
    signature=st.text(max_size=60),
    message=st.text(max_size=20),
    timestamp=st.just(TIMESTAMP) | st.text(max_size=12),
    body=st.binary(max_size=9),
)
def test_arbitrary_headers_never_raise_and_never_pass(signature: str, message: str, timestamp: str, body: bytes) -> None:
    assume((signature, message, timestamp, body) != (SIGNATURE, ID, TIMESTAMP, BODY))
    assert judge(signature, message=message, timestamp=timestamp, body=body) is False
    assert is_genuine(Received(body=body, at=AT), connected(Provider.GENERIC, secrets={"secrets": (SECRET,)})) is False
