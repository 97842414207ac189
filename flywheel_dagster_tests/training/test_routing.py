"""A router over models that were trained here: from two deployed versions to messages, their outcomes, and what both cost and achieved."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.errors import InputError, SettingsError, TransientModelError
from flywheel_dagster.models.model_registry import ModelRegistry
from flywheel_dagster.models.routing.asking import Limits
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.routing.ensemble import Ensemble
from flywheel_dagster.models.routing.routed import Routed
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with
from flywheel_dagster.training.routing import RewardRanking, ranking_of, router_of
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.verdicts.making import as_owner
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples
from flywheel_dagster_tests.training.examination.making import HOOK, body, build, write_outcomes

Connection = psycopg.Connection[TupleRow]
T = TypeVar("T")
ASKED = request_messages({"lead_industry": "logistics", "channel": "email"})
CHAT = "POST /v1/chat/completions"


@pytest.fixture
def local(database: Database, provider: Served) -> Settings:
    """Settings without any account: models are asked at the local model server."""
    provider.stand_in(database.settings.home)
    return database.settings


@pytest.fixture
def at_openai(database: Database, provider: Served) -> Settings:
    """Settings with an account, at the same server."""
    given = database.settings
    assert given.database_url is not None
    return Settings(
        DATABASE_URL=given.database_url, FLYWHEEL_HOME=given.home, OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY="sk-test"
    )


def trained(provider: Served, name: str) -> str:
    """A model that was trained to write as this sender does."""
    made = provider.train(make_examples(answer=f"Hello {{name}}, {name} of {{company}} writes.")).fine_tuned_model
    assert made is not None
    return made


def route(settings: Settings, program: Callable[[ModelRouter], Awaitable[T]], **options: Any) -> T:
    async def work() -> T:
        async with router_of(settings, **options) as router:
            return await program(router)

    return asyncio.run(work())


async def ask(router: ModelRouter, lead: str = "ada") -> Routed:
    return await router.complete(ASKED, organization_id="acme", campaign_id="spring", lead_id=lead)


def test_from_two_deployed_models_to_what_their_messages_led_to(local: Settings, provider: Served, connection: Connection) -> None:
    ids = [trained(provider, name) for name in ("Kim", "Lee")]

    async def live(router: ModelRouter) -> tuple[list[Routed], Any, list[dict[str, Any]]]:
        async with ModelRegistry() as registry, OutcomeTracker() as tracker:
            control, variant = [await registry.register_model(model, organization_id="acme") for model in ids]
            await registry.deploy_model(control)
            await registry.deploy_model(variant, 50, "variant_a")
            as_owner(connection, "update experiments set salt = 'of the tests'")
            said = []
            for number in range(8):
                said.append(await ask(router, f"lead-{number}"))
                sent = await tracker.track_message_sent(
                    "acme", "spring", f"lead-{number}", "email", said[-1].text,
                    model_registry_id=said[-1].model_registry_id, experiment_arm=said[-1].experiment_arm,
                )  # fmt: skip
                await tracker.track_reply(sent, "Yes")
            return said, router.get_performance_report(), await registry.get_leaderboard(1, organization_id="acme")

    with pytest.MonkeyPatch.context() as environment:
        assert local.database_url is not None
        environment.setenv("DATABASE_URL", local.database_url.get_secret_value())
        said, report, leaderboard = route(local, live)

    assert all("Kim" in each.text for each in said if each.experiment_arm is Arm.CONTROL)
    assert all("Lee" in each.text for each in said if each.experiment_arm is Arm.VARIANT_A)
    by_model = {model: sum(each.model_id == model for each in said) for model in ids}
    assert min(by_model.values()) > 0
    assert {model: (row["total_requests"], row["success_rate"]) for model, row in report.items()} == {
        model: (count, 1.0) for model, count in by_model.items()
    }
    assert {row["avg_cost"] for row in report.values()} == {0}, "the local server's answers cost nothing"
    assert {row["model_id"]: (row["total_messages_sent"], row["reply_rate"]) for row in leaderboard} == {
        model: (count, 1.0) for model, count in by_model.items()
    }
    assert connection.execute(
        "select count(*) from outcome_labels o join model_exposures x on x.unit = 'lead:' || o.lead_id"
        " where x.registry_id = o.model_registry_id and x.arm = o.experiment_arm"
    ).fetchone() == (8,)


def deployed(settings: Settings, model: str) -> None:
    async def work() -> None:
        assert settings.database_url is not None
        async with ModelRegistry(settings.database_url.get_secret_value()) as registry:
            await registry.deploy_model(await registry.register_model(model, organization_id="acme"))

    asyncio.run(work())


def test_the_client_repeats_nothing_that_the_router_counts(at_openai: Settings, provider: Served) -> None:
    deployed(at_openai, "gpt-4o-mini")
    provider.set_fault(match=CHAT, kind="status", status=503)
    before = provider.count_calls()["calls"].get(CHAT, 0)
    with pytest.raises(TransientModelError, match="no model gave a message"):
        route(at_openai, ask, limits=Limits(tries=1))
    assert provider.count_calls()["calls"][CHAT] - before == 1


def test_your_own_prices_go_first(at_openai: Settings, tmp_path: Path) -> None:
    deployed(at_openai, "gpt-4o-mini")
    usual = route(at_openai, ask)
    assert usual.cost_usd is not None and usual.cost_usd > 0
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[trainer.openai]\nas_of = 2026-11-01\nsource = "contract"\n'
        '[[price]]\ntrainer = "openai"\nmodel = "*"\ninput = 1000\noutput = 0\n'
    )
    own = at_openai.model_copy(update={"inference_prices": prices})
    dear = route(own, ask)
    assert dear.cost_usd == Decimal(dear.prompt_tokens) / 1000
    prices.write_text("[price")
    with pytest.raises(SettingsError, match=r"the prices in .*prices\.toml can't be used"):
        router_of(own)


def test_a_trainer_that_nobody_knows_is_an_error_with_the_remedy(at_openai: Settings) -> None:
    with pytest.raises(InputError, match="no trainer is called 'nobody'"):
        chat_with(at_openai, "nobody", "m")


def test_the_reward_model_ranks_an_ensembles_answers(
    local: Settings, connection: Connection, provider: Served, directory: Path
) -> None:
    write_outcomes(connection, 70, kind="won", hooked=0.9)
    write_outcomes(connection, 70, kind="lost", hooked=0.1, wins=False)
    build(connection, directory, Selection(test_share=0, validation_share=0))
    ranking = ranking_of(local, "acme")
    assert isinstance(ranking, RewardRanking)
    plain, hooked = (body(random.Random(3), hook=hook) for hook in (False, True))
    scores = ranking(ASKED, [plain, hooked, ""])
    assert len(scores) == 3 and all(0 < score < 1 for score in scores)
    assert scores[1] > scores[0] + 0.1

    models = [trained(provider, name) for name in ("Kim", f"{HOOK} Lee")]
    policy = Ensemble([Target(model, "openai") for model in models], ranking)
    said = route(local, ask, policy=policy)
    assert (said.model_id, len(said.asked)) == (models[1], 2)
    assert HOOK in said.text


def test_without_outcomes_that_tell_there_is_no_ranking(local: Settings, dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"scope 'acme' has no reward model to rank by: .* too few to learn from"):
        ranking_of(local, "acme")
    with pytest.raises(InputError, match="scope 'global' has no dataset"):
        ranking_of(local)
