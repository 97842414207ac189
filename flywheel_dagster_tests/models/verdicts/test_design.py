"""What a scope's last weeks let an experiment find, and how a running one stands."""

from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.deployment import deploy
from flywheel_dagster.models.verdicts.deciding import decide
from flywheel_dagster.models.verdicts.design import design_of
from flywheel_dagster.models.verdicts.rules import Action, Rules
from flywheel_dagster.models.verdicts.standing import standing_of
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.models.verdicts.making import NOW, Trial

Connection = psycopg.Connection[TupleRow]
RULES = Rules()


def sends(connection: Connection, leads: int, *, weeks: float, organization: str = "acme", age: float = 0, repeat: int = 1) -> None:
    """Messages to leads, evenly over the weeks up to `age` days before NOW, each repeated a day later; every fifth lead replies to each message,
    every tenth meets, every twentieth buys after 20 days."""
    connection.execute(
        """
        insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, delivered, replied, replied_at,
          meeting_booked, meeting_booked_at, deal_closed, deal_closed_at)
        select %(organization)s, 'c', 'lead-' || n, 'email', 'Hello', at, true, n %% 5 = 0, case when n %% 5 = 0 then at + interval '1 day' end,
          n %% 10 = 0, case when n %% 10 = 0 then at + interval '3 days' end, n %% 20 = 0, case when n %% 20 = 0 then at + interval '20 days' end
        from generate_series(1, %(leads)s) n cross join generate_series(0, %(repeat)s - 1) again
        cross join lateral (select %(now)s - make_interval(secs => 86400 * (%(age)s + 7 * %(weeks)s * n / %(leads)s::float8 - again)) as at) sent
        """,
        {"organization": organization, "leads": leads, "weeks": weeks, "age": age, "now": NOW, "repeat": repeat},
    )
    connection.commit()


def test_volume_and_value_are_those_of_new_leads_at_the_age_of_the_verdict(connection: Connection) -> None:
    sends(connection, 700, weeks=7, age=5, repeat=2)
    design = design_of(connection, "acme", RULES, now=NOW)
    assert design.units_a_week == pytest.approx(700 / (7 + 5 / 7), rel=0.01)
    # The deal comes after 20 days, the verdict looks at 14: a fifth replies, half of them meet.
    assert design.value_mean == pytest.approx(0.2 * 0.2 + 0.1 * 0.3, rel=0.05)
    assert design.value_variance == pytest.approx(0.1 * 0.04 + 0.1 * 0.25 - design.value_mean**2, rel=0.1)
    assert (design.event_share, design.maturity_weeks, design.start_share, design.full_share) == (
        pytest.approx(0.2, rel=0.05), 2, 0.1, 0.5,
    )  # fmt: skip
    later = design_of(connection, "acme", Rules(age=timedelta(days=21)), now=NOW)
    assert later.value_mean == pytest.approx(design.value_mean + 0.05 * 0.5, rel=0.1)


def test_the_global_scope_has_the_leads_of_those_without_a_model_of_their_own(connection: Connection) -> None:
    sends(connection, 400, weeks=8, age=1)
    sends(connection, 200, weeks=8, age=1, organization="rival")
    both = design_of(connection, "global", RULES, now=NOW)
    deploy(model(connection, organization="rival")).run(connection)
    connection.commit()
    alone = design_of(connection, "global", RULES, now=NOW)
    assert both.units_a_week == pytest.approx(1.5 * alone.units_a_week, rel=0.01)
    assert alone == design_of(connection, "acme", RULES, now=NOW)


def test_young_or_silent_outcomes_plan_nothing(connection: Connection) -> None:
    for weeks in (0, 1):
        sends(connection, 50 * weeks, weeks=1)
        with pytest.raises(InputError, match=r"nothing can be planned for 'acme' yet: of 0 leads .* 14 days ago or more"):
            design_of(connection, "acme", RULES, now=NOW)


def test_a_variant_that_begins_above_the_ramps_share_stays_there(connection: Connection) -> None:
    sends(connection, 400, weeks=8, age=1)
    assert design_of(connection, "acme", RULES, now=NOW, start_percent=30, variants=2).full_share == 0.6


def test_a_standing_tells_what_would_be_done_and_does_nothing(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 1000, replied=0.08)
    trial.units("variant_a", 1000, replied=0.4)
    standing = standing_of(connection, "acme", RULES, now=NOW)
    connection.commit()
    assert standing is not None
    assert [each.action for each in standing.called_for] == [Action.PROMOTE]
    assert (standing.exposed.counts(trial.experiment.variants[0])["units"], standing.decided) == (1000, [])
    assert arms(connection) == {"control": ("v1.0.0", 50), "variant_a": ("v1.1.0", 50)}
    assert connection.execute("select count(*) from experiment_decisions").fetchone() == (0,)
    decide(connection, "acme", RULES, now=NOW, allowed=frozenset())
    again = standing_of(connection, "acme", RULES, now=NOW)
    assert again is not None and [(row["verdict"], row["action"]) for row in again.decided] == [("promote", "none")]
    assert standing_of(connection, "rival", RULES, now=NOW) is None
