"""Which arm a unit gets: a salted hash against thresholds, so that it needs no memory and a ramp moves nobody back. Nothing is looked up here."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b

from flywheel_dagster.errors import InputError

_ROUNDING = 1e-9  # of shares that were divided by 100
_STEPS = 1 << 53  # as many points of 0..1 as a float tells apart


class Arm(StrEnum):
    """An arm of an experiment."""

    CONTROL = "control"
    VARIANT_A = "variant_a"
    VARIANT_B = "variant_b"


def unit_of(campaign_id: str, lead_id: str | None = None) -> str:
    """Who is randomised: `lead:ID`, or `campaign:ID` where no lead is given."""
    return f"lead:{lead_id}" if lead_id else f"campaign:{campaign_id}"


def arm_of(salt: str, organization_id: str, unit: str, shares: Mapping[str, float]) -> Arm:
    """The arm of a unit; `shares` (0..1, together 1) by arm, those left out are 0. Raises InputError for shares that aren't.

    Variant A has the interval of points from the bottom, variant B the one from the top, and control what is between them. So whoever is in a
    variant stays there when any variant's share grows, and what grows takes from control alone.
    """
    bottom, top = _checked(shares)
    point = _point(salt, organization_id, unit)
    if point < bottom:
        return Arm.VARIANT_A
    return Arm.VARIANT_B if point >= 1 - top else Arm.CONTROL


def _point(salt: str, organization_id: str, unit: str) -> float:
    """A unit's place in 0 ≤ p < 1. No id has the separator: PostgreSQL stores no NUL."""
    digest = blake2b(f"{salt}\0{organization_id}\0{unit}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / _STEPS


def _checked(shares: Mapping[str, float]) -> tuple[float, float]:
    """The shares of the variants A and B."""
    control, bottom, top = shares.get("control", 0.0), shares.get("variant_a", 0.0), shares.get("variant_b", 0.0)
    known = sum(name in shares for name in ("control", "variant_a", "variant_b"))
    if not (known == len(shares) and control >= 0 and bottom >= 0 and top >= 0 and abs(control + bottom + top - 1) <= _ROUNDING):
        raise InputError(f"{dict(shares)} are no shares of control, variant_a and variant_b; each is 0..1, and together they are 1")
    return bottom, top
