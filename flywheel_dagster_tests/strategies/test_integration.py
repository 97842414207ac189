"""AgentOutcomeIntegration, as an agent uses it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import _with
from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.analyzer import SentimentAnalyzer
from flywheel_dagster.strategies.integration import AgentOutcomeIntegration
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import row_of
from flywheel_dagster_tests.strategies.making import learn, sent

Connection = psycopg.Connection[TupleRow]
_T = TypeVar("_T")

DECISIONS = {
    "PersonalizerAgent": {"framework": "PAS", "tone": "professional", "personalization_applied": ["first_name"]},
    "CopywriterAgent": {"subject_line": "Transform your sales", "hooks_used": ["curiosity", "social_proof"], "cta": "book_meeting"},
    "DeliverabilityAgent": {"domain_selected": "team@rekindle.io", "send_time": "2025-01-23T14:30:00Z", "warmup_score": 0.85},
}


def _asked(database: Database, ask: Callable[[AgentOutcomeIntegration], Awaitable[_T]], **options: Any) -> _T:
    async def live() -> _T:
        async with AgentOutcomeIntegration(
            database.addresses.service, analyzer=SentimentAnalyzer(offline=True), **options
        ) as agent:
            return await ask(agent)

    return asyncio.run(live())


async def _send(agent: AgentOutcomeIntegration, lead: str = "ada", **more: Any) -> Any:
    given = {"agent_decisions": DECISIONS, "lead_context": {"industry": "SaaS", "role": "VP Sales"}, **more}
    return await agent.track_agent_message("acme", "spring", lead, "email", "Hi {{first_name}}", **given)


def test_a_message_and_its_reply(database: Database, connection: Connection) -> None:
    async def ask(agent: AgentOutcomeIntegration) -> Any:
        outcome = await _send(agent)
        return outcome, await agent.process_reply(outcome, "Interested! Can we schedule a call next week?")

    outcome, analysis = _asked(database, ask)
    row = row_of(connection, outcome)
    assert (row["framework"], row["tone"], row["subject_line"]) == ("PAS", "professional", "Transform your sales")
    assert row["replied"] and row["interest_signal"] is analysis["interest_signal"] is True
    assert row["reply_sentiment_score"] == analysis["sentiment_score"] > 0
    assert row["training_label"] == "positive_example"


def test_a_reply_to_nothing_is_refused(database: Database) -> None:
    with pytest.raises(InputError, match="no outcome"):
        _asked(database, lambda agent: agent.process_reply("00000000-0000-0000-0000-000000000001", "Hello"))


def test_the_performance_of_a_campaign_has_the_descriptions_shape(database: Database, connection: Connection) -> None:
    sent(connection, "PAS_professional", 200, replied=24, meetings=10, deals=4)
    sent(connection, "AIDA_casual", 150, replied=12, meetings=4)
    learn(connection)
    found = _asked(database, lambda agent: agent.get_agent_performance("spring", "PersonalizerAgent"))
    assert (found["campaign_id"], found["agent_name"], found["total_outcomes"]) == ("spring", "PersonalizerAgent", 350)
    best = found["strategy_performance"]["PAS_professional"]
    assert (best["framework"], best["tone"], best["total_sent"]) == ("PAS", "professional", 200)
    assert (best["delivery_rate"], best["reply_rate"], best["meeting_rate"], best["close_rate"]) == (1.0, 0.12, 0.05, 0.02)
    assert (best["avg_deal_value"], best["revenue"]) == (1000, 4000)
    assert best["low"] < best["estimate"] < best["high"] and 0.5 < best["probability_best"] <= 1
    assert list(found["strategy_performance"]) == ["PAS_professional", "AIDA_casual"]


@pytest.mark.parametrize(
    ("agent", "by", "strategies"),
    [
        ("CopywriterAgent", None, {"curiosity_book_meeting", "social_proof_book_meeting"}),
        ("DeliverabilityAgent", None, {"rekindle.io_14h"}),
        (None, "cta", {"book_meeting"}),
        (None, "tone,cta", {"professional_book_meeting"}),
        (
            None,
            ("hooks", "tone", "call_to_action"),
            {"curiosity_professional_book_meeting", "social_proof_professional_book_meeting"},
        ),
        (None, "subject_line", set()),
        ("ICPIntelligenceAgent", None, {"enterprise"}),
    ],
)
@pytest.mark.parametrize("refreshed", [True, False])
def test_performance_by_any_decision(
    database: Database, connection: Connection, agent: str | None, by: Any, strategies: set[str], refreshed: bool
) -> None:
    async def send(integration: AgentOutcomeIntegration) -> None:
        for number in range(4):
            await _send(
                integration, f"lead-{number}", agent_decisions=DECISIONS | {"ICPIntelligenceAgent": {"segment": "enterprise"}}
            )

    _asked(database, send)
    if refreshed or agent == "ICPIntelligenceAgent":
        learn(connection)
    found = _asked(database, lambda integration: integration.get_agent_performance("spring", agent, by=by))
    assert set(found["strategy_performance"]) == strategies
    assert all(row["total_sent"] == 4 for row in found["strategy_performance"].values())
    assert found["total_outcomes"] == 4


def test_one_reply_of_one_leads_no_table(database: Database, connection: Connection) -> None:
    sent(connection, "PAS_casual", 1, replied=1)
    sent(connection, "AIDA_casual", 200, replied=50)
    sent(connection, "BAB_casual", 200, replied=10)
    for refreshed in (False, True):
        if refreshed:
            learn(connection)
        found = _asked(database, lambda agent: agent.get_winning_strategies("acme", min_samples=1))
        assert found[0]["strategy"] == "AIDA_casual", refreshed
        lucky = next(row for row in found if row["strategy"] == "PAS_casual")
        assert lucky["raw"] == lucky["reply_rate"] == 1 and lucky["estimate"] < 0.5 and not lucky["enough_data"] and lucky["reason"]
        assert "PAS_casual" not in {row["strategy"] for row in _asked(database, lambda agent: agent.get_winning_strategies("acme"))}


@pytest.mark.parametrize("metric", ["reply_rate", "meeting_rate", "close_rate", "performance"])
def test_each_metric_has_its_winner(database: Database, connection: Connection, metric: str) -> None:
    sent(connection, "PAS_casual", 400, replied=100, meetings=4)
    sent(connection, "AIDA_casual", 400, replied=20, meetings=60, deals=1)
    sent(connection, "BAB_casual", 400, replied=20, meetings=20, deals=60)
    learn(connection)
    winner = _asked(database, lambda agent: agent.get_winning_strategies("acme", metric))[0]
    expected = {"reply_rate": "PAS_casual", "meeting_rate": "AIDA_casual"}
    assert winner["strategy"] == expected.get(metric, "BAB_casual") and winner["enough_data"]


def test_a_suggestion_is_drawn_with_a_probability_that_stays_with_the_outcome(database: Database, connection: Connection) -> None:
    sent(connection, "PAS_casual", 300, replied=60)
    sent(connection, "AIDA_direct", 300, replied=6)
    learn(connection)

    async def ask(agent: AgentOutcomeIntegration) -> Any:
        suggestion = await agent.suggest_strategy("acme", {"industry": "SaaS"}, "email")
        followed = await _send(agent, agent_decisions={}, suggestion=suggestion)
        other = {"framework": "BAB", "tone": "formal"}
        return suggestion, followed, await _send(agent, agent_decisions=other, suggestion=suggestion)

    suggestion, followed, decided_otherwise = _asked(database, ask)
    assert suggestion.learnt_from == "own messages" and sum(suggestion.probabilities.values()) == pytest.approx(1)
    assert suggestion.probabilities["PAS_casual"] > 0.8 and suggestion.probabilities["AIDA_direct"] >= 0.05
    row = row_of(connection, followed)
    assert row["strategy_propensity"] == suggestion.propensity == suggestion.probabilities[suggestion.strategy]
    assert {"framework": row["framework"], "tone": row["tone"]} == suggestion.decisions
    assert row_of(connection, decided_otherwise)["strategy_propensity"] is None


@pytest.mark.parametrize(
    "decided", [{"CopywriterAgent": {"hooks_used": ["other"], "cta": "answer"}}, {"hooks": ["other"], "call_to_action": "answer"}]
)
def test_what_was_suggested_is_not_added_to_what_was_decided_otherwise(
    database: Database, connection: Connection, decided: dict[str, Any]
) -> None:
    async def ask(agent: AgentOutcomeIntegration) -> Any:
        by = ("hooks_used", "cta")
        suggestion = await agent.suggest_strategy("acme", allowed=[("proof", "book")], by=by)
        return await _send(agent, agent_decisions=decided, suggestion=suggestion), await _send(
            agent, agent_decisions={"cta": None}, suggestion=suggestion
        )

    otherwise, followed = _asked(database, ask)
    assert row_of(connection, otherwise)["agent_decisions"] == decided
    assert row_of(connection, followed)["agent_decisions"] == {"hooks_used": "proof", "cta": "book"}


def test_a_decision_may_be_called_as_a_figure_is(database: Database, connection: Connection) -> None:
    for strategy, tone in (("challenger", "warm"), ("challenger", "direct"), ("consultative", "warm")):
        sent(connection, f"PAS_{tone}", 5, lead=f"{strategy}{tone}", decisions={"A": {"strategy": strategy}})
    found = _asked(database, lambda agent: agent.get_agent_performance("spring", by="strategy,tone"))["strategy_performance"]
    assert set(found) == {"challenger_warm", "challenger_direct", "consultative_warm"}


def test_made_up_strategies_are_not_remembered_for_ever(database: Database, connection: Connection) -> None:
    sent(connection, "PAS_casual", 30, replied=3)
    learn(connection)

    async def ask(agent: AgentOutcomeIntegration) -> int:
        for number in range(30):
            await agent.suggest_strategy(
                "acme", allowed=[(f"f{number}_{i}", f"t{number}_{i}") for i in range(100)], metric="reply_rate"
            )
        (lesson,) = agent._lessons.values()
        segments = lesson._policies["reply_rate"]._segments
        return len(segments._draws._new) + len(segments._means)

    assert _asked(database, ask) <= 1_024 + 4_096


def test_who_has_sent_nothing_learns_from_who_shares(database: Database, connection: Connection) -> None:
    for organization in ("one", "two"):
        sent(connection, "PAS_casual", 300, replied=90, organization=organization)
        sent(connection, "AIDA_casual", 300, replied=6, organization=organization)
    with pytest.raises(InputError, match="no strategy is known"):
        _asked(database, lambda agent: agent.suggest_strategy("new", {}, "email"))
    learn(connection)
    with pytest.raises(InputError, match="no strategy is known"):
        _asked(database, lambda agent: agent.suggest_strategy("new", {}, "email"))
    connection.execute("update organizations set allows_global_training = true")
    connection.execute("update strategy_lessons set made_at = made_at - interval '2 days'")
    learn(connection)
    found = _asked(database, lambda agent: agent.suggest_strategy("new", {}, "email", metric="reply_rate"))
    assert found.learnt_from == "other organizations" and found.probabilities["PAS_casual"] > found.probabilities["AIDA_casual"]
    named = _asked(database, lambda agent: agent.suggest_strategy("new", {}, "email", allowed=[("X", "y"), ("Z", "y")]))
    assert named.probabilities == pytest.approx({"X_y": 0.5, "Z_y": 0.5}, abs=0.05)


def test_an_integration_of_one_organization_knows_no_other(database: Database, connection: Connection) -> None:
    sent(connection, "PAS_casual", 30, replied=3)
    sent(connection, "AIDA_casual", 30, replied=3, organization="other")
    learn(connection)
    theirs = connection.execute("select id from outcome_labels where organization_id = 'other' limit 1").fetchone()
    assert theirs is not None
    calls: list[Callable[[AgentOutcomeIntegration], Awaitable[Any]]] = [
        lambda agent: agent.get_winning_strategies("other"),
        lambda agent: agent.suggest_strategy("other"),
        lambda agent: agent.get_agent_performance("spring", organization_id="other"),
        lambda agent: agent.track_agent_message("other", "spring", "x", "email", "Hi"),
        lambda agent: agent.track_agent_messages([{"organization_id": "other", "campaign_id": "c", "lead_id": "l", "channel": "email", "message_body": "Hi"}]),
        lambda agent: agent.process_reply(theirs[0], "Sounds good"),
        lambda agent: agent.track_message_sent("other", "spring", "x", "email", "Hi"),
        lambda agent: agent.track_opened(theirs[0]),
        lambda agent: agent.track_reply(theirs[0], "Sounds good"),
        lambda agent: agent.track_deal_closed(theirs[0], 5),
        lambda agent: agent.get_training_ready_outcomes("other"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(InputError):
            _asked(database, call, organization_id="acme")
    assert list(
        _asked(database, lambda agent: agent.get_agent_performance("spring"), organization_id="acme")["strategy_performance"]
    ) == ["PAS_casual"]
    with pytest.raises(InputError, match="several organizations"):
        _asked(database, lambda agent: agent.get_agent_performance("spring"))


def test_many_messages_at_once(database: Database, connection: Connection) -> None:
    messages = [
        {
            "organization_id": "acme",
            "campaign_id": "c",
            "lead_id": f"l{i}",
            "channel": "email",
            "message_body": "Hi",
            "agent_decisions": DECISIONS,
        }
        for i in range(25)
    ]
    ids = _asked(database, lambda agent: agent.track_agent_messages(messages, batch=10))
    assert [row_of(connection, each)["lead_id"] for each in ids] == [f"l{i}" for i in range(25)]
    with pytest.raises(InputError, match=r"message 2: channel is 'fax'.*nothing was written"):
        _asked(database, lambda agent: agent.track_agent_messages([messages[0], messages[1] | {"channel": "fax"}]))
    assert connection.execute("select count(*) from outcome_labels").fetchone() == (25,)


_QUESTIONS: dict[str, Callable[[AgentOutcomeIntegration, str], Awaitable[Any]]] = {
    "winning": lambda agent, whose: agent.get_winning_strategies(whose, min_samples=1),
    "winning by a decision": lambda agent, whose: agent.get_winning_strategies(whose, min_samples=1, by="cta"),
    "winning by what isn't kept": lambda agent, whose: agent.get_winning_strategies(whose, min_samples=1, by="tone,cta"),
    "performance": lambda agent, whose: agent.get_agent_performance("spring", organization_id=whose),
    "performance of an agent": lambda agent, whose: agent.get_agent_performance("spring", "CopywriterAgent", organization_id=whose, by="cta"),
    "suggestion": lambda agent, whose: agent.suggest_strategy(whose),
    "policy": lambda agent, whose: agent.estimate_policy(whose, "SECRET_plan", "reply_rate"),
}  # fmt: skip


@pytest.mark.parametrize("as_member", [True, False], ids=["row-level security", "service role"])
def test_two_organizations_never_see_each_others_rows(database: Database, connection: Connection, as_member: bool) -> None:
    """Whatever is asked: acme's answer names nothing of the other's, and as acme's member nothing comes back about the other."""
    for organization, strategy in (("acme", "MINE_casual"), ("other", "SECRET_plan")):
        sent(
            connection,
            strategy,
            40,
            replied=8,
            organization=organization,
            decisions={"CopywriterAgent": {"cta": f"of {organization}"}},
        )
    connection.execute("update outcome_labels set strategy_propensity = 0.5")
    learn(connection)
    member = _with(database.addresses.service, options="-c role=flywheel_member -c flywheel.organization_id=acme")

    async def ask(question: Callable[[AgentOutcomeIntegration, str], Awaitable[Any]], whose: str) -> str:
        async with AgentOutcomeIntegration(member if as_member else database.addresses.service) as agent:
            try:
                return str(await question(agent, whose))
            except InputError as error:
                return f"refused: {error}"

    for name, question in _QUESTIONS.items():
        own = asyncio.run(ask(question, "acme"))
        assert "SECRET" not in own and "of other" not in own, name
        assert name == "policy" or "MINE" in own or "of acme" in own, name
        theirs = asyncio.run(ask(question, "other"))
        assert "MINE" not in theirs and "of acme" not in theirs, name
        if as_member:
            assert "SECRET" not in theirs and "of other" not in theirs, name
