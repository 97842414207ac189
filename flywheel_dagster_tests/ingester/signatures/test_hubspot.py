"""HubSpot's three signatures: the published vectors, and every way to be wrong."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.signatures.hubspot import is_genuine
from flywheel_dagster_tests.ingester.expected_hubspot import EXPECTED

HERE = Path(__file__).parents[2] / "samples"
VECTORS = [name for name in EXPECTED if name.endswith(".sig.json")]
KEPT = [f"hubspot/{path.name}" for path in sorted((HERE / "hubspot").glob("*.sig.json"))]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
TARGET = "/webhooks/crm/hubspot?portal=a"
BODY = b'[{"eventId":1,"portalId":62515}]'
ALL = ("v3", "v2", "v1")


def connected(*secrets: str, **told: Any) -> Connection:
    given_settings = {"public_url": "https://hooks.example.com"} | told
    return Connection(id="c", provider=Provider.HUBSPOT, secrets={"client_secrets": secrets or (SECRET,)}, settings=given_settings)


def v3(
    body: bytes = BODY, *, at: datetime = NOW, secret: str = SECRET, uri: str = f"https://hooks.example.com{TARGET}"
) -> dict[str, str]:
    timestamp = str(int(at.timestamp() * 1000))
    signature = hmac.new(secret.encode(), b"POST" + uri.encode() + body + timestamp.encode(), hashlib.sha256).digest()
    return {"x-hubspot-signature-v3": base64.b64encode(signature).decode(), "x-hubspot-request-timestamp": timestamp}


def hashed(version: str, body: bytes = BODY, *, uri: str = f"https://hooks.example.com{TARGET}") -> dict[str, str]:
    middle = b"POST" + uri.encode() if version == "v2" else b""
    signature = hashlib.sha256(SECRET.encode() + middle + body).hexdigest()
    return {"x-hubspot-signature": signature, "x-hubspot-signature-version": version}


def posted(headers: dict[str, str], body: bytes = BODY, **changes: Any) -> Received:
    return Received(**({"target": TARGET, "headers": headers, "body": body, "at": NOW} | changes))


def played(folder: Path, name: str) -> tuple[bool, str]:
    """Whether a vector of the samples is taken, and what is expected of it."""
    vector = json.loads((folder / name).read_text())
    version = vector["scheme"].removeprefix("hubspot-")
    uri = urlsplit(vector.get("http_uri", "https://www.example.com/webhook_uri"))
    headers = {"x-hubspot-signature": vector["signature"], "x-hubspot-signature-version": version}
    if version == "v3":
        headers = {"x-hubspot-signature-v3": vector["signature"], "x-hubspot-request-timestamp": vector["timestamp"]}
    request = Received(
        method=vector.get("http_method", "POST"),
        target=uri.path,
        headers=headers,
        body=(folder / vector["body_file"]).read_bytes(),
        at=datetime.fromtimestamp(int(vector.get("timestamp", "1693657560000")) / 1000, UTC),
    )
    connection = connected(vector["client_secret"], public_url=f"{uri.scheme}://{uri.netloc}", signatures=ALL)
    return is_genuine(request, connection), vector["expected"]


@pytest.mark.parametrize("name", KEPT)
def test_a_published_signature_is_taken(name: str) -> None:
    assert played(HERE, name) == (True, "valid")


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_is_judged_as_its_publisher_says(shared: Path, name: str) -> None:
    genuine, expected = played(shared / "samples", name)
    assert genuine == (expected == "valid") == (EXPECTED[name].status != 401)


def test_each_of_several_secrets_is_tried_and_an_empty_one_never() -> None:
    assert is_genuine(posted(v3()), connected("old", SECRET))
    assert is_genuine(posted(v3()), connected(SECRET, "new"))
    assert not is_genuine(posted(v3()), connected("old", "new"))
    assert not is_genuine(posted(v3(secret="")), connected("", ""))
    assert not is_genuine(posted(v3()), Connection(id="c", provider=Provider.HUBSPOT))


@pytest.mark.parametrize(
    ("late", "genuine"),
    [
        (timedelta(0), True),
        (timedelta(minutes=5), True),
        (timedelta(minutes=5, milliseconds=1), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, milliseconds=-1), False),
        (timedelta(days=9000), False),
    ],
)
def test_v3_holds_for_five_minutes_around_the_arrival(late: timedelta, genuine: bool) -> None:
    assert is_genuine(posted(v3(at=NOW - late)), connected()) is genuine


def test_v3_signs_the_public_address_and_not_the_one_the_request_came_to() -> None:
    behind = posted(v3(uri=f"https://hooks.example.com/flywheel{TARGET}") | {"host": "10.0.0.7:8081"})
    assert is_genuine(behind, connected(public_url="https://hooks.example.com/flywheel/"))
    assert not is_genuine(behind, connected())
    assert not is_genuine(posted(v3()), connected(public_url="http://hooks.example.com"))
    assert not is_genuine(posted(v3()), connected(public_url=None))


def test_v3_writes_the_listed_characters_of_the_address_plainly_and_no_others() -> None:
    target = "/a%3Ab%2fc?x=%40%21%24%27%28%29%2A%2C%3B%3F&y=%20%26%3D%253A"
    signed = "https://hooks.example.com/a:b/c?x=@!$'()*,;?&y=%20%26%3D%253A"
    assert is_genuine(posted(v3(uri=signed), target=target), connected())
    assert not is_genuine(posted(v3(uri=signed.replace("%20", " ")), target=target), connected())
    assert is_genuine(posted(hashed("v2", uri=f"https://hooks.example.com{target}"), target=target), connected(signatures=["v2"]))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_plain_hashes_count_only_where_the_settings_list_them(version: str) -> None:
    assert is_genuine(posted(hashed(version)), connected(signatures=["v3", version]))
    for versions in (None, [], ["v3"], ["v2" if version == "v1" else "v1"]):
        assert not is_genuine(posted(hashed(version)), connected(signatures=versions))


def test_without_a_version_it_is_v1() -> None:
    headers = {"x-hubspot-signature": hashed("v1")["x-hubspot-signature"]}
    assert is_genuine(posted(headers), connected(signatures=ALL))
    assert not is_genuine(posted(headers | {"x-hubspot-signature-version": "v3"}), connected(signatures=ALL))


def test_a_v3_signature_that_fails_is_not_helped_by_an_older_one_that_holds() -> None:
    for wrong in ({"x-hubspot-signature-v3": ""}, v3(secret="other"), v3(at=NOW - timedelta(hours=1))):
        assert not is_genuine(posted(hashed("v1") | wrong), connected(signatures=ALL))
    assert is_genuine(posted(hashed("v1") | v3()), connected())


@pytest.mark.parametrize(
    ("body", "portals", "genuine"),
    [
        (b'[{"portalId":62515},{"portalId":62515}]', ["62515"], True),
        (b'[{"portalId":62515},{"portalId":7}]', ["62515"], False),
        (b'[{"portalId":62515},{"portalId":7}]', "62515, 7", True),
        (b'{"portalId":"7","dealId":1}', ["62515"], False),
        (b'{"portal-id":7,"vid":1}', ["62515"], False),
        (b'{"dealId":1}', ["62515"], True),
        (b'[{"portalId":7}]', [], True),
        (b"no json", ["62515"], True),
        (b'[{"portalId":{"a":1}}]', ["62515"], False),
    ],
)
def test_a_portal_that_isnt_ours_is_refused_though_the_app_is(body: bytes, portals: Any, genuine: bool) -> None:
    assert is_genuine(posted(v3(body), body), connected(portals=portals)) is genuine


@settings(max_examples=60, deadline=None)
@given(st.integers(0), st.integers(1, 255), st.sampled_from(["body", "signature", "timestamp", "target", "method"]))
def test_any_changed_byte_is_refused(position: int, change: int, where: str) -> None:
    headers, parts = v3(), {"target": TARGET, "method": "POST"}

    def spoiled(text: str) -> str:
        at = position % len(text)
        return text[:at] + chr(ord(text[at]) ^ change) + text[at + 1 :]

    if where == "body":
        at = position % len(BODY)
        request = posted(headers, BODY[:at] + bytes([BODY[at] ^ change]) + BODY[at + 1 :])
    elif where in parts:
        request = posted(headers, **(parts | {where: spoiled(parts[where])}))
    else:
        name = "x-hubspot-signature-v3" if where == "signature" else "x-hubspot-request-timestamp"
        request = posted(headers | {name: spoiled(headers[name])})
    assert not is_genuine(request, connected())


HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-hubspot-signature-v3", "x-hubspot-signature", "x-hubspot-signature-version", "x-hubspot-request-timestamp"]
    ),
    st.text(max_size=20) | st.sampled_from(["v1", "v2", "v3", str(int(NOW.timestamp() * 1000)), "9" * 15, "²", "\ud800"]),
)


@settings(max_examples=100, deadline=None)
@given(
    HEADERS,
    st.binary(max_size=40),
    st.text(max_size=10) | st.just("/\udcff%3A"),
    st.none() | st.lists(st.text(max_size=4), max_size=2),
)
def test_nothing_made_up_is_taken_or_raises(headers: dict[str, str], body: bytes, target: str, portals: Any) -> None:
    assert is_genuine(posted(headers, body, target=target), connected(signatures=ALL, portals=portals)) is False
