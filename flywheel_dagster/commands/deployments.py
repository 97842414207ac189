"""`flywheel model deploy`, `promote`, `roll-back`, `archive`, `deprecate` and `baseline`: who serves from now on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from flywheel_dagster.commands.acting import Actor, AsJson, Reason, Scope, actor_or_user, organization_of, print_json
from flywheel_dagster.commands.connecting import migrated
from flywheel_dagster.commands.plans import show_plan
from flywheel_dagster.database import addresses
from flywheel_dagster.models.deployment import Deployed
from flywheel_dagster.models.model_registry import ModelRegistry
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.settings import load_settings

app = typer.Typer()
Version = Annotated[str, typer.Argument(help="Which model: its version (v2.1.0), its registry id, or its provider's id.")]


@app.command()
def deploy(
    version: Version,
    scope: Scope = "global",
    traffic: Annotated[
        float | None, typer.Option(help="Its share of the traffic in per cent [FLYWHEEL_DEPLOY_PERCENT, 10; a control: 100].")
    ] = None,
    arm: Annotated[
        Arm, typer.Option(help="control at 100 ends the variants; a variant takes its share from the control.")
    ] = Arm.VARIANT_A,
    actor: Actor = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Give a model an arm and a share of its scope's traffic. For a variant it says what the experiment can find."""
    share = traffic if traffic is not None else 100.0 if arm is Arm.CONTROL else load_settings().deploy_percent
    done = _do(actor, lambda registry: registry.deploy_model(
        version, share, arm, organization_id=organization_of(scope), reason=reason,
    ))  # fmt: skip
    _tell(done, as_json)
    if arm is not Arm.CONTROL and not as_json:
        show_plan(scope, start_percent=share)


@app.command()
def promote(version: Version, scope: Scope = "global", actor: Actor = None, reason: Reason = None, as_json: AsJson = False) -> None:
    """Make a model its scope's control with all traffic; the others are archived."""
    organization = organization_of(scope)
    _tell(_do(actor, lambda registry: registry.promote_model(version, organization_id=organization, reason=reason)), as_json)


@app.command("roll-back")
def roll_back(scope: Scope = "global", actor: Actor = None, reason: Reason = None, as_json: AsJson = False) -> None:
    """Bring back the scope's control before this one, with all traffic."""
    organization = organization_of(scope)
    _tell(_do(actor, lambda registry: registry.roll_back(organization_id=organization, reason=reason)), as_json)


@app.command()
def archive(version: Version, scope: Scope = "global", actor: Actor = None, reason: Reason = None, as_json: AsJson = False) -> None:
    """Take a model out of service; a variant's traffic goes back to the control. It may come back."""
    organization = organization_of(scope)
    _tell(_do(actor, lambda registry: registry.archive_model(version, organization_id=organization, reason=reason)), as_json)


@app.command()
def deprecate(
    version: Version, scope: Scope = "global", actor: Actor = None, reason: Reason = None, as_json: AsJson = False
) -> None:
    """Take a model out of service for good."""
    organization = organization_of(scope)
    _tell(_do(actor, lambda registry: registry.deprecate_model(version, organization_id=organization, reason=reason)), as_json)


@app.command()
def baseline(
    name: Annotated[str, typer.Argument(help="A version (v2.1.0), or a provider's plain model by its name, such as gpt-4o-mini.")],
    scope: Scope = "global",
    trainer: Annotated[str, typer.Option(help="Who serves a plain model.")] = "openai",
    actor: Actor = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Set what a scope's models are compared with, and what answers where nothing is deployed."""
    organization = organization_of(scope)
    _tell(_do(actor, lambda registry: registry.set_baseline_model(
        name, organization_id=organization, trainer=trainer, reason=reason,
    )), as_json)  # fmt: skip


def _do(actor: str | None, change: Callable[[ModelRegistry], Awaitable[Deployed]]) -> Deployed:
    settings = load_settings()
    migrated(settings)

    async def work() -> Deployed:
        async with ModelRegistry(addresses(settings).service, actor=actor_or_user(actor), pool_size=1) as registry:
            return await change(registry)

    return asyncio.run(work())


def _tell(done: Deployed, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
        return
    serves = f"serves as {done.ab_test_group} with {done.traffic_percentage:g} %" if done.ab_test_group else f"is {done.status}"
    print(f"{done.model_version} of {done.scope} ({done.model_id}) {serves}" + (", the baseline" if done.is_baseline else ""))
