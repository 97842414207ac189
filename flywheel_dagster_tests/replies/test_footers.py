"""What machines put beneath a reply is cut; what a person writes about such things is kept."""

import pytest

from flywheel_dagster.replies.footers import cut_footer

FOOTERS = {
    "iPhone": "Sent from my iPhone",
    "Outlook": "Get Outlook for Android<https://aka.ms/x>",
    "in brackets": "(sent from my phone, please excuse typos)",
    "German": "Von meinem iPhone gesendet",
    "French": "Envoyé de mon iPhone",
    "Spanish": "Enviado desde mi iPhone",
    "Portuguese": "Enviado do meu iPhone",
    "Italian": "Inviato da iPhone",
    "Dutch": "Verstuurd vanaf mijn iPhone",
    "Swedish": "Skickat från min iPhone",
    "Polish": "Wysłane z iPhone'a",
    "Russian": "Отправлено с iPhone",
    "Chinese": "发自我的 iPhone",
    "Japanese": "iPhoneから送信",
    "a delimiter": "-- \nAda Lovelace\nAnalytical Engines Ltd",
    "a delimiter without its space": "--\nAda",
    "a legal notice": "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received it\n"
    "in error please notify the sender and delete it.",
    "a German notice": "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Empfänger sind, informieren Sie bitte\n"
    "den Absender und vernichten Sie diese Mail. Die unbefugte Weitergabe ist nicht gestattet.",
    "a Spanish notice": "Este mensaje y sus adjuntos son confidenciales y se dirigen exclusivamente a su destinatario. Si lo ha recibido\n"
    "por error, notifíquelo al remitente y elimínelo.",
    "a company's particulars": "Acme GmbH, Geschäftsführer: Ada Lovelace, Handelsregister Berlin HRB 1, vertraulich, für den Empfänger",
    "the environment": "Please consider the environment before printing this e-mail.",
    "a list": "_______________________________________________\nYou received this message because you are subscribed to the group.\n"
    "To unsubscribe from this group, visit https://lists.example/x.",
    "a virus scanner": "Virus-free. www.avast.com",
    "two of them": "Sent from my iPhone\n\nThis message is confidential and intended for the recipient only. Delete it if received in error.",
}


@pytest.mark.parametrize("name", FOOTERS)
def test_a_footer_is_cut(name: str) -> None:
    text, footer = cut_footer(f"Too expensive for us.\n\n{FOOTERS[name]}\n")
    assert text == "Too expensive for us."
    assert footer.split() == FOOTERS[name].split()


def test_a_device_is_cut_though_text_follows() -> None:
    assert cut_footer("No.\n\nSent from my iPhone\n\nThat is final.") == ("No.\n\n\nThat is final.", "Sent from my iPhone")


@pytest.mark.parametrize(
    "text",
    [
        "Sent from which address?",
        "Hello,\n\nSent by mistake, please ignore.",
        "The contract was\nsent via courier.",
        "Two things:\n--\n" + "word\n" * 40 + "end",
        "Please delete my data, which you have in error. I never gave you permission, notify me when it is done.",
        "Is this confidential?",
        "Hi,\n\nThis email was sent in error to my confidential address. Notify your legal team and delete it.",
        "To unsubscribe from this I have written twice!",
        "a\n\n-----\n\nb",
    ],
)
def test_what_a_person_writes_is_kept(text: str) -> None:
    assert cut_footer(text) == (text, "")


def test_nothing_is_left_of_a_footer_alone() -> None:
    assert cut_footer("Sent from my iPhone") == ("", "Sent from my iPhone")
