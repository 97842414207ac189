"""A suffix that says what a job was bought for, and still can be read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.training.job_suffix import suffix_for, was_bought_for


@given(st.text(), st.text(max_size=100), st.text())
def test_a_suffix_is_found_by_its_own_key_only_and_is_what_providers_take(key: str, readable: str, other: str) -> None:
    suffix = suffix_for(key, readable)
    assert re.fullmatch(r"[A-Za-z0-9_-]{12,40}", suffix)
    assert was_bought_for(key, suffix)
    assert was_bought_for(other, suffix) == (other == key)


def test_the_readable_part_stays_as_far_as_it_fits() -> None:
    assert suffix_for("key", "rekindle-v2-1-0") == "rekindle-v2-1-0-2c70e12b7a06"
    assert suffix_for("key", "rekindle v2.1.0").startswith("rekindle-v2-1-0-")
    assert suffix_for("key", "n" * 60) == "n" * 27 + "-2c70e12b7a06"
    assert suffix_for("key", "…") == "2c70e12b7a06"


def test_what_is_no_suffix_was_not_bought_for_a_key() -> None:
    for given_back in (None, 7, "", "2c70e12b7a0"):
        assert not was_bought_for("key", given_back)
