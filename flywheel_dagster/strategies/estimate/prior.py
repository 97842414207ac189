"""What is believed before an organisation's own evidence: effects of a usual size, or those that other organisations found."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import FIELDS
from flywheel_dagster.strategies.estimate.design import INTERCEPT, Name
from flywheel_dagster.strategies.estimate.posterior import Posterior

VERSION = 1
INTERCEPT_MEAN, INTERCEPT_SCALE = -3.0, 2.0
"""95 % of rates lie between 0.1 % and 70 %."""
_USUAL = {"value": 0.3, "strategy": 0.15, "segment": 0.3, "interaction": 0.05}
"""Standard deviations on the log-odds scale: 0.3 makes a rate of 5 % one of 6.6 %, as good and bad wordings of cold mails
differ."""
RARER, RARER_SCALE = -1.2, 1.2
"""Of the log-odds of a meeting to that of a reply, of a deal to that of a meeting: the mean and standard deviation; 95 % lie
between 3 % and all of them."""
_LEAST_HETEROGENEITY = 0.1
"""Organisations differ by no less than this standard deviation, however few of them agree."""


@dataclass(frozen=True)
class Prior:
    """Independent normal beliefs on coefficients: by name (mean, variance), and by group the standard deviation of all others."""

    effects: Mapping[Name, tuple[float, float]] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: Name) -> tuple[float, float]:
        """Mean and variance of a coefficient."""
        if name in self.effects:
            return self.effects[name]
        mean = INTERCEPT_MEAN if name == INTERCEPT else 0.0
        return mean, self.scale(name[0]) ** 2

    def scale(self, group: str) -> float:
        """The standard deviation of a group's effects, where nothing is known of one by its name."""
        if group == INTERCEPT[0]:
            return INTERCEPT_SCALE
        kind = "interaction" if ":" in group else "segment" if group in FIELDS else group.partition("_")[0]
        return self.scales.get(group, _USUAL[kind])

    def after(self, leading: Posterior) -> "Prior":
        """The same, with what is known of the more frequent event that this one comes out of: a strategy that gets more replies
        gets more meetings, unless there is evidence that it doesn't.

        An effect on the log-odds of a reply is expected to be one on a meeting, up to one more effect of the usual size; the
        base rate to be RARER, and not surely. Where others' findings say something too, both count by their precision.
        """
        effects = dict(self.effects)
        for name, mean, variance in zip(leading.names, leading.mean.tolist(), leading.variance.tolist(), strict=True):
            extra = RARER_SCALE if name == INTERCEPT else self.scale(name[0])
            expected = (mean + RARER if name == INTERCEPT else mean), variance + extra**2
            effects[name] = _both(expected, effects[name]) if name in effects else expected
        return Prior(effects, self.scales)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a jsonb column."""
        effects = [[list(name), mean, variance] for name, (mean, variance) in sorted(self.effects.items())]
        return {"version": VERSION, "effects": effects, "scales": dict(self.scales)}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Self:
        """The same prior. Raises InputError for another version's."""
        if value.get("version") != VERSION:
            raise InputError(f"the prior is of version {value.get('version')}; this code reads {VERSION}: refresh the strategies")
        return cls({tuple(name): (mean, variance) for name, mean, variance in value["effects"]}, dict(value["scales"]))


def population_prior(posteriors: Iterable[Posterior]) -> Prior | None:
    """What other organisations found, as a prior for one that isn't among them; None without any.

    Random-effects meta-analysis of each effect (DerSimonian & Laird 1986), with one variance between organisations a group. An
    organisation counts with what its evidence alone says: its effects are measured from the mean of their group (so that what an
    organisation calls 0 doesn't matter), and the prior is taken out of each posterior (1/s² = 1/v - 1/v0; Efron & Morris 1975
    read backwards). The intercept is handed on with a wide variance: base rates are an organisation's own. Interactions give
    only their size. Raises InputError for other dimensions' posteriors, and for one that holds others' evidence already: it
    would count somebody twice.
    """
    known = list(posteriors)
    if not known:
        return None
    if any(each.from_population for each in known):
        raise InputError("a population is made of posteriors fitted without a prior; fit each organisation's own first")
    if len({each.keys for each in known}) > 1:
        raise InputError("the posteriors are of different dimensions; combine those of one")
    found: dict[str, dict[Name, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    sizes: dict[str, list[float]] = defaultdict(list)
    for each in known:
        for group, scale in each.scales.items():
            sizes[group].append(scale)
            if group != INTERCEPT[0] and ":" not in group:
                for name, estimate, variance in _own(each, group):
                    found[group][name].append((estimate, variance))
    effects = {name: belief for by_name in found.values() for name, belief in _combined(by_name).items()}
    base = np.array([each.mean[each.index[INTERCEPT]] for each in known])
    effects[INTERCEPT] = (float(base.mean()), 1.0 + float(base.var()))
    return Prior(effects, {group: float(np.sqrt(np.mean(np.square(each)))) for group, each in sizes.items()})


def _both(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """Two independent normal beliefs on the same thing, as one."""
    weight = two[1] / (one[1] + two[1])
    return weight * one[0] + (1 - weight) * two[0], weight * one[1]


def _own(posterior: Posterior, group: str) -> Iterable[tuple[Name, float, float]]:
    """Names, estimates and variances of a group's effects from the evidence alone, measured from their mean; without those it
    says nothing on."""
    places = [place for place, name in enumerate(posterior.names) if name[0] == group]
    if len(places) < 2:
        return
    factor = posterior.factor[places].astype(np.float64)
    factor -= factor.mean(axis=0)
    variance = np.einsum("ij,ij->i", factor, factor)
    mean = posterior.mean[places] - posterior.mean[places].mean()
    expected = posterior.prior_mean[places] - posterior.prior_mean[places].mean()
    before = posterior.prior_variance[places]
    before = before * (1 - 2 / len(places)) + before.sum() / len(places) ** 2
    rows = zip(places, mean.tolist(), variance.tolist(), expected.tolist(), before.tolist(), strict=True)
    for place, estimate, after, prior, spread in rows:
        if after < 0.99 * spread:
            alone = 1 / (1 / after - 1 / spread)
            yield posterior.names[place], alone * (estimate / after - prior / spread), alone


def _combined(found: Mapping[Name, list[tuple[float, float]]]) -> dict[Name, tuple[float, float]]:
    """By name the mean of the effects' distribution over organisations, and the variance with which a further organisation's is
    known."""
    excess, spread = 0.0, 0.0
    for each in found.values():
        estimate, weight = np.array([one for one, _ in each]), np.array([1 / variance for _, variance in each])
        middle = (weight * estimate).sum() / weight.sum()
        excess += float((weight * (estimate - middle) ** 2).sum()) - (len(each) - 1)
        spread += float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(excess / spread if spread > 0 else 0.0, _LEAST_HETEROGENEITY**2)
    combined = {}
    for name, each in found.items():
        weight = np.array([1 / (variance + between) for _, variance in each])
        mean = float((weight * np.array([one for one, _ in each])).sum() / weight.sum())
        combined[name] = (mean, float(1 / weight.sum()) + between)
    return combined
