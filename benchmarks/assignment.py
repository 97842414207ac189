"""Assigning arms: decisions a second on one core, beside the bare hash that each of them needs."""

from hashlib import blake2b

from benchmarks.measuring import Ground, Report, processor_seconds
from flywheel_dagster.models.routing.assignment import arm_of, unit_of

_SHARES = {"control": 0.8, "variant_a": 0.1, "variant_b": 0.1}


def measure(place: Ground, rows: int) -> Report:
    """A table of the hash alone, and of whole decisions."""
    leads = [str(number) for number in range(rows)]
    units = [f"salt\0acme\0lead:{lead}".encode() for lead in leads]
    floor = processor_seconds(lambda: [blake2b(unit, digest_size=8).digest() for unit in units])
    took = processor_seconds(lambda: [arm_of("salt", "acme", unit_of("spring", lead), _SHARES) for lead in leads])
    report = Report("Arms assigned, one core")
    report.add("blake2b of the unit", floor, rows, ratio="1.0 (the floor)")
    report.add("whose arm is it", took, rows, ratio=f"{took / floor:.1f} x its time")
    return report


if __name__ == "__main__":
    measure(None, 100_000).show()  # type: ignore[arg-type]  # no database is needed
