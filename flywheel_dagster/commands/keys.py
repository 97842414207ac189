"""`flywheel key`: who may use the API, for which organization, and how far."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flywheel_dagster.api.keys import Role, hash_of, new_key
from flywheel_dagster.commands.connecting import service
from flywheel_dagster.commands.organizations import require_valid_id
from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Who may use the API: keys, bound to one organization or to all.")


@app.command("add")
def add(
    organization: Annotated[str | None, typer.Option(help="Whose rows it reaches.")] = None,
    all_organizations: Annotated[bool, typer.Option("--all", help="It reaches every organization, and the global model.")] = False,
    role: Annotated[Role, typer.Option(help="viewer reads, operator trains too, admin deploys too.")] = Role.VIEWER,
    name: Annotated[str | None, typer.Option(help="For people; it stands in logs and histories.")] = None,
) -> None:
    """Add a key. It is shown once, now; only its hash is kept. Add a second one to change a key without a gap, then revoke the first."""
    if (organization is None) is not all_organizations:
        raise typer.BadParameter("name one organization, or say --all", param_hint="--organization")
    if name is not None and not 1 <= len(name) <= 200:
        raise typer.BadParameter("a name has 1 to 200 characters", param_hint="--name")
    if organization is not None:
        require_valid_id(organization)
    key = new_key()
    with service() as connection:
        if organization is not None:
            connection.execute(statement("know_organization"), {"id": organization})
        row = connection.execute(
            statement("add_api_key"), {"organization_id": organization, "role": role.value, "key_hash": hash_of(key), "name": name}
        ).fetchone()
    assert row is not None
    print(f"key: {key}")
    print(
        f"key {row[0]} added ({role} of {organization or 'all organizations'}); send it as Authorization: Bearer KEY. It can't be shown again"
    )


@app.command("list")
def list_() -> None:
    """List the keys, without what they are."""
    table = Table("key", "organization", "role", "name", "added", "last used", "revoked")
    with service() as connection:
        for row in connection.execute(statement("list_api_keys")).fetchall():
            table.add_row(*row[:4], *(f"{when:%Y-%m-%d}" if when else "" for when in row[4:]))
    Console().print(table)


@app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, not the key itself.")]) -> None:
    """Refuse a key from now on."""
    with service() as connection:
        revoked = connection.execute(statement("revoke_api_key"), {"id": key_id}).rowcount
    if not revoked:
        raise InputError("no such key is in force; give its id, see flywheel key list")
    print(f"key {key_id} revoked")
