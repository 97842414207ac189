"""Experiments in worlds whose truth is known: units exposed day by day, a ramp that `may_ramp` allows, outcomes that come late. What is made of them is in
`experiments.py`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy
from flywheel_dagster.models.experiments.ramp import may_ramp
from flywheel_dagster.models.experiments.totals import Totals

WEEKS, UNITS_A_WEEK = 12, 1_000
DAYS = 7 * WEEKS
AGE = 14
"""Days after which X is taken."""
OLD_AGE = 90
_CENT = 0.01
_EVENTS = {"bounced": 0.02, "spam_reported": 0.001, "unsubscribed": 0.01, "negative_reply": 0.02}
_BASE_SAMPLE = 4_000_000


@dataclass(frozen=True)
class World:
    """What is true. Rates are a unit's, in the end; lifts are relative, and the same for all variants."""

    name: str
    lift: float = 0.0
    late_lifts: tuple[float, float] | None = None
    """Of meetings and deals, where they aren't that of replies: more replies may come to nothing."""
    drift: float = 0.0
    """Rates rise evenly from 1 - drift to 1 + drift over the twelve weeks."""
    ramp: bool = True
    """False: the share stays at 10 %."""
    delays: tuple[float, float, float] = (2.0, 5.0, 20.0)
    """Mean days from exposure to reply, on to the meeting, on to the deal."""
    variants: int = 1
    reply: float = 0.08
    meeting: float = 0.02
    deal: float = 0.005


class Days(NamedTuple):
    """What happened to the units of each day: sums by experiment, day and arm (control first), and the shares of those days."""

    sums: dict[str, np.ndarray]
    old: dict[str, np.ndarray]
    """The same at OLD_AGE, as far as it differs."""
    shares: np.ndarray
    ramped: np.ndarray
    """The first day of the second epoch, by experiment; DAYS where it never came."""


def simulate(world: World, *, experiments: int, seed: int, policy: Policy = EVIDENCE) -> Days:
    """Week by week, because the share of a week depends on what `may_ramp` said after the one before."""
    random = np.random.default_rng([seed, 7])
    arms = 1 + world.variants
    units_a_day = np.diff(np.arange(8) * UNITS_A_WEEK // 7)
    weeks, share = [], np.full(experiments, 0.1)
    ramped = np.full(experiments, DAYS)
    for week in range(WEEKS):
        shares = np.repeat(_shares(share, world)[:, None], 7, axis=1)
        lifted = 1 + world.drift * (2 * (7 * week + np.arange(7)) / (DAYS - 1) - 1)
        units = np.stack([random.multinomial(n, shares[:, day]) for day, n in enumerate(units_a_day)], axis=1)
        weeks.append((_week(random, world, units, lifted), shares))
        if world.ramp and week < WEEKS - 1:
            open_ = np.flatnonzero(ramped == DAYS)
            so_far = Days(*_joined(weeks), ramped)
            for variant in range(1, arms):
                exposed = totals(so_far, variant, maturity=0)
                open_ = np.array(
                    [
                        one
                        for one in open_
                        if may_ramp(exposed.at(one, -1), days=7 * (week + 1), policy=policy, variants=world.variants).allowed
                    ]
                )
            if open_.size:
                share[open_], ramped[open_] = 0.5, 7 * (week + 1)
    return Days(*_joined(weeks), ramped)


def _shares(share: np.ndarray, world: World) -> np.ndarray:
    """By arm: the variants share what isn't control's; at the start each has its 10 %."""
    of_variant = np.where(share < 0.5, share, share / world.variants)
    return np.column_stack([1 - world.variants * of_variant, *[of_variant] * world.variants])


def _joined(
    weeks: list[tuple[tuple[dict[str, np.ndarray], dict[str, np.ndarray]], np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    young, old = (
        {name: np.concatenate([week[0][which][name] for week in weeks], axis=1) for name in weeks[0][0][which]} for which in (0, 1)
    )
    return young, old, np.concatenate([week[1] for week in weeks], axis=1)


def _week(
    random: np.random.Generator, world: World, units: np.ndarray, lifted: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """`units`: (experiments, 7, arms). Only those who reply are drawn one by one; nothing else depends on a unit's path."""
    lift = np.array([1.0, *[1 + world.lift] * world.variants])
    meeting, deal = world.late_lifts or (world.lift, world.lift)
    to_meeting = np.array([1.0, *[(1 + meeting) / (1 + world.lift)] * world.variants]) * world.meeting / world.reply
    to_deal = np.array([1.0, *[(1 + deal) / (1 + meeting)] * world.variants]) * world.deal / world.meeting
    replies = random.binomial(units, world.reply * lifted[:, None] * lift)
    cell = np.repeat(np.arange(units.size), replies.ravel())
    met = random.random(cell.size) < to_meeting[cell % len(lift)]
    won = met & (random.random(cell.size) < to_deal[cell % len(lift)])
    when = np.cumsum([random.exponential(1.0, cell.size) * mean for mean in world.delays], axis=0)
    sums = {name: random.binomial(units, rate).astype(float) for name, rate in _EVENTS.items()}
    twice = random.binomial(units, 0.5)  # half of all units get a second message
    sums |= {"units": units.astype(float), "cost": _CENT * (units + twice), "cost_squared": _CENT**2 * (units + 3.0 * twice)}
    return sums | _outcomes(random, units, cell, met, won, when, AGE), _outcomes(random, units, cell, met, won, when, OLD_AGE)


def _outcomes(
    random: np.random.Generator, units: np.ndarray, cell: np.ndarray, met: np.ndarray, won: np.ndarray, when: np.ndarray, age: float
) -> dict[str, np.ndarray]:
    replied, meeting, deal = when[0] <= age, met & (when[1] <= age), won & (when[2] <= age)
    value = 0.2 * replied + 0.3 * meeting + 0.5 * deal
    sums = {"value": value, "value_squared": value**2, "valued": value > 0, "replied": replied, "meeting": meeting, "deal": deal}
    found = {
        name: np.bincount(cell, weights=each.astype(float), minlength=units.size).reshape(units.shape)
        for name, each in sums.items()
    }
    return found | {"cost_of_met": _CENT * (found["meeting"] + random.binomial(found["meeting"].astype(int), 0.5))}


def totals(days: Days, variant: int = 1, *, maturity: int, old: bool = False) -> Totals:
    """(experiments, looks, 2 epochs, 2 arms): the totals after each day, of the units exposed `maturity` days ago or earlier."""
    looks = days.shares.shape[1]
    second = np.arange(looks) >= days.ramped[:, None]
    arms = [0, variant]

    def cumulated(daily: np.ndarray) -> np.ndarray:
        split = np.stack([daily[..., arms] * ~second[..., None], daily[..., arms] * second[..., None]], axis=2)
        so_far = np.cumsum(split, axis=1)
        late = np.zeros_like(so_far)
        late[:, maturity:] = so_far[:, : looks - maturity]
        return late

    sums = {name: cumulated(daily) for name, daily in (days.sums | (days.old if old else {})).items()}
    last = np.where(days.ramped < looks, looks - 1, 0)
    each = np.stack([days.shares[:, 0], days.shares[np.arange(len(last)), last]], axis=1)
    share = each[..., variant] / (each[..., 0] + each[..., variant])
    none = np.zeros_like(sums["units"])
    return Totals(share=np.repeat(share[:, None], looks, axis=1), sentiment=none, sentiments=none, **sums)


def base_value(world: World) -> float:
    """Control's mean X at AGE without drift, from a large sample."""
    random = np.random.default_rng(0)
    when = np.cumsum([random.exponential(1.0, _BASE_SAMPLE) * mean for mean in world.delays], axis=0)
    by_age = (when <= AGE).mean(axis=1)
    return float(0.2 * world.reply * by_age[0] + 0.3 * world.meeting * by_age[1] + 0.5 * world.deal * by_age[2])
