"""What belongs together for each provider: how it proves itself, how its bytes are read, and how it wants to be answered."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from flywheel_dagster.ingester import limits
from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.signatures import calendly as calendly_signature
from flywheel_dagster.ingester.signatures import hubspot as hubspot_signature
from flywheel_dagster.ingester.signatures import pipedrive as pipedrive_signature
from flywheel_dagster.ingester.signatures import salesforce as salesforce_signature
from flywheel_dagster.ingester.signatures import sendgrid as sendgrid_signature
from flywheel_dagster.ingester.signatures import standard_webhooks
from flywheel_dagster.ingester.sources import (
    calendly,
    generic,
    hubspot,
    pipedrive,
    salesforce,
    salesforce_outbound,
    sendgrid_events,
    sendgrid_inbound,
)
from flywheel_dagster.outcomes.events import OutcomeEvent

Proof = Callable[[Received, Connection], bool]
Reader = Callable[[Received, Connection], list[OutcomeEvent]]


def processed(received: Received, events: int) -> Response:
    """The usual answer."""
    return JSONResponse({"status": "processed", "events": events})


def acknowledged(received: Received, events: int) -> Response:
    """Salesforce repeats an outbound message until it is acknowledged in SOAP; JSON gets JSON."""
    if salesforce.is_xml(received.body):
        return Response(salesforce_outbound.ACKNOWLEDGEMENT, media_type="text/xml; charset=utf-8")
    return processed(received, events)


@dataclass(frozen=True)
class Door:
    """A provider's way in. `body_limit` in bytes."""

    is_genuine: Proof
    read: Reader
    answer: Callable[[Received, int], Response] = processed
    body_limit: int = limits.BODY_LIMIT


DOORS: dict[Provider, Door] = {
    Provider.SENDGRID: Door(sendgrid_signature.is_genuine, sendgrid_events.read),
    Provider.SENDGRID_INBOUND: Door(sendgrid_signature.is_genuine, sendgrid_inbound.read, body_limit=limits.INBOUND_LIMIT),
    Provider.HUBSPOT: Door(hubspot_signature.is_genuine, hubspot.read),
    Provider.SALESFORCE: Door(salesforce_signature.is_genuine, salesforce.read, acknowledged),
    Provider.PIPEDRIVE: Door(pipedrive_signature.is_genuine, pipedrive.read),
    Provider.CALENDLY: Door(calendly_signature.is_genuine, calendly.read),
    Provider.GENERIC: Door(standard_webhooks.is_genuine, generic.read),
}
