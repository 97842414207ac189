"""How hard a request is, and who gets it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.routing.asking import Question
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.complexity import ComplexitySplit, Tier, Weights, complexity_of, threshold_for

SMALL, LARGE = Target("small", "together"), Target("large", "openai")
SIMPLE = request_messages({"lead_industry": "retail", "channel": "sms"})
COMPLEX = [
    *request_messages(
        {
            "lead_industry": "retail",
            "lead_role": "CTO",
            "company_size": "500",
            "channel": "email",
            "framework": "PAS",
            "tone": "dry",
        }
    ),
    {"role": "assistant", "content": "Subject: …"},
    {
        "role": "user",
        "content": "Schreiben Sie das auf Deutsch, aber nicht länger als fünf Zeilen.\n- must mention the price\n- never use emoji\n- at most one question\n"
        + "Das Unternehmen baut Maschinen. " * 80,
    },
]


def question(messages: list[dict[str, str]], **given: str) -> Question:
    return Question(messages, "acme", "spring", "lead:ada", **given)  # type: ignore[arg-type]


def test_the_parts_tell_why_a_request_is_hard() -> None:
    simple, hard = complexity_of(question(SIMPLE)), complexity_of(question(COMPLEX))
    assert simple.score < 0.2 < 0.5 < hard.score
    assert simple.parts == {
        "length": pytest.approx(0.03, abs=0.02),
        "constraints": pytest.approx(2 / 12),
        "language": 0,
        "channel": 0,
        "turns": 0,
    }
    assert hard.parts["language"] == 0.5
    assert hard.parts["turns"] == pytest.approx(2 / 6)
    assert str(hard).startswith(f"{hard.score:.2f} (length 0.")


def test_what_the_caller_says_goes_before_what_the_prompt_looks_like() -> None:
    assert complexity_of(question(SIMPLE, channel="email", language="ja")).parts["channel"] == 0.7
    assert complexity_of(question(SIMPLE, channel="Email", language="ja")).parts["language"] == 1.0


def test_only_what_has_weight_counts() -> None:
    assert complexity_of(question(COMPLEX), Weights(0, 0, 1, 0, 0)).score == 0.5
    with pytest.raises(InputError, match="weigh"):
        Weights(0, 0, 0, 0, 0)
    with pytest.raises(InputError, match="weigh"):
        Weights(length=-1)


def test_each_tier_gets_what_scores_above_the_one_before() -> None:
    split = ComplexitySplit([Tier(0.3, SMALL), Tier(1, LARGE)])
    assert split.tier_of(question(SIMPLE))[0].target == SMALL
    assert split.tier_of(question(COMPLEX))[0].target == LARGE


@pytest.mark.parametrize("tops", [[], [0.5], [0.5, 0.5, 1], [0.7, 0.3, 1], [-0.1, 1], [0.5, 1.1]])
def test_tiers_that_leave_a_gap_are_refused(tops: list[float]) -> None:
    with pytest.raises(InputError, match=r"don't split 0\.\.1"):
        ComplexitySplit([Tier(top, SMALL) for top in tops])


@settings(deadline=None)  # the first one loads word lists
@given(
    st.lists(st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text()}), min_size=1)
)
def test_any_conversation_has_a_score_and_a_tier(messages: list[dict[str, str]]) -> None:
    tier, complexity = ComplexitySplit([Tier(0.5, SMALL), Tier(1, LARGE)]).tier_of(question(messages))
    assert 0 <= complexity.score <= 1
    assert (tier.target == SMALL) == (complexity.score <= 0.5)


@given(st.lists(st.floats(0, 1), min_size=1, unique=True), st.floats(0, 1))
def test_a_threshold_leaves_the_share_that_was_asked_for(scores: list[float], share: float) -> None:
    top = threshold_for(scores, share)
    harder = sum(score > top for score in scores)
    assert abs(harder - share * len(scores)) <= 1 or top == 0


def test_a_request_that_scores_the_threshold_itself_is_simple() -> None:
    score = complexity_of(question(COMPLEX)).score
    split = ComplexitySplit([Tier(threshold_for([score, 1.0], 0.5), SMALL), Tier(1, LARGE)])
    assert split.tier_of(question(COMPLEX))[0].target == SMALL
