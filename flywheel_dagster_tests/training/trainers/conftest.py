"""Files of examples, on disk and at the provider."""

from pathlib import Path

import pytest

from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(to_jsonl(make_examples(12)))
    return path


@pytest.fixture
def file_id(provider: Served) -> str:
    return provider.upload(make_examples(12))
