"""What the conventions say of a reply, by example, in five languages."""

import pytest

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import SIGNALS, classify_by_rules, signals


def read(text):
    return classify_by_rules(own_words(text))


@pytest.mark.parametrize(
    "text",
    [
        "Not interested, thanks.",
        "Thank you so much for the lovely mail, but it's not for us. Good luck!",
        "Please take me off your list",
        "We already use HubSpot and are happy with it.",
        "That is way too expensive for us.",
        "Why do you keep writing to me?",
        "Wow, another AI tool. Just what I needed.",
        "No me interesa, gracias",
        "Ya trabajamos con otro proveedor y estamos contentos",
        "Merci mais nous ne sommes pas intéressés.",
        "C'est trop cher pour nous",
        "Kein Interesse, danke",
        "Wir haben aktuell keinen Bedarf.",
        "Obrigado, mas não temos interesse.",
        "Me remova da lista, por favor",
    ],
)
def test_a_closed_door_is_negative_however_friendly(text):
    found = read(text)
    assert (found["sentiment_label"], found["interest_level"]) == ("negative", "none")
    assert found["objection_detected"]


@pytest.mark.parametrize(
    "text",
    [
        "How much is it?",
        "Sounds great! Does Tuesday at 3pm work for you?",
        "I'm free on Tuesday afternoon.",
        "no problem, let's talk",
        "I was not uninterested, send me more information",
        "Our unsubscribe rates are our real pain, how would you fix that?",
        "Can you tell me more about the integration with SAP",
        "Me interesa, ¿podemos hablar el jueves?",
        "¿Cuánto cuesta?",
        "Oui, avec plaisir, jeudi à 14h me convient",
        "Pouvez-vous m'en dire plus ?",
        "Das klingt nicht uninteressant, schicken Sie mir gerne mehr Infos.",
        "Dienstag um 14 Uhr passt mir gut",
        "Tenho interesse! Podemos marcar uma conversa na quinta?",
        "👍",
    ],
)
def test_questions_enthusiasm_and_accepted_meetings_are_positive(text):
    found = read(text)
    assert found["sentiment_label"] == "positive"
    assert found["interest_signal"]


@pytest.mark.parametrize(
    "text",
    [
        "Got it, thanks.",
        "I need to run it by my boss first.",
        "You should talk to Anna Smith, she handles marketing.",
        "Not a good time, reach out in September.",
        "You've got the wrong person.",
        "I don't say no, but call me in September",
        "Lo comento con mi jefe y te digo.",
        "Je dois d'abord en parler avec mon directeur",
        "Melden Sie sich bitte im September wieder",
        "Agora não é um bom momento, fale comigo em março",
    ],
)
def test_what_neither_closes_nor_asks_is_neutral(text):
    assert read(text)["sentiment_label"] == "neutral"


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("We already use HubSpot and it's too expensive to change.", "competitor"),
        ("No budget this year, and my boss would have to decide.", "price"),
        ("My manager decides that. Busy until March anyway.", "authority"),
        ("Too busy right now.", "timing"),
        ("We don't need that.", "no_need"),
        ("No thanks.", "not_interested"),
        ("What does it cost?", "none"),
    ],
)
def test_the_objection_is_the_most_specific_obstacle(text, objection):
    assert read(text)["objection_type"] == objection


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until Monday. For urgent matters contact bob@example.com",
        "Estoy de vacaciones hasta el 12 de agosto.",
        "Je suis absent jusqu'au 12 août. En cas d'urgence contactez Paul.",
        "Ich bin bis zum 12. August nicht im Büro. In dringenden Fällen wenden Sie sich an Frau Müller.",
        "Estou de férias até 12 de agosto.",
        "Your ticket #4711 has been received. Do not reply to this email.",
    ],
)
def test_an_automatic_reply_is_known_by_its_text(text):
    found = read(text)
    assert found["is_auto_reply"]
    assert (found["sentiment_label"], found["interest_level"], found["objection_type"]) == ("neutral", "none", "none")


def test_headers_decide_before_the_text_does():
    words = own_words("Great, tell me more!")
    assert classify_by_rules(words, automatic=True)["is_auto_reply"]
    found = classify_by_rules(words, automatic=True, unsubscribe=True)
    assert found["wants_unsubscribe"]
    assert found["sentiment_label"] == "negative"


def test_what_follows_a_but_weighs_more():
    assert read("Not interested in the newsletter, but when can you show us the product?")["sentiment_label"] == "positive"
    assert read("It sounds great, but we don't need it.")["sentiment_label"] == "negative"


def test_typos_capitals_and_missing_accents_are_read():
    assert read("NOT INTRESTED")["sentiment_label"] == "negative"
    assert read("cuanto cuesta")["sentiment_label"] == "positive"
    assert read("Waere fuer uns interessant, schicken Sie gern Unterlagen")["sentiment_label"] == "positive"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thanks, but we have no need for that.", "en"),
        ("No me interesa, gracias", "es"),
        ("Non merci", "fr"),
        ("Nein danke", "de"),
        ("Não, obrigado", "pt"),
        ("Nee bedankt, wij hebben hier geen interesse in", "nl"),
        ("Не интересно, спасибо за предложение", "ru"),
    ],
)
def test_the_language_is_told(text, language):
    assert read(text)["language"] == language


def test_the_reasoning_names_our_phrases_and_no_word_of_the_writer():
    found = read("Talk to Xanthippe Quux at quux@example.com, we don't need a frobnicator.")
    assert "no_need" in found["reasoning"]
    for private in ("xanthippe", "quux", "frobnicator", "example.com"):
        assert private not in found["reasoning"].casefold()


def test_a_reply_is_a_feature_vector_too():
    found = signals(own_words("Too expensive, but can you send me more information?"))
    assert tuple(found) == SIGNALS
    assert found["price"] < found["ask"] == 1.0
    assert all(0 <= weight <= 1 for weight in found.values())
