"""What sales systems wait for: POST /score beside a no-op endpoint, over one and 64 connections, while a model is learnt in another process and not; and how
many leads a second one process scores in batches."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from benchmarks.measuring import Ground, Report
from benchmarks.webhook_load import Measured, post_all
from flywheel_dagster.api.keys import Role, hash_of
from flywheel_dagster.leads.fields import LeadSource
from flywheel_dagster.leads.learning.learn import learn
from flywheel_dagster.leads.learning.storage import dump
from flywheel_dagster.leads.learning.table import TrainingTable
from flywheel_dagster.leads.scoring import LeadScorer
from flywheel_dagster.leads.writing import Lead
from flywheel_dagster.settings import Settings

GOAL = 1_000  # scores a second in batches
_ORGANIZATIONS = 8  # each is let in 10,000 times a minute
_BATCH, _BATCHES = 1_000, 10
_WARM = 100


def measure(place: Ground, requests: int) -> Report:
    """One line a way of asking."""
    report = Report(f"POST /score, {requests:,} requests each; the floor reads the body and answers")
    _deploy(place)
    organization = iter(range(_ORGANIZATIONS))
    with _running(place, "api") as api, _running(place, "no-op") as floor:
        for training in (False, True):
            with _running(place, "training") if training else nullcontext():
                for connections in (1, 64):
                    number = next(organization)
                    least = _asked(floor, number, requests, connections)
                    scored = _asked(api, number, requests, connections)
                    when = f"{connections} connection{'s' if connections > 1 else ''}{', during a training' if training else ''}"
                    report.add(f"no-op, {when}", least.seconds, requests, ratio=_quantiles(least, None))
                    report.add(f"POST /score, {when}", scored.seconds, requests, ratio=_quantiles(scored, least))
        body = json.dumps([{**lead, "lead_id": f"batch {number}"} for number, lead in enumerate(_leads(_BATCH))]).encode()
        batches = [_request("/score/batch", body, next(organization))] * _BATCHES
        took = post_all(api, batches, 1)
        report.add("POST /score/batch, 1,000 leads each", took.seconds, _BATCH * _BATCHES, ratio=f"goal: {GOAL:,} scores/s")
    took_here = asyncio.run(_in_process(place))
    report.add("LeadScorer.score, 1,000 leads each", took_here, _BATCH * _BATCHES, ratio=f"goal: {GOAL:,} scores/s")
    return report


def told_leads(rows: int, chance: np.random.Generator) -> TrainingTable:
    """Leads of the standard fields and ten attributes, some of which tell whether they convert."""
    features = [_lead(chance) for _ in range(rows)]
    log_odds = np.array(
        [0.12 * (lead["email_opens"] - 10) + 0.5 * lead["score 0"] - (lead["industry"] == "Retail") for lead in features]
    )
    converted = chance.random(rows) < 1 / (1 + np.exp(-log_odds))
    names = [str(number) for number in range(rows)]
    return TrainingTable(features, converted, names, None, names)


def _lead(chance: np.random.Generator) -> dict[str, Any]:
    return {
        "age": int(chance.integers(20, 70)), "location": f"city {chance.integers(50)}", "industry": str(chance.choice(["Technology", "Retail", "Health"])),
        "email_opens": int(chance.integers(0, 30)), "website_visits": int(chance.integers(0, 30)), "content_downloads": int(chance.integers(0, 10)),
        "days_since_contact": int(chance.integers(0, 60)), "lead_source": str(chance.choice(list(LeadSource))),
        **{f"score {number}": round(float(chance.normal()), 3) for number in range(6)}, **{f"word {number}": f"w{chance.integers(8)}" for number in range(4)},
    }  # fmt: skip


def _leads(many: int) -> list[dict[str, Any]]:
    chance = np.random.default_rng(1)
    standard = (
        "age",
        "location",
        "industry",
        "email_opens",
        "website_visits",
        "content_downloads",
        "days_since_contact",
        "lead_source",
    )
    found = [_lead(chance) for _ in range(many)]
    return [
        {name: lead[name] for name in standard}
        | {"attributes": {name: value for name, value in lead.items() if name not in standard}}
        for lead in found
    ]


def _deploy(place: Ground) -> None:
    artifact = dump(learn(told_leads(2_000, np.random.default_rng(3))).model)
    with place.service() as connection:
        for number in range(_ORGANIZATIONS):
            connection.execute("insert into organizations (id) values (%s)", (_name(number),))
            connection.execute(
                "with made as (insert into lead_models (organization_id, version, estimator, artifact, data_sha256, options_sha256, rows, feedback_through,"
                " metrics, card) values (%s, '1.0', 'logistic', %s, repeat('0', 64), repeat('0', 64), 2000, 0, %s, %s) returning organization_id, id)"
                " insert into lead_decisions (organization_id, model_id, action, reason, decided_by) select organization_id, id, 'deploy', '', 'bench' from made",
                (_name(number), artifact, Jsonb({}), Jsonb({})),
            )


def _asked(port: int, number: int, requests: int, connections: int) -> Measured:
    leads = _leads(requests + _WARM)
    sent = [
        _request("/score", json.dumps({**lead, "lead_id": f"lead {place % 5_000}"}).encode(), number)
        for place, lead in enumerate(leads)
    ]
    post_all(port, sent[:_WARM], connections)
    return post_all(port, sent[_WARM:], connections)


def _request(path: str, body: bytes, number: int) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer {_name(number)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _quantiles(taken: Measured, floor: Measured | None) -> str:
    shown = []
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        times = f" = {taken.quantile(share) / floor.quantile(share):.1f} x" if floor else ""
        shown.append(f"{name} {1e3 * taken.quantile(share):.1f} ms{times}")
    return ", ".join(shown)


async def _in_process(place: Ground) -> float:
    leads: Sequence[Lead] = [
        Lead(f"here {number}", {name: value for name, value in lead.items() if name != "attributes"} | lead["attributes"])
        for number, lead in enumerate(_leads(_BATCH))
    ]
    async with LeadScorer(place.addresses.service, settings=Settings()) as scorer:
        await scorer.score(_name(0), leads)
        begun = time.perf_counter()
        for _ in range(_BATCHES):
            await scorer.score(_name(0), leads)
        return time.perf_counter() - begun


def _name(number: int) -> str:
    return f"bench-{number}"


@contextmanager
def _running(place: Ground, what: str) -> Iterator[int]:
    """A process of its own; gives its port."""
    keys = ",".join(f"{_name(number)}:{Role.OPERATOR}:{hash_of(_name(number))}" for number in range(_ORGANIZATIONS))
    environment = dict(os.environ) | {
        "DATABASE_URL": place.addresses.service,
        "FLYWHEEL_API_KEYS": keys,
        "FLYWHEEL_API_REQUESTS_PER_MINUTE": "10000",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.lead_service", what],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
