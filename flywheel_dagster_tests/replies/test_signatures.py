"""Sign-off, name and address are cut in many languages; a short answer is never taken for a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.replies.signatures import cut_signature

SIGNATURES = {
    "a name": "Ada",
    "a name, dashed": "- Ada",
    "a whole name": "Ada Lovelace",
    "a name with particles": "María de la Cruz",
    "a name and title": "Ada Lovelace\nCTO",
    "thanks": "Thanks,\nAda",
    "thanks, apart": "Thanks,\n\nAda",
    "thanks on one line": "Thanks, Ada Lovelace",
    "regards alone": "Kind regards",
    "regards": "Best regards,\n\nAda Lovelace\nHead of Engines | Analytical Engines Ltd\nM: +44 20 7946 0018\nwww.example.com",
    "a motto beneath the number": "Cheers\nAda\n+44 20 7946 0018\nWe build what others compute. Are you in?",
    "German": "Mit freundlichen Grüßen\nHans Müller\nGeschäftsführer\nMüller GmbH\nTel: +49 30 1234567",
    "German, short": "VG\nHans",
    "French": "Cordialement,\nJean Dupont\n06 12 34 56 78",
    "Spanish": "Un saludo,\nMaría",
    "Portuguese": "Atenciosamente,\nJoão Silva",
    "Italian": "Cordiali saluti\nGiulia",
    "Dutch": "Met vriendelijke groet,\nJan van der Berg",
    "two cards": "Ada Lovelace\n(555) 555-0100\n\nCharles Babbage\n(555) 555-0101",
    "a number beside the name": "Ada - 555-555-0100.",
    "with a footer": "Thanks\nAda\n\nSent from my iPhone",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_is_cut(name: str) -> None:
    text, signature = cut_signature(f"We use another vendor.\n\n{SIGNATURES[name]}\n")
    assert text == "We use another vendor."
    assert signature.split() == SIGNATURES[name].split()


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, not interested",
        "Thanks, unsubscribe",
        "Thanks,\nnot interested",
        "Thank you,\nplease unsubscribe",
        "Thanks!",
        "We're good.\n\nThx",
        "Sounds good.\n\nTuesday",
        "Please stop.\n\nUnsubscribe",
        "Hallo,\n\nKein Interesse",
        "Bonjour,\n\nPas intéressé",
        "Hola,\n\nNo gracias",
        "Oi,\n\nSem interesse",
        "Hi\n\nBudget approved",
        "When?\nTuesday",
        "Best price?",
        "Best, let's talk tomorrow",
        "Cheers, count me in",
        "Danke, kein Bedarf",
        "Sure, call me at\n\n555-123-4567",
        "Here is my calendar:\n\nhttps://calendly.example/ada",
        "Please contact:\n\nAda Lovelace\nada@example.com",
        "You should speak with\nAda Lovelace",
        "I'd like to know:\n- price\n- timing",
    ],
)
def test_a_short_answer_is_kept(text: str) -> None:
    assert cut_signature(text) == (text, "")


def test_a_postscript_is_kept() -> None:
    assert cut_signature("Fine.\n\nBest,\nAda\n\nP.S. What does it cost?") == ("Fine.\n\nP.S. What does it cost?", "Best,\nAda")


def test_a_name_above_a_number_in_the_last_paragraph_is_cut() -> None:
    assert cut_signature("Interested.\nAda Lovelace\n555-123-4567") == ("Interested.", "Ada Lovelace\n555-123-4567")


@given(
    st.lists(
        st.sampled_from(["Yes", "Ada", "Thanks,", "Best", "555-123-4567", "", "--", "Sent from my iPhone", "P.S. x", "So what?"])
    )
)
def test_every_line_is_in_the_text_or_in_the_signature(lines: list[str]) -> None:
    text, signature = cut_signature("\n".join(lines))
    assert sorted(f"{text}\n{signature}".split()) == sorted(" ".join(lines).split()) or "--" in lines
