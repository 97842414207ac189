"""Looks at one message: its subject line, placeholders, greeting and marks. What of it is right or wrong is in the rules beside this."""

import re

from flywheel_dagster.datasets.privacy.placeholders import PLACEHOLDER

SUBJECT = re.compile(r"Subject: *\S[^\n]*(\n|\Z)")
_FIELD = re.compile(r"[A-Za-z_][\w .:-]*")
_TITLE = (
    r"(?:mr|mrs|ms|miss|mx|sir|madam|dr|doctor|prof|professor|herr|herrn|frau|damen|herren|mme|mlle|m|madame|mademoiselle|monsieur|messieurs|mesdames|"
    r"sr|sra|srta|señor|señora|señorita|senhor|senhora|sig|signor|signora|signore|dott|dottore|dottoressa)\b"
)
_GREETING = re.compile(
    r"^(?:hi|hello|hey|dear|hiya|good (?:morning|afternoon|day)|hallo|guten (?:tag|morgen)|liebe[rs]?|sehr geehrte[r]?|moin|servus|bonjour|salut|cher|chère|hola|"
    r"buenos d[ií]as|estimad[oa]|querid[oa]|ol[áa]|bom dia|prezad[oa]|ciao|buongiorno|gentile)[ \t]+"
    rf"(?P<title>(?:{_TITLE}\.?[ \t]+)*)(?!{_TITLE})(?P<name>[^\W\d_][\w'’-]*)",
    re.IGNORECASE | re.MULTILINE,
)
_MARKDOWN = re.compile(r"^#{1,6} |\*\*[^*\n]+\*\*|^```|^\|.*\|$", re.MULTILINE)


def has_subject(text: str) -> bool:
    """Whether it begins with a subject line, as `datasets/prompts.py` writes it."""
    return SUBJECT.match(text) is not None


def body_of(text: str) -> str:
    """What stands beneath the subject line."""
    found = SUBJECT.match(text)
    return text[found.end() :].strip() if found else text.strip()


def placeholder_names(text: str) -> frozenset[str]:
    """The fields named by a text's placeholders, without their defaults: "{{ first_name | there }}" is first_name."""
    return frozenset(_name(found) for found in PLACEHOLDER.findall(text))


def without_placeholders(text: str) -> str:
    """The text with a blank for each placeholder."""
    return PLACEHOLDER.sub(" ", text)


def greeted_as(text: str) -> str | None:
    """The capitalised word that follows a greeting ("Hi Sam,": Sam), which may be a name; None without one."""
    found = _GREETING.search(text)
    return found["name"] if found and found["name"][0].isupper() else None


def greets_with_title(text: str) -> bool:
    """ "Dear Mr. Smith": a word after a title is always a name."""
    found = _GREETING.search(text)
    return found is not None and found["title"] != ""


def uses_markdown(text: str) -> bool:
    """Whether there are headings, bold words, code or tables, as chat models like to write."""
    return _MARKDOWN.search(text) is not None


def _name(placeholder: str) -> str:
    found = _FIELD.search(placeholder)
    return found[0].strip() if found else ""
