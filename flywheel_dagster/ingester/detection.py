"""Whose format a request to /webhooks/crm is in, by its shape. Only a guess: the provider that is guessed must still prove itself."""

from flywheel_dagster.ingester.received import Provider, Received

_BY_HEADER = {
    "x-hubspot-signature-v3": Provider.HUBSPOT,
    "x-hubspot-signature": Provider.HUBSPOT,
    "calendly-webhook-signature": Provider.CALENDLY,
    "webhook-signature": Provider.GENERIC,
}


def detect(received: Received) -> Provider:
    """The provider by its headers, else by the first bytes and the names that only it uses; our own format for whatever is left."""
    for header, provider in _BY_HEADER.items():
        if header in received.headers:
            return provider
    head = received.body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return Provider.SALESFORCE
    if b'"subscriptionType"' in head or b'"portalId"' in head:
        return Provider.HUBSPOT
    if b'"meta"' in head and (b'"entity"' in head or b'"object"' in head):
        return Provider.PIPEDRIVE
    if b'"invitee' in head and b'"payload"' in head:
        return Provider.CALENDLY
    if b'"StageName"' in head or b'"ChangeEventHeader"' in head:
        return Provider.SALESFORCE
    return Provider.GENERIC
