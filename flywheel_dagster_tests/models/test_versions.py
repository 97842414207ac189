"""Version numbers are numbers, and each one is higher than those before it."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.models.registry import upcoming_version
from flywheel_dagster.models.versions import Version, next_version
from flywheel_dagster_tests.thoroughness import examples

numbers = st.integers(0, 10**6)
versions = st.builds(Version, numbers, numbers, numbers)


@given(versions)
def test_a_version_reads_back_as_it_was_written(version: Version) -> None:
    assert Version.parse(str(version)) == version


def test_ten_comes_after_nine() -> None:
    written = ["v1.10.0", "v1.9.0", "v10.0.0", "v2.0.0", "v1.9.11", "v1.9.2"]
    assert [str(version) for version in sorted(map(Version.parse, written))] == [
        "v1.9.0", "v1.9.2", "v1.9.11", "v1.10.0", "v2.0.0", "v10.0.0",
    ]  # fmt: skip


@given(versions, versions)
def test_versions_are_ordered_as_numbers(one: Version, other: Version) -> None:
    def in_numbers(version: Version) -> list[int]:
        return [int(part) for part in str(version)[1:].split(".")]

    assert (one < other) == (in_numbers(one) < in_numbers(other))


@pytest.mark.parametrize(
    "text", ["", "1.0.0", "v1.0", "v1.0.0.0", "v1.0.0\n", " v1.0.0", "v1.x.0", "v-1.0.0", "v1.0.0-rc1", "v١.0.0", "V1.0.0"]
)
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a version; it looks like v2\.1\.0"):
        Version.parse(text)


def test_the_first_version_is_one() -> None:
    assert str(next_version(None, same_format=True)) == str(next_version(None, same_format=False)) == "v1.0.0"


@given(versions)
def test_new_data_is_a_minor_version_and_a_new_format_a_major_one(latest: Version) -> None:
    assert next_version(latest, same_format=True) == Version(latest.major, latest.minor + 1, 0)
    assert next_version(latest, same_format=False) == Version(latest.major + 1, 0, 0)


@given(versions, st.lists(st.booleans(), max_size=20))
def test_every_next_version_is_higher_than_all_before_it(latest: Version, formats: list[bool]) -> None:
    seen = [latest]
    for same_format in formats:
        seen.append(next_version(seen[-1], same_format=same_format))
    assert seen == sorted(set(seen))


@settings(max_examples=examples(30, quick=10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(versions, min_size=1, max_size=8), st.booleans())
def test_the_database_finds_the_same_latest_version(
    connection: psycopg.Connection[TupleRow], registered: set[Version], same_format: bool
) -> None:
    for version in registered:
        connection.execute(
            "insert into model_registry (model_id, model_version, base_model, trainer, example_format) values ('m', %s, 'b', 't', '1')",
            (str(version),),
        )
    expected = next_version(max(registered), same_format=same_format)
    assert upcoming_version(connection, "global", "1" if same_format else "2") == expected
    connection.rollback()
