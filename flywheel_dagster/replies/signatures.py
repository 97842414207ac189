"""Separates what somebody wrote from their signature: what machines put beneath it, the sign-off, and the block of name and address."""

import re
from typing import NamedTuple

from flywheel_dagster.replies.closing_words import PARTICLES, REGARDS, SIGN_OFF, SIGN_OFF_AND_NAME, is_ordinary
from flywheel_dagster.replies.footers import cut_footer

_MOST_LINES = 16  # of a signature, without empty ones
_LONGEST = 120  # characters of a line of a signature
_MOST_WORDS = 8
_MOST_BARE = 3  # lines of name and title need a number or an address among them
_MOST_SENTENCES = 2  # beneath a telephone number or an address: a motto, an invitation
_MOST_NAMES, _LONGEST_NAME = 5, 50

_NAME = re.compile(r"[^\W\d_]+\.?(?:['’.-][^\W\d_]+\.?)*")
_POSTSCRIPT = re.compile(r"p\.? ?s\.?[ :.-]|nb:|btw", re.IGNORECASE)
_CONTACT = re.compile(
    r"(?<!\w)(?:https?://|www\.)\S|(?<=\w)@\w+[.-]\w|\d(?:[ ()/.+-]{0,2}\d){6,}|"
    r"(?<!\w)(?:tel|phone|ph|cell|mobile|mob|fax|office|direct|ext|extension|e-?mail|web|website|skype|linkedin|telefon|mobil|handy|"
    r"t[ée]l[ée]phone|portable|tel[ée]fono|m[óo]vil|celular|telefone|[tmfpecow])(?:\.? ?[:/.]|:|\.)[ \t]*[+(\w]|"
    r"(?<![\w$€£.,-])\d{1,4}[-.x]\d{4}(?!\w)|\*\d{4}",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"[?]|[.!] +[A-ZÄÖÜÉÀ]?[a-zäöüéà]+ |(?<!\w)(?:i|i'm|i'll|i've|we|we'll|you|your|it|it's|is|are|was|will|would|can|could|please|have|has|"
    r"ich|wir|sie|ist|sind|bitte|haben|je|nous|vous|est|sont|yo|usted|es|son|está|eu|você|não|nicht|pas|not|don't)(?!\w)",
    re.IGNORECASE,
)


class Signed(NamedTuple):
    """A text and the signature that stood beneath it, "" where there is none."""

    text: str
    signature: str


def cut_signature(text: str) -> Signed:
    """The text without signature, sign-off and footers. The text is "" where there is nothing else.

    A postscript is kept. A name alone beneath the text is a signature, an ordinary word or a sentence isn't. Linear in the text's length.
    """
    above, footer = cut_footer(text)
    text, signed = _cut_sign_off(above)
    return Signed(text, "\n".join(part for part in (signed, footer) if part))


def _cut_sign_off(text: str) -> Signed:
    lines = text.split("\n")
    tail = _tail(lines)
    begin = _sign_off(lines, tail)
    if begin is None:
        begin = _block(lines, tail)
    if begin == len(lines):
        return Signed(text.strip(), "")
    written, signed = lines[:begin], lines[begin:]
    postscript = next((at for at, line in enumerate(signed) if _POSTSCRIPT.match(line.strip())), len(signed))
    kept = "\n".join(written).strip()
    if postscript < len(signed):
        kept = f"{kept}\n\n" + "\n".join(signed[postscript:])
    return Signed(kept.strip(), "\n".join(signed[:postscript]).strip())


def _tail(lines: list[str]) -> int:
    """Where the last lines begin, in which a signature can be."""
    begin, count = len(lines), 0
    while begin and count < _MOST_LINES:
        begin -= 1
        count += 1 if lines[begin].strip() else 0
    return begin


def _sign_off(lines: list[str], tail: int) -> int | None:
    """The line of the uppermost sign-off in the tail that has nothing but a signature (and a postscript) beneath it."""
    for number in range(tail, len(lines)):
        line = lines[number].strip()
        if not line or len(line) > _LONGEST:
            continue
        if SIGN_OFF.fullmatch(line):
            below = _filled(lines[number + 1 :])
            alone = REGARDS.fullmatch(line) is not None
            if (below and _is_signature(below)) or (not below and alone):
                return number
        elif (found := SIGN_OFF_AND_NAME.match(line)) and _is_signature([found["name"], *_filled(lines[number + 1 :])]):
            return number
    return None


def _filled(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _is_signature(lines: list[str]) -> bool:
    """A name, then no sentences, but for a few beneath a telephone number or an address."""
    if not _is_name(lines[0]) and not _is_contact(lines[0]):
        return SIGN_OFF.fullmatch(lines[0]) is not None and (len(lines) == 1 or _is_signature(lines[1:]))
    reached, sentences = False, 0
    for line in lines:
        if _POSTSCRIPT.match(line):
            return True
        reached = reached or _is_contact(line)
        sentences += len(line.split()) > _MOST_WORDS or _SENTENCE.search(line[:_LONGEST]) is not None
        if sentences > (_MOST_SENTENCES if reached else 0):
            return False
    return True


def _block(lines: list[str], tail: int) -> int:
    """Where the name and address begin that are the last paragraphs, or the end of the last one; the end if there are none."""
    found = end = len(lines)
    while True:
        begin, end = _last_paragraph(lines, tail, end)
        paragraph = [line.strip() for line in lines[begin:end]]
        if not paragraph or (begin == tail and begin and lines[begin - 1].strip()):
            return found
        if found == len(lines):
            cards = (end - below for below in range(2, len(paragraph)) if _is_card(paragraph[-below:]))
            found = next((card for card in cards if not _is_introduced(lines, card)), found)
        if _is_introduced(lines, begin):
            return found
        with_contact = any(map(_is_contact, paragraph))
        if _begins_with_name(paragraph[0]) and _is_signature(paragraph) and (len(paragraph) < _MOST_BARE or with_contact):
            found = begin
        elif not all(map(_is_contact, paragraph)):
            return found
        if not with_contact:
            return found
        end = begin


def _last_paragraph(lines: list[str], tail: int, end: int) -> tuple[int, int]:
    while end > tail and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin > tail and lines[begin - 1].strip():
        begin -= 1
    return begin, end


def _is_introduced(lines: list[str], number: int) -> bool:
    """It is somebody else of whom the writer speaks: "Please contact:"."""
    above = next((line for line in reversed(lines[max(0, number - 3) : number]) if line.strip()), "")
    return above.rstrip().endswith(":")


def _is_card(lines: list[str]) -> bool:
    """A name with nothing but telephone numbers and addresses beneath it."""
    return _is_name(lines[0], capital=True) and all(map(_is_contact, lines[1:]))


def _begins_with_name(line: str) -> bool:
    contact = _CONTACT.search(line)
    return _is_name(line[: contact.start()] if contact else line, capital=True)


def _is_contact(line: str) -> bool:
    """A line with a telephone number or an address, without a sentence before it."""
    if len(line) > 2 * _LONGEST or not (found := _CONTACT.search(line)):
        return False
    return not _SENTENCE.search(line[: found.start()])


def _is_name(line: str, *, capital: bool = False) -> bool:
    """A few words of letters, none of them ordinary; `capital`: capitalised, but for particles."""
    bare = line[:_LONGEST].strip(" \t*_-–—~/|,.")
    words = bare.replace(",", " ").replace("&", " ").replace("(", " ").replace(")", " ").replace('"', " ").split()
    if not 0 < len(words) <= _MOST_NAMES or len(bare) > _LONGEST_NAME or not all(_NAME.fullmatch(word) for word in words):
        return False
    if is_ordinary(bare) or SIGN_OFF.fullmatch(bare):
        return False
    return not capital or (words[0][0].isupper() and all(word[0].isupper() or word in PARTICLES for word in words))
