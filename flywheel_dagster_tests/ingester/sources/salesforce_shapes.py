"""Makes outbound messages for tests."""

from xml.sax.saxutils import escape, quoteattr

ORGANIZATION = "00D000000000001AAA"


def notification(number: str | None = "04l000000000001AAA", kind: str = "Opportunity", **fields: str | None) -> str:
    """One notification; a field that is None is nil."""
    inside = "".join(
        f'<sf:{name} xsi:nil="true"/>' if value is None else f"<sf:{name}>{escape(value)}</sf:{name}>"
        for name, value in fields.items()
    )
    own = "" if number is None else f"<Id>{escape(number)}</Id>"
    return f'<Notification>{own}<sObject xsi:type={quoteattr("sf:" + kind)} xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{inside}</sObject></Notification>'


def outbound(*notifications: str, organization: str = ORGANIZATION, session: str | None = None, prolog: str = "") -> bytes:
    """A message as Salesforce sends it."""
    secret = '<SessionId xsi:nil="true"/>' if session is None else f"<SessionId>{session}</SessionId>"
    return (
        f'{prolog}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{organization}</OrganizationId>'
        f"<ActionId>04k000000000001</ActionId>{secret}<EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/66.0</EnterpriseUrl>"
        f"{''.join(notifications)}</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()
