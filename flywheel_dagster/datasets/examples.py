"""Outcomes as finished lines of JSONL, or the reasons why they can't be. Which examples a dataset takes is in `choosing.py`."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, NamedTuple

import orjson

from flywheel_dagster.datasets.near_duplicates import text_key, words
from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.left_over import has_address
from flywheel_dagster.datasets.privacy.message_text import message_text_only
from flywheel_dagster.datasets.privacy.redaction import redact
from flywheel_dagster.datasets.prompts import message_text, outcome_note, request_messages
from flywheel_dagster.datasets.tokens import MOST_TOKENS, count_example, count_texts

# Raise it when the words or the shape of an example change: models trained on the new one get a new major version.
FORMAT = 2


class Example(NamedTuple):
    """A line (JSON, without its newline) with its tokens, its words and their key, or why there is none. `replaced`: placeholders put in."""

    line: str | None
    rejected: str | None
    tokens: int | None = None
    words: Sequence[str] = ()
    key: int | None = None
    replaced: Mapping[str, int] = {}


def example_format(*, outcome_note: bool) -> str:
    """The name of the format that examples are written in; a different name means different words for the same outcome."""
    return f"{FORMAT}-note" if outcome_note else str(FORMAT)


@cache
def built_by(*, outcome_note: bool) -> str:
    """The format, and the libraries whose versions decide what is replaced, counted and grouped: rows of other ones are made anew."""
    libraries = ("phonenumberslite", "python-stdnum", "rensa", "toktok-rs")
    return ", ".join([example_format(outcome_note=outcome_note), *(f"{name} {version(name)}" for name in libraries)])


def build_examples(
    rows: Sequence[Mapping[str, Any]], senders: Mapping[str, KnownSenders | None], *, with_outcome_note: bool = False
) -> Iterator[Example]:
    """The line `{"messages": [system, user, assistant]}` of each row of `outcomes_of_week.sql`, and nothing else in it.

    The message is the assistant's text: without quoted thread and signature, personal data replaced. `senders` are those of each organisation; None
    where it switched redaction off. Texts are counted together, which is six times as fast as one by one.
    """
    drafts = [_draft(row, senders[row["organization_id"]], with_outcome_note=with_outcome_note) for row in rows]
    counted = iter(count_texts([draft.text for draft in drafts if draft.text]))
    for row, draft in zip(rows, drafts, strict=True):
        if not draft.text:
            yield Example(None, "empty message")
            continue
        failed = row["training_label"] == "negative_example"
        tokens = next(counted) + _tokens_around(draft.request, failed)
        if tokens > MOST_TOKENS:
            yield Example(None, f"longer than {MOST_TOKENS:,} tokens")
            continue
        messages = [*_request(draft.request, failed), {"role": "assistant", "content": draft.text}]
        line = orjson.dumps({"messages": messages})
        if senders[row["organization_id"]] is not None and has_address(line):
            yield Example(None, "an e-mail address is left")
            continue
        compared = words(draft.body)
        yield Example(line.decode(), None, tokens, compared, text_key(compared), draft.replaced)


def split_point(organization_id: str, lead_id: str) -> float:
    """A lead's place in [0, 1), uniform over leads and the same for ever: the first 53 bits of a SHA-256."""
    digest = hashlib.sha256(f"{len(organization_id)}:{organization_id}{lead_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


class _Draft(NamedTuple):
    text: str
    body: str
    request: tuple[str, ...]
    replaced: Mapping[str, int]


_BETWEEN = "\n\x1e\n"
_CONTEXT = ("lead_industry", "lead_role", "company_size", "channel", "framework", "tone")


def _draft(row: Mapping[str, Any], senders: KnownSenders | None, *, with_outcome_note: bool) -> _Draft:
    subject, body = row["subject_line"], row["message_body"]
    request = tuple(" ".join((row[name] or "").split()) for name in _CONTEXT)
    replaced: Mapping[str, int] = {}
    if senders is not None:
        lead = Person(row["first_name"], row["last_name"], row["company"], row["email"], row["phone"])
        found = _redacted([*request, subject or "", message_text_only(body)], KnownPeople(lead, senders))
        *asked, subject, body = found.texts
        request, replaced = tuple(asked), found.counts
    if not body.strip():
        return _Draft("", "", request, replaced)
    text = message_text(subject, body)
    return _Draft(text + outcome_note(row) if with_outcome_note else text, body, request, replaced)


class _Redacted(NamedTuple):
    texts: list[str]
    counts: Mapping[str, int]


def _redacted(texts: Sequence[str], known: KnownPeople) -> _Redacted:
    """All texts of a message in one go, which takes half the time; one by one where the mark between them stands in a text already."""
    together = _BETWEEN.join(texts)
    if together.count(_BETWEEN) == len(texts) - 1:
        found = redact(together, known)
        parts = found.text.split(_BETWEEN)
        if len(parts) == len(texts):
            return _Redacted(parts, found.counts)
    each = [redact(text, known) for text in texts]
    counts: Counter[str] = Counter()
    for found in each:
        counts.update(found.counts)
    return _Redacted([found.text for found in each], counts)


@lru_cache(maxsize=10_000)
def _request(values: tuple[str, ...], failed: bool) -> list[dict[str, str]]:
    return request_messages(dict(zip(_CONTEXT, values, strict=True)), failed=failed)


@lru_cache(maxsize=10_000)
def _tokens_around(values: tuple[str, ...], failed: bool) -> int:
    """Tokens of the example but for its assistant's text."""
    return count_example([*_request(values, failed), {"role": "assistant", "content": ""}])
