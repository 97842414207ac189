"""Which messages fit a request: those to the nearest segment, the better ones first, and no text twice."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.training.trainers.exemplars.few_shot import few_shot
from flywheel_dagster.training.trainers.exemplars.index import Exemplar, Index
from flywheel_dagster.training.trainers.exemplars.segment import SegmentIndex, request_fields

INDUSTRIES, ROLES, CHANNELS = ("SaaS", "Logistics", "Retail"), ("VP Sales", "CTO"), ("email", "linkedin")

contexts = st.fixed_dictionaries(
    {},
    optional={
        "lead_industry": st.sampled_from(INDUSTRIES),
        "lead_role": st.sampled_from(ROLES),
        "channel": st.sampled_from(CHANNELS),
        "framework": st.sampled_from(("AIDA", "PAS")),
    },
)


def request_for(**context: str) -> str:
    return request_messages(context)[1]["content"]


def exemplar(number: int, *, group: str | None = None, **context: str) -> Exemplar:
    return Exemplar(f"id-{number:05}", request_for(**context), f"message {number}", 0.9, 5.0, group or f"group {number}")


def index_of(*exemplars: Exemplar) -> Index:
    return Index(exemplars, base_model="gpt-6-luna", shots=4)


def test_a_request_in_our_words_is_read_and_any_other_text_has_no_fields() -> None:
    asked = request_for(lead_industry="SaaS", lead_role="VP  Sales", company_size="51-200", channel="email", tone="warm: very")
    assert request_fields(asked) == {
        "industry": "saas", "role": "vp sales", "company size": "51-200", "channel": "email", "tone": "warm: very",
    }  # fmt: skip
    for other in ("", "\n\n", "Industry: SaaS", "Write a poem for:me", "Write a message that fails with:\nIndustry: SaaS"):
        assert request_fields(other) == {}


@given(st.dictionaries(st.sampled_from(("lead_industry", "lead_role", "channel", "tone")), st.text(max_size=30), max_size=4))
def test_whatever_values_a_request_has_they_are_read_as_they_were_written(context: dict[str, str]) -> None:
    written = {name: value for name, value in context.items() if value.split()}
    fields = request_fields(request_messages(context)[1]["content"])
    names = {"lead_industry": "industry", "lead_role": "role", "channel": "channel", "tone": "tone"}
    assert fields == {names[name]: " ".join(value.split()).casefold() for name, value in written.items()}


def test_the_nearest_segment_comes_first_and_a_rare_equal_value_says_more_than_a_common_one() -> None:
    everyone = [exemplar(number, lead_industry="SaaS", channel="email") for number in range(20)]
    rare = exemplar(90, lead_industry="Mining", channel="linkedin")
    both = exemplar(91, lead_industry="Mining", channel="email")
    index = index_of(*everyone, rare, both)
    found = index.nearest(request_for(lead_industry="Mining", channel="email"), 3)
    assert [each.outcome_id for each in found] == [both.outcome_id, rare.outcome_id, everyone[0].outcome_id]


def test_a_request_of_another_shape_gets_the_best_of_all() -> None:
    index = index_of(*(exemplar(number, channel="email") for number in range(9)))
    assert [each.outcome_id for each in index.nearest("Tell me a joke", 3)] == ["id-00000", "id-00001", "id-00002"]


@given(st.lists(contexts, min_size=1, max_size=30), contexts)
def test_who_has_more_in_common_comes_first_and_equals_stay_in_order(items: list[dict[str, str]], asked: dict[str, str]) -> None:
    fields = [request_fields(request_for(**item)) for item in items]
    wanted = request_fields(request_for(**asked))
    common = [{name for name, value in item.items() if wanted.get(name) == value} for item in fields]
    ranked = SegmentIndex(fields).ranked(wanted)
    assert sorted(ranked) == list(range(len(items)))
    for place, number in enumerate(ranked):
        assert not any(common[number] < common[later] for later in ranked[place + 1 :])
    assert all(first < second for first, second in pairwise(ranked) if common[first] == common[second])


@given(st.lists(st.tuples(contexts, st.integers(0, 5)), max_size=30), contexts, st.integers(1, 6))
def test_shots_are_of_distinct_groups_and_as_many_as_there_are(
    items: list[tuple[dict[str, str], int]], asked: dict[str, str], most: int
) -> None:
    index = index_of(*(exemplar(number, group=f"g{group}", **context) for number, (context, group) in enumerate(items)))
    found = index.nearest(request_for(**asked), most)
    assert len({each.group for each in found}) == len(found) == min(most, len({group for _, group in items}))


def test_the_turns_stand_between_the_instructions_and_the_request_the_nearest_last() -> None:
    near, far = exemplar(1, lead_industry="SaaS", channel="email"), exemplar(0, channel="email")
    messages = request_messages({"lead_industry": "SaaS", "channel": "email"})
    system, *turns, asked = few_shot(index_of(far, near), messages, 2)
    assert [system, asked] == messages
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("user", far.request), ("assistant", far.message), ("user", near.request), ("assistant", near.message),
    ]  # fmt: skip


def test_a_conversation_that_goes_on_keeps_its_turns_behind_the_exemplars() -> None:
    shown = exemplar(0, channel="email")
    talk = [
        {"role": "user", "content": request_for(channel="email")},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Shorter, please"},
    ]
    assert few_shot(index_of(shown), talk, 1)[2:] == talk
    assert few_shot(index_of(), talk, 1) == talk
    instructions = [{"role": "system", "content": "Be brief."}]
    assert few_shot(index_of(shown), instructions, 1)[0] == instructions[0]


def test_two_thousand_messages_with_ten_fields_are_searched_in_no_time() -> None:
    chance = random.Random(5)
    names = ("industry", "role", "channel", "framework", "tone", "company size", "region", "product", "season", "language")
    items = [{name: str(chance.randrange(8)) for name in names} for _ in range(2_000)]
    index = SegmentIndex(items)

    def seconds() -> float:
        began = time.perf_counter()
        index.ranked(items[chance.randrange(2_000)])
        return time.perf_counter() - began

    assert min(seconds() for _ in range(50)) < 0.005


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_shots_are_taken_than_asked_for(most: int) -> None:
    messages = request_messages({"channel": "email"})
    index = index_of(*(exemplar(number, channel="email") for number in range(9)))
    assert len(few_shot(index, messages, most)) == 2 + 2 * most
