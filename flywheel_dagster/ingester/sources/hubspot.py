"""What HubSpot sends to one address: a list of an app's events, or the one object of a workflow's "Send a webhook"."""

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources import hubspot_events, hubspot_workflow
from flywheel_dagster.ingester.sources.reading import first_sign, read_items, read_json
from flywheel_dagster.outcomes.events import OutcomeEvent


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """The events in the body. Raises UnreadableError for what is neither a JSON array nor a JSON object.

    Settings: `won_stages` and `lost_stages` (ids of deal stages; "closedwon" and "closedlost"), `outcome_property` ("outcome_id"),
    `portals` (the account's ids; a single one also stands in where a workflow's body doesn't name its portal).
    """
    if first_sign(received.body) == b"[":
        return [hubspot_events.event_of(item, raw, received, connection) for item, raw in read_items(received.body)]
    body = read_json(received.body)
    if not isinstance(body, dict):
        raise UnreadableError("the body is neither a JSON array nor a JSON object")
    if "subscriptionType" in body:
        return [hubspot_events.event_of(body, received.body, received, connection)]
    return [hubspot_workflow.event_of(body, received, connection)]
