"""The pure parts of learning: the n-gram's distributions and EM, retrieval, and carrying answers over."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.sandbox.model_server import ngram
from flywheel_dagster.sandbox.model_server.prompt_fields import carry_over, read_fields
from flywheel_dagster.sandbox.model_server.retrieval import PromptIndex
from flywheel_dagster.sandbox.model_server.tokens import tokenise

_TEXTS = st.lists(st.text(alphabet="ab c.", max_size=12), min_size=1, max_size=8)


@given(text=st.text(max_size=60))
def test_tokens_join_to_the_text_they_came_from(text: str) -> None:
    assert "".join(tokenise(text)) == text


@settings(max_examples=60, deadline=None)
@given(texts=_TEXTS, seed=st.integers(0, 99))
def test_an_em_step_never_raises_the_training_loss(texts: list[str], seed: int) -> None:
    table = ngram.predict(ngram.count_ngrams(texts), texts, leave_one_out=True)
    chance = random.Random(seed)
    raw = [chance.random() + 0.01 for _ in range(ngram.ORDERS)]
    weights = tuple(value / sum(raw) for value in raw)
    for _ in range(4):
        better = ngram.improve_weights(table, weights)
        assert abs(sum(better) - 1) < 1e-9
        assert ngram.cross_entropy(table, better) <= ngram.cross_entropy(table, weights) + 1e-9
        weights = better


@settings(max_examples=40, deadline=None)
@given(texts=_TEXTS)
def test_each_order_is_a_distribution_over_the_vocabulary(texts: list[str]) -> None:
    counts = ngram.count_ngrams(texts)
    known = [token for token in counts.vocabulary if token not in ("<s>", "</s>", "<unk>")]
    first = [ngram.predict(counts, [token])[0] for token in known]  # each word as a text's first token
    end = ngram.predict(counts, [""])[0]
    total = np.sum([*first, end], axis=0) if known else end
    assert np.allclose(total[1:], 1)
    assert np.all(total[0] <= 1)


def test_the_rarer_shared_word_decides_which_prompt_is_near() -> None:
    prompts = ["write about the depot", "write about the harbour", "write about the office"]
    index = PromptIndex(prompts, shares=[1.0, 1.0, 1.0])
    assert index.nearest("the harbour please", most=1)[0][0] == 1
    halved = PromptIndex([*prompts, "write about the harbour"], shares=[1.0, 0.5, 1.0, 1.0])
    assert halved.nearest("the harbour", most=1)[0][0] == 3


def test_an_answer_is_carried_over_to_the_new_facts() -> None:
    old = "Write to Dana, VP Sales at Acme (120 people)."
    new = "Write to Bob, CTO at Globex (35 people)."
    assert carry_over("Hi Dana, Acme with 120 people, Acmeists.", old_prompt=old, new_prompt=new) == (
        "Hi Bob, Globex with 35 people, Acmeists."
    )


def test_facts_are_read_from_lines_json_and_prose() -> None:
    assert read_fields("- **Company:** Acme Ltd\n* first_name: Dana") == {"company": "Acme Ltd", "first name": "Dana"}
    assert read_fields('Lead: {"contact": {"name": "Dana"}, "size": 12}')["name"] == "Dana"
    assert read_fields("Write to Dana Reed, VP Sales at Acme.") == {"name": "Dana Reed", "role": "VP Sales", "company": "Acme"}
