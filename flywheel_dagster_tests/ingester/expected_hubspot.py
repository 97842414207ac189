"""What the samples of HubSpot come to, by the vendor's documents. Of a `.sig.json`: 401, or what its body comes to.

The bodies of three signed samples are no JSON, on purpose: genuine, but not the format (400).
"""

from flywheel_dagster_tests.ingester.expected import Expected

_REFUSED = Expected(401)
_NOT_THE_FORMAT = Expected(400)
_CONTACT = Expected(
    200,
    (
        (
            "noted",
            "source=hubspot",
            "kind=contact.creation",
            "occurred_at=2019-07-26T04:00:00+00:00",
            "source_event_id=1",
            "lead_id=123",
            "lead_email=",
            "references=",
            "outcome_id=",
        ),
    ),
)

EXPECTED: dict[str, Expected] = {
    "hubspot/derived_01_v1_body_changed.sig.json": _REFUSED,
    "hubspot/derived_02_v3_wrong_secret.sig.json": _REFUSED,
    "hubspot/derived_03_v3_http_instead_of_https.sig.json": _REFUSED,
    "hubspot/derived_04_v1_signature_as_v2.sig.json": _REFUSED,
    "hubspot/derived_contact_creation_tampered.bin": _CONTACT,
    # The outcome's id there is no UUID, and the portal isn't said.
    "hubspot/derived_workflow_custom_body.json": Expected(
        200,
        (
            (
                "deal_closed",
                "source=hubspot",
                "deal_id=18151423",
                "value=15000",
                "currency=",
                "references=deal:hubspot::18151423",
                "lead_id=",
                "lead_email=lead@example.com",
                "outcome_id=",
            ),
        ),
    ),
    "hubspot/derived_workflow_deal_full_object.json": Expected(
        200,
        (
            (
                "deal_closed",
                "source=hubspot",
                "occurred_at=2026-06-01T09:00:00+00:00",
                "deal_id=18151423",
                "value=15000",
                "currency=",
                "references=deal:hubspot:62515:18151423",
                "lead_id=27136",
                "lead_email=",
                "outcome_id=",
            ),
        ),
    ),
    "hubspot/official_01_v1_py.sig.json": _NOT_THE_FORMAT,
    "hubspot/official_02_v2_py.sig.json": _NOT_THE_FORMAT,
    "hubspot/official_03_v3_py.sig.json": _NOT_THE_FORMAT,
    "hubspot/official_08_v2_get_empty_body.sig.json": _NOT_THE_FORMAT,
    "hubspot/official_09_v1_contact_creation.sig.json": _CONTACT,
    "hubspot/official_body_empty.bin": _NOT_THE_FORMAT,
    "hubspot/official_body_example.bin": Expected(200, (("noted", "source=hubspot", "kind=workflow", "references=", "lead_id="),)),
    "hubspot/official_body_single_quotes.bin": _NOT_THE_FORMAT,
    "hubspot/official_contact_creation.bin": _CONTACT,
}
