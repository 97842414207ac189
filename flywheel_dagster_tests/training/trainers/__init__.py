import pytest

pytest.register_assert_rewrite("flywheel_dagster_tests.training.trainers.conformance")
