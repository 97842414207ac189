"""What agents wait for: tracking a message beside a bare insert of one row, and every question about strategies at three sizes of one organization."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from rich.table import Table

from benchmarks.measuring import Ground, Report, console, seconds
from flywheel_dagster.replies.analyzer import SentimentAnalyzer
from flywheel_dagster.strategies.integration import AgentOutcomeIntegration
from flywheel_dagster.strategies.learning import recount, refresh

SIZES = (10_000, 100_000, 1_000_000)
GOAL, TRACKING_GOAL = 200, 10  # milliseconds of a call; times the bare insert
_CALLS, _ASKED = 500, 20
_WEEKS, _CAMPAIGNS = 52, 12
# Straight into the table: nobody waits for what led to them. Sixteen strategies, six hooks by twos, four calls to action, five senders, 450 kinds of lead.
_HISTORY = """insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, framework, tone, agent_decisions, lead_industry,
  lead_role, company_size, delivered, opened, replied, replied_at, reply_sentiment_score, meeting_booked, deal_closed, deal_value)
select 'acme', 'campaign-' || i % %(campaigns)s, 'lead-' || i / 3, (array['email', 'linkedin', 'sms'])[1 + i %% 7 %% 3], 'Hello', s.at, s.framework, s.tone,
  jsonb_build_object(
    'PersonalizerAgent', jsonb_build_object('framework', s.framework, 'tone', s.tone),
    'CopywriterAgent', jsonb_build_object('subject_line', 'About ' || md5(i::text), 'cta', 'cta-' || i %% 4,
      'hooks_used', jsonb_build_array('hook-' || i %% 6, 'hook-' || (i + 1 + i %% 5) %% 6)),
    'DeliverabilityAgent', jsonb_build_object('domain_selected', 'team' || i %% 5 || '@mail' || i %% 5 || '.example', 'send_time', to_char(s.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'warmup_score', 0.85)),
  'industry-' || i %% 6, 'role-' || i %% 5, 'size-' || i %% 11 %% 5, true, s.luck < 0.4, s.luck < 0.05 + 0.01 * (i %% 4),
  case when s.luck < 0.05 + 0.01 * (i %% 4) then s.at + interval '1 day' end, case when s.luck < 0.05 then 0.5 end, s.luck < 0.02, s.luck < 0.005,
  case when s.luck < 0.005 then 9000 end
from generate_series(%(first)s::int, %(last)s - 1) i
cross join lateral (
  select now() - interval '1 day' - i::bigint * 7919 %% (%(weeks)s * 10080) * interval '1 minute' as at, (hashint4(i)::bigint + 2147483648) / 4294967296.0 as luck,
    (array['PAS', 'AIDA', 'BAB', 'FAB'])[1 + i %% 4] as framework, (array['professional', 'casual', 'consultative', 'direct'])[1 + i / 4 %% 4] as tone
) s"""
_BARE = "insert into bare (lead_id, message_body, sent_at) values (%s, %s, now())"


def measure(place: Ground, rows: int) -> Report:
    """The table of tracking; the one of questions is printed beside it."""
    sizes = [size for size in SIZES if size <= max(rows, SIZES[0])]
    report = Report(f"tracking messages, {_CALLS} one after the other on one connection")
    asyncio.run(_tracking(place, report))
    with place.service() as connection:
        connection.autocommit = True
        table, columns, have = (
            Table(title="an organization's strategies: milliseconds of each call, the median of twenty", title_justify="left"),
            [],
            0,
        )
        for size in sizes:
            with console.status(f"{size:,} outcomes"):
                columns.append(_at(place, connection, have, size))
            have = size
            console.print(f"{size:,} outcomes: " + "; ".join(f"{name} {took}" for name, took in columns[-1].items()))
    table.add_column("")
    for size in sizes:
        table.add_column(f"{size:,} outcomes", justify="right")
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    console.print(table)
    return report


async def _tracking(place: Ground, report: Report) -> None:
    async with (
        await psycopg.AsyncConnection.connect(place.addresses.service, autocommit=True) as bare,
        AgentOutcomeIntegration(place.addresses.service, analyzer=SentimentAnalyzer(offline=True), pool_size=1) as agent,
    ):
        async with await psycopg.AsyncConnection.connect(place.addresses.owner, autocommit=True) as owner:
            await owner.execute(
                "create table bare (id uuid primary key default gen_random_uuid(), lead_id text, message_body text, sent_at timestamptz)"
            )
            await owner.execute("grant insert on bare to flywheel_service")

        async def floor(number: int) -> None:
            await bare.execute(_BARE, (f"lead-{number}", "Hello"))

        async def track(number: int) -> None:
            await agent.track_agent_message(
                "tracked", "spring", f"lead-{number}", "email", "Hello", {"CopywriterAgent": {"cta": "book"}}
            )

        took: dict[str, list[float]] = {"floor": [], "track": []}
        for number in range(-50, _CALLS):  # in turn; the first fifty warm up
            for name, call in (("floor", floor), ("track", track)):
                begin = time.perf_counter()
                await call(number)
                if number >= 0:
                    took[name].append(time.perf_counter() - begin)
        many = [
            {"organization_id": "tracked", "campaign_id": "many", "lead_id": f"l{n}", "channel": "email", "message_body": "Hello"}
            for n in range(10_000)
        ]
        begin = time.perf_counter()
        await agent.track_agent_messages(many)
        batch = time.perf_counter() - begin
    middle, late = ({name: sorted(each)[int(share * _CALLS)] for name, each in took.items()} for share in (0.5, 0.99))
    report.add(
        "floor: a bare insert of one row",
        sum(took["floor"]),
        _CALLS,
        ratio=f"1 (p50 {middle['floor'] * 1e3:.2f} ms, p99 {late['floor'] * 1e3:.2f} ms)",
    )
    report.add(
        "track_agent_message",
        sum(took["track"]),
        _CALLS,
        ratio=f"p50 {middle['track'] / middle['floor']:.1f} x, p99 {late['track'] / late['floor']:.1f} x (goal: {TRACKING_GOAL})",
    )
    report.add(
        "track_agent_messages, 1,000 in a round trip", batch, len(many), ratio=f"{batch / len(many) / middle['floor']:.2f} x a row"
    )


def _at(place: Ground, connection: psycopg.Connection[TupleRow], have: int, size: int) -> dict[str, str]:
    connection.execute(_HISTORY.replace("% %(campaigns)s", f"%% {_CAMPAIGNS}"), {"first": have, "last": size, "weeks": _WEEKS})
    with psycopg.connect(place.addresses.owner, autocommit=True) as owner:
        owner.execute("vacuum analyze outcome_labels")
    counted, _ = seconds(lambda: recount(connection, "acme"))
    connection.execute("update strategy_lessons set made_at = made_at - interval '2 days'")  # so that all is learnt anew
    learnt, _ = seconds(lambda: list(refresh(connection, "acme")))
    connection.execute(
        "update outcome_labels set clicked = true where id in (select id from outcome_labels where organization_id = 'acme' order by sent_at desc limit 100)"
    )
    again, _ = seconds(lambda: recount(connection, "acme"))
    with psycopg.connect(place.addresses.owner, autocommit=True) as owner:
        owner.execute("vacuum analyze strategy_weeks, strategy_segments")
    found = {
        "counting all weeks, s": f"{counted:,.1f}",
        "learning, three dimensions, s": f"{learnt:,.1f}",
        "counting again what 100 changed outcomes changed, s": f"{again:,.2f}",
    }
    return found | {name: f"{took:,.0f}" for name, took in asyncio.run(_questions(place)).items()}


async def _questions(place: Ground) -> dict[str, float]:
    calls: dict[str, Callable[[AgentOutcomeIntegration], Awaitable[Any]]] = {
        "get_winning_strategies": lambda agent: agent.get_winning_strategies("acme"),
        "get_winning_strategies by hooks_used,cta": lambda agent: agent.get_winning_strategies("acme", by="hooks_used,cta"),
        "get_winning_strategies by cta": lambda agent: agent.get_winning_strategies("acme", by="cta"),
        "get_agent_performance of a campaign": lambda agent: agent.get_agent_performance("campaign-1", organization_id="acme"),
        "get_agent_performance, CopywriterAgent": lambda agent: agent.get_agent_performance(
            "campaign-1", "CopywriterAgent", organization_id="acme"
        ),
        "get_agent_performance, DeliverabilityAgent": lambda agent: agent.get_agent_performance(
            "campaign-1", "DeliverabilityAgent", organization_id="acme"
        ),
        "get_agent_performance by performance": lambda agent: agent.get_agent_performance(
            "campaign-1", organization_id="acme", metric="performance"
        ),
        "suggest_strategy": lambda agent: agent.suggest_strategy("acme", {"industry": "industry-1", "role": "role-2"}, "email"),
    }
    found = {}
    async with AgentOutcomeIntegration(place.addresses.service, analyzer=SentimentAnalyzer(offline=True)) as agent:
        for name, call in calls.items():
            took = []
            for _ in range(_ASKED + 1):
                begin = time.perf_counter()
                assert await call(agent)
                took.append(time.perf_counter() - begin)
            found[name] = 1e3 * sorted(took[1:])[_ASKED // 2]
            if name == "suggest_strategy":
                found["suggest_strategy, the first after learning"] = 1e3 * took[0]
    return found
