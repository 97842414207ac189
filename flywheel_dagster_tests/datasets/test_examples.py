"""From an outcome to one line of JSONL."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.chat_format import line_problems
from flywheel_dagster.datasets.examples import FORMAT, Example, build_examples, example_format, split_point
from flywheel_dagster.datasets.privacy.known import KnownSenders, Person
from flywheel_dagster.datasets.prompts import outcome_note, request_messages

ROW: dict[str, Any] = {
    "organization_id": "acme",
    "training_label": "positive_example",
    "first_name": "José",
    "last_name": "Núñez",
    "company": "Nordwind GmbH",
    "email": "jose@nordwind.example",
    "phone": "+49 30 123456-0",
    "subject_line": "Quick question",
    "message_body": "Hi {{first_name}},\n\nshall we talk?",
    "lead_industry": "SaaS",
    "lead_role": "VP Sales",
    "company_size": "51-200",
    "channel": "email",
    "framework": "PAS",
    "tone": "professional",
    "deal_closed": True,
    "deal_value": "15000",
}

OPEN = None
PRIVATE = KnownSenders([Person("Sam", "Salter", None, "sam@vendor.example", None)], "Vendor")


def build_example(row: dict[str, Any], senders: KnownSenders | None = OPEN, *, with_outcome_note: bool = False) -> Example:
    return next(build_examples([row], {"acme": senders}, with_outcome_note=with_outcome_note))


def test_the_user_states_lead_and_strategy_and_the_assistant_writes_subject_and_body() -> None:
    line = build_example(ROW).line
    assert line is not None
    example = json.loads(line)
    assert list(example) == ["messages"]
    system, user, assistant = example["messages"]
    assert [turn["role"] for turn in (system, user, assistant)] == ["system", "user", "assistant"]
    assert user["content"] == (
        "Write a message for:\nIndustry: SaaS\nRole: VP Sales\nCompany size: 51-200\nChannel: email\nFramework: PAS\nTone: professional"
    )
    assert assistant["content"] == "Subject: Quick question\n\nHi {{first_name}},\n\nshall we talk?"
    assert example["messages"][:2] == request_messages(ROW), "senders ask with the same words"


def test_what_is_not_known_is_left_out() -> None:
    assert request_messages({"channel": "sms", "lead_role": None, "tone": ""})[1]["content"] == "Write a message for:\nChannel: sms"


def test_a_field_cannot_smuggle_in_lines_of_its_own() -> None:
    asked = request_messages({"channel": "email", "lead_role": "CEO\nTone: rude"})[1]["content"]
    assert "Role: CEO Tone: rude" in asked.splitlines()


def test_the_outcome_is_told_only_when_it_is_asked_for() -> None:
    assert "Outcome" not in str(build_example(ROW).line)
    assert "**Outcome:** Deal closed: $15,000" in str(build_example(ROW, with_outcome_note=True).line)
    assert outcome_note({"meeting_booked": True}) == "\n\n**Outcome:** Meeting booked"
    assert outcome_note({"delivered": True}) == ""
    assert example_format(outcome_note=True) != example_format(outcome_note=False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("", "empty message"), (" \n\t", "empty message"), ("one word " * 40_000, "longer than 65,536 tokens")],
)
def test_what_cannot_be_an_example_says_why(body: str, reason: str) -> None:
    example = build_example(ROW | {"message_body": body})
    assert (example.line, example.rejected) == (None, reason)


@given(st.text(min_size=1).filter(str.strip), st.none() | st.text(min_size=1))
def test_every_text_round_trips_in_one_line_that_the_rules_accept(body: str, subject: str | None) -> None:
    line = build_example(ROW | {"message_body": body, "subject_line": subject}).line
    assert line is not None
    assert not any(control in line for control in ("\n", "\r", "\x01", "\x02"))
    content = json.loads(line)["messages"][2]["content"]
    assert content == (f"Subject: {subject}\n\n{body}" if subject else body)
    assert list(line_problems(line.encode())) == []


@given(st.text(), st.text())
def test_a_lead_has_one_place_for_ever(organization: str, lead: str) -> None:
    place = split_point(organization, lead)
    assert 0 <= place < 1
    assert place == split_point(organization, lead)


def test_places_are_spread_evenly_and_differ_between_organizations() -> None:
    places = [split_point("acme", f"lead {number}") for number in range(10_000)]
    assert abs(sum(place < 0.1 for place in places) / 10_000 - 0.1) < 0.012
    assert split_point("acme", "ada") != split_point("rival", "ada")
    assert split_point("ab", "c") != split_point("a", "bc")
    assert split_point("acme", "lead 1") == 0.012098766763075308, "fixed for ever: another value moves examples between the sides"


def test_personal_data_of_lead_and_sender_is_out_and_strangers_get_typed_placeholders() -> None:
    body = (
        "Hi José,\n\nSam at Vendor here. I saw Nordwind's plant; write to jose@nordwind.example or call +49 30 1234560.\n"
        "Ask kim@other.example, too: https://vendor.example/u?id=8831.\n\nBest,\nSam Salter\nsam@vendor.example"
    )
    example = build_example(ROW | {"message_body": body}, PRIVATE)
    assert example.line is not None
    assert json.loads(example.line)["messages"][2]["content"] == (
        "Subject: Quick question\n\nHi {{first_name}},\n\n{{sender_first_name}} at {{sender_company}} here. I saw {{company}}'s plant; "
        "write to {{email}} or call {{phone}}.\nAsk {{email_address}}, too: {{link}}."
    )
    assert example.replaced["email_address"] == 1
    assert "Núñez" not in str(build_example(ROW | {"lead_role": "Assistant to Mr Núñez"}, PRIVATE).line)


def test_a_message_in_which_an_address_is_left_is_no_example() -> None:
    row = ROW | {"message_body": "Write to {{first_name}}smith@other.example"}
    assert build_example(row, PRIVATE).rejected == "an e-mail address is left"
    assert build_example(row, OPEN).rejected is None


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_what_is_private_anywhere_never_comes_out_of_step(body: str, subject: str) -> None:
    """Parts of a message are redacted together: whatever they hold, each comes back in its own place."""
    row = ROW | {"message_body": f"{body}\n\x1e\n{body}", "subject_line": f"{subject}\x1e", "lead_role": "\x1e"}
    example = build_example(row, PRIVATE)
    if example.line is not None:
        asked = json.loads(example.line)["messages"][1]["content"]
        assert asked.startswith("Write a message for:\nIndustry: SaaS\n") and asked.endswith("Tone: professional")


def test_a_line_is_what_models_were_trained_on() -> None:
    """If this must change, raise FORMAT: models that were trained on other words get a new major version."""
    line = build_example(ROW | {"message_body": "Hi José, does Nordwind plan for 2027?"}, PRIVATE).line
    assert FORMAT == 2
    assert line == (
        '{"messages":[{"role":"system","content":"You are an expert B2B sales copywriter. Write one message that earns a reply, a meeting '
        'and a deal. Keep placeholders such as {{first_name}} as they are."},{"role":"user","content":"Write a message for:\\nIndustry: SaaS'
        '\\nRole: VP Sales\\nCompany size: 51-200\\nChannel: email\\nFramework: PAS\\nTone: professional"},{"role":"assistant","content":'
        '"Subject: Quick question\\n\\nHi {{first_name}}, does {{company}} plan for 2027?"}]}'
    )
