"""Known names, companies and addresses in the ways that people write them, and ordinary words that only look like them."""

import pytest

from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.redaction import redact

NAMES = (
    (Person("José"), "Hi Jose, JOSÉ, José's", "Hi {{first_name}}, {{first_name}}, {{first_name}}'s"),
    (Person("Jose"), "Hola José.", "Hola {{first_name}}."),
    (Person("José"), "Jose\u0301 (decomposed)", "{{first_name}} (decomposed)"),
    (
        Person(last_name="O'Brien"),
        "O’Brien, O'BRIEN's, OBrien, O Brien",
        "{{last_name}}, {{last_name}}'s, {{last_name}}, {{last_name}}",
    ),
    (Person("Jean-Pierre"), "Jean-Pierre, Jean Pierre, Jean‑Pierre", "{{first_name}}, {{first_name}}, {{first_name}}"),
    (Person("Mary Ann", "Smith Jones"), "Mary Ann Smith Jones, Mary", "{{first_name}} {{last_name}}, {{first_name}}"),
    (Person(last_name="van der Berg"), "Mr. van der Berg, Mrs. Berg", "Mr. {{last_name}}, Mrs. {{last_name}}"),
    (Person("Jane", "Doe"), "Jane M. Doe, Jane M Doe", "{{first_name}} {{last_name}}, {{first_name}} {{last_name}}"),
    (Person("Dr. Anna", "Koch"), "Dr. Anna Koch", "Dr. {{first_name}} {{last_name}}"),
    (Person("Jürgen", "Weiß"), "Juergen Weiss", "{{first_name}} {{last_name}}"),
    (Person("Søren", "Łukasz"), "Soren, Lukasz", "{{first_name}}, {{last_name}}"),
    (Person("Ana", "Lind"), "Lind, Ana", "{{last_name}}, {{first_name}}"),
    (Person("Ana", "Lindqvist"), "ask ana lindqvist", "ask {{first_name}} {{last_name}}"),
    (Person("jose"), "hi jose, Jose", "hi {{first_name}}, {{first_name}}"),
    (Person("Will"), "hey will,\nwill you?", "hey {{first_name}},\nwill you?"),
    (Person("伟", "张"), "张伟您好", "{{last_name}}{{first_name}}您好"),
    (Person("さくら"), "さくらさん", "{{first_name}}さん"),
    (Person("Анна", "Иванова"), "АННА Иванова!", "{{first_name}} {{last_name}}!"),
    (Person("محمد"), "مرحبا محمد،", "مرحبا {{first_name}}،"),
    (Person("प्रिया"), "नमस्ते प्रिया!", "नमस्ते {{first_name}}!"),
    (Person("Sam"), "Sam_Fox and SAM", "{{first_name}}_Fox and {{first_name}}"),
)
COMPANIES = (
    ("Acme Robotics GmbH", None, "Acme Robotics GmbH, Acme Robotics, ACME ROBOTICS", "{{company}}, {{company}}, {{company}}"),
    ("Acme", None, "Acme Inc., Acme GmbH & Co. KG is", "{{company}}, {{company}} is"),
    ("Acme Ltd", None, "at Acme Limited. See", "at {{company}}. See"),
    ("Bodegas Ibáñez, S.A.", None, "Bodegas Ibanez and Bodegas Ibáñez S.A.", "{{company}} and {{company}}."),
    ("Käfer GmbH & Co. KG", None, "Kaefer, Käfer GmbH & Co. KG", "{{company}}, {{company}}"),
    ("The Blue Door Company", None, "Blue Door, The Blue Door", "{{company}}, {{company}}"),
    ("Acme Robotics", "a@acme.com", "Acme, acme.com and ACME", "{{company}}, {{company}} and {{company}}"),
    ("eBay", None, "at eBay", "at {{company}}"),
    ("3M", None, "at 3M, 3m", "at {{company}}, 3m"),
    ("AT&T", None, "AT&T, at t", "{{company}}, at t"),
    ("monday.com", None, "monday.com on Monday", "{{company}} on Monday"),
)
ORDINARY = (
    (Person("Will", "May"), "Will you? I will. We may. May I ask?"),
    (Person("Mark", "Hope"), "We mark it. Mark your calendar. Hope this helps, we hope."),
    (Person("Grant", "Page"), "a grant, page 3"),
    (Person("A", "B"), "A plan B, a to b"),
    (Person("", " "), "nothing at all"),
    (Person("The", "And"), "The cat And the dog"),
    (Person("N/A", "Unknown", "None"), "N/A, Unknown, None"),
    (Person("Ann"), "Annual planning, ANNEX, Joann"),
    (Person(company="Target"), "our target is to target more"),
    (Person(company="Monday"), "on monday"),
    (Person(email="jane@gmail.com"), "gmail.com is down"),
    (Person(phone="12345"), "12345 items"),
)


@pytest.mark.parametrize(("lead", "text", "wanted"), NAMES, ids=[text for _, text, _ in NAMES])
def test_names_are_found_as_people_write_them(lead: Person, text: str, wanted: str) -> None:
    assert redact(text, KnownPeople(lead)).text == wanted


@pytest.mark.parametrize(("company", "email", "text", "wanted"), COMPANIES, ids=[text for _, _, text, _ in COMPANIES])
def test_companies_are_found_as_people_write_them(company: str, email: str | None, text: str, wanted: str) -> None:
    assert redact(text, KnownPeople(Person(company=company, email=email))).text == wanted


@pytest.mark.parametrize(("lead", "text"), ORDINARY, ids=[text for _, text in ORDINARY])
def test_ordinary_words_are_no_names(lead: Person, text: str) -> None:
    assert redact(text, KnownPeople(lead)).text == text


def test_the_lead_comes_before_a_sender_of_the_same_name_and_the_longer_value_before_both() -> None:
    senders = KnownSenders([Person("Sam", "Fox"), Person("Sam Lee", "Fox")], "Fox Works")
    known = KnownPeople(Person("Sam"), senders)
    assert (
        redact("Sam of Fox Works, Sam Lee, Fox", known).text
        == "{{first_name}} of {{sender_company}}, {{sender_first_name}}, {{sender_last_name}}"
    )


def test_a_thousand_senders_cost_a_message_no_more_look_ups_than_one() -> None:
    senders = KnownSenders((Person("Sam", f"Fox{number}", email=f"sam{number}@flywheel.io") for number in range(1000)), "Flywheel")
    known = KnownPeople(Person("Ana"), senders)
    assert redact("Ana, it is Sam Fox7 of Flywheel (sam999@flywheel.io)", known).text == (
        "{{first_name}}, it is {{sender_first_name}} {{sender_last_name}} of {{sender_company}} ({{sender_email}})"
    )
    assert max(map(len, senders.phrases.lengths.values())) < 4


def test_placeholders_that_a_text_has_stay_even_where_a_lead_is_called_like_them() -> None:
    known = KnownPeople(Person("Company", "Name", "First Name", "link@link.example"))
    text = '{{company}} {{ Company | default: "Name" }} {{#if Name}} {{link}}'
    assert redact(text, known).text == text
