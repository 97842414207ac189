"""Words as the lists know them: folded (no capitals, accents or curly quotes), in sentences. What they mean is not decided here."""

import re
import unicodedata

BEGIN, END, QUESTION, COMMA = "^", "$", "?", ","
ADDRESS, LINK, NAME, NUMBER, OTHER = "@mail", "@link", "@name", "#", "*"
HEAD, TAIL = 4_000, 1_000  # characters of a reply that are read, from its beginning and its end

_APPROVING = "👍👌🙌👏🎉🚀💯🔥🤝✅✔😀😃😄😁😊🙂😉😍🤩🥳❤💪🤗😎🤙✨"
_REFUSING = "👎🙅🚫⛔❌🖕😡😠🤬💩🛑"
_ROLLING = "🙄😒🤦"
_EMOJI = {
    ord(each): f" {name} "
    for name, all_of in (("emojiup", _APPROVING), ("emojidown", _REFUSING), ("emojiroll", _ROLLING))
    for each in all_of
}
_SIGNS = (
    str.maketrans(
        {
            "’": "'",
            "‘": "'",
            "`": "'",
            "´": "'",
            "ʼ": "'",
            "“": '"',
            "”": '"',
            "¿": " ",
            "¡": " ",
            "؟": "?",
            "?": "?",
            "。": ". ",
            "…": "... ",
        }
    )
    | _EMOJI
)
_MARKS = re.compile("[\u0300-\u036f]+")
_WRAPPED = re.compile("(?<=[^\n]{45})\n(?=[a-zà-ÿ])")
_HALF_DAY = re.compile(r"(?<![A-Za-z])([apAP])\. ?[mM]\b\.?")
_TOKEN = re.compile(
    r"[\w.+-]{1,64}@[\w-][\w.-]{1,99}"
    r"|(?:https?://|www\.)\S+"
    r"|\d[\d.,:/%€$]*[^\W\d_]{0,4}"
    r"|[eE]-?[mM]ails?\b|[QqHhTt][1-4]\b"
    r"|[^\W\d_]+(?:'[^\W\d_]+)*"
    r"|\.(?=\s|\.|$)|[!?\n,;:()–—]|(?<=\s)-(?=\s)"
)
_ENDS = frozenset(".!\n")
_COMMAS = frozenset(",;:()–—-")


def folded(text: str) -> str:
    """Lower-case and without accents; emoji that approve, refuse or roll their eyes have become words."""
    return _plain(text).casefold()


def read_part(text: str) -> str:
    """What the rules read of a long reply: its beginning and its end."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence, a question's mark at its end; e-mail addresses and links only by their kind.

    Words are lower-case but for the first letter of what may be a name: a capital inside a sentence that isn't all in capitals.
    """
    found: list[list[str]] = []
    words: list[str] = []
    for token in _TOKEN.findall(_plain(_WRAPPED.sub(" ", text) if "\n" in text else text)):
        first = token[0]
        if token in _ENDS:
            if words:
                found.append(words)
                words = []
        elif first == QUESTION:
            if words:
                found.append([*words, QUESTION])
                words = []
            elif found and found[-1][-1] != QUESTION:
                found[-1].append(QUESTION)
        elif first in _COMMAS:
            if words and words[-1] != COMMA:
                words.append(COMMA)
        elif "@" in token:
            words.append(ADDRESS)
        elif "/" in token and not first.isdigit():
            words.append(LINK)
        elif first in "eE" and token[1:2] == "-":
            words.append(token[0].lower() + token[2:].lower())
        elif token.islower():
            words.append(token)
        else:
            lower = token.casefold()
            words.append(first + lower[1:] if words and words[-1] != COMMA and first.isupper() and not token.isupper() else lower)
    if words:
        found.append(words)
    return found


def _plain(text: str) -> str:
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_SIGNS)))
    return _HALF_DAY.sub(r"\1m", text) if ".m" in text or ".M" in text or ". m" in text else text
