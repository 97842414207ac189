"""How experiments are judged and what may be done about it, by default and as the settings ask."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy, Rule
from flywheel_dagster.settings import Settings

_DAY = timedelta(days=1)


class Action(StrEnum):
    """What was done about a verdict."""

    NONE = "none"
    RAMP = "ramp"
    PROMOTE = "promote"
    END_VARIANT = "end_variant"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True)
class Rules:
    """How a scope's experiments are judged. A unit counts for the verdict at `age`; a promotion is final when its units are `full_age` old.
    `ramp_to` is the share of all variants together, in per cent, once they are safe."""

    policy: Policy = EVIDENCE
    age: timedelta = timedelta(days=14)
    full_age: timedelta = timedelta(days=90)
    ramp_to: float = 50.0


USUAL = Rules()


def to_store(rules: Rules) -> dict[str, Any]:
    """The rules as plain JSON."""
    ages = {"age_days": rules.age / _DAY, "full_age_days": rules.full_age / _DAY, "ramp_to": rules.ramp_to}
    return asdict(rules.policy) | ages


def stored_rules(stored: Mapping[str, Any]) -> Rules:
    """Rules as they were stored; what is named no longer is left out."""
    known = {name: value for name, value in stored.items() if name in Policy.__dataclass_fields__}
    policy = Policy(**(known | {"rule": Rule(known.get("rule", Rule.EVIDENCE))}))
    return Rules(policy, stored["age_days"] * _DAY, stored["full_age_days"] * _DAY, stored["ramp_to"])


def rules_of(settings: Settings) -> Rules:
    """For experiments that were not looked at yet; those that were keep their own policy."""
    policy = replace(EVIDENCE, rule=Rule(settings.experiment_rule), minimum_weeks=settings.experiment_minimum_weeks)
    return Rules(
        policy,
        age=timedelta(days=settings.experiment_age_days),
        full_age=timedelta(days=settings.experiment_full_age_days),
        ramp_to=settings.experiment_ramp_percent,
    )


def allowed_of(settings: Settings) -> frozenset[Action]:
    """What a verdict may do by itself."""
    return frozenset(Action) if settings.experiment_acts else frozenset()
