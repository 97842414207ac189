"""The quoted thread is cut off, what somebody wrote is kept, and no text takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.replies.quoted_thread import LIMIT, cut_quoted_thread

LONG = "word " * 300

REPLIES = {
    "Gmail": ("Sounds good!\n\nOn Tue, Jan 6, 2026 at 9:00 AM Sales <\nsales@x.com> wrote:\n\n> Hi Ada\n> buy\n", "Sounds good!"),
    "German": ("Gern!\n\nAm Di., 6. Jan. 2026 um 09:00 Uhr schrieb Sales <s@x.de>:\n\n> Hallo\n", "Gern!"),
    "French, with a hard space": ("Oui\n\nLe mar. 6 janv. 2026, Sales <s@x.fr> a écrit\xa0:\n\n> Bonjour\n", "Oui"),
    "Outlook": ("No.\r\n\r\n-----Original Message-----\r\nFrom: a\r\nSent: b\r\n\r\nHi", "No."),
    "Outlook, headers only": ("Yes please\n\nFrom: a <a@b>\nSent: Tue\nTo: x\nSubject: s\n\nHi", "Yes please"),
    "an answer below": ("On Tue, Sales <sales@x.com> wrote:\n> Hi Ada\n> buy\n\nLet us talk.", "Let us talk."),
    "answers between": ("On Tue, Sales wrote:\n> When?\nTuesday\n> How?\nBy phone", "Tuesday\nBy phone"),
    "a short quotation": ("> When?\nTuesday", "Tuesday"),
    "a long line": (f"{LONG}\n\nOn Tue, Sales wrote:\n> x", LONG.strip()),
    "a long quoted line": (f"> {LONG}\n> b\n> c\n\nanswer {LONG}", f"answer {LONG}".strip()),
    "no thread": ("Call me: 555 0100\n\nAda\n-- \nAda Lovelace", "Call me: 555 0100\n\nAda\n-- \nAda Lovelace"),
    "a number with a sign": (">50 people work here", ">50 people work here"),
}


INTRODUCTIONS = {
    "English": "On Mon, Jan 5, 2026 at 9:00 AM Sales <sales@x.com> wrote:",
    "English, wrapped": "On Mon, Jan 5, 2026 at 9:00 AM Sales at a long company <\nsales@x.com> wrote:",
    "English, wrapped before a sign": "On Mon, Jan 5, 2026 at 9:00 AM Sales <sales@x.com\n> wrote:",
    "English, from HTML": "On Mon, 5 Jan 2026 at 09:00 Sales\n\n<\nmailto:Sales <sales@x.com>\n> wrote:",
    "English, ruled": "---- On Mon, 05 Jan 2026 09:00:00 +0100 Sales <sales@x.com> wrote ----",
    "English, AOL": "In a message dated 1/5/2026 9:00:00 A.M. Eastern Standard Time, sales@x.com writes:",
    "English, Horde": "Quoting Sales <sales@x.com>:",
    "German": "Am Mo., 5. Jan. 2026 um 09:00 Uhr schrieb Sales <sales@x.de>:",
    "German, sender first": "Sales <sales@x.de> schrieb am Mo., 5.\nJan. 2026 um 09:00 Uhr:",
    "French": "Le lun. 5 janv. 2026 à 09:00, Sales <sales@x.fr> a écrit :",
    "Spanish": "El lun, 5 ene 2026 a las 9:00, Sales (<sales@x.es>) escribió:",
    "Portuguese": "Em seg., 5 de jan. de 2026 às 09:00, Sales <sales@x.br> escreveu:",
    "Italian": "Il giorno lun 5 gen 2026 alle ore 09:00 Sales <sales@x.it> ha scritto:",
    "Dutch": "Op ma 5 jan. 2026 om 09:00 schreef Sales <sales@x.nl>:",
    "Polish": "pon., 5 sty 2026 o 09:00 Sales <sales@x.pl> napisał(a):",
    "Czech": "po 5. 1. 2026 v 9:00 odesílatel Sales <sales@x.cz> napsal:",
    "Swedish": "Den mån 5 jan. 2026 kl 09:00 skrev Sales <sales@x.se>:",
    "Norwegian": "man. 5. jan. 2026 kl. 09:00 skrev Sales <sales@x.no>:",
    "Finnish": "ma 5. tammik. 2026 klo 9.00 Sales (sales@x.fi) kirjoitti:",
    "Russian": "пн, 5 янв. 2026 г. в 09:00, Sales <sales@x.ru>:",
    "Ukrainian": "пн, 5 січ. 2026 р. о 09:00 Sales <sales@x.ua> пише:",
    "Turkish": "Sales <sales@x.tr>, 5 Oca 2026 Pzt, 09:00 tarihinde şunu yazdı:",
    "Chinese": "Sales <sales@x.cn> 于2026年1月5日周一 09:00写道：",
    "Japanese": "2026年1月5日(月) 9:00 Sales <sales@x.jp>:",
    "Korean": "2026년 1월 5일 (월) 오전 9:00, Sales <sales@x.kr>님이 작성:",
    "no language": "2026-01-05 9:00 GMT+01:00 Sales <sales@x.com>:",
}

TITLES = {
    "English": "-----Original Message-----\nFrom: Sales\nSent: Monday, January 5, 2026 9:00 AM\nTo: Ada\nSubject: Hi",
    "forwarded": "---------- Forwarded message ---------\nFrom: Sales <s@x.com>\nDate: Mon, Jan 5, 2026\nSubject: Hi\nTo: <ada@x.com>",
    "German": "Von: Sales <sales@x.de>\nGesendet: Montag, 5. Januar 2026 09:00\nAn: Ada\nBetreff: Hallo",
    "German, bold": "*Von:* Sales <sales@x.de>\n*Gesendet:* Montag, 5. Januar 2026 09:00\n*An:* Ada\n*Betreff:* Hallo",
    "French": "________________________________\nDe : Sales <s@x.fr>\nEnvoyé : lundi 5 janvier 2026 09:00\nÀ : Ada\nObjet : Bonjour",
    "Spanish": "-----Mensaje original-----\nDe: Sales\nEnviado el: lunes, 5 de enero de 2026 9:00\nPara: Ada\nAsunto: Hola",
    "Portuguese": "De: Sales <s@x.br>\nEnviado: segunda-feira, 5 de janeiro de 2026 09:00\nPara: Ada\nAssunto: Oi",
    "Italian": "-------- Messaggio originale --------",
    "Dutch": "Van: Sales <s@x.nl>\nVerzonden: maandag 5 januari 2026 09:00\nAan: Ada\nOnderwerp: Hallo",
    "Swedish": "Från: Sales <s@x.se>\nSkickat: den 5 januari 2026 09:00\nTill: Ada\nÄmne: Hej",
    "Russian": "-------- Исходное сообщение --------\nОт: Sales <s@x.ru>\nДата: 05.01.2026\nКому: Ada\nТема: Привет",
    "date first": "Date: Mon, 5 Jan 2026 09:00:00 +0100\nFrom: s@x.com\nTo: ada@x.com\nSubject: Hi",
    "addresses wrapped": "From: Sales <s@x.com>\nSent: Monday\nTo: Ada <ada@x.com>;\n Bob <bob@x.com>\nSubject: Hi",
    "a language not known here": "Nga: Sales <s@x.al>\nDërguar: 05.01.2026 09:00\nPër: Ada\nTema e: Hi",
    "a help desk": "##- Please type your reply above this line -##",
}

KEPT = {
    "prose about writing": "On that note\n\nI wrote this\n\nto the others.",
    "slots": "These suit me:\n\nFrom: 10:00\nTo: 12:00\nDate: Tuesday",
    "a form": "Name: Ada\nEmail: ada@x.com\nPhone: 555 0100",
    "a colon": "On Monday at 10:00 we could speak about these:\n- price\n- terms",
    "a longer form": "Here you are:\n\nName: Ada\nDate: Tuesday 10:00\nEmail: ada@x.com\nPhone: 555 0100",
    "a citation": "No.\n\nOn Monday my boss wrote:\nwe have no budget",
    "a rule": "Two things.\n\n-----\n\nFirst, the price.",
}


@pytest.mark.parametrize("name", REPLIES)
def test_only_what_the_person_wrote_is_kept(name: str) -> None:
    text, written = REPLIES[name]
    assert cut_quoted_thread(text) == written


@pytest.mark.parametrize("name", INTRODUCTIONS)
def test_an_introduction_is_known_in_many_languages(name: str) -> None:
    introduction = INTRODUCTIONS[name]
    assert cut_quoted_thread(f"Gern, bis dann!\n\n{introduction}\n\n> Hello Ada,\n> buy\n") == "Gern, bis dann!"
    assert cut_quoted_thread(f"Gern, bis dann!\n\n{introduction}\n\nHello Ada,\nbuy\n") == "Gern, bis dann!"
    assert (
        cut_quoted_thread(f"{introduction}\n\n> Hello Ada,\n> when?\n\nOn Tuesday.\n\n> Where?\n\nHere.")
        == "On Tuesday.\n\n\nHere."
    )


@pytest.mark.parametrize("name", TITLES)
def test_a_title_or_headers_are_known_in_many_languages(name: str) -> None:
    assert cut_quoted_thread(f"Gern, bis dann!\n\n{TITLES[name]}\n\nHello Ada,\nbuy\n") == "Gern, bis dann!"


@pytest.mark.parametrize("name", KEPT)
def test_what_only_looks_like_a_thread_is_kept(name: str) -> None:
    assert cut_quoted_thread(KEPT[name]) == KEPT[name]


@pytest.mark.parametrize("text", ["> a\n> b\n> c", "---------- Forwarded message ---------\nFrom: a\nTo: b\n\nSee this"])
def test_a_text_that_is_all_thread_is_kept_whole(text: str) -> None:
    assert cut_quoted_thread(text) == text


@given(st.text(st.sampled_from("> \nOn wrote:From1@<-_é")))
def test_any_text_has_an_answer_and_cutting_never_adds_to_it(text: str) -> None:
    cut = cut_quoted_thread(text)
    assert len(cut) <= len(text)
    assert bool(cut) == bool(text.strip())


HOSTILE = {
    "addresses": "2020/1/1 " + "<@" * 80 + "\n",
    "one line of addresses": "2020/1/1 " + " <@" * 80_000,
    "quoted addresses": ">2020/1/1 " + " <@" * 300 + "\n",
    "introductions without an end": "On On On On \n",
    "German introductions": "Am " + " schrieb " * 20 + "\n",
    "headers that aren't": "a: b\n",
    "headers": "From: a\n",
    "quoted headers": "> From: a\n",
    "quotations": "> a\n",
    "empty lines": "\n",
    "introductions in one word": "wrote:\n",
    "introductions, dated": "2020-01-01 10:00 wrote a@b\n",
    "rules": "-----\n",
    "titles": "----- x -----\n",
    "addresses, a line each": "<a@b>\n",
    "addresses, many a line": "a@" * 118 + ":\n",
    "headers that go on": "a:\n b@\n",
    "a long header": "From: " + "x" * 230 + "\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_other_text(name: str) -> None:
    piece = HOSTILE[name]
    text = (piece * (LIMIT // len(piece) + 1))[:LIMIT]
    begun = time.process_time()
    cut_quoted_thread(text)
    assert time.process_time() - begun < 1.0, "0.1 s are usual"
    begun = time.process_time()
    cut_quoted_thread(text * 20)
    assert time.process_time() - begun < 1.0, "what is beyond the limit is not looked at"
