"""The judge's letters, both ways round."""

from uuid import UUID

import pytest

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.training.examination.judge import judge_wins, questions_for, verdict_of
from flywheel_dagster.training.examination.prompts import Prompt, Question


def says(text: str) -> Answer:
    return Answer(text, None, "stop", 0, 0, 0.0)


@pytest.mark.parametrize(
    ("candidate_as_a", "candidate_as_b", "verdict"),
    [
        ("A", "B", 1.0), ("B", "A", 0.0), ("A", "A", 0.5), ("B", "B", 0.5), ("T", "T", 0.5), ("A", "T", 0.5), ("", "", 0.5),
        ("Message A is longer, but B is better: B", "A.", 0.0), ("**A**", "Answer: B", 1.0), ("neither", "B", 0.5),
    ],
)  # fmt: skip
def test_a_verdict_needs_both_ways_to_agree(candidate_as_a: str, candidate_as_b: str, verdict: float) -> None:
    assert verdict_of(says(candidate_as_a), says(candidate_as_b)) == verdict


def test_the_two_questions_differ_in_places_only() -> None:
    prompt = Prompt(Question(UUID(int=1), request_messages({"channel": "email"}), 5), "acme/ada", "what people sent")
    one, other = questions_for(prompt, "OURS", "THEIRS")
    swapped = other.messages[1]["content"].replace("THEIRS", "-").replace("OURS", "THEIRS").replace("-", "OURS")
    assert one.messages[0] == other.messages[0]
    assert one.messages[1]["content"].index("OURS") < one.messages[1]["content"].index("THEIRS")
    assert swapped == one.messages[1]["content"].replace("-", "OURS")


@pytest.mark.parametrize(
    ("verdicts", "least", "verdict"),
    [
        ([1.0] * 29, 30, "insufficient"),
        ([0.5] * 30, 30, "passed"),
        ([0.0] * 22 + [1.0] * 8, 30, "failed"),
        ([0.0] * 18 + [1.0] * 12, 30, "passed"),
    ],
)
def test_it_blocks_only_what_loses_significantly(verdicts: list[float], least: int, verdict: str) -> None:
    assert judge_wins(verdicts, "the control", least).verdict == verdict
