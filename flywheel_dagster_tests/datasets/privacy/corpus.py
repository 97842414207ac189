"""The labelled sentences: their reader, the people who are known in them, and what is found against what is marked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.redaction import redact

_FOLDER = Path(__file__).parent / "corpus"
_MARKED = re.compile(r"\[\[(\w+)\|(.*?)\]\]")
_PUT = re.compile(r"\{\{(\w+)\}\}")

_LEADS = {
    "en": Person("Will", "Hartley", "Northgate Freight Ltd", "will.hartley@northgatefreight.com", "+44 20 7946 0958"),
    "de": Person("Jürgen", "Weiß", "Käfer & Sohn GmbH & Co. KG", "j.weiss@kaefer-sohn.de", "+49 89 12345678"),
    "fr": Person("Hélène", "D'Aubigny", "Société Lumière SAS", "helene@lumiere-industrie.fr", "+33 1 42 68 53 00"),
    "es": Person("María José", "de la Cruz", "Bodegas Ibáñez S.A.", "mj.delacruz@bodegasibanez.es", "612345678"),
    "pt": Person("João", "Gonçalves", "Padaria Sol Nascente Ltda.", "joao@solnascente.com.br", "+55 11 91234-5678"),
}
_SENDERS = KnownSenders(
    (
        Person("Grace", "Okafor", "Brightlane Inc", "grace@brightlane.io", "+1 415 555 0134"),
        Person("Lena", "Vogt", "Brightlane Inc"),
        Person("Chloé", "Renaud"),
        Person("Iker", "Aranda"),
        Person("Inês", "Duarte"),
    ),
    "Brightlane",
)
PEOPLE = {language: KnownPeople(lead, _SENDERS) for language, lead in _LEADS.items()}


class Span(NamedTuple):
    """A value in a text, and its type: the name of its placeholder."""

    begin: int
    end: int
    type: str


class Sentence(NamedTuple):
    """A sentence and what has to go."""

    language: str
    text: str
    marked: frozenset[Span]


def sentences(part: str) -> Iterator[Sentence]:
    """The sentences of "dev" or "test"."""
    language = ""
    for line in (_FOLDER / f"{part}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            language = line[2:]
            continue
        pieces = _MARKED.split(line)
        text, spans = pieces[0], []
        for name, value, after in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            spans.append(Span(len(text), len(text) + len(value), name))
            text += value + after
        yield Sentence(language, text, frozenset(spans))


def found_in(sentence: Sentence) -> frozenset[Span]:
    """What the redaction replaces in a sentence."""
    redacted = redact(sentence.text, PEOPLE[sentence.language]).text
    kept = _PUT.split(redacted)
    match = re.fullmatch("(.+?)".join(map(re.escape, kept[::2])), sentence.text, re.DOTALL)
    assert match, f"more than spans was replaced: {redacted}"
    return frozenset(Span(*match.span(number), name) for number, name in enumerate(kept[1::2], 1))
