"""Makes experiments with a past: units exposed day by day, their messages, and what became of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.models.deployment import deploy
from flywheel_dagster.models.verdicts.running import Experiment, experiment_of
from flywheel_dagster_tests.models.making import model

Connection = psycopg.Connection[TupleRow]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Trial:
    """An experiment of acme that began `days` before NOW, at these shares in per cent."""

    connection: Connection
    days: int = 28
    variant_share: float = 10
    control: UUID = field(init=False)
    variant: UUID = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.control, self.variant = model(self.connection, "v1.0.0"), model(self.connection, "v1.1.0")
        deploy(self.control).run(self.connection)
        deploy(self.variant, self.variant_share, "variant_a").run(self.connection)
        self.connection.commit()
        as_owner(self.connection, "update experiments set started_at = %s", NOW - timedelta(days=self.days))

    @property
    def experiment(self) -> Experiment:
        found = experiment_of(self.connection, scope="acme")
        self.connection.commit()
        assert found is not None
        return found

    def units(
        self, arm: str, count: int, *, epoch: int = 1, first_day: float | None = None, last_day: float = 0, **rates: Any
    ) -> None:
        """Expose units of an arm evenly from `first_day` to `last_day` (days before NOW; the experiment's start by default). `rates` are shares of
        the units, spread evenly: replied, negative, meeting, deal, bounced, spam_reported, unsubscribed; each comes a day after the message,
        or `<name>_after` days."""
        given = {
            "experiment": self.experiment.id,
            "arm": arm,
            "count": count,
            "epoch": epoch,
            "from": self.sent,
            "last_day": last_day,
        }
        given |= {
            "first_day": self.days if first_day is None else first_day,
            "now": NOW,
            "registry": self.control if arm == "control" else self.variant,
        }
        for name in ("replied", "negative", "meeting", "deal", "bounced", "spam_reported", "unsubscribed"):
            given |= {name: rates.pop(name, 0.0), f"{name}_after": timedelta(days=rates.pop(f"{name}_after", 1))}
        assert not rates
        self.sent += count
        self.connection.execute(_UNITS, given)
        self.connection.commit()


def as_owner(connection: Connection, change: LiteralString, *values: object) -> None:
    """What the service role may not do: change the past."""
    connection.execute("set local role none")
    connection.execute(change, values)
    connection.commit()


# Every row whose number times the rate passes a whole number has the event: so many, evenly spread.
_UNITS = """
with made as (
  select n, 'lead-' || n as lead, %(now)s::timestamptz - make_interval(secs => 86400 * (%(first_day)s - (%(first_day)s - %(last_day)s) * (n - %(from)s) / %(count)s::float8)) as at
  from generate_series(%(from)s, %(from)s + %(count)s - 1) n
), exposed as (
  insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id, exposed_at)
  select %(experiment)s, 'acme', 'lead:' || lead, %(arm)s, %(epoch)s, %(registry)s, 'camp', at from made
)
insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, model_registry_id, experiment_arm, delivered,
  replied, replied_at, sentiment_label, meeting_booked, meeting_booked_at, deal_closed, deal_closed_at, deal_value,
  bounced, bounced_at, spam_reported, spam_reported_at, unsubscribed, unsubscribed_at)
select 'acme', 'camp', lead, 'email', 'Hello', at + interval '1 minute', %(registry)s, %(arm)s, true,
  replied, case when replied then at + %(replied_after)s end, case when negative then 'negative' when replied then 'positive' end,
  meeting, case when meeting then at + %(meeting_after)s end, deal, case when deal then at + %(deal_after)s end, case when deal then 1000 end,
  bounced, case when bounced then at + %(bounced_after)s end, spam, case when spam then at + %(spam_reported_after)s end,
  unsubscribed, case when unsubscribed then at + %(unsubscribed_after)s end
from made cross join lateral (
  select floor((n + 1) * %(replied)s::float8) > floor(n * %(replied)s::float8) as replied,
    floor((n + 1) * %(replied)s::float8 * %(negative)s::float8) > floor(n * %(replied)s::float8 * %(negative)s::float8) as negative,
    floor((n + 1) * %(meeting)s::float8) > floor(n * %(meeting)s::float8) as meeting, floor((n + 1) * %(deal)s::float8) > floor(n * %(deal)s::float8) as deal,
    floor((n + 1) * %(bounced)s::float8) > floor(n * %(bounced)s::float8) as bounced,
    floor((n + 1) * %(spam_reported)s::float8) > floor(n * %(spam_reported)s::float8) as spam,
    floor((n + 1) * %(unsubscribed)s::float8) > floor(n * %(unsubscribed)s::float8) as unsubscribed) happened
"""
