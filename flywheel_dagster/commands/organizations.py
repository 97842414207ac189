"""`flywheel org`: organizations, what they consent to, and who sends for them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import require_organization, service
from flywheel_dagster.database import statement

app = typer.Typer(no_args_is_help=True, help="Organizations, what they consent to, and who sends for them.")


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
    deploy: Annotated[
        bool | None, typer.Option("--deploy/--no-deploy", help="A version of its own gets its first traffic by itself.")
    ] = None,
    redact: Annotated[
        bool | None,
        typer.Option("--redact/--no-redact", help="Personal data in its messages is replaced in examples (on by default)."),
    ] = None,
) -> None:
    """Add an organization, or change what it consents to. Nothing but redaction is on unless it is said here."""
    require_valid_id(organization)
    with service() as connection:
        connection.execute(
            statement("save_organization"),
            {"id": organization, "name": name, "share": share, "train": train, "deploy": deploy, "redact": redact},
        )
    print(f"organization {organization} saved")


@app.command("list")
def list_() -> None:
    """List the organizations, their outcomes and what they consent to."""
    table = Table("organization", "name", "shares with global", "own model", "deploys it", "redacted", "senders", "outcomes")
    with service() as connection:
        for row in connection.execute(statement("list_organizations")).fetchall():
            table.add_row(row[0], row[1] or "", *("yes" if each else "no" for each in row[2:6]), str(row[6]), str(row[7]))
    Console().print(table)


@app.command("revoke")
def revoke(organization: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Withdraw every consent of an organization: from now on nothing is trained on its messages."""
    with service() as connection:
        require_organization(connection, organization)
        connection.execute(
            statement("save_organization"),
            {"id": organization, "name": None, "share": False, "train": False, "deploy": False, "redact": None},
        )
    print(f"organization {organization} consents to nothing now")


@app.command("senders")
def senders(
    organization: Annotated[str, typer.Argument(help="Its id.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A CSV file with a header and any of the columns first_name, last_name, company, email, phone.",
        ),
    ] = None,
) -> None:
    """Say who sends for an organization: the people of FILE, and nobody else, are replaced in its examples. Without a file, list them."""
    from flywheel_dagster.datasets.privacy.senders import replace_senders  # a tenth of a second that no other command needs

    table = Table("first name", "last name", "company", "e-mail", "phone")
    with service() as connection:
        require_organization(connection, organization)
        if file is not None:
            print(
                f"{replace_senders(connection, organization, file)} senders of {organization} saved; its weeks are due to be scored anew"
            )
            return
        for row in connection.execute(statement("list_senders"), {"id": organization}).fetchall():
            table.add_row(*(value or "" for value in row))
    Console().print(table)
