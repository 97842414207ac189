"""What the samples of our own format say, by the description and by what each name means."""

from flywheel_dagster_tests.ingester.expected import Expected

EXPECTED: dict[str, Expected] = {
    "description/crm_curl_000.json": Expected(
        200,
        (
            (
                "deal_closed",
                "source=crm",
                "deal_id=123",
                "value=15000",
                "currency=",
                "occurred_at=2025-01-23T10:00:00+00:00",
                "outcome_id=",
                "references=deal:crm:123",
                "lead_email=",
            ),
        ),
    ),
    # Closed how? Nobody can tell: kept, unresolved, no label.
    "description/crm_curl_002.json": Expected(
        200, (("noted", "kind=deal.closed", "status=closed", "deal_id=123", "value=15000", "references=deal:crm:123"),)
    ),
    "description/crm_generic_000.json": Expected(
        200,
        (
            (
                "deal_closed",
                "deal_id=123",
                "value=15000",
                "occurred_at=2025-01-23T10:00:00+00:00",
                "outcome_id=",
                "lead_email=lead@example.com",
            ),
        ),
    ),
}
