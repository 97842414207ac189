"""Personal data in what a model wrote: what redaction would find in it, full names of leads that its dataset was made of, and greeted names."""

from collections.abc import Iterable, Mapping, Sequence

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.left_over import has_address
from flywheel_dagster.datasets.privacy.redaction import redact
from flywheel_dagster.datasets.privacy.words import folded_words
from flywheel_dagster.replies.closing_words import is_ordinary
from flywheel_dagster.training.examination.criteria import Rule
from flywheel_dagster.training.examination.message_text import greeted_as, greets_with_title, without_placeholders
from flywheel_dagster.training.examination.profile import Profile

PERSONAL_DATA = Rule("personal data", 0.0, "personal data that no message may hold", one_may=False)
NAMES = Rule("names", 0.02, "greet somebody by name, or name a sender or company")
_LONGEST_NAME = 5  # words
# Senders and companies are called like ordinary words, too ("Front", "Will"), and those of all organizations are looked for in a global model.
_ALSO_WORDS = frozenset(("sender_first_name", "sender_last_name", "sender_company"))


class Privacy:
    """What is known of a scope's senders; `redacts` is False where the organisation switched redaction off."""

    def __init__(self, senders: Sequence[KnownSenders], *, redacts: bool) -> None:
        self._known = [KnownPeople(Person(), each) for each in senders] or [KnownPeople(Person())]
        self.redacts = redacts

    def found(self, text: str) -> list[str]:
        """The kinds of personal data in a text that can't be anything else, such as "email_address" or "phone_number"."""
        kinds = self._replaced(text) - _ALSO_WORDS
        if has_address(text.encode("utf-8", "replace")):
            kinds.add("email_address")
        return sorted(kinds)

    def names(self, text: str, profile: Profile) -> list[str]:
        """What seems to be a name in a text: "greeted name", "sender_last_name". Messages that people sent have some, too."""
        kinds = self._replaced(text) & _ALSO_WORDS
        if _greets_somebody(without_placeholders(text), profile):
            kinds.add("greeted name")
        return sorted(kinds)

    def _replaced(self, text: str) -> set[str]:
        return {kind for known in self._known for kind in redact(text, known).counts}


def names_rule(shares: Iterable[float]) -> Rule:
    """As many answers may seem to hold names as messages that people sent do, at least 2 %; the shares are those of several lots of them."""
    usual = max(shares, default=0.0)
    return Rule(NAMES.name, max(NAMES.most, usual), f"{NAMES.measured} (as {usual:.0%} of what people sent do)")


def _greets_somebody(text: str, profile: Profile) -> bool:
    """ "Hi Jonas", but not "Hi Team", "Hi Founders" where training messages speak of founders, or what many of them are greeted as."""
    if (name := greeted_as(text)) is None:
        return False
    is_word = name in profile.greetings or name.lower() in profile.words or is_ordinary(name) or name.isupper()
    return greets_with_title(text) or not is_word


def privacy_of(connection: psycopg.Connection[TupleRow], scope: str) -> Privacy:
    """What is replaced in the messages that a scope learns from."""
    ids = [row[0] for row in connection.execute(statement("examination_organizations"), {"scope": scope}).fetchall()]
    rows = connection.execute(statement("organizations_privacy"), {"ids": ids}).fetchall()
    senders = [KnownSenders([Person(*each) for each in people], name) for _, name, off, people in rows if not off]
    return Privacy(senders, redacts=len(senders) == len(rows))


def named_leads(connection: psycopg.Connection[TupleRow], dataset_hash: str, texts: Iterable[str]) -> Mapping[str, bool]:
    """Which of the texts hold the full name of a lead that the dataset was made of. Needs an open transaction; memory holds the texts only."""
    runs: dict[tuple[str, ...], set[str]] = {}
    named = dict.fromkeys(texts, False)
    for text in named:
        written = folded_words(text)
        for size in range(2, _LONGEST_NAME + 1):
            for at in range(len(written) - size + 1):
                runs.setdefault(tuple(written[at : at + size]), set()).add(text)
    with connection.cursor("examination_names") as cursor:
        for first, last in cursor.execute(statement("examination_names"), {"hash": dataset_hash}):
            for text in runs.get((*folded_words(first), *folded_words(last)), ()):
                named[text] = True
    return named
