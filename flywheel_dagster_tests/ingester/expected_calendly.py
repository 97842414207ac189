"""What the Calendly samples say, by the vendor's documents and wire.md.

The signature vectors are judged with the clock at 1700000000; the headers of `malformed_headers.json` are refused with any body.
"""

from flywheel_dagster_tests.ingester.expected import Expected

_BOOKED = Expected(
    200,
    (
        (
            "meeting_booked",
            "source=calendly",
            "meeting_id=https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA/invitees/AAAAAAAAAAAAAAAA",
            "meeting_at=2019-08-24T14:15:22.123456+00:00",
            "meeting_ends_at=2019-08-24T14:15:22.123456+00:00",
            "occurred_at=2020-11-23T17:51:19+00:00",
            "outcome_id=",
            "lead_email=test@example.com",
            "references=meeting:calendly:https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA/invitees/AAAAAAAAAAAAAAAA",
        ),
    ),
)
_REFUSED = Expected(401)
# An answer of the API, or a payload without its envelope: genuine when signed, so it is kept, though it says nothing.
_KEPT = Expected(200, (("noted", "kind=unknown", "references="),))

EXPECTED: dict[str, Expected] = {
    "calendly/calendlyr_objects_webhooks_payload.json": _BOOKED,
    "calendly/calendlyr_webhooks_sample.json": Expected(
        200,
        (
            (
                "meeting_booked",
                "meeting_id=AAAAAAAAAAAAAAAA",
                "meeting_at=2020-01-02T20:00:00+00:00",
                "meeting_ends_at=",
                "occurred_at=2019-12-24T05:13:04+00:00",
                "lead_email=not-a-real-person@example.com",
                "references=meeting:calendly:AAAAAAAAAAAAAAAA",
            ),
        ),
    ),
    "calendly/calendlyr_objects_webhooks_invite_payload.json": _KEPT,
    "calendly/calendlyr_objects_webhooks_subscription.json": _KEPT,
    "calendly/calendlyr_webhooks_create.json": _KEPT,
    "calendly/calendlyr_events_create_invitee_no_show.json": _KEPT,
    "calendly/computed_01_valid.sig.json": _BOOKED,
    "calendly/computed_02_valid_spaces_unknown_key.sig.json": _BOOKED,
    "calendly/computed_03_zero_signature.sig.json": _REFUSED,
    "calendly/computed_04_wrong_key.sig.json": _REFUSED,
    "calendly/computed_05_changed_timestamp.sig.json": _REFUSED,
    "calendly/malformed_headers.json": _REFUSED,
}
