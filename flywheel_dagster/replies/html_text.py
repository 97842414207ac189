"""What somebody wrote in an HTML mail, as plain text; a quotation's lines begin with ">", as in a text mail."""

import html
import re

LIMIT = 400_000  # characters of markup

_COMMENT = "<!--"
# A tag (never across another "<", so that the time stays linear), or what stands between tags.
_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>|<[!?][^<>]*>|[^<]+|<")
_UNSEEN = frozenset(("head", "style", "script", "title"))
_BLOCKS = frozenset(
    ("p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "blockquote")
)
_APART = frozenset(("p", "blockquote", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"))
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


def html_text(markup: str) -> str:
    """The text: a line a block, an empty line around paragraphs. Raises nothing; the time is linear."""
    lines: list[str] = []
    line: list[str] = []
    depth, unseen = 0, ""

    def end_line() -> None:
        content = _SPACE.sub(" ", "".join(line)).strip()
        line.clear()
        if content or (lines and lines[-1].strip("> ")):
            lines.append("> " * min(depth, 3) + content)

    for token in _TOKEN.finditer(_without_comments(markup[:LIMIT])):
        closing, tag = token[1], (token[2] or "").lower()
        if unseen:
            unseen = "" if closing and tag == unseen else unseen
        elif not tag:
            line.append("" if token[0][:2] in ("<!", "<?") else _characters(token[0]))
        elif tag in _UNSEEN:
            unseen = "" if closing else tag
        elif tag in _BLOCKS:
            if line or tag == "br":
                end_line()
            if tag in _APART:
                end_line()
            if tag == "blockquote":
                depth = max(0, depth - 1) if closing else depth + 1
        elif tag in ("td", "th"):
            line.append(" ")
    end_line()
    while lines and not lines[-1].strip("> "):
        lines.pop()
    return "\n".join(lines).strip()


def _without_comments(markup: str) -> str:
    first, *rest = markup.split(_COMMENT)
    return first + "".join(each.partition("-->")[2] for each in rest)


def _characters(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a character reference of more digits than an int has
        return text
