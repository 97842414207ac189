"""The rules that each answer must keep by itself, each a function that says what is wrong (nothing: it is right). None repeats a text."""

import re

from flywheel_dagster.datasets.near_duplicates import words
from flywheel_dagster.datasets.prompts import ASKED, SYSTEM_PROMPT
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.training.examination.criteria import Rule
from flywheel_dagster.training.examination.message_text import (
    body_of,
    has_subject,
    placeholder_names,
    uses_markdown,
    without_placeholders,
)
from flywheel_dagster.training.examination.profile import ChannelProfile, Profile

USABLE = Rule("usable answers", 0.02, "empty, refused or cut off")
LENGTH = Rule("length", 0.05, "shorter or longer than messages of the channel are")
FORMAT = Rule("format", 0.05, "another form than messages of the channel have")
PLACEHOLDERS = Rule("placeholders", 0.05, "placeholders broken, invented or missing")
OUTCOME_TEXT = Rule("outcome text", 0.0, "tells of outcomes, scores or labels", one_may=False)

# What redaction puts in the place of known values, and senders fill in again.
MERGE_FIELDS = frozenset(
    prefix + name for prefix in ("", "sender_") for name in ("first_name", "last_name", "company", "email", "phone")
)
_ALWAYS, _NEVER = 0.95, 0.05  # shares of the training messages
_REQUIRED = 0.99
# "[Your Name]", "<first name>", "%FIRSTNAME%", "{company}": gaps as models leave them.
_GAP = re.compile(
    r"\[(?:your|my|insert|first|last|full|recipient|prospect|sender|lead|contact|company|name|job|title|industry|date|calendar)\b[^\]\n]{0,40}\]"
    r"|<(?:your|insert|first|last|recipient|sender|company|name)\b[^>\n]{0,40}>|%[A-Z_]{4,30}%|(?<!\{)\{[A-Za-z_][\w ]{1,30}\}(?!\})",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"(?:sure|certainly|of course|absolutely)[,!.]|here(?:'s| is| are) (?:a|an|the|your|my|one)\b|as an? (?:ai|language model)\b|i(?:'m| am) sorry,? (?:but )?i can",
    re.IGNORECASE,
)
_ROLE = re.compile(r"^(?:assistant|system|user|human) ?:|<\|[a-z_]+\|>|\[/?INST\]", re.IGNORECASE | re.MULTILINE)
_OUTCOME = re.compile(
    r"^\W{0,4}outcome\W{0,4}:|\boutcome\W{0,4}:\W{0,4}(?:deal|meeting|repl|bounce|no )|\bquality[_ ]score\b|\b(?:training_label|training_weight|deal_value|deal_closed|"
    r"meeting_booked|meeting_completed|outcome_id|icp_score|sentiment_score)\b|\b(?:positive|negative)_example\b|"
    r"^\W{0,4}(?:label|score|weight|quality|result)\W{0,3}: ?\W{0,3}(?:\d|positive|negative|neutral|won|lost)",
    re.IGNORECASE | re.MULTILINE,
)


def unusable(answer: Answer) -> list[str]:
    """Empty, refused or cut off."""
    if answer.refusal is not None or answer.finish_reason == "content_filter":
        return ["refused"]
    if not answer.text.strip():
        return ["empty"]
    return ["cut off"] if answer.finish_reason == "length" else []


def wrong_length(text: str, usual: ChannelProfile) -> list[str]:
    """Outside the range of words that the channel's messages lie in, from half the first to one and a half of the last percentile."""
    count = len(words(text))
    if count < usual.fewest_words:
        return ["too short"]
    return ["too long"] if count > usual.most_words else []


def wrong_format(text: str, usual: ChannelProfile, profile: Profile) -> list[str]:
    """A subject line where messages of the channel have none, or none where they have; a conversation's parts around the message."""
    subject = has_subject(text)
    found = []
    if not subject and usual.with_subject >= _ALWAYS:
        found.append("without a subject line")
    if subject and usual.with_subject <= _NEVER:
        found.append("with a subject line")
    if subject and not body_of(text):
        found.append("nothing beneath the subject line")
    if text.count("Subject: ") > 1:
        found.append("several subject lines")
    if _CHATTER.match(body_of(text)) or _CHATTER.match(text.strip()):
        found.append("words to the asker")
    if ASKED in text or SYSTEM_PROMPT[:40] in text or _ROLE.search(text):
        found.append("parts of the request")
    if uses_markdown(text) and not profile.markdown:
        found.append("markdown")
    return found


def wrong_placeholders(text: str, usual: ChannelProfile, profile: Profile) -> list[str]:
    """Placeholders that aren't well-formed, that neither senders nor the training messages know, or that all messages of the channel have."""
    names, rest = placeholder_names(text), without_placeholders(text)
    found = []
    if "{{" in rest or "}}" in rest:
        found.append("broken")
    if names - profile.placeholders - MERGE_FIELDS:
        found.append("invented")
    if _GAP.search(rest):
        found.append("a gap to fill in")
    if any(share >= _REQUIRED and name not in names for name, share in usual.fields.items()):
        found.append("missing")
    return found


def outcome_text(text: str) -> list[str]:
    """The note that the description's example ends with ("**Outcome:** Deal closed: $15,000"), scores, labels and names of columns."""
    return ["found"] if _OUTCOME.search(text) else []
