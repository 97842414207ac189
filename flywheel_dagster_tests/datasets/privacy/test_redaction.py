"""Redaction as a whole: what is known becomes a merge field, what isn't a typed placeholder, and all else stays byte for byte."""

from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.redaction import redact

SENDERS = KnownSenders([Person("Sam", "Fox", "Flywheel Inc", "sam@flywheel.io", "+1 415 555 2671")], "Flywheel")
LEAD = Person("José", "O'Brien", "Acme Robotics GmbH", "jose@acme-robotics.de", "+49 30 1234567")
KNOWN = KnownPeople(LEAD, SENDERS)


def test_a_message_loses_what_identifies_its_lead_and_sender() -> None:
    text = "Hi Jose,\n\nDr. O’Brien's team at ACME Robotics, on 030 1234567? Sam (sam@flywheel.io)"
    redacted = redact(text, KNOWN)
    assert redacted.text == (
        "Hi {{first_name}},\n\nDr. {{last_name}}'s team at {{company}}, on {{phone}}? {{sender_first_name}} ({{sender_email}})"
    )
    assert redacted.counts == {
        "first_name": 1,
        "last_name": 1,
        "company": 1,
        "phone": 1,
        "sender_first_name": 1,
        "sender_email": 1,
    }
