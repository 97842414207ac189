"""Salesforce's one way in: SOAP or JSON, by the first byte."""

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources import salesforce_json, salesforce_outbound
from flywheel_dagster.ingester.sources.reading import first_sign
from flywheel_dagster.outcomes.events import OutcomeEvent


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """The events of an outbound message, a record, a change event or our own format. Raises UnreadableError for anything else."""
    return (salesforce_outbound.read if is_xml(received.body) else salesforce_json.read)(received, connection)


def is_xml(body: bytes) -> bool:
    """Whether it is meant as XML, and wants an answer in SOAP."""
    return first_sign(body) == b"<"
