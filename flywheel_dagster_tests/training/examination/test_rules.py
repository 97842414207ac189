"""What each rule says of single messages, and what it must leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.near_duplicates import words as compared_words
from flywheel_dagster.datasets.privacy.known import KnownSenders, Person
from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.training.examination.copying import Copying, copies_rule, sample_of
from flywheel_dagster.training.examination.examples import Example
from flywheel_dagster.training.examination.message_text import greeted_as
from flywheel_dagster.training.examination.personal_data import Privacy, names_rule
from flywheel_dagster.training.examination.profile import Profile, profile_of
from flywheel_dagster.training.examination.rules import outcome_text, wrong_format, wrong_placeholders

REQUEST = request_messages({"channel": "email"})
PLAIN = "Subject: Your routes\n\nHi {{first_name}},\n\nthree carriers of your size save a fifth. Shall we talk?\n\nBest,\n{{ sender.name }}"
PROFILE: Profile = profile_of([Example(REQUEST, PLAIN.replace("three", f"{number}")) for number in range(30)])
USUAL = PROFILE.channel("email")


@pytest.mark.parametrize(
    "text",
    [
        "Hi\n\n**Outcome:** Deal closed: $15,000",
        "Hi\n\nOutcome: Meeting booked",
        "Hi *Outcome*: replied",
        "Hi (quality score 0.8)",
        'Hi {"quality_score": 0.85, "deal_value": 15000}',
        "Hi\n\nLabel: positive",
        "Score: 0.9\n\nHi",
        "a positive_example of a message",
    ],
)
def test_outcome_text_is_found(text: str) -> None:
    assert outcome_text(text) == ["found"]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "We closed a deal with a retailer last week, and booked a meeting for the next.",
        "The outcome: fewer returns.",
        "Your credit score matters. The quality of leads, too.",
        "Result: nothing had to be replaced.",
    ],
)
def test_what_sellers_write_about_deals_is_no_outcome_text(text: str) -> None:
    assert outcome_text(text) == []


@pytest.mark.parametrize(
    ("spoilt", "wrong"),
    [
        (PLAIN, []),
        (PLAIN.replace("{{first_name}}", '{{ first_name | default: "there" }}'), []),
        (PLAIN.replace("carriers", "carriers of {{company}}"), []),
        (PLAIN.replace("carriers", "carriers of {{sender_company}}"), []),
        (PLAIN.replace("carriers", "{{carrier_name}}"), ["invented"]),
        (PLAIN.replace("{{first_name}}", "{{first_name"), ["broken", "missing"]),
        (PLAIN.replace("{{first_name}}", "{{{}}}"), ["broken", "missing"]),
        (PLAIN.replace("{{first_name}}", "there"), ["missing"]),
        (PLAIN.replace("carriers", "[Company Name] carriers"), ["a gap to fill in"]),
        (PLAIN.replace("carriers", "<company> carriers"), ["a gap to fill in"]),
        (PLAIN.replace("carriers", "{company} carriers"), ["a gap to fill in"]),
        (PLAIN.replace("carriers", "%COMPANY% carriers"), ["a gap to fill in"]),
        (PLAIN.replace("carriers", "[three] carriers (100% safe) <20 days"), []),
    ],
)
def test_placeholders(spoilt: str, wrong: list[str]) -> None:
    assert wrong_placeholders(spoilt, USUAL, PROFILE) == wrong


@pytest.mark.parametrize(
    ("spoilt", "wrong"),
    [
        (PLAIN, []),
        (PLAIN.partition("\n\n")[2], ["without a subject line"]),
        ("Subject: Your routes", ["nothing beneath the subject line"]),
        (f"{PLAIN}\n\n{PLAIN}", ["several subject lines"]),
        (PLAIN.replace("Hi", "Sure, here is a message. Hi"), ["words to the asker"]),
        (f"Here's your e-mail:\n\n{PLAIN}", ["without a subject line", "words to the asker"]),
        (f"{PLAIN}\n\nassistant: Hi", ["parts of the request"]),
        (f"{PLAIN}<|eot_id|>", ["parts of the request"]),
        (PLAIN.replace("three carriers", "**three carriers**"), ["markdown"]),
        (PLAIN.replace("three carriers", "of course three carriers"), []),
    ],
)
def test_format(spoilt: str, wrong: list[str]) -> None:
    assert wrong_format(spoilt, USUAL, PROFILE) == wrong


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (PLAIN, []),
        ("Hi there,\n\nin 2025 we saved 1,200,000 a year.", []),
        ("Hello Team,\n\nhave a look.", []),
        ("Hi Carriers,\n\nhave a look.", []),
        ("Write to jo@mail.example.com or jo [at] mail.example.com", ["email_address"]),
        ("Call +44 20 7946 0958", ["phone_number"]),
    ],
)
def test_personal_data(text: str, kinds: list[str]) -> None:
    assert Privacy([], redacts=True).found(text) == kinds


@pytest.mark.parametrize(
    ("greeting", "kinds"),
    [
        ("Hi Siobhan", ["greeted name"]),
        ("Sehr geehrte Frau Öztürk", ["greeted name"]),
        ("Sehr geehrter Herr Dr. Öztürk", ["greeted name"]),
        ("Dear Mr. Baker", ["greeted name"]),
        ("Bonjour Madame Petit", ["greeted name"]),
        ("Dear Mr. {{last_name}}", []),
        ("Dear Ms {{last_name}}", []),
        ("Sehr geehrter Herr {{last_name}}", []),
        ("Sehr geehrte Frau Dr. {{ last_name }}", []),
        ("Sehr geehrte Damen und Herren", []),
        ("Bonjour Madame {{last_name}}", []),
        ("Hola Señor {{last_name}}", []),
        ("Dear Sir or Madam", []),
        ("Hi {{first_name}}", []),
    ],
)
def test_greeted_names_are_told_from_titles_before_placeholders(greeting: str, kinds: list[str]) -> None:
    privacy = Privacy([], redacts=True)
    assert privacy.names(f"{greeting},\n\nhave a look.", PROFILE) == kinds
    assert privacy.found(f"{greeting},\n\nhave a look.") == []


def test_names_of_senders_and_companies_are_no_certain_find_and_their_addresses_are() -> None:
    will = Person("Will", "Mark", "Front", "will@front.example.com", "+49 30 901820")
    privacy = Privacy([KnownSenders([will], "Front")], redacts=True)
    text = "Front office teams like it. Mark my words: Will it hold?"
    assert privacy.found(text) == []
    assert set(privacy.names(text, PROFILE)) <= {"sender_first_name", "sender_last_name", "sender_company"}
    assert privacy.names(text, PROFILE)
    assert privacy.found("Write to will@front.example.com or call 030 901820.") == ["email_address", "sender_email", "sender_phone"]


@pytest.mark.parametrize(("shares", "most"), [([], 0.02), ([0.0, 0.01], 0.02), ([0.04, 0.3], 0.3)])
def test_as_many_may_hold_names_as_what_people_sent_does(shares: list[float], most: float) -> None:
    assert names_rule(shares).most == most


def test_a_word_that_many_are_greeted_as_is_no_name() -> None:
    greeting = profile_of([Example(REQUEST, f"Hi Champions,\n\nnumber {number}") for number in range(20)])
    assert greeted_as("Hi Champions, look") == "Champions"
    assert Privacy([], redacts=True).names("Hi Champions, look", greeting) == []
    assert Privacy([], redacts=True).names("Hi Champions, look", PROFILE) == ["greeted name"]


def words(number: int, count: int = 40) -> str:
    return " ".join(f"w{number}x{place}" for place in range(count))


def test_a_copy_of_one_message_is_found_and_a_template_of_many_is_none() -> None:
    template = words(0)
    training = [words(1), words(2), f"{template} alpha", f"{template} beta"]
    answers = {
        "copy": words(1), "most of it": words(1, 30) + " " + words(8, 10), "little of it": words(1, 12) + " " + words(9, 30),
        "template": f"{template} gamma", "own": words(7),
    }  # fmt: skip
    copying = Copying([*training, *answers.values()])
    for message in training:
        copying.pass_by(message)
    assert {name for name, text in answers.items() if copying.is_copy(text)} == {"copy", "most of it"}
    assert [copying.is_copy_of_another(message) for message in training] == [False, False, True, True]
    assert copies_rule(training, copying).most == 0.5
    assert copies_rule(training[:2], copying).most == 0.05


@given(st.lists(st.text(max_size=40), max_size=30), st.randoms(use_true_random=False))
def test_the_sample_of_training_messages_does_not_depend_on_their_order(messages: list[str], order: object) -> None:
    shuffled = list(messages)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sample_of(messages) == sample_of(shuffled)


@given(st.text(max_size=300))
def test_no_text_breaks_a_rule_by_an_error(text: str) -> None:
    wrong_format(text, USUAL, PROFILE)
    wrong_placeholders(text, USUAL, PROFILE)
    outcome_text(text)
    Privacy([], redacts=True).found(text)
    Privacy([], redacts=True).names(text, PROFILE)
    copying = Copying([text])
    copying.pass_by(text)
    assert copying.is_copy(text) == bool(compared_words(text))
