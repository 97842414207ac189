"""`flywheel replies`: classify replies from a pipe, and have people review what machines made of them."""

import asyncio
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import orjson
import psycopg
import typer
from psycopg.rows import TupleRow
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import progress, require_organization, service
from flywheel_dagster.errors import FlywheelError, InputError
from flywheel_dagster.outcomes.events import json_bytes

if TYPE_CHECKING:
    from flywheel_dagster.replies.analyzer import SentimentAnalyzer

app = typer.Typer(no_args_is_help=True, help="What replies say: classify them from a pipe, and review the machine's judgement.")

_CHUNK = 256  # lines that are read before their answers are written


@app.command("classify")
def classify(
    offline: Annotated[bool, typer.Option("--offline", help="By rules alone; nothing leaves this machine.")] = False,
) -> None:
    """Read JSON lines with reply_text (and maybe original_message and context) from stdin; write the same lines with what each reply says.

    The order stays. A line that can't be classified comes back with an error, and the exit code is 1. No database is needed.
    """
    if sys.stdin.isatty():
        raise typer.BadParameter(
            'there is nothing on stdin; try: echo \'{"reply_text": "Tell me more"}\' | flywheel replies classify --offline'
        )
    failed = asyncio.run(_classify(sys.stdin.buffer, sys.stdout.buffer, offline=offline))
    if failed:
        raise FlywheelError(f"{failed} lines could not be classified; they have an error in the output")


@app.command("review")
def review(
    export: Annotated[Path | None, typer.Option("--export", help="Write a CSV file of replies for people to label.")] = None,
    take: Annotated[
        Path | None, typer.Option("--import", help="Take the labels of such a file.", exists=True, dir_okay=False)
    ] = None,
    organization: Annotated[str | None, typer.Option(help="Only this organization's replies.")] = None,
    disagreements: Annotated[int, typer.Option(min=0, help="Most replies on which rules and judgement disagree.")] = 200,
    agreements: Annotated[int, typer.Option(min=0, help="Most replies on which they agree, drawn by chance.")] = 50,
) -> None:
    """Have people judge replies, and see how far the machine can be believed.

    --export writes a file, in which label (positive, neutral, negative) and, where they differ from the machine's, interest and objection are
    to be filled in; --import takes it back. A person's label overrules every machine's. Without either: what was learnt so far.
    """
    from flywheel_dagster.replies.review import export_for_review, take_reviews

    with service() as connection:
        if organization:
            require_organization(connection, organization)
        if export:
            with progress("replies") as bar:
                bar.add_task("compare", total=None)
                done = export_for_review(
                    connection, export, organization_id=organization, disagreements=disagreements, agreements=agreements
                )
            print(
                f"{export}: {done.disagreements} of {done.all_disagreements} replies on which rules and judgement disagree, "
                f"{done.agreements} of {done.all_agreements} on which they agree; fill in label, then: flywheel replies review --import {export}"
            )
        if take:
            print(f"{take_reviews(connection, take)} new labels recorded; they overrule the machine's")
        if not export:
            _show_reviews(connection, organization)


async def _classify(source: BinaryIO, sink: BinaryIO, *, offline: bool) -> int:
    """Classify line by line, a chunk at a time; returns how many lines failed."""
    from flywheel_dagster.replies.analyzer import SentimentAnalyzer

    failed = 0
    lines = (line for line in source if line.strip())
    async with SentimentAnalyzer(offline=offline) as analyzer:
        with progress("replies") as bar:
            task = bar.add_task("classify", total=None)
            while chunk := list(islice(lines, _CHUNK)):
                told = await asyncio.gather(*(_analyzed(analyzer, line) for line in chunk))
                failed += sum("error" in row for row in told)
                sink.writelines(json_bytes(row) + b"\n" for row in told)
                sink.flush()
                bar.advance(task, len(chunk))
    return failed


async def _analyzed(analyzer: "SentimentAnalyzer", line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
        if not isinstance(row, dict):
            raise InputError("the line is no JSON object; give one with reply_text")
    except orjson.JSONDecodeError:
        return {"error": "the line is no JSON; give an object with reply_text on a line of its own"}
    except InputError as error:
        return {"error": str(error)}
    try:
        return row | await analyzer.analyze_reply(row.get("reply_text", ""), row.get("original_message"), row.get("context"))
    except InputError as error:
        return row | {"error": str(error)}


def _show_reviews(connection: psycopg.Connection[TupleRow], organization: str | None) -> None:
    from flywheel_dagster.replies.analysis import Sentiment
    from flywheel_dagster.replies.correction import ENOUGH, agreement, confusion, corrected_shares
    from flywheel_dagster.replies.review import machine_labels, reviews

    found, reported = reviews(connection, organization_id=organization), machine_labels(connection, organization_id=organization)
    console, labels = Console(), [label.value for label in Sentiment]
    print(f"{len(found)} replies were reviewed by people; {sum(reported.values())} others have a machine's label only")
    if found:
        matrix = confusion(found)
        table = Table(
            "machine \\ people", *labels, title="replies by the machine's label and people's, weighted", title_justify="left"
        )
        for machine in labels:
            table.add_row(machine, *(f"{matrix.get((machine, human), 0):,.0f}" for human in labels))
        console.print(table)
        print(f"machine and people agree on {agreement(found):.1%} of the labels")
    if shares := corrected_shares(reported, found):
        table = Table("label", "reported", "corrected", "95 % interval")
        for share in shares:
            table.add_row(share.label, f"{share.reported:.1%}", f"{share.corrected:.1%}", f"{share.low:.1%} to {share.high:.1%}")
        console.print(table)
    else:
        print(f"from {ENOUGH} reviewed replies on, the reported rates are corrected by them: flywheel replies review --export FILE")
