"""From counts to playbooks: lift, shrunken rate and support of all sequences of a campaign, judged together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from flywheel_dagster.strategies.sequences.lift import Counts, Floats, Lift, lift_of
from flywheel_dagster.strategies.sequences.rules import Level
from flywheel_dagster.strategies.sequences.shrinkage import shrunken_rates


class Step(TypedDict, total=False):
    """A touch of a sequence. What a step doesn't have may be anything; a strategy of None is none that is known. `gap` is the time since the touch before."""

    order: int
    gap: str
    channel: str
    strategy: str | None


@dataclass(frozen=True)
class Counted:
    """A sequence's leads and successes by point, beside those of all leads there, itself among them (equally long arrays), and the
    leads that were alone at their points."""

    level: Level
    steps: tuple[Step, ...]
    leads: Counts
    successes: Counts
    all_leads: Counts
    all_successes: Counts
    alone: int = 0


@dataclass(frozen=True)
class Judged:
    """A sequence with its statistics; rates are 0..1."""

    level: Level
    steps: tuple[Step, ...]
    leads: int
    successes: int
    alone: int
    expected_rate: float
    shrunken_rate: float
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    p_value: float
    q_value: float
    supported: bool = field(kw_only=True)


def judge(counted: Sequence[Counted], *, false_discoveries: float) -> list[Judged]:
    """Each sequence, in the same order. Rates are shrunken among sequences of one length and level; supported are those better than the others, with
    the share of false discoveries held over all of them."""
    if not counted:
        return []
    lifts = [lift_of(each.leads, each.successes, each.all_leads, each.all_successes) for each in counted]
    adjusted = adjusted_p_values(np.array([each.p_value for each in lifts]))
    shrunken = _shrunken(counted, lifts)
    judged = []
    for each, lift, rate, q_value in zip(counted, lifts, shrunken, adjusted.tolist(), strict=True):
        leads = int(each.leads.sum())
        judged.append(
            Judged(
                each.level,
                each.steps,
                leads,
                int(each.successes.sum()),
                each.alone,
                min(1.0, lift.expected / leads),
                rate,
                lift.lift,
                lift.low,
                lift.high,
                lift.p_value,
                q_value,
                supported=q_value <= false_discoveries,
            )
        )
    return judged


def adjusted_p_values(p_values: Floats) -> Floats:
    """The least share of false discoveries at which each is still supported: Benjamini and Hochberg's step-up (Journal of the Royal Statistical Society B
    57 (1995))."""
    order = np.argsort(p_values)
    steps = p_values[order] * p_values.size / np.arange(1, p_values.size + 1)
    adjusted: Floats = np.empty_like(p_values)
    adjusted[order] = np.minimum.accumulate(steps[::-1])[::-1].clip(0, 1)
    return adjusted


def without_repeats(counted: Sequence[Counted]) -> list[Counted]:
    """Without the sequences of a coarser level that all their leads got in one exact form: they would generalise from nothing."""
    exact = {
        (level, _coarser(each.steps, level), _everybody(each))
        for each in counted
        if each.level is Level.CHANNEL_GAP_STRATEGY
        for level in (Level.CHANNEL_GAP, Level.STRATEGY)
    }
    return [each for each in counted if (each.level, _coarser(each.steps, each.level), _everybody(each)) not in exact]


def _coarser(steps: Sequence[Step], level: Level) -> tuple[tuple[str | None, ...], ...]:
    if level is Level.STRATEGY:
        return tuple((step["strategy"],) for step in steps)
    return tuple((step.get("gap"), step["channel"]) for step in steps)


def _everybody(counted: Counted) -> int:
    return int(counted.leads.sum()) + counted.alone


def _shrunken(counted: Sequence[Counted], lifts: Sequence[Lift]) -> list[float]:
    leads = np.array([each.leads.sum() for each in counted], dtype=float)
    successes = np.array([each.successes.sum() for each in counted], dtype=float)
    expected = np.array([each.expected for each in lifts]) / leads
    rates = np.empty(len(counted))
    kinds = [(each.level, len(each.steps)) for each in counted]
    for kind in set(kinds):
        here = np.array([each == kind for each in kinds])
        rates[here] = shrunken_rates(leads[here], successes[here], expected[here])
    found: list[float] = rates.clip(0, 1).tolist()
    return found
