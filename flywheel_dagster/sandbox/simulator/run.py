"""Writes a simulated history to the database, through the ledger like everything else; safe to kill anywhere and to run again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import msgspec
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes import ledger
from flywheel_dagster.outcomes.events import json_bytes
from flywheel_dagster.sandbox.simulator.draws import stream
from flywheel_dagster.sandbox.simulator.history import Simulated, history
from flywheel_dagster.sandbox.simulator.mess import messy
from flywheel_dagster.sandbox.simulator.world import World

BATCH = 1_000


@dataclass(frozen=True)
class Summary:
    """What a run wrote. A second run of a finished simulation writes nothing: `messages` and `events` are then 0.

    `anchor` places the messages, `now` is the moment up to which things have happened. `repeated` counts redeliveries and what
    an earlier run had written.
    """

    name: str
    anchor: datetime
    now: datetime
    messages: int
    events: int
    repeated: int


def simulate(
    connection: psycopg.Connection[TupleRow],
    world: World,
    *,
    name: str = "demo",
    anchor: datetime | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Summary:
    """Write the world's organisations, leads, messages and events, about 1,000 messages a transaction.

    The first run under a name stores the world and its anchor (by default the current second); later runs read them back, so a
    run after a crash completes the same history. A later `anchor` given then lets time pass: the same messages, with what has
    happened to them since. `progress` is called with (messages done, of how many) after each batch.

    Give a connection with no open transaction; inside one, nothing is kept before the caller commits. Raises InputError for a
    name that holds another world, a seed that another name has taken (its ids would be the same), or an earlier anchor.
    """
    stored = _begin(connection, world, name, anchor)
    now = stored if anchor is None else anchor
    written = recorded = repeated = done = 0
    stories = history(world, stored, now=now)
    while batch := list(islice(stories, BATCH)):
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(7062, hashtext(%s))", (name,))
            new, taken = _write(connection, world, batch)
        written += new
        recorded += taken[0]
        repeated += taken[1]
        done += len(batch)
        if progress is not None:
            progress(done, world.messages)
    return Summary(name=name, anchor=stored, now=now, messages=written, events=recorded, repeated=repeated)


def _begin(connection: psycopg.Connection[TupleRow], world: World, name: str, anchor: datetime | None) -> datetime:
    """Stores the world and its anchor, or compares them with what is stored; returns the anchor in UTC."""
    if anchor is not None and anchor.tzinfo is None:
        raise InputError(f"the anchor {anchor} has no time zone; give an aware datetime")
    parameters = json_bytes(msgspec.to_builtins(world)).decode()
    with connection.transaction():
        # One beginning at a time, so that two names can't take one seed at the same moment.
        connection.execute("select pg_advisory_xact_lock(7062, 0)")
        taken = connection.execute("select name from simulations where seed = %s and name <> %s", (world.seed, name)).fetchone()
        if taken:
            raise InputError(
                f"seed {world.seed} belongs to simulation {taken[0]!r}, whose messages would have the same ids; use another seed"
            )
        row = connection.execute("select parameters, anchor from simulations where name = %s", (name,)).fetchone()
        if row is None:
            stored = (datetime.now(UTC) if anchor is None else anchor.astimezone(UTC)).replace(microsecond=0)
            connection.execute(
                "insert into simulations (name, seed, parameters, anchor) values (%s, %s, %s::jsonb, %s)",
                (name, world.seed, parameters, stored),
            )
        else:
            _same_world(name, row[0], world)
            stored = row[1].astimezone(UTC)
            if anchor is not None and anchor.replace(microsecond=0) < stored:
                raise InputError(
                    f"simulation {name!r} stands at {stored:%Y-%m-%d %H:%M:%S} UTC and can't go back to {anchor}; "
                    "leave the anchor out, give a later one, or use another name and seed"
                )
        connection.execute(
            "insert into organizations (id, name, allows_global_training) "
            "select o.id, o.name, o.allows_global_training "
            "from jsonb_to_recordset(%s::jsonb) as o (id text, name text, allows_global_training boolean) order by o.id "
            "on conflict (id) do nothing",
            (json_bytes([msgspec.structs.asdict(each) for each in world.organizations]).decode(),),
        )
    return stored


def _same_world(name: str, stored: object, world: World) -> None:
    try:
        before = msgspec.convert(stored, World)
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(f"simulation {name!r} was made by another version ({error}); use another name and seed") from error
    if before != world:
        differing = [field for field in World.__struct_fields__ if getattr(before, field) != getattr(world, field)]
        raise InputError(
            f"simulation {name!r} exists with other parameters ({', '.join(differing)}); "
            "repeat those it has, or use another name and seed"
        )


def _write(connection: psycopg.Connection[TupleRow], world: World, batch: list[Simulated]) -> tuple[int, tuple[int, int]]:
    """One batch: some events come in before their message, most after it. Returns new messages and (new, repeated) events."""
    draw = stream(world.seed, b"order")
    early = {each.message.id for each in batch if draw(each.message.id.bytes)[0] < world.early_events}
    before = messy((event for each in batch if each.message.id in early for event in each.events), world)
    after = messy((event for each in batch if each.message.id not in early for event in each.events), world)

    first = ledger.record(connection, before)
    connection.execute(_INSERT_LEADS, {"leads": _leads_json(batch)})
    new = ledger.send(connection, (each.message for each in batch))
    second = ledger.record(connection, after)
    return new, (first.recorded + second.recorded, first.repeated + second.repeated)


def _leads_json(batch: list[Simulated]) -> str:
    leads = {each.lead.lead_id: each.lead for each in batch}
    return json_bytes([_columns(lead) for lead in leads.values()]).decode()


def _columns(lead: msgspec.Struct) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(lead).items() if name != "arm"}


_INSERT_LEADS = """
-- The people behind the messages of a batch; who is known already stays as he is.
insert into leads (organization_id, lead_id, email, first_name, last_name, company, industry, role, company_size, icp_score)
select l.organization_id, l.lead_id, l.email, l.first_name, l.last_name, l.company, l.industry, l.role, l.company_size, l.icp_score
from jsonb_to_recordset(%(leads)s::jsonb) as l (
  organization_id text, lead_id text, email text, first_name text, last_name text, company text, industry text, role text,
  company_size text, icp_score double precision)
order by l.organization_id, l.lead_id
on conflict (organization_id, lead_id) do nothing
"""
