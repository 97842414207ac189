"""What the commands for models and experiments share: their options, who acts, and rows as JSON."""

import getpass
import sys
from typing import Annotated, Any

import orjson
import typer

Scope = Annotated[str, typer.Option(help="Whose models: global, or an organization's id.")]
AnyScope = Annotated[str | None, typer.Option(help="Only of this scope: global, or an organization's id [all].")]
Actor = Annotated[str | None, typer.Option(help="Who does it, for the history [the user of this machine].")]
Reason = Annotated[str | None, typer.Option(help="Why, for the history.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, a line for each.")]


def actor_or_user(actor: str | None) -> str:
    """Who acts: as was said, or the user of the operating system."""
    try:
        return actor or getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number and no name
        return "the command line"


def organization_of(scope: str) -> str | None:
    """The organization whose scope it is; None for the global one."""
    return None if scope == "global" else scope


def print_json(*rows: Any) -> None:
    """A line of JSON for each."""
    for row in rows:
        sys.stdout.buffer.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))
