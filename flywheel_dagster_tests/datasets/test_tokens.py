"""Token counts against tiktoken's, for strings that are hard to cut, and against what OpenAI's API itself counted."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.datasets.tokens import count_example, count_examples, count_texts, count_tokens
from flywheel_dagster_tests.thoroughness import examples

# By OpenAI's tiktoken 0.14.0, `len(get_encoding("o200k_base").encode_ordinary(text))`, on a vocabulary file with the SHA-256 that
# tiktoken itself asks for: 446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d.
COUNTED_BY_TIKTOKEN = [
    ("", 0),
    (" ", 1),
    ("a", 1),
    ("hello world", 2),
    ("Hello, World!", 4),
    ("antidisestablishmentarianism", 6),
    ("\u304a\u8a95\u751f\u65e5\u304a\u3081\u3067\u3068\u3046", 8),
    ("2 + 2 = 4", 7),
    ("1234567890", 4),
    ("3.14159,26", 6),
    ("\u0663\u0664\u0665\u0666", 4),
    ("\u2167 \xbd \xb2", 6),
    ("   ", 1),
    ("                 ", 1),
    (" " * 200, 2),
    ("\t\t\t", 1),
    ("\n", 1),
    ("\n\n\n", 1),
    ("\r\n\r\n", 1),
    (" \n \n ", 2),
    ("a  b   c    d", 7),
    ("trailing   ", 3),
    ("   leading", 2),
    ("line\n    indented\n\ttabbed", 8),
    ("a\xa0b\u2009c\u3000d", 7),
    ("a\u2028b\u2029c", 6),
    ("\x0b\x0c\x85", 4),
    ("<|endoftext|>", 7),
    ("<|endofprompt|>", 7),
    ("<|im_start|>user<|im_sep|>hi<|im_end|>", 20),
    ("a<|endoftext|>b", 9),
    ("<|fim_prefix|><|fim_suffix|>", 11),
    ("<|endoftext", 5),
    ("[INST] <<SYS>>", 6),
    ("\U0001f600", 1),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 11),
    ("\U0001f3f3\ufe0f\u200d\U0001f308", 6),
    ("\U0001f44d\U0001f3fd", 3),
    ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 8),
    ("\u2764\ufe0f\U0001f525", 2),
    ("1\ufe0f\u20e3", 2),
    ("Great \U0001f389\U0001f389\U0001f389 news!!!", 9),
    ("\u4f60\u597d\uff0c\u4e16\u754c", 3),
    ("\u6211\u4eec\u60f3\u548c\u60a8\u8c08\u8c08\u7269\u6d41\u8def\u7ebf\u3002", 9),
    (
        "\u4eca\u65e5\u306f\u30eb\u30fc\u30c8\u8a08\u753b\u306b\u3064\u3044\u3066\u304a\u8a71\u3057\u3067\u304d\u307e\u3059\u304b\u3002",
        12,
    ),
    ("\uc548\ub155\ud558\uc138\uc694, \uc7a0\uc2dc \uc2dc\uac04 \uc788\uc73c\uc138\uc694?", 9),
    ("\U0002000b\U000210c1", 7),
    ("\u3131\u3134\u3137", 6),
    ("\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", 4),
    (
        "\u0627\u0644\u0633\u0644\u0627\u0645 \u0639\u0644\u064a\u0643\u0645\u060c \u0647\u0644 \u064a\u0645\u0643\u0646\u0646\u0627 \u0627\u0644\u062a\u062d\u062f\u062b\u061f",
        9,
    ),
    ("\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", 2),
    ("\u0646\u0645\u0649\u200c\u062e\u0648\u0627\u0647\u0645", 5),
    ("\u202eabc\u202c", 3),
    ("\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", 5),
    ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a", 5),
    ("\u1787\u17c6\u179a\u17b6\u1794\u179f\u17bd\u179a", 7),
    ("\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", 8),
    ("\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435, \u0418\u0432\u0430\u043d!", 4),
    ("Z\xfcrich, K\xf6ln, \u0141\xf3d\u017a, \u010ce\u0161tina", 13),
    ("na\xefve caf\xe9 \u2014 d\xe9j\xe0 vu", 7),
    ("e\u0301 vs \xe9", 4),
    ("\ufb01nance \ufb02ow", 5),
    ("\u0130stanbul \u0131I", 5),
    ("Stra\xdfe STRASSE \u1e9e", 7),
    ("\u01c5 \u01c8", 5),
    ("z\u0335\u0327\u0321a\u0321l\u0322g\u0335o\u0334", 18),
    ("I'm you're we've they'll he'd it's don't", 7),
    ("I'M YOU'RE WE'VE THEY'LL", 11),
    ("camelCaseAndPascalCase snake_case SCREAMING_CASE", 12),
    ("HTMLParser XMLHttpRequest iOS", 6),
    ("{{first_name}} at {{company}}", 8),
    ("Hi {{first_name}},\n\nquick question about {{company}}'s routes.", 16),
    ("https://example.com/a/b?c=d&e=%20#f", 14),
    ("jane.doe+test@example.co.uk", 9),
    ("+49 (0)30 901820", 9),
    ("C:\\Users\\me\\file.txt", 8),
    ("/* comment */ // and\n///", 7),
    ('if (x == 1) { return "y"; }', 13),
    ("SELECT * FROM t WHERE a<>b;", 9),
    ('{"messages": [{"role": "user"}]}', 10),
    ("**Outcome:** Deal closed: $12,500", 10),
    ("a\x00b", 3),
    ("\x01\x02\x1b[31m", 6),
    ("\ufeffBOM", 3),
    ("\ufffd\ufffd", 1),
    ("\ue000\uf8ff", 4),
    ("a" * 100, 13),
    ("a" * 1000, 125),
    ("A" * 333, 43),
    ("!" * 100, 7),
    ("=" * 80, 1),
    ("-" * 1000, 16),
    ("." * 64, 1),
    ("\xe9" * 100, 100),
    ("\u7684" * 100, 100),
    ("\U0001f600" * 50, 50),
    ("\n" * 100, 7),
    ("ab" * 500, 250),
    ("0" * 100, 34),
    ("ha" * 128, 65),
    (
        "\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d\u200d",
        20,
    ),
    (
        "\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
        30,
    ),
    ("_" * 127, 3),
    ("#" * 129, 3),
    ("x " * 100, 101),
]

# OpenAI's cookbook, examples/How_to_count_tokens_with_tiktoken.ipynb, and the `prompt_tokens` that gpt-4o and gpt-4o-mini answered.
JARGON = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    },
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to do better."},
    {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client deliverable."},
]
JARGON_TOKENS = 124

HOSTILE = st.text(st.characters(exclude_categories=[]), max_size=300)


@pytest.mark.parametrize(("text", "tokens"), COUNTED_BY_TIKTOKEN, ids=range(len(COUNTED_BY_TIKTOKEN)))
def test_a_hard_text_has_as_many_tokens_as_tiktoken_counts(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_many_texts_are_counted_like_each_alone() -> None:
    assert count_texts([text for text, _ in COUNTED_BY_TIKTOKEN]) == [tokens for _, tokens in COUNTED_BY_TIKTOKEN]
    assert count_texts([]) == []


def test_a_conversation_has_as_many_tokens_as_the_provider_counts() -> None:
    assert count_example(JARGON) == JARGON_TOKENS


def test_a_conversation_costs_three_tokens_a_message_and_three_for_the_reply() -> None:
    assert count_example([]) == 3
    assert count_example([{"role": "user", "content": "hello world"}]) == 3 + 3 + 1 + 2
    assert count_example([{"role": "assistant", "content": "hello world", "weight": 0}]) == 3 + 3 + 1 + 2


def test_tool_calls_and_text_parts_are_counted_by_their_text() -> None:
    parts = [{"type": "text", "text": "hello"}, {"type": "text", "text": " world"}]
    assert count_example([{"role": "user", "content": parts}]) == count_example([{"role": "user", "content": "hello world"}])
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"firm": "Acme"}'}}
    assert count_example([{"role": "assistant", "content": None, "tool_calls": [call]}]) > 3 + 3 + 1 + 5


def test_many_conversations_are_counted_like_each_alone() -> None:
    conversations = [JARGON[:number] for number in range(len(JARGON) + 1)]
    assert count_examples(iter(conversations)) == [count_example(conversation) for conversation in conversations]
    assert count_examples([]) == []


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    assert count_tokens("a\ud800b") == count_tokens("a\ufffdb")
    assert count_texts(["plain", "\udfff"]) == [1, count_tokens("\ufffd")]


@given(HOSTILE)
@settings(deadline=None)
def test_no_text_fails_and_none_has_more_tokens_than_bytes(text: str) -> None:
    assert (0 if not text else 1) <= count_tokens(text) <= len(text.encode("utf-8", "surrogatepass"))


@given(HOSTILE, HOSTILE)
@settings(deadline=None)
def test_joined_texts_have_at_most_a_few_more_tokens_than_both(one: str, other: str) -> None:
    # Nothing promises it, as pairs are merged greedily; of 30,000 pairs none had more at all.
    assert count_tokens(one + " " + other) <= count_tokens(one) + count_tokens(" " + other) + 3


@given(st.lists(st.dictionaries(st.sampled_from(["role", "content", "name", "weight", "tool_calls"]), st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE, lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner), max_leaves=5))))  # fmt: skip
@settings(deadline=None, max_examples=examples(100, quick=30))
def test_no_message_fails_however_broken(messages: list[dict[str, Any]]) -> None:
    assert count_example(messages) >= 3 + 3 * len(messages)


def test_the_vocabulary_is_loaded_only_to_count() -> None:
    program = "import sys, flywheel_dagster.datasets.tokens; sys.exit('toktok' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
