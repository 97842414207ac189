"""SendGrid's signature is accepted exactly as it was made, by any of the keys, and nothing else is."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.signatures.sendgrid import HMAC_SIGNATURE, SIGNATURE, TIMESTAMP, is_genuine, require_public_key
from flywheel_dagster_tests.ingester.expected_sendgrid import EXPECTED

SAMPLES = Path(__file__).parents[2] / "samples" / "sendgrid"
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def spki(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def connection(
    provider: Provider = Provider.SENDGRID, *, settings: dict[str, Any] | None = None, **secrets: tuple[str, ...]
) -> Connection:
    return Connection(id="c", provider=provider, secrets=secrets, settings=settings or {})


def signed(
    body: bytes, *, at: datetime = NOW, key: ec.EllipticCurvePrivateKey = KEY, target: str = "/webhooks/sendgrid"
) -> Received:
    timestamp = str(int(at.timestamp()))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}
    return Received(target=target, headers=headers, body=body, at=NOW)


MINE = connection(public_keys=(spki(KEY),))
SIGNED = signed(b'[{"event":"open","email":"a@example.com"}]\r\n')


def vector(path: Path, folder: Path) -> tuple[Received, Connection]:
    said = json.loads(path.read_text())
    headers = {SIGNATURE: said["signature"], TIMESTAMP: said["timestamp"]}
    body = (folder / Path(said["body_file"]).name).read_bytes()
    return Received(headers=headers, body=body, at=NOW), connection(public_keys=(said["public_key"],))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.sig.json")), ids=lambda path: path.name)
def test_the_vendors_own_vectors_come_out_as_it_says(path: Path) -> None:
    assert is_genuine(*vector(path, SAMPLES)) is (EXPECTED[f"sendgrid/{path.name}"].status == 200)


def test_every_vector_beside_the_checkout_comes_out_as_its_index_says(shared: Path) -> None:
    folder = shared / "samples" / "sendgrid"
    entries = {entry["file"]: entry for entry in json.loads((shared / "samples" / "index.json").read_text())["entries"]}
    paths = sorted(folder.glob("*.sig.json"))
    assert paths
    for path in paths:
        genuine = is_genuine(*vector(path, folder))
        assert genuine is (entries[f"sendgrid/{path.name}"]["expected"] == "valid"), path.name
        assert genuine is (EXPECTED[f"sendgrid/{path.name}"].status == 200), path.name


def test_any_of_several_keys_will_do_in_either_spelling_and_an_unreadable_one_is_passed_over() -> None:
    received = signed(b"[]")
    assert is_genuine(received, connection(public_keys=("nonsense", spki(OTHER), spki(KEY))))
    assert is_genuine(received, connection(public_keys=(pem(KEY),)))
    assert is_genuine(received, connection(public_keys=(pem(KEY).replace("\n", "\\n"),))), "as environment variables write it"
    assert not is_genuine(received, connection(public_keys=(spki(OTHER), "")))
    assert not is_genuine(received, connection())


@given(st.data())
def test_any_changed_byte_of_body_timestamp_or_signature_is_refused(data: st.DataObject) -> None:
    received = SIGNED
    assert is_genuine(received, MINE)
    which = data.draw(st.sampled_from(["body", SIGNATURE, TIMESTAMP]))
    old = received.body if which == "body" else received.headers[which].encode()
    place = data.draw(st.integers(0, 1000)) % len(old)
    new = old[:place] + bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != old[place]))]) + old[place + 1 :]
    if which == "body":
        changed = Received(headers=received.headers, body=new, at=NOW)
    else:
        changed = Received(headers={**received.headers, which: new.decode("latin-1")}, body=received.body, at=NOW)
    assert not is_genuine(changed, MINE)


@pytest.mark.parametrize(
    "change", [lambda s: s + "=", lambda s: s + "junk", lambda s: s + "\n", lambda s: " " + s, lambda s: s.rstrip("=")[:-1]]
)
def test_base64_is_read_strictly(change: Any) -> None:
    received = signed(b"[]")
    assert not is_genuine(
        Received(headers={**received.headers, SIGNATURE: change(received.headers[SIGNATURE])}, body=b"[]", at=NOW), MINE
    )


def test_bytes_can_not_move_from_the_body_into_the_timestamp() -> None:
    received = signed(b'[{"event":"open"}]')
    headers = {**received.headers, TIMESTAMP: received.headers[TIMESTAMP] + "["}
    assert not is_genuine(Received(headers=headers, body=received.body[1:], at=NOW), MINE)


def test_an_old_signature_is_taken_unless_the_connection_says_otherwise() -> None:
    limited = connection(settings={"max_age_seconds": 600}, public_keys=(spki(KEY),))
    assert is_genuine(signed(b"[]", at=NOW - timedelta(hours=24)), MINE)
    for seconds, taken in ((-601, False), (-600, True), (0, True), (600, True), (601, False)):
        assert is_genuine(signed(b"[]", at=NOW + timedelta(seconds=seconds)), limited) is taken
    assert not is_genuine(signed(b"[]"), connection(settings={"max_age_seconds": "soon"}, public_keys=(spki(KEY),)))


def test_home_made_senders_sign_by_hmac_only_where_a_secret_is_configured() -> None:
    body, mine = b'[{"event":"open"}]', connection(hmac_secrets=("old", "new"))
    digest = hmac.digest(b"new", body, "sha256")
    for spelling in (digest.hex(), base64.b64encode(digest).decode(), "sha256=" + digest.hex()):
        received = Received(headers={HMAC_SIGNATURE: spelling}, body=body, at=NOW)
        assert is_genuine(received, mine)
        assert not is_genuine(received, MINE)
        assert not is_genuine(received, connection(Provider.SENDGRID_INBOUND, hmac_secrets=("new",)))
        assert not is_genuine(Received(headers=received.headers, body=body + b" ", at=NOW), mine)
    assert not is_genuine(Received(headers={}, body=body, at=NOW), mine)
    empty = hmac.digest(b"", body, "sha256").hex()
    assert not is_genuine(Received(headers={HMAC_SIGNATURE: empty}, body=body, at=NOW), connection(hmac_secrets=("",))), (
        "no secret is none"
    )


def test_a_broken_signature_of_sendgrid_is_not_made_good_by_an_hmac() -> None:
    both = connection(public_keys=(spki(KEY),), hmac_secrets=("secret",))
    good_hmac = {HMAC_SIGNATURE: hmac.new(b"secret", b"[]", hashlib.sha256).hexdigest()}
    assert is_genuine(Received(headers=good_hmac, body=b"[]", at=NOW), both)
    headers = {**signed(b"[]", key=OTHER).headers, **good_hmac}
    assert not is_genuine(Received(headers=headers, body=b"[]", at=NOW), both)


def test_an_inbound_mail_is_known_by_the_last_part_of_its_path() -> None:
    mine = connection(Provider.SENDGRID_INBOUND, tokens=("first", "s3cret token"))
    for target, genuine in (
        ("/webhooks/sendgrid/inbound/first", True),
        ("/webhooks/sendgrid/inbound/s3cret%20token?connection=c", True),
        ("/webhooks/sendgrid/inbound/first/", False),
        ("/webhooks/sendgrid/inbound/firs", False),
        ("/webhooks/sendgrid/inbound?x=/first", False),
        ("/webhooks/sendgrid/inbound", False),
        ("", False),
    ):
        assert is_genuine(Received(target=target, body=b"", at=NOW), mine) is genuine, target
    nothing = connection(Provider.SENDGRID_INBOUND, tokens=("",))
    assert not is_genuine(Received(target="/webhooks/sendgrid/inbound/", body=b"", at=NOW), nothing)
    assert not is_genuine(Received(target="/webhooks/sendgrid/first", body=b"", at=NOW), connection(tokens=("first",))), (
        "only Inbound Parse"
    )


def test_an_inbound_mail_must_be_signed_where_keys_are_configured() -> None:
    mine = connection(Provider.SENDGRID_INBOUND, public_keys=(spki(KEY),), tokens=("token",))
    path = "/webhooks/sendgrid/inbound/token"
    assert is_genuine(signed(b"--x\r\n", target=path), mine)
    assert not is_genuine(Received(target=path, body=b"--x\r\n", at=NOW), mine)


@given(
    body=st.binary(max_size=50),
    headers=st.dictionaries(st.sampled_from([SIGNATURE, TIMESTAMP, HMAC_SIGNATURE]), st.text(max_size=120)),
    target=st.text(max_size=50),
    provider=st.sampled_from([Provider.SENDGRID, Provider.SENDGRID_INBOUND]),
    kind=st.sampled_from(["public_keys", "hmac_secrets", "tokens"]),
)
def test_nothing_is_accepted_by_chance_and_nothing_raises(
    body: bytes, headers: dict[str, str], target: str, provider: Provider, kind: str
) -> None:
    values = (spki(KEY), "\udc80 not a key") if kind == "public_keys" else ("a secret of some length \ud800",)
    mine = connection(provider, settings={"max_age_seconds": None}, **{kind: values})
    assert is_genuine(Received(target=target, headers=headers, body=body, at=NOW), mine) is False


def test_a_key_that_is_none_is_refused_with_the_remedy() -> None:
    assert require_public_key(spki(KEY)).public_numbers() == KEY.public_key().public_numbers()
    others = [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)]
    for text in ("", "openssl rand -hex 32", spki(KEY)[:-8], *map(spki, others), pem(others[0]), "-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(ValueError, match=r"verification key .* copy it from") as caught:
            require_public_key(text)
        assert not text or text not in str(caught.value)
