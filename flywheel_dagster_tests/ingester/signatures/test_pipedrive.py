"""HTTP Basic, all that Pipedrive offers: one of the credentials, whole and exact."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.signatures.pipedrive import is_genuine

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def connected(*basic: str) -> Connection:
    return Connection(id="c", provider=Provider.PIPEDRIVE, secrets={"basic": basic})


def sent(authorization: str | None) -> Received:
    return Received(body=b"{}", at=NOW, headers={} if authorization is None else {"authorization": authorization})


def basic(credential: str) -> str:
    return "Basic " + base64.b64encode(credential.encode()).decode()


OURS = connected("pipedrive:s3cret", "pipedrive:n€w:er")


@pytest.mark.parametrize("credential", ["pipedrive:s3cret", "pipedrive:n€w:er"])
def test_each_of_several_credentials_is_taken(credential: str) -> None:
    assert is_genuine(sent(basic(credential)), OURS)
    assert is_genuine(sent(basic(credential).replace("Basic", "basic")), OURS)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        basic("pipedrive:"),
        basic("pipedrive:s3cre"),
        basic("pipedrive:s3cret "),
        basic("Pipedrive:s3cret"),
        basic("s3cret:pipedrive"),
        basic("pipedrive:s3cret") + "=",
        basic("pipedrive:s3cret").replace("Basic", "Bearer"),
        "pipedrive:s3cret",
        "Basic pipedrive:s3cret",
    ],
)
def test_anything_else_is_refused(authorization: str | None) -> None:
    assert not is_genuine(sent(authorization), OURS)


@pytest.mark.parametrize("empty", ["", ":", "pipedrive:", "pipedrive"])
def test_a_credential_without_a_password_lets_nobody_in(empty: str) -> None:
    assert not is_genuine(sent(basic(empty)), connected(empty))
    assert not is_genuine(sent(basic(empty)), Connection(id="c", provider=Provider.PIPEDRIVE))


@settings(max_examples=60, deadline=None)
@given(st.integers(0), st.integers(1, 255))
def test_any_changed_byte_is_refused(position: int, change: int) -> None:
    header = basic("pipedrive:s3cret")
    at = position % len(header)
    spoiled = header[:at] + chr(ord(header[at]) ^ change) + header[at + 1 :]
    assert is_genuine(sent(spoiled), OURS) is (spoiled.lower()[:6] == "basic " and spoiled[6:] == header[6:])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30) | st.sampled_from(["Basic \ud800", "Basic =", "\tBasic\tx"]))
def test_nothing_made_up_is_taken_or_raises(authorization: str) -> None:
    assert is_genuine(sent(authorization), OURS) is False
