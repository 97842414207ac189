"""Salesforce's proof: the token in the path, and the organization in the message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.signatures.salesforce import is_genuine
from flywheel_dagster.ingester.sources import salesforce
from flywheel_dagster_tests.ingester.sources.salesforce_shapes import ORGANIZATION, notification, outbound
from flywheel_dagster_tests.ingester.sources.shapes import connected, received

TOKEN = "3b7e5c0a9d-secret"
XML = outbound(notification(Id="006000000000001"))
OURS = {"organization_ids": [ORGANIZATION]}


def judge(segment: str = TOKEN, body: bytes = XML, *, tokens: tuple[str, ...] = (TOKEN,), **asked: Any) -> bool:
    connection = connected(Provider.SALESFORCE, secrets={"tokens": tokens}, **asked)
    return is_genuine(received(body, target=f"/webhooks/crm/salesforce/{segment}"), connection)


def test_the_last_segment_of_the_path_is_one_of_the_tokens() -> None:
    assert judge() is True
    assert judge(f"{TOKEN}?connection=7") is True
    assert judge(tokens=("newer", TOKEN)) is True
    assert judge("%33b7e5c0a9d-secret") is True, "a client may escape what it likes"
    for wrong in ("", "other", TOKEN[:-1], TOKEN + "x", TOKEN + "/", "x?" + TOKEN, TOKEN.upper(), "../" + TOKEN[1:]):
        assert judge(wrong) is False
    assert judge(tokens=()) is False
    assert judge("", tokens=("",)) is False


@pytest.mark.parametrize(
    ("theirs", "genuine"),
    [
        (ORGANIZATION, True),
        (ORGANIZATION[:15], True),
        (ORGANIZATION[:15].lower(), False),
        ("00D000000000002AAA", False),
        (ORGANIZATION[:14], False),
        ("", False),
    ],
)
def test_a_message_has_to_name_one_of_our_organizations(theirs: str, genuine: bool) -> None:
    body = outbound(notification(Id="006000000000001"), organization=theirs)
    for ours in (ORGANIZATION, ORGANIZATION[:15]):
        assert judge(body=body, organization_ids=["00D00000000000X", ours]) is genuine
        assert judge(body=body, organization_ids=f"00D00000000000X, {ours}") is genuine
    assert judge(body=body) is True, "without a list the token does"


def test_two_organizations_in_one_message_are_none_of_ours() -> None:
    double = f"{ORGANIZATION}</OrganizationId><OrganizationId>00D000000000002AAA"
    body = outbound(notification(Id="006000000000001"), organization=double)
    assert judge(body=body, tokens=(), allow_without_token=True, **OURS) is False
    with pytest.raises(UnreadableError):
        salesforce.read(received(body), connected(Provider.SALESFORCE))


def test_json_without_an_organization_is_genuine_by_its_token_and_with_another_one_it_is_not() -> None:
    assert judge(body=b'{"Id":"006000000000001"}', **OURS) is True
    assert judge(body=b'{"OrganizationId":"00D000000000001"}', **OURS) is True
    assert judge(body=b'{"OrganizationId":"00D000000000002"}', **OURS) is False
    assert judge(body=b'[{"OrganizationId":"00D000000000001"},{"OrganizationId":"00D000000000002"}]', **OURS) is False


def test_who_holds_the_token_learns_from_the_reader_that_a_body_is_unreadable() -> None:
    for body in (b"<notifications><broken>", b"hello"):
        assert judge(body=body, **OURS) is True
        with pytest.raises(UnreadableError):
            salesforce.read(received(body), connected(Provider.SALESFORCE))


def test_the_organization_alone_will_do_only_where_that_is_allowed_and_there_is_no_token() -> None:
    json = b'{"OrganizationId":"00D000000000001AAA"}'
    for body in (XML, json):
        assert judge("", body, tokens=(), **OURS) is False
        assert judge("", body, tokens=(), allow_without_token=True, **OURS) is True
        assert judge("", body, tokens=(), allow_without_token=True) is False
        assert judge("", body, tokens=(), allow_without_token="yes", **OURS) is False
        assert judge("wrong", body, allow_without_token=True, **OURS) is False
    for body in (b"{}", b"<x/>", b"", b'{"OrganizationId":"00D000000000002"}'):
        assert judge("", body, tokens=(), allow_without_token=True, **OURS) is False


@given(position=st.integers(0, 100), flip=st.integers(1, 127))
def test_any_changed_byte_of_the_token_is_refused(position: int, flip: int) -> None:
    changed = bytearray(TOKEN.encode())
    changed[position % len(changed)] ^= flip
    assert judge(changed.decode("latin-1")) is False


@given(
    segment=st.text(max_size=40),
    body=st.binary(max_size=40) | st.just(XML),
    asked=st.none() | st.text() | st.integers() | st.lists(st.none()),
)
def test_arbitrary_requests_never_raise_and_never_pass(segment: str, body: bytes, asked: Any) -> None:
    assert judge(segment, body, organization_ids=asked) is False
    assert judge(segment, body, tokens=(), organization_ids=asked, allow_without_token=True) in (False,)
