"""Every rule of a training file, on the pure check and through a real job."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest

from flywheel_dagster.sandbox.model_server.validation import check_examples, find_upload_problem
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "openai"
USER = {"role": "user", "content": "Write to Sam."}
ASSISTANT = {"role": "assistant", "content": "Dear Sam"}

INVALID: dict[str, tuple[dict[str, Any], str, str]] = {
    "top-level metadata": (
        {"messages": [USER, ASSISTANT], "metadata": {"outcome": 1}},
        "invalid_file_format",
        'The job failed due to a file format error in the training file. Invalid file format. Example 3 contains an extra "metadata".',
    ),
    "top-level weight": (
        {"messages": [USER, ASSISTANT], "weight": 10.0},
        "invalid_file_format",
        'Example 3 contains an extra "weight"',
    ),
    "weight of a half": ({"messages": [USER, {**ASSISTANT, "weight": 0.5}]}, "invalid_training_file", "message 2 weight"),
    "weight of two": ({"messages": [USER, {**ASSISTANT, "weight": 2}]}, "invalid_training_file", "should be 0 or 1"),
    "boolean weight": ({"messages": [USER, {**ASSISTANT, "weight": True}]}, "invalid_training_file", "should be 0 or 1"),
    "weight on a user": ({"messages": [{**USER, "weight": 1}, ASSISTANT]}, "invalid_training_file", "weight: Extra inputs"),
    "unknown member": ({"messages": [USER, {**ASSISTANT, "score": 1}]}, "invalid_training_file", "score: Extra inputs"),
    "no assistant": ({"messages": [USER]}, "invalid_training_file", "at least one message from the assistant"),
    "assistant not last": (
        {"messages": [USER, ASSISTANT, USER]},
        "invalid_training_file",
        "last message must be from the assistant",
    ),
    "unknown role": ({"messages": [{"role": "human", "content": "Hi"}, ASSISTANT]}, "invalid_training_file", "Input tag 'human'"),
    "missing role": (
        {"messages": [USER, {"content": "Dear Sam"}]},
        "invalid_training_file",
        "The job failed due to an invalid training file. Invalid file format. Example 3, message 2 "
        "Discriminator 'role' is missing in value",
    ),
    "null content": ({"messages": [USER, {"role": "assistant", "content": None}]}, "invalid_training_file", "message 2 content"),
    "number as content": ({"messages": [{"role": "user", "content": 7}, ASSISTANT]}, "invalid_training_file", "message 1 content"),
    "message is text": ({"messages": ["Hi", ASSISTANT]}, "invalid_training_file", "message 1 Input should be a valid dictionary"),
    "empty messages": ({"messages": []}, "invalid_training_file", "at least one message"),
    "messages is text": ({"messages": "Hi"}, "invalid_training_file", "at least one message"),
    "prompt and completion": ({"prompt": "Hi", "completion": "Ho"}, "invalid_training_file", "prompt-completion format"),
    "neither shape": ({"text": "Hi"}, "invalid_training_file", "expected either prompt/completion pairs or chat messages"),
    "tools is text": ({"messages": [USER, ASSISTANT], "tools": "none"}, "invalid_training_file", "tools has the wrong type"),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_example_fails_the_job_after_it_was_accepted(server: Served, name: str) -> None:
    example, code, text = INVALID[name]
    examples = make_examples(12)
    examples[2] = example
    created = server.client.fine_tuning.jobs.create(model="gpt-4o-mini-2024-07-18", training_file=server.upload(examples))
    assert created.status == "validating_files"
    job = server.wait(created.id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.code == code
    assert text in job.error.message
    assert job.fine_tuned_model is None
    assert job.trained_tokens is None


def test_nine_examples_fail_the_job_with_the_providers_words(server: Served) -> None:
    job = server.train(make_examples(9))
    assert job.error is not None
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_n_examples", "training_file")
    assert job.error.message == "Training file has 9 example(s), but must have at least 10 examples"


def test_ten_examples_are_enough(server: Served) -> None:
    assert server.train(make_examples(10)).status == "succeeded"


def test_a_bad_validation_file_is_named_as_such(server: Served) -> None:
    bad = server.upload([{"messages": [USER]}])
    job = server.train(make_examples(10), validation_file=bad)
    assert job.error is not None
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_validation_file", "validation_file")


@pytest.mark.parametrize("line", ["[1, 2]", '"text"', "7", "null", '{"messages": [', "hello", ""])
def test_an_upload_with_a_line_that_is_no_dictionary_is_refused(server: Served, line: str) -> None:
    content = to_jsonl(make_examples(1)) + line.encode() + b"\n" + to_jsonl(make_examples(1))
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.files.create(file=("train.jsonl", content), purpose="fine-tune")
    assert "every line is a JSON dictionary. Line 2 is not a dictionary (HINT: line starts with:" in refused.value.message


def test_an_empty_upload_is_refused(server: Served) -> None:
    with pytest.raises(openai.BadRequestError, match="File is empty"):
        server.client.files.create(file=("train.jsonl", b""), purpose="fine-tune")


def test_tool_calls_weights_and_text_parts_are_valid() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    parts = [{"type": "text", "text": "Write to Sam."}]
    valid: list[dict[str, Any]] = [
        {"messages": [USER, {"role": "assistant", "tool_calls": [call]}], "tools": [], "parallel_tool_calls": False},
        {"messages": [USER, {**ASSISTANT, "weight": 0}, USER, {**ASSISTANT, "weight": 1}]},
        {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}, ASSISTANT]},
    ]
    examples, problem = check_examples(to_jsonl(valid * 4))
    assert problem is None
    assert len(examples) == 12


def test_line_separators_inside_strings_and_a_byte_order_mark_do_no_harm() -> None:
    example = {"messages": [USER, {"role": "assistant", "content": "one\u2028two\u0085three"}]}
    content = b"\xef\xbb\xbf" + b"".join(json.dumps(example, ensure_ascii=False).encode() + b"\r\n" for _ in range(10))
    assert find_upload_problem(content) is None
    assert check_examples(content)[1] is None


def test_preference_pairs_need_their_three_parts() -> None:
    pair = {
        "input": {"messages": [USER]},
        "preferred_output": [ASSISTANT],
        "non_preferred_output": [{**ASSISTANT, "content": "Yo"}],
    }
    assert check_examples(to_jsonl([pair] * 10), method="dpo")[1] is None
    for key in pair:
        problem = check_examples(to_jsonl([{k: v for k, v in pair.items() if k != key}] * 10), method="dpo")[1]
        assert problem is not None
        assert key in problem.message
    assert check_examples(to_jsonl([pair] * 10))[1] is not None


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples aren't beside this checkout")
def test_the_collected_samples_are_judged_as_their_notes_say() -> None:
    for sample in json.loads((SAMPLES / "train_invalid_lines.json").read_text()):
        line = sample["line"].encode()
        content = line + b"\n" + to_jsonl(make_examples(11))
        refused = find_upload_problem(content) or check_examples(content)[1]
        assert refused is not None, sample["name"]
    twelve = (SAMPLES / "train_valid_12_examples.jsonl").read_bytes()
    assert find_upload_problem(twelve) is None
    assert check_examples(twelve)[1] is None
    assert check_examples((SAMPLES / "train_valid_lines.jsonl").read_bytes() * 4)[1] is None
    nine = check_examples((SAMPLES / "train_too_few_9_examples.jsonl").read_bytes())[1]
    assert nine is not None
    assert nine.code == "invalid_n_examples"
