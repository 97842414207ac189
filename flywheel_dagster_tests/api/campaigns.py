"""Two organizations' campaigns, counted, for what the API tells of strategies."""

from datetime import timedelta

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster_tests.strategies.making import sent

Connection = psycopg.Connection[TupleRow]
ESTIMATES = {"PAS_professional": (0.32, 0.21, 0.43), "AIDA_casual": (0.12, 0.05, 0.2)}


def campaigns(connection: Connection) -> None:
    """acme's and rival's campaigns, of the same numbers: PAS professional is answered by 40 of a hundred, AIDA casual by 10. Young messages are among them."""
    for organization in ("acme", "rival"):
        for strategy, replied in (("PAS_professional", 40), ("AIDA_casual", 10)):
            usual = {"organization": organization, "campaign": f"{organization} spring", "lead": f"{organization} {strategy} "}
            sent(connection, strategy, 100, replied=replied, meetings=replied // 2, deals=replied // 5, **usual)
            sent(connection, strategy, 20, replied=2, days=8, **usual | {"lead": f"{organization} young {strategy} "})
        count(connection, organization)


def count(connection: Connection, organization: str) -> None:
    """Bring an organization's counts in step."""
    connection.execute("select refresh_strategies(%s)", (organization,))
    connection.commit()


def learnt(connection: Connection, organization: str) -> None:
    """Estimates as a refresh would leave them, without the time that it takes to learn them."""
    for strategy, (estimate, low, high) in ESTIMATES.items():
        connection.execute(
            "insert into strategy_estimates (organization_id, keys, metric, strategy, estimate, low, high, probability_best, enough_data, reason)"
            " values (%s, '{framework,tone}', 'reply_rate', %s, %s, %s, %s, %s, %s, %s)",
            (organization, strategy.split("_"), estimate, low, high, estimate / 0.4, estimate > 0.2, None if estimate > 0.2 else "too few"),
        )  # fmt: skip
    connection.commit()


def played(connection: Connection, organization: str) -> None:
    """A playbook of the organization's campaign."""
    steps = [
        {"order": 1, "channel": "email", "strategy": "PAS_professional"},
        {"order": 2, "gap": "3-4 days", "channel": "linkedin"},
    ]
    connection.execute(
        "insert into playbooks (organization_id, campaign_id, metric, level, length, steps, leads, successes, alone, expected_rate, shrunken_rate, lift, lift_low,"
        " lift_high, p_value, q_value, supported, window_days, as_of)"
        " values (%s, %s, 'meeting', 'channel_gap_strategy', 2, %s, 40, 12, 3, 0.2, 0.27, 1.5, 1.1, 2.1, 0.01, 0.05, true, %s, now())",
        (organization, f"{organization} spring", Jsonb(steps), timedelta(days=30).days),
    )
    connection.commit()
