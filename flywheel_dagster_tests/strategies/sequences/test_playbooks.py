"""Playbooks as they are kept: replaced whole, ranked, told in words, and never another organization's."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice

import dagster as dg
import psycopg
import pytest

from flywheel_dagster.assets.playbooks import playbooks
from flywheel_dagster.database import connect
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.strategies.sequences.judging import Step
from flywheel_dagster.strategies.sequences.playbooks import best_playbooks, in_words, playbooks_of, refresh_playbooks
from flywheel_dagster.strategies.sequences.rules import USUAL, Metric
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.strategies.sequences.making import LATER, START, Connection, Touch, at, store
from flywheel_dagster_tests.test_roles import become_member


def campaign(organization: str, campaign: str = "spring", leads: int = 80, share: float = 0.5) -> Iterator[Touch]:
    """Leads who got LinkedIn or e-mail in turns; of those on LinkedIn this share booked a meeting."""
    for number, channel in enumerate(islice(cycle(["email", "linkedin"]), leads)):
        met = channel == "linkedin" and number % 100 < 100 * share
        yield Touch(
            f"lead-{number}",
            number / 10,
            channel,
            campaign_id=campaign,
            organization_id=organization,
            facts={"meeting_booked": number / 10 + 2} if met else {},
        )


@pytest.fixture
def two_tenants(connection: Connection) -> Connection:
    """Two organizations with a campaign of the same name, and their playbooks."""
    store(connection, [*campaign("acme"), *campaign("rival", share=0.2), *campaign("rival", "autumn")])
    connection.commit()
    refresh_playbooks(connection, now=LATER)
    return connection


def test_playbooks_are_those_of_the_organization_and_campaign_asked_for(two_tenants: Connection) -> None:
    assert {(each.organization_id, each.campaign_id) for each in playbooks_of(two_tenants, "acme")} == {("acme", "spring")}
    assert {each.campaign_id for each in playbooks_of(two_tenants, "rival")} == {"spring", "autumn"}
    mine, theirs = playbooks_of(two_tenants, "acme", "spring")[0], playbooks_of(two_tenants, "rival", "spring")[0]
    assert (mine.leads, mine.successes) == (40, 25) and (theirs.leads, theirs.successes) == (40, 10)
    assert playbooks_of(two_tenants, "acme", "autumn") == playbooks_of(two_tenants, "nobody") == []
    assert {each.organization_id for each in best_playbooks(two_tenants)} == {"acme", "rival"}


@pytest.mark.parametrize(
    ("organization", "seen"), [("acme", {"acme"}), ("rival", {"rival"}), ("", set()), (None, set()), ("x' or true --", set())]
)
def test_a_member_sees_its_own_playbooks_whatever_it_asks_for(
    two_tenants: Connection, organization: str | None, seen: set[str]
) -> None:
    become_member(two_tenants, organization)
    assert {each.organization_id for each in best_playbooks(two_tenants)} == seen
    for asked in ("acme", "rival"):
        assert {each.organization_id for each in playbooks_of(two_tenants, asked)} == seen & {asked}
    assert {row[0] for row in two_tenants.execute("select organization_id from playbooks")} == seen
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        two_tenants.execute("delete from playbooks")


def test_a_refresh_replaces_a_campaigns_playbooks_and_leaves_other_organizations_alone(two_tenants: Connection) -> None:
    before = playbooks_of(two_tenants, "rival")
    store(two_tenants, (Touch(f"more-{number}", 1, "linkedin") for number in range(40)))
    two_tenants.commit()
    found = refresh_playbooks(two_tenants, "acme", now=LATER)
    after = playbooks_of(two_tenants, "acme")
    assert [(each.words, each.leads, each.successes) for each in after] == [
        ("linkedin PAS casual", 80, 25),
        ("email PAS casual", 40, 0),
    ]
    assert (found.campaigns, found.found[Metric.MEETING]) == (1, 2)
    assert playbooks_of(two_tenants, "rival") == before


def test_a_refresh_with_nothing_old_enough_leaves_nothing(two_tenants: Connection) -> None:
    refresh_playbooks(two_tenants, "acme", now=at(20))
    assert playbooks_of(two_tenants, "acme") == []


def test_two_refreshes_at_once_leave_one_set(two_tenants: Connection, database: Database) -> None:
    expected = [(each.words, each.leads) for each in playbooks_of(two_tenants, "acme")]
    with connect(database.addresses.service) as other:
        with other.transaction():
            other.execute("lock table playbooks in share row exclusive mode")
            two_tenants.execute("set lock_timeout = '50ms'")
            two_tenants.commit()
            with pytest.raises(psycopg.errors.LockNotAvailable):
                refresh_playbooks(two_tenants, "acme", now=LATER)
        refresh_playbooks(other, "acme", now=LATER)
    refresh_playbooks(two_tenants, "acme", now=LATER)
    assert [(each.words, each.leads) for each in playbooks_of(two_tenants, "acme")] == expected


def test_only_what_chance_does_not_explain_is_supported_and_it_comes_first(two_tenants: Connection) -> None:
    found = playbooks_of(two_tenants, "acme")
    assert [each.supported for each in found] == sorted((each.supported for each in found), reverse=True)
    assert playbooks_of(two_tenants, "acme", only_supported=True) == [each for each in found if each.supported] != []
    assert len(playbooks_of(two_tenants, "acme", limit=1)) == 1
    assert found[0].window_days == USUAL.meeting_window / timedelta(days=1) and found[0].as_of == LATER > START


def test_steps_are_told_in_words() -> None:
    steps = [
        Step(order=1, channel="email", strategy="PAS_professional"),
        Step(order=2, gap="3-4 days", channel="linkedin", strategy=None),
    ]
    assert in_words(steps) == "email PAS professional → 3-4 days → linkedin no known strategy"
    assert in_words([Step(order=1, strategy="AIDA_casual"), Step(order=2, strategy="PAS_casual")]) == "AIDA casual → PAS casual"
    assert in_words([Step(order=1, channel="email"), Step(order=2, gap="10+ days", channel="phone")]) == "email → 10+ days → phone"


def test_the_asset_shows_the_best_playbooks_of_each_metric(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    assert materialized()["dagster/row_count"] == 0
    store(connection, campaign("acme"))
    connection.commit()
    metadata = materialized()
    assert (
        metadata["dagster/row_count"]
        == metadata["sequences_meeting"] + metadata["sequences_positive_reply"] + metadata["sequences_deal"]
    )
    assert metadata["campaigns"] == 1 and metadata["supported"] == metadata["supported_meeting"] == 1
    assert "| acme | spring | linkedin PAS casual | 40 | 25 | 62.50% | 31.25% |" in str(metadata["best_meeting"])
    assert str(metadata["lift"]).startswith("![Meetings: lift")
    assert len(str(metadata["lift"])) < 40_000


def materialized() -> dict[str, object]:
    """The asset's metadata."""
    result = dg.materialize([playbooks], resources={"flywheel": Flywheel()})
    (event,) = result.asset_materializations_for_node("playbooks")
    return {name: value.value for name, value in event.metadata.items()}
