"""How well quoted threads and signatures are cut off, by us and by the libraries for it, on two sets of real mails that people marked up.

python -m benchmarks.trimming [../shared/data]. Libraries that aren't installed are passed over: pip install mail-parser-reply
email-reply-parser quotequail. The mails with odd line numbers were looked at while the rules were written. Of
those with even numbers only rates, and the number of lines that were cut wrongly in a mail, were: they are held out from the rules' making,
but no untouched test. "Those with something left" was added when one long mail, of which nothing is left, was seen to weigh on the recall.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from benchmarks.measuring import console
from flywheel_dagster.replies.footers import cut_footer
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.quoted_thread import cut_quoted_thread

DATA = Path(__file__).parents[2] / "shared" / "data"
SHORT = 2_000  # characters; beyond, mail-parser-reply takes too long to be used

Trim = Callable[[str], str]


class Sample(NamedTuple):
    """A mail and what is left of it by a person's judgement."""

    mail: str
    left: str
    seen: bool  # while the rules were written


class Rates(NamedTuple):
    """Of mails: the share left exactly as marked, blanks aside. Of the lines that are cut: precision, recall and their harmonic mean F1."""

    exact: float
    precision: float
    recall: float
    f1: float
    mails: int


class Line(NamedTuple):
    """A line of the table: the set, the method, and the rates on all mails, on those developed with, and on those held out."""

    data: str
    method: str
    all: Rates
    seen: Rates
    unseen: Rates


def reply_pairs(data: Path) -> list[Sample]:
    """64 replies in about 15 languages with their quoted threads (email_reply_trimmer).

    Hand-made sign-offs belong to what is left, and so do quoted lines above an answer. Of one mail nothing is left, where we keep the whole.
    """
    rows = _rows(data / "email_reply_trimmer_pairs.jsonl")
    return [Sample(row["email"], row["trimmed"], number % 2 == 0) for number, row in enumerate(rows)]


def signed_mails(data: Path) -> list[Sample]:
    """192 mails, every other one with marked signature lines, sign-offs among them (Forge, Enron). Half of them have no signature."""
    rows = _rows(data / "forge_enron_signatures.jsonl")
    return [Sample(row["body"], _without_marked(row["annotated_body"]), number % 2 == 0) for number, row in enumerate(rows)]


def thread_and_footer(mail: str) -> str:
    """Ours, to the convention of the pairs: the sign-off is left."""
    written = cut_quoted_thread(mail)
    return cut_footer(written).text or written


def ours(mail: str) -> str:
    """What the analysis of a reply reads."""
    return own_words(mail).text


def rates(trim: Trim, samples: Iterable[Sample]) -> Rates:
    """Lines are compared as multisets, blanks aside and empty ones not counted."""
    exact = right = cut = marked = mails = 0
    for sample in samples:
        whole, left, wanted = (Counter(_lines(text)) for text in (sample.mail, trim(sample.mail), sample.left))
        mails += 1
        exact += _lines(trim(sample.mail)) == _lines(sample.left)
        cut += (whole - left).total()
        marked += (whole - wanted).total()
        right += ((whole - left) & (whole - wanted)).total()
    precision, recall = right / cut if cut else 1.0, right / marked if marked else 1.0
    return Rates(exact / mails, precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0, mails)


def measure(data: Path = DATA) -> list[Line]:
    """Every method on both sets."""
    pairs = reply_pairs(data)
    sets = {
        "quoted threads": pairs,
        "those with something left": [each for each in pairs if each.left.strip()],
        "signatures": signed_mails(data),
    }
    found = []
    for name, samples in sets.items():
        for method, trim in _methods():
            halves = ([each for each in samples if each.seen is seen] for seen in (True, False))
            found.append(Line(name, method, rates(trim, samples), *(rates(trim, half) for half in halves)))
    return found


def show(lines: Iterable[Line]) -> None:
    """Print the table."""
    table = Table(
        "set", "method", "exact", "precision", "recall", "F1", "exact, seen half", "exact, unseen half", "F1, unseen half"
    )
    for line in lines:
        shares = (*line.all[:4], line.seen.exact, line.unseen.exact, line.unseen.f1)
        table.add_row(f"{line.data} ({line.all.mails})", line.method, *(f"{share:.3f}" for share in shares))
    console.print(table)


def _methods() -> Iterator[tuple[str, Trim]]:
    unwrap = replies = None
    try:
        import quotequail

        def unwrap(mail: str) -> str:
            found = quotequail.unwrap(mail.replace("\r\n", "\n"))
            return mail if found is None else "\n".join(found[part] for part in ("text_top", "text_bottom") if part in found)

        yield "quotequail", unwrap
    except ImportError:
        console.print("quotequail is not installed: passed over")
    try:
        from mailparser_reply import EmailReplyParser as Replies
        from mailparser_reply.constants import MAIL_LANGUAGES

        def replies(mail: str) -> str:
            found = Replies(languages=[each for each in MAIL_LANGUAGES if each != "david"]).read(mail).replies
            return found[0].body if found else mail

        yield "mail-parser-reply (body)", replies
        yield "mail-parser-reply (content)", lambda mail: Replies(languages=list(MAIL_LANGUAGES)).parse_reply(mail) or ""
        yield "mail-parser-reply (English, body)", lambda mail: Replies().read(mail).replies[0].body
    except ImportError:
        console.print("mail-parser-reply is not installed: passed over")
    try:
        from email_reply_parser import EmailReplyParser

        yield "email-reply-parser", EmailReplyParser.parse_reply
    except ImportError:
        console.print("email-reply-parser is not installed: passed over")
    if unwrap and replies:
        yield (
            "quotequail, then mail-parser-reply",
            lambda mail: replies(unwrap(mail)) if len(unwrap(mail)) <= SHORT else unwrap(mail),
        )
    yield "ours: thread and footer", thread_and_footer
    yield "ours: own_words", ours


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _without_marked(body: str) -> str:
    return "\n".join(line for line in body.split("\n") if not line.startswith("#sig#"))


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    show(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA))
