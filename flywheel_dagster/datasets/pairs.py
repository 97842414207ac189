"""Assembles preference pairs: two messages to the same audience, of which one had success, in OpenAI's DPO format and as rows for KTO."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.choosing import Chosen, begin, counted, drop_outdated, group_near_duplicates, sum_up
from flywheel_dagster.datasets.files import SIDES, Written
from flywheel_dagster.datasets.prompts import ASKED
from flywheel_dagster.datasets.published import PREFERENCE, Dataset, require_scope
from flywheel_dagster.datasets.publishing import Draft, publish, write_files
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.streaming import HashedFile


def assemble_pairs(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    """Match, write and publish the pairs of a scope ("global" or an organisation's id); examples and lines of the result count pairs.

    A winner (meeting, deal, interested reply) meets a loser (refused, or met with silence that has lasted) of the same organisation, channel,
    industry, role and four weeks, on the same side of the split; nobody stands in two pairs. `limit` counts pairs; `min_quality`, `negatives`
    and `repeat_up_to` don't matter here. Raises InputError as `assemble` does.
    """
    require_scope(connection, scope)
    selection = selection.dated()
    with held_lock(connection, Lock.ASSEMBLY):
        with one_snapshot(connection):
            draft = Draft(PREFERENCE, scope, selection, _match(connection, scope, selection))
            folder = write_files(connection, draft, directory, lambda folder: list(_write(connection, folder)))
        return publish(connection, draft, directory, folder)


def preview(connection: psycopg.Connection[TupleRow], dataset: Dataset, count: int) -> list[dict[str, Any]]:
    """The first pairs that are trained on, without their texts: audience, scores, lengths, ids."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("preview_pairs"), {"hash": dataset.hash, "limit": count}).fetchall()


def _match(connection: psycopg.Connection[TupleRow], scope: str, selection: Selection) -> Chosen:
    rule = selection.parameters(scope)
    begin(connection)
    left_out = counted(connection, "pair_candidates", rule)
    candidates = sum(left_out.values())
    connection.execute(statement("create_pair_candidate"), rule)
    left_out |= drop_outdated(connection, "pair_candidate")
    connection.execute("analyze pair_candidate")
    connection.execute(statement("create_pair_matched"))
    connection.execute("analyze pair_matched")
    connection.execute(statement("keep_pair_members"), rule)
    connection.execute("analyze dataset_kept")
    group_near_duplicates(connection)
    connection.execute(statement("create_pair_choice"), rule)
    left_out |= counted(connection, "pair_drops", rule)
    connection.execute(statement("create_pair_selection"))
    return sum_up(connection, candidates, left_out)


def _write(connection: psycopg.Connection[TupleRow], folder: Path) -> Iterator[Written]:
    """`train.jsonl` and its siblings for DPO, `kto_train.jsonl` and its siblings for KTO."""
    with ExitStack() as stack:
        files = {
            (form, side): stack.enter_context(HashedFile(folder / f"{form}{name}"))
            for form in ("", "kto_")
            for side, name in SIDES.items()
        }
        with connection.cursor("pair_lines") as lines:
            for side, preferred, rejected in lines.execute(statement("pair_lines")):
                prompt, won, lost = pair_of(orjson.loads(preferred), orjson.loads(rejected))
                files["", side].write(_line(dpo_example(prompt, won, lost)), 1)
                files["kto_", side].write(b"".join(_line(row) for row in kto_rows(prompt, won, lost)), 2)
    yield from (file.written() for file in files.values())


def pair_of(preferred: dict[str, Any], rejected: dict[str, Any]) -> tuple[list[dict[str, str]], str, str]:
    """What both examples were asked for in common (so without framework or tone where these differ), and the two messages."""
    system, user, won = preferred["messages"]
    _, other, lost = rejected["messages"]
    there = set(other["content"].splitlines()[1:])
    common = [line for line in user["content"].splitlines()[1:] if line in there]
    return [system, {"role": "user", "content": "\n".join([ASKED, *common])}], won["content"], lost["content"]


def dpo_example(prompt: list[dict[str, str]], won: str, lost: str) -> dict[str, Any]:
    """One line of OpenAI's format for direct preference optimization (https://platform.openai.com/docs/guides/direct-preference-optimization)."""
    return {
        "input": {"messages": prompt, "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": won}],
        "non_preferred_output": [{"role": "assistant", "content": lost}],
    }


def kto_rows(prompt: list[dict[str, str]], won: str, lost: str) -> list[dict[str, Any]]:
    """The two rows of TRL's unpaired preference format (https://huggingface.co/docs/trl/dataset_formats#unpaired-preference)."""
    return [
        {"prompt": prompt, "completion": [{"role": "assistant", "content": text}], "label": label}
        for text, label in ((won, True), (lost, False))
    ]


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
