"""`flywheel connection`: who may report outcomes, and for which organization."""

import json
import secrets as randomness
import sys
from typing import Annotated, Any

import typer
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import service
from flywheel_dagster.commands.organizations import require_valid_id
from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.ingester.received import Provider

app = typer.Typer(no_args_is_help=True, help="Who may report outcomes: a provider's credentials, bound to one organization.")

# The kinds of secret of each provider; the first is what --secret means.
SECRETS: dict[Provider, tuple[str, ...]] = {
    Provider.SENDGRID: ("public_keys", "hmac_secrets"),
    Provider.SENDGRID_INBOUND: ("tokens", "public_keys"),
    Provider.HUBSPOT: ("client_secrets",),
    Provider.SALESFORCE: ("tokens",),
    Provider.PIPEDRIVE: ("basic",),
    Provider.CALENDLY: ("signing_keys",),
    Provider.GENERIC: ("secrets",),
}
_OURS = {Provider.SENDGRID_INBOUND, Provider.SALESFORCE, Provider.GENERIC}  # secrets that we may invent
_PATHS = {
    Provider.SENDGRID: "/webhooks/sendgrid",
    Provider.SENDGRID_INBOUND: "/webhooks/sendgrid/inbound",
    Provider.CALENDLY: "/webhooks/calendly",
}


@app.command("add")
def add(
    provider: Annotated[Provider, typer.Argument(help="Who sends.")],
    organization: Annotated[str, typer.Option(help="Whose outcomes it may report.")],
    secret: Annotated[
        str,
        typer.Option(
            help="What proves the sender: '-' reads it from standard input, 'new' invents one where it is ours to choose."
        ),
    ] = "-",  # noqa: S107
    kind: Annotated[
        str | None, typer.Option(help="Which kind of secret, where a provider has several, such as hmac_secrets.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(help='NAME=VALUE of this account (JSON or text), such as won_stages=\'["closedwon", "9351"]\'.'),
    ] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
) -> None:
    """Add a connection; the ingester knows it within seconds. Add a second one to change a secret without a gap, then revoke the first."""
    require_valid_id(organization)
    kinds = SECRETS[provider]
    if kind is not None and kind not in kinds:
        raise typer.BadParameter(f"{provider} has {' and '.join(kinds)}", param_hint="--kind")
    if secret == "new" and provider not in _OURS:  # noqa: S105
        raise typer.BadParameter(f"{provider} gives you its secret; pass it on standard input", param_hint="--secret")
    value = randomness.token_urlsafe(32) if secret == "new" else sys.stdin.readline().strip() if secret == "-" else secret  # noqa: S105
    if not value:
        raise InputError("the secret is empty; pass it on standard input, as in: flywheel connection add … < file")
    _require_usable(provider, kind or kinds[0], value)
    with service() as connection:
        connection.execute(
            statement("save_organization"),
            {"id": organization, "name": None, "share": None, "train": None, "deploy": None, "redact": None},
        )
        row = connection.execute(
            statement("add_connection"),
            {
                "organization_id": organization,
                "provider": provider.value,
                "name": name,
                "secrets": Jsonb({kind or kinds[0]: [value]}),
                "settings": Jsonb(dict(map(_setting, setting or []))),
            },
        ).fetchone()
    assert row is not None
    path = _PATHS.get(provider, f"/webhooks/crm/{provider}")
    if provider in (Provider.SENDGRID_INBOUND, Provider.SALESFORCE) and (kind or kinds[0]) == "tokens":
        path += f"/{value}"
    elif secret == "new":  # noqa: S105
        print(f"secret: {value}")
    print(f"connection {row[0]} added; give {provider} the address {path}?connection={row[0]}")


@app.command("list")
def list_() -> None:
    """List the connections, without their secrets."""
    table = Table("connection", "organization", "provider", "name", "secrets", "settings", "added", "revoked")
    with service() as connection:
        for row in connection.execute(statement("list_connections")).fetchall():
            table.add_row(
                *row[:4], ", ".join(row[4]), json.dumps(row[5]), f"{row[6]:%Y-%m-%d}", f"{row[7]:%Y-%m-%d}" if row[7] else ""
            )
    Console().print(table)


@app.command("revoke")
def revoke(connection_id: Annotated[str, typer.Argument(metavar="CONNECTION", help="Its id.")]) -> None:
    """Refuse a connection from now on. What it reported stays."""
    with service() as connection:
        revoked = connection.execute(statement("revoke_connection"), {"id": connection_id}).rowcount
    if not revoked:
        raise InputError(f"no connection {connection_id} is in force; see flywheel connection list")
    print(f"connection {connection_id} revoked")


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--setting")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _require_usable(provider: Provider, kind: str, value: str) -> None:
    from flywheel_dagster.ingester.signatures.sendgrid import require_public_key

    try:
        if kind == "public_keys":
            require_public_key(value)
        if provider == Provider.PIPEDRIVE and ":" not in value:
            raise ValueError("Pipedrive's secret is user:password")
    except ValueError as error:
        raise InputError(str(error)) from error
