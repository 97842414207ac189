"""Which connections there are: those of the table, and one a provider from the environment. How each proves itself is in `signatures/`."""

from collections.abc import Iterable, Mapping
from typing import Any

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.ingester.received import Connection, Provider
from flywheel_dagster.settings import Settings

ENVIRONMENT = "environment"
WITHOUT_PROOF = "insecure"

# What is to be set where a provider has no connection yet.
REMEDY: dict[Provider, str] = {
    Provider.SENDGRID: "SENDGRID_WEBHOOK_PUBLIC_KEY",
    Provider.SENDGRID_INBOUND: "SENDGRID_INBOUND_TOKEN",
    Provider.HUBSPOT: "HUBSPOT_CLIENT_SECRET and FLYWHEEL_PUBLIC_URL",
    Provider.SALESFORCE: "SALESFORCE_WEBHOOK_TOKEN and SALESFORCE_ORG_IDS",
    Provider.PIPEDRIVE: "PIPEDRIVE_WEBHOOK_USER and PIPEDRIVE_WEBHOOK_PASSWORD",
    Provider.CALENDLY: "CALENDLY_WEBHOOK_SIGNING_KEY",
    Provider.GENERIC: "CRM_WEBHOOK_SECRET",
}


def read_rows(rows: Iterable[tuple[str, str, str, Mapping[str, Any], Mapping[str, Any]]]) -> list[Connection]:
    """The connections of the table, from the rows of `connections_in_force`."""
    return [
        Connection(
            id=row_id,
            provider=Provider(provider),
            organization_id=organization,
            secrets={name: tuple(map(str, values)) for name, values in secrets.items() if isinstance(values, list)},
            settings=settings,
        )
        for row_id, provider, organization, secrets, settings in rows
    ]


def from_environment(settings: Settings) -> list[Connection]:
    """The connections that environment variables describe, for FLYWHEEL_ORGANIZATION_ID or for all organisations.

    Raises SettingsError for SENDGRID_WEBHOOK_SECRET alone: SendGrid signs with a key pair, and knows no secret of ours.
    """
    if settings.sendgrid_webhook_secret and not settings.sendgrid_hmac and not settings.sendgrid_webhook_public_key:
        raise SettingsError(
            "SENDGRID_WEBHOOK_SECRET is set, but SendGrid signs with a key pair: set SENDGRID_WEBHOOK_PUBLIC_KEY to the verification key "
            "from its Event Webhook page; for home-made senders that sign by HMAC, set FLYWHEEL_SENDGRID_HMAC=1"
        )
    public_keys = _listed(settings.sendgrid_webhook_public_key)
    account: dict[str, Any] = {} if settings.public_url is None else {"public_url": settings.public_url}
    found: dict[Provider, tuple[dict[str, tuple[str, ...]], dict[str, Any]]] = {
        Provider.SENDGRID: (
            {
                "public_keys": public_keys,
                "hmac_secrets": _secret(settings.sendgrid_webhook_secret) if settings.sendgrid_hmac else (),
            },
            {},
        ),
        Provider.SENDGRID_INBOUND: ({"tokens": _secret(settings.sendgrid_inbound_token)}, {}),
        Provider.HUBSPOT: (
            {"client_secrets": _secret(settings.hubspot_client_secret)},
            account | {"signatures": _listed(settings.hubspot_signatures)},
        ),
        Provider.SALESFORCE: (
            {"tokens": _secret(settings.salesforce_webhook_token)},
            {"organization_ids": _listed(settings.salesforce_org_ids)} if settings.salesforce_org_ids else {},
        ),
        Provider.PIPEDRIVE: ({"basic": _basic(settings)}, {}),
        Provider.CALENDLY: ({"signing_keys": _secret(settings.calendly_webhook_signing_key)}, {}),
        Provider.GENERIC: ({"secrets": _secret(settings.crm_webhook_secret)}, {}),
    }
    return [
        Connection(
            id=ENVIRONMENT,
            provider=provider,
            organization_id=settings.organization_id,
            secrets={name: values for name, values in secrets.items() if values},
            settings=account_settings,
        )
        for provider, (secrets, account_settings) in found.items()
        if any(secrets.values())
    ]


def without_proof(provider: Provider, settings: Settings) -> Connection:
    """What stands in for a connection under FLYWHEEL_INSECURE_WEBHOOKS=1, where a provider has none."""
    return Connection(id=WITHOUT_PROOF, provider=provider, organization_id=settings.organization_id)


def _secret(value: Any) -> tuple[str, ...]:
    return () if value is None else (value.get_secret_value(),)


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _basic(settings: Settings) -> tuple[str, ...]:
    if settings.pipedrive_webhook_user is None or settings.pipedrive_webhook_password is None:
        return ()
    return (f"{settings.pipedrive_webhook_user}:{settings.pipedrive_webhook_password.get_secret_value()}",)
