"""Makes readable, storable text of whatever came as a reply, and separates what the writer wrote from quoted thread and signature."""

import re
import unicodedata
from typing import NamedTuple

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.html_text import LIMIT as MARKUP_LIMIT
from flywheel_dagster.replies.html_text import html_text
from flywheel_dagster.replies.quoted_thread import LIMIT, cut_quoted_thread
from flywheel_dagster.replies.signatures import cut_signature

_TAGS = "html|head|body|div|p|br|span|table|tr|td|ul|ol|li|blockquote|font|meta|style|img|h[1-6]|a|b|i|u|strong|em|pre|center|hr"
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BEGINS_AS_MARKUP = re.compile(rf"\s*<(?:!doctype|!--|\?xml|/?(?:{_TAGS})[\s/>])", re.IGNORECASE)
_MOST_MARKS = 30
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Control and format characters, fillers, lone surrogates, private use, variation selectors and tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\u2800\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


class OwnWords(NamedTuple):
    """A reply divided: what the writer wrote, what was cut as their signature ("" if none), and the cleaned text before any cut."""

    text: str
    signature: str
    whole: str


def own_words(reply_text: str) -> OwnWords:
    """What the writer wrote, without the quoted thread and the signature; never empty.

    A reply that is only a signature ("Thanks, Bob") or only a quoted thread is its own words. Only the first LIMIT characters are read
    (of HTML: what the first 400,000 characters of markup say). The time is linear. Raises InputError where nothing readable is left.
    """
    whole = _readable(reply_text)
    if not any(character.isprintable() and not character.isspace() for character in whole):
        raise InputError(
            "the reply is empty: nothing readable is in it; leave out replies without text, or give the mail's text part"
        )
    written = cut_quoted_thread(whole)
    text, signature = cut_signature(written)
    return OwnWords(text or written, signature if text else "", whole)


def _readable(reply_text: str) -> str:
    text = _cleaned(reply_text[:MARKUP_LIMIT])
    if _BEGINS_AS_MARKUP.match(text) or len(_TAG.findall(text[:LIMIT])) > 1:
        text = _cleaned(html_text(text))
    return text[:LIMIT].strip()


def _cleaned(text: str) -> str:
    text = _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)).replace("\xa0", " ")
    return text if text.isascii() else unicodedata.normalize("NFC", _without_towers(text))


def _without_towers(text: str) -> str:
    """At most 30 marks on a letter (Unicode's stream-safe format, UAX 15): sorting more of them takes quadratic time."""
    marks = "".join(each for each in set(text) if unicodedata.combining(unicodedata.normalize("NFD", each)[0]))
    return re.sub(f"[{re.escape(marks)}]{{{_MOST_MARKS + 1},}}", lambda tower: tower[0][:_MOST_MARKS], text) if marks else text
