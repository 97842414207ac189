"""The reward model finds a signal that was planted in texts, and says so when there is none, or none in the texts."""

import random
from collections.abc import Callable

import pytest

from flywheel_dagster.training.examination.reward import train_reward
from flywheel_dagster.training.examination.reward_data import Message, Outcomes, assign_folds, text_groups
from flywheel_dagster_tests.training.examination.making import HOOK, INDUSTRIES, body

Chance = Callable[[Message], float]


def outcomes(count: int, chance: Chance, *, seed: int = 1, text: Callable[[random.Random], str] | None = None) -> Outcomes:
    """Messages, of which half hold HOOK, to leads who get two each; `chance` is a message's probability of success."""
    draw = random.Random(seed)
    write = text or (lambda draw: body(draw, hook=draw.random() < 0.5))
    messages = [Message({"Industry": draw.choice(INDUSTRIES), "Channel": "email"}, write(draw)) for _ in range(count)]
    return Outcomes(
        messages, [draw.random() < chance(each) for each in messages], [f"acme/{number // 2}" for number in range(count)]
    )


def by_hook(message: Message) -> float:
    return 0.6 if HOOK in message.text else 0.15


def by_industry(message: Message) -> float:
    return 0.7 if message.fields["Industry"] == "SaaS" else 0.1


def test_a_planted_signal_is_found_and_told_in_calibrated_probabilities() -> None:
    model, report = train_reward(outcomes(500, by_hook))
    assert model is not None
    assert report.why_not is None
    assert report.gain_over_base is not None and report.gain_over_base.low > 0
    assert report.auc is not None and 0.65 < report.auc < 0.85  # the truth's is 0.74
    draw = random.Random(5)
    fields = {"Industry": "SaaS", "Channel": "email"}
    without, with_it = (model.score([Message(fields, body(draw, hook=hook)) for _ in range(50)]) for hook in (False, True))
    assert sum(without) / 50 == pytest.approx(0.15, abs=0.1)
    assert sum(with_it) / 50 == pytest.approx(0.6, abs=0.12)
    assert model.score([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_of_pure_noise_it_says_that_it_cannot_judge(seed: int) -> None:
    model, report = train_reward(outcomes(300, lambda message: 0.3, seed=seed))
    assert model is None
    assert report.why_not is not None


def test_what_only_the_audience_tells_says_nothing_about_a_message() -> None:
    model, report = train_reward(outcomes(500, by_industry))
    assert model is None
    assert report.gain_over_base is not None and report.gain_over_base.low > 0
    assert report.why_not == "it tells success no better from message and audience than from the audience alone"


def test_templates_are_not_learnt_by_heart() -> None:
    # Each of 40 templates has its own luck, which says nothing about a text that isn't one of them.
    templates = [body(random.Random(number)) for number in range(40)]
    luck = {text: random.Random(text).choice((0.05, 0.8)) for text in templates}
    model, _ = train_reward(outcomes(400, lambda message: luck[message.text], text=lambda draw: draw.choice(templates)))
    assert model is None


def test_the_same_outcomes_give_the_same_model() -> None:
    given = outcomes(300, by_hook)
    one, other = train_reward(given), train_reward(given)
    assert one[1] == other[1]
    assert one[0] is not None and other[0] is not None
    assert one[0].score(given.messages) == other[0].score(given.messages)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (outcomes(40, by_hook), "too few to learn from"),
        (outcomes(200, lambda message: 0.0), "200 outcomes with 0 successes"),
        (
            outcomes(200, lambda message: 0.5, text=lambda draw: "Hi, shall we talk about your freight on Tuesday?"),
            "1 different messages",
        ),
    ],
)
def test_too_little_to_learn_from_is_said(given: Outcomes, why: str) -> None:
    model, report = train_reward(given)
    assert model is None
    assert why in str(report.why_not)


def test_near_duplicates_are_one_group_and_no_lead_or_text_is_on_both_sides_of_a_fold() -> None:
    draw = random.Random(2)
    base = [body(draw) for _ in range(60)]
    texts = [*base, *(text.replace("Tuesday", "Friday") for text in base[:20]), *base[:5]]
    groups = text_groups(texts)
    assert groups[60:80] == groups[:20]
    assert groups[80:] == groups[:5]
    assert len(set(groups)) == 60
    leads = [f"lead {number % 50}" for number in range(len(texts))]
    of_lead, of_text = assign_folds(leads, groups, 4)
    assert all(len({fold for fold, lead in zip(of_lead, leads, strict=True) if lead == each}) == 1 for each in set(leads))
    assert all(len({fold for fold, group in zip(of_text, groups, strict=True) if group == each}) == 1 for each in set(groups))
