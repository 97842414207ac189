"""What the samples of Pipedrive come to, by the vendor's guides to both versions of its webhooks."""

from flywheel_dagster_tests.ingester.expected import Expected


def _one(*event: str) -> Expected:
    return Expected(200, (event,))


EXPECTED: dict[str, Expected] = {
    # A task, not a meeting.
    "pipedrive/v1_webhook_activity_update.json": _one(
        "noted",
        "source=pipedrive",
        "kind=updated.activity",
        "occurred_at=2018-07-11T15:59:19.997600+00:00",
        "references=",
        "mentions=deal:pipedrive:1820179:1321",
        "lead_id=1714",
    ),
    "pipedrive/v1_webhook_deal_create.json": _one(
        "deal_opened",
        "source=pipedrive",
        "occurred_at=2018-07-10T15:04:54.634900+00:00",
        "deal_id=1347",
        "value=99999",
        "currency=EUR",
        "references=deal:pipedrive:1820179:1347",
        "lead_id=1739",
        "lead_email=",
        "outcome_id=",
    ),
    "pipedrive/v1_webhook_organization_create.json": _one("noted", "kind=added.organization", "references=", "lead_id="),
    "pipedrive/v1_webhook_person_update.json": _one("noted", "kind=updated.person", "lead_id=622", "lead_email=john@example.com"),
    "pipedrive/v1_webhook_person_update_import.json": _one(
        "noted", "kind=updated.person", "lead_id=4469", "lead_email=john@example.com"
    ),
    "pipedrive/v2_derived_deal_lost.json": _one(
        "deal_lost",
        "occurred_at=2026-06-01T10:00:00.123000+00:00",
        "source_event_id=00000000-0000-4000-8000-000000000002",
        "deal_id=178",
        "value=15000",
        "currency=BRL",
        "references=deal:pipedrive:15747575:178",
        "lead_id=179",
    ),
    "pipedrive/v2_derived_deal_won.json": _one(
        "deal_closed",
        "occurred_at=2026-06-01T10:00:00.123000+00:00",
        "source_event_id=00000000-0000-4000-8000-000000000001",
        "deal_id=178",
        "value=15000",
        "currency=BRL",
        "references=deal:pipedrive:15747575:178",
        "lead_id=179",
        "outcome_id=",
    ),
    # The hour isn't said, so the meeting is on that day, and how long it takes isn't known.
    "pipedrive/v2_official_activity_create_meeting.json": _one(
        "meeting_booked",
        "occurred_at=2022-11-24T15:25:44.461000+00:00",
        "meeting_id=2",
        "meeting_at=2022-11-24T00:00:00+00:00",
        "meeting_ends_at=",
        "references=meeting:pipedrive:8087566:2",
        "mentions=deal:pipedrive:8087566:10",
        "lead_id=10",
    ),
    "pipedrive/v2_official_deal_create.json": _one(
        "deal_opened", "deal_id=8", "value=100", "currency=EUR", "references=deal:pipedrive:8087566:8", "lead_id=8"
    ),
    "pipedrive/v2_official_deal_delete.json": _one(
        "noted", "kind=delete.deal", "deal_id=8", "references=deal:pipedrive:8087566:8", "lead_id=8"
    ),
}
