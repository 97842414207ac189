"""Whose arm is it: always the same one, in the shares that were asked for, and nobody leaves a variant while it grows."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.routing.assignment import Arm, arm_of, unit_of

UNITS = [unit_of("spring", str(number)) for number in range(100_000)]
SHARES = {"control": 0.7, "variant_a": 0.1, "variant_b": 0.2}
SALTS = ("first", "second", "3f0c9a", "")
LEAST_P = 1e-4  # four salts and their pairs, the same at each run


@st.composite
def ramps(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, float]]:
    """Shares in per cent, and what they are after a ramp of one variant or of both."""
    a, b = draw(st.integers(0, 100)), draw(st.integers(0, 100))
    a, b = (a, b) if a + b <= 100 else (100 - a, 100 - b)
    more_a = draw(st.integers(a, 100 - b))
    more_b = draw(st.integers(b, 100 - more_a))
    return as_shares(a, b), as_shares(more_a, more_b)


def as_shares(a: int, b: int) -> dict[str, float]:
    return {"control": (100 - a - b) / 100, "variant_a": a / 100, "variant_b": b / 100}


def test_a_unit_is_a_lead_or_else_a_campaign() -> None:
    assert unit_of("spring", "ada") == "lead:ada"
    assert unit_of("spring") == unit_of("spring", "") == "campaign:spring"


def test_the_place_of_a_unit_is_that_of_its_hash_and_never_changes() -> None:
    # printf 'salt\0acme\0lead:7' | b2sum -l 64
    point = 0x4625A4A9624376A1 / 2**64
    for share, arm in ((point + 1e-12, Arm.VARIANT_A), (point - 1e-12, Arm.CONTROL)):
        assert arm_of("salt", "acme", "lead:7", {"control": 1 - share, "variant_a": share}) is arm
    for share, arm in ((1 - point + 1e-12, Arm.VARIANT_B), (1 - point - 1e-12, Arm.CONTROL)):
        assert arm_of("salt", "acme", "lead:7", {"control": 1 - share, "variant_b": share}) is arm


@pytest.mark.parametrize("salt", SALTS)
def test_shares_are_within_sampling_error(salt: str) -> None:
    counts = Counter(arm_of(salt, "acme", unit, SHARES) for unit in UNITS)
    assert chisquare([counts[Arm(name)] for name in SHARES], [share * len(UNITS) for share in SHARES.values()]).pvalue > LEAST_P


@pytest.mark.parametrize("other", [("second", "acme"), ("first", "rival")])
def test_another_salt_or_organization_is_drawn_independently(other: tuple[str, str]) -> None:
    some = UNITS[:50_000]
    pairs = Counter((arm_of("first", "acme", unit, SHARES), arm_of(*other, unit, SHARES)) for unit in some)
    table = [[pairs[one, two] for two in Arm] for one in Arm]
    assert sum(map(sum, table)) == len(some)
    assert chi2_contingency(table).pvalue > LEAST_P


@settings(deadline=None)
@given(ramps(), st.text(max_size=20), st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=50))
def test_nobody_leaves_a_variant_that_grows_beside_another_that_does_not_shrink(
    ramp: tuple[dict[str, float], dict[str, float]], salt: str, leads: list[str]
) -> None:
    before, after = ramp
    for lead in leads:
        arm = arm_of(salt, "acme", unit_of("spring", lead), before)
        if arm is not Arm.CONTROL:
            assert arm_of(salt, "acme", unit_of("spring", lead), after) is arm


def test_a_ramp_from_a_tenth_to_a_half_takes_from_control_alone() -> None:
    some = UNITS[:10_000]

    def drawn(share: float) -> set[str]:
        return {unit for unit in some if arm_of("s", "acme", unit, {"control": 1 - share, "variant_a": share}) is Arm.VARIANT_A}

    tenth, half, everybody = drawn(0.1), drawn(0.5), drawn(1.0)
    assert tenth < half < everybody == set(some)
    assert drawn(0.0) == set()


def test_names_do_not_run_into_each_other() -> None:
    half = {"control": 0.5, "variant_a": 0.5}
    split = [("ab", "c", "lead:1"), ("a", "bc", "lead:1"), ("abc", "", "lead:1")]
    drawn = [[arm_of(salt, organization, f"{unit}{n}", half) for n in range(64)] for salt, organization, unit in split]
    assert all(one != two for (i, one), (j, two) in product(enumerate(drawn), repeat=2) if i != j)


@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"control": 0.9},
        {"control": 0.9, "variant_a": 0.2},
        {"control": 1.1, "variant_a": -0.1},
        {"control": 0.9, "variant_c": 0.1},
        {"control": 90, "variant_a": 10},
        {"control": float("nan"), "variant_a": 0.1},
    ],
)
def test_what_are_no_shares_is_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InputError, match="no shares of control"):
        arm_of("salt", "acme", "lead:ada", shares)
