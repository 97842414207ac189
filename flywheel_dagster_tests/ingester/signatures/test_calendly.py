"""Calendly's signature: the vectors, the three minutes, and that nothing signed can be changed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Provider, Received
from flywheel_dagster.ingester.signatures.calendly import is_genuine
from flywheel_dagster_tests.ingester.expected_calendly import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import connected

AT = datetime.fromtimestamp(1_700_000_000, UTC)
KEY = "webhook-signing-secret"
BODY = b'{"event":"invitee.created"}'
OURS = Path(__file__).parents[2] / "samples"


def sign(body: bytes = BODY, *, key: str = KEY, t: str = "1700000000") -> str:
    return f"t={t},v1={hmac.new(key.encode(), t.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def judge(header: str, body: bytes = BODY, *, keys: tuple[str, ...] = (KEY,), at: datetime = AT, **settings: Any) -> bool:
    connection = connected(Provider.CALENDLY, secrets={"signing_keys": keys}, **settings)
    return is_genuine(Received(body=body, at=at, headers={"calendly-webhook-signature": header}), connection)


def check_vector(samples: Path, name: str) -> None:
    vector = json.loads((samples / name).read_text())
    body = (samples / vector["body_file"]).read_bytes()
    assert judge(vector["header"], body, keys=(vector["signing_key"],)) is (EXPECTED[name].status == 200)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith(".sig.json")])
def test_a_vector_is_judged_as_expected(shared: Path, name: str) -> None:
    check_vector(shared / "samples", name)


def test_the_kept_vector_is_genuine_and_malformed_headers_are_refused() -> None:
    check_vector(OURS, "calendly/computed_01_valid.sig.json")
    for header in json.loads((OURS / "calendly/malformed_headers.json").read_text())["headers"]:
        assert judge(header, (OURS / "calendly/calendlyr_objects_webhooks_payload.json").read_bytes()) is False


def test_any_of_several_keys_will_do_and_an_empty_one_never() -> None:
    assert judge(sign(), keys=("newer", KEY)) is True
    assert judge(sign(key="newest"), keys=("newer", KEY)) is False
    assert judge(sign(key=""), keys=("",)) is False
    assert judge(sign(), keys=()) is False


@pytest.mark.parametrize(("seconds", "genuine"), [(0, True), (180, True), (-180, True), (181, False), (-181, False)])
def test_three_minutes_either_way(seconds: int, genuine: bool) -> None:
    assert judge(sign(), at=AT + timedelta(seconds=seconds)) is genuine


def test_the_tolerance_is_a_setting() -> None:
    late = AT + timedelta(minutes=9)
    assert judge(sign(), at=late, tolerance_seconds=600) is True
    for odd in ("600", None, [], float("nan")):
        assert judge(sign(), at=late, tolerance_seconds=odd) is False


@pytest.mark.parametrize("t", ["", "-1", "+1700000000", "1_700_000_000", "1700000000.0", " 1700000000", "١٧٠٠٠٠٠٠٠٠", "9" * 5000])
def test_a_time_is_digits_alone(t: str) -> None:
    assert judge(sign(t=t)) is False


@given(position=st.integers(0, 10**6), flip=st.integers(1, 127))
def test_any_changed_byte_is_refused(position: int, flip: int) -> None:
    header = sign()
    body = bytearray(BODY)
    body[position % len(BODY)] ^= flip
    assert judge(header, bytes(body)) is False
    changed = bytearray(header.encode())
    changed[position % len(changed)] ^= flip
    if changed.decode("latin-1").strip(" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0").replace(" ", "") != header:
        assert judge(changed.decode("latin-1")) is False


@given(header=st.text(max_size=60) | st.from_regex(r"t=1700000000,v1=\w{0,70}", fullmatch=True), body=st.binary(max_size=20))
def test_arbitrary_headers_never_raise_and_never_pass(header: str, body: bytes) -> None:
    assert judge(header, body) is False
    assert is_genuine(Received(body=body, at=AT), connected(Provider.CALENDLY, secrets={"signing_keys": (KEY,)})) is False
