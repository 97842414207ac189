"""`flywheel org`: organizations and what they consent to."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import require_organization, service
from flywheel_dagster.database import statement

app = typer.Typer(no_args_is_help=True, help="Organizations and what they consent to.")


def require_valid_id(organization: str) -> None:
    """Wrong usage for what can't be an organization's id."""
    if organization == "global" or not 1 <= len(organization) <= 200:
        raise typer.BadParameter("an organization's id has 1 to 200 characters and is not 'global'")


@app.command("add")
def add(
    organization: Annotated[str, typer.Argument(help="Its id, as it stands in outcome_labels.")],
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    share: Annotated[bool | None, typer.Option("--share/--no-share", help="Its messages may train the global model.")] = None,
    train: Annotated[bool | None, typer.Option("--train/--no-train", help="Every week it gets a model of its own.")] = None,
) -> None:
    """Add an organization, or change what it consents to. Nothing is on unless it is said here."""
    require_valid_id(organization)
    with service() as connection:
        connection.execute(statement("save_organization"), {"id": organization, "name": name, "share": share, "train": train})
    print(f"organization {organization} saved")


@app.command("list")
def list_() -> None:
    """List the organizations, their outcomes and what they consent to."""
    table = Table("organization", "name", "shares with global", "own model", "outcomes")
    with service() as connection:
        for row in connection.execute(statement("list_organizations")).fetchall():
            table.add_row(row[0], row[1] or "", "yes" if row[2] else "no", "yes" if row[3] else "no", str(row[4]))
    Console().print(table)


@app.command("revoke")
def revoke(organization: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Withdraw every consent of an organization: from now on nothing is trained on its messages."""
    with service() as connection:
        require_organization(connection, organization)
        connection.execute(statement("save_organization"), {"id": organization, "name": None, "share": False, "train": False})
    print(f"organization {organization} consents to nothing now")
