"""What the Salesforce samples say, by the vendor's guides and wire.md. An answer of ours that comes back is no message of theirs."""

from flywheel_dagster_tests.ingester.expected import Expected

_REFUSED = Expected(400)

EXPECTED: dict[str, Expected] = {
    "salesforce/ack_true_response.xml": _REFUSED,
    "salesforce/ack_false_response.xml": _REFUSED,
    "salesforce/hostile_entity.xml": _REFUSED,
    "salesforce/malformed.xml": _REFUSED,
    "salesforce/cdc_opportunity_create_official.json": Expected(
        200,
        (
            (
                "deal_opened",
                "source=salesforce",
                "deal_id=006SM0000001Tb3",
                "value=40000",
                "currency=",
                "occurred_at=2022-05-19T16:32:13+00:00",
            ),
        ),
    ),
    "salesforce/derived_cdc_cometd_opportunity_won.json": Expected(
        200, (("deal_closed", "deal_id=006SM0000001Tb3", "value=", "occurred_at=2026-06-01T09:00:00+00:00"),)
    ),
    "salesforce/derived_flow_http_callout_won.json": Expected(
        200,
        (
            (
                "deal_closed",
                "source=salesforce",
                "deal_id=0067F000003pmdW",
                "value=120000.0",
                "currency=USD",
                "outcome_id=",
                "lead_email=prospect@example.com",
            ),
        ),
    ),
    "salesforce/derived_outbound_batch_won_lost.xml": Expected(
        200,
        (
            (
                "deal_closed",
                "deal_id=006WV00000AAAAA",
                "value=50000.0",
                "currency=USD",
                "occurred_at=2026-11-20T09:15:00+00:00",
                "outcome_id=",
                "source_event_id=04lWV00000BBBBBBBB",
                "references=deal:salesforce:00D000000000001:006WV00000AAAAA",
            ),
            (
                "deal_lost",
                "deal_id=006WV00000AAAAB",
                "value=7500.0",
                "currency=USD",
                "occurred_at=2026-11-20T09:15:00+00:00",
                "references=deal:salesforce:00D000000000001:006WV00000AAAAB",
            ),
        ),
    ),
    "salesforce/derived_outbound_opportunity_closed_won_tutorial_fixed.xml": Expected(
        200,
        (
            (
                "deal_closed",
                "deal_id=006xx000004TmiQ",
                "value=50000.0",
                "currency=",
                "occurred_at=2026-06-30T00:00:00+00:00",
                "references=deal:salesforce:00Dxx0000001gPL:006xx000004TmiQ",
            ),
        ),
    ),
    # No amount: unknown, not nothing.
    "salesforce/outbound_fixture_acme.xml": Expected(
        200, (("deal_closed", "deal_id=006000000000001", "value=", "references=deal:salesforce:00D000000000001:006000000000001"),)
    ),
    # One record under one notification's id three times, with 15 and with 18 characters: one event.
    "salesforce/outbound_leads_15_and_18_char_ids.xml": Expected(
        200, (("noted", "source=salesforce", "kind=Lead", "lead_id=00QWV00000CZjEf2AL", "outcome_id=", "references="),)
    ),
}
