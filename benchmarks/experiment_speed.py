"""What a verdict and a leaderboard wait for: reading an experiment's units and the models' totals, beside one pass over the same outcomes."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import TupleRow, dict_row

from benchmarks.measuring import Ground, Report, console, seconds
from flywheel_dagster.database import statement
from flywheel_dagster.models.verdicts.running import Experiment, Units, experiment_of, units_of

_AGE = timedelta(days=14)
_MODELS, _MESSAGES_A_UNIT = 20, 5
_REGISTERED = """insert into model_registry (model_id, model_version, base_model, trainer, status, ab_test_group, traffic_percentage, deployed_at)
select 'ft:' || i, 'v1.' || i || '.0', 'gpt-4o-mini-2024-07-18', 'openai', case when i <= 1 then 'deployed' else 'ready' end,
  (array['control', 'variant_a'])[i + 1], case i when 0 then 90 when 1 then 10 else 0 end, case when i <= 1 then now() - interval '60 days' end
from generate_series(0, %(models)s - 1) i"""
_EXPERIMENT = """with x as (insert into experiments (started_at) values (now() - interval '60 days') returning id)
insert into experiment_arms (experiment_id, epoch, arm, registry_id, share, started_at)
select x.id, 1, m.ab_test_group, m.id, m.traffic_percentage / 100, now() - interval '60 days' from x, model_registry m where m.status = 'deployed'"""
_EXPOSURES = """insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id, exposed_at)
select x.id, 'acme', 'lead:lead-' || i, a.arm, 1, a.registry_id, 'spring', now() - interval '60 days' + i * interval '1 minute' * (45 * 1440.0 / %(units)s)
from experiments x join experiment_arms a on a.experiment_id = x.id, generate_series(0, %(units)s - 1) i
where a.arm = case when i %% 10 = 0 then 'variant_a' else 'control' end"""
_MESSAGES = """insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, model_registry_id, experiment_arm, delivered, replied, replied_at,
  meeting_booked, meeting_booked_at, deal_closed, deal_closed_at, deal_value)
select e.organization_id, 'spring', substr(e.unit, 6), 'email', 'Hello', e.exposed_at + n * interval '2 days', case when n < 3 then e.registry_id else m.ids[1 + l.i %% %(models)s] end,
  case when n < 3 then e.arm end, true, l.luck < 0.08, case when l.luck < 0.08 then e.exposed_at + n * interval '2 days' + interval '1 day' end,
  l.luck < 0.03, case when l.luck < 0.03 then e.exposed_at + n * interval '2 days' + interval '4 days' end,
  l.luck < 0.008, case when l.luck < 0.008 then e.exposed_at + n * interval '2 days' + interval '9 days' end, case when l.luck < 0.008 then 9000 end
from model_exposures e
cross join generate_series(0, %(messages)s - 1) n
cross join lateral (select abs(hashtext(e.unit || n)) as i, (hashtext(n || e.unit)::bigint + 2147483648) / 4294967296.0 as luck) l
cross join (select array_agg(id order by id) as ids from model_registry) m"""


def measure(place: Ground, rows: int) -> Report:
    """An experiment with a fifth as many leads as there are outcomes, each sent five messages, three of them by the arm's model."""
    units = max(200, rows // _MESSAGES_A_UNIT)
    with psycopg.connect(place.addresses.owner, autocommit=True) as owner:
        _write(owner, units)
    report = Report(f"an experiment of {units:,} leads and {_MODELS} models, {units * _MESSAGES_A_UNIT:,} outcomes")
    with place.service() as connection:
        connection.execute("set max_parallel_workers_per_gather = 0")
        floor, outcomes = seconds(lambda: _one_pass(connection))
        report.add("floor: one pass over the outcomes, counted by model", floor, outcomes, ratio="1")
        experiment = experiment_of(connection, scope="global")
        assert experiment is not None
        took, found = seconds(lambda: _units(connection, experiment))
        assert sum(row["units"] for row in found.rows) > 0.5 * units
        report.add("reading the experiment's units, as a verdict does", took, units, ratio=f"{took / floor:.1f} x")
        with connection.cursor(row_factory=dict_row) as cursor:
            took, ranked = seconds(lambda: cursor.execute(statement("leaderboard"), {"min_samples": 1}).fetchall())
            assert len(ranked) == _MODELS
            report.add("leaderboard", took, outcomes, ratio=f"{took / floor:.1f} x")
            took, _ = seconds(lambda: cursor.execute(statement("page_models"), {"models": 8}).fetchall())
            report.add("the page's eight models", took, outcomes, ratio=f"{took / floor:.1f} x")
    return report


def _write(owner: psycopg.Connection[TupleRow], units: int) -> None:
    values = {"units": units, "models": _MODELS, "messages": _MESSAGES_A_UNIT}
    with console.status(f"{units * _MESSAGES_A_UNIT:,} outcomes"):
        owner.execute("insert into organizations (id) values ('acme') on conflict do nothing")
        for each in (_REGISTERED, "delete from experiment_arms", "delete from experiments", _EXPERIMENT, _EXPOSURES, _MESSAGES):
            owner.execute(each, values)
        owner.execute("vacuum analyze outcome_labels, model_exposures")


def _one_pass(connection: psycopg.Connection[TupleRow]) -> int:
    rows = connection.execute(
        "select model_registry_id, count(*), count(*) filter (where replied) from outcome_labels group by model_registry_id"
    ).fetchall()
    return sum(row[1] for row in rows)


def _units(connection: psycopg.Connection[TupleRow], experiment: Experiment) -> Units:
    return units_of(connection, experiment, as_of=datetime.now(UTC), age=_AGE)
