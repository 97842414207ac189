"""Links: which of them lead to a page that anybody may read, and which to or from one person."""

import re
from collections import Counter

from flywheel_dagster.datasets.privacy.known import KnownPeople
from flywheel_dagster.datasets.privacy.placeholders import replace_matches

_LIKELY = re.compile(r"://|www\.|\.[a-z]{2,18}(?::\d{1,5})?/", re.IGNORECASE)
# With a scheme, "www.", or a domain followed by a path; without the punctuation behind it, and with brackets only in pairs.
_URL = re.compile(
    r"(?<![\w@.}/-])(?:[a-z][a-z0-9+.-]{1,20}://|www\.(?=\w)|(?:[a-z0-9-]{1,63}+\.){1,5}[a-z]{2,18}(?::\d{1,5})?/)"
    r"(?:[.,;:!?'’*_]*+(?:[^\s<>\"{}|\\^`()\[\].,;:!?'’*_]++|\([^\s()<>{}]{0,80}\)|\[[^\s\[\]<>{}]{0,80}\]))*+",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?P<user>[^/?#]*@)?(?P<host>[^/?#@:]*)(?::\d+)?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_OF_TRACKING = re.compile(
    r"(?:clicks?|track|tracking|trk|links?|lnk|go|e-?mails?|mailer|mkt|info|url\d+|em\d+|u\d+|r|t|ct|ea|unsubscribe|optout)\.[^.]+\..+|(?:.+\.)?(?:"
    r"list-manage\.com|sendgrid\.net|mandrillapp\.com|hubspotlinks\.com|hs-sites\.com|hubspotemail\.net|mailchi\.mp|bit\.ly|t\.co|lnkd\.in|"
    r"goo\.gl|tinyurl\.com|ow\.ly|hubs\.ly|hubs\.la|rebrand\.ly|buff\.ly|cutt\.ly|rb\.gy|is\.gd|shorturl\.at|"
    r"safelinks\.protection\.outlook\.com|urldefense\.com|urldefense\.proofpoint\.com|outreach\.io|exct\.net|mkto\.com|mailgun\.org|"
    r"amazonses\.com|awstrack\.me|intercom-clicks\.com|customeriomail\.com|wa\.me|t\.me)",
    re.IGNORECASE,
)
_OF_PEOPLE = re.compile(
    r"(?:.+\.)?(?:calendly\.com|cal\.com|savvycal\.com|chilipiper\.com|meetings\.hubspot\.com|meet\.google\.com|zoom\.us|"
    r"teams\.microsoft\.com|teams\.live\.com|whereby\.com|webex\.com|facebook\.com|fb\.com|instagram\.com|twitter\.com|x\.com|threads\.net|"
    r"docs\.google\.com|drive\.google\.com|dropbox\.com|wetransfer\.com|1drv\.ms|loom\.com|vidyard\.com|xing\.com|calendar\.app\.google|"
    r"doodle\.com|tidycal\.com|outlook\.office365\.com|skype\.com)",
    re.IGNORECASE,
)
_PERSONAL_PATH = re.compile(
    r"/(?:in|pub|profiles?|u|users?|members?)/[^/]|/[@~]\w|@|%40|=|unsub|opt-?(?:out|in)(?:[/_.-]|$)|abmeld|abbestell|desinscri|desabonn|"
    r"desuscri|descadastr|/(?:preferences|subscriptions?|track|clicks?|opens?|pixel|beacon|confirm|verify|reset|invite|invitations?|magic|token|"
    r"session|wf|ls|signup|meet|meeting|booking)/[^/]",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?")
_MANY_DIGITS = re.compile(r"\d{6}")
_NUMBERED = re.compile(r"/\d{5,}(?=/|$)")  # a part of a path that is only a number
_ASSIGNED = re.compile("[=@]")
_HEXADECIMAL = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}", re.IGNORECASE)
_PART_OF_PATH = re.compile(r"[A-Za-z0-9]+")
_CHANGES = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_CASE_CHANGES = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST_WORD = 28  # letters; beyond, it is a token


def replace_links(text: str, known: KnownPeople, counts: Counter[str]) -> str:
    """The text with {{link}} for links with identifiers, tracking links, and those to a person's page; plain public addresses stay."""
    if not _LIKELY.search(text):
        return text
    return replace_matches(_URL, text, lambda found: "link" if is_personal(found[0], known) else None, counts)


def is_personal(url: str, known: KnownPeople) -> bool:
    """Whether a link has an identifier in it, counts who follows it, or names somebody known."""
    parts = _PARTS.match(url)
    if parts is None:
        return False
    host, path, fragment = parts["host"].lower().removeprefix("www."), parts["path"], parts["fragment"] or ""
    if parts["user"] or len(parts["query"] or "") > 1:
        return True
    if len(path) > 1 and (_OF_TRACKING.fullmatch(host) or _OF_PEOPLE.fullmatch(host) or _PERSONAL_PATH.search(path)):
        return True
    if _ASSIGNED.search(fragment) or any(not _DATE.fullmatch(found[1:]) for found in _NUMBERED.findall(path)):
        return True
    return known.owns(host) or any(map(_is_identifier, _PART_OF_PATH.findall(path + fragment))) or known.names_somebody(url)


def _is_identifier(part: str) -> bool:
    """A part of a path that no word, date or version is."""
    if _MANY_DIGITS.search(part) and not _DATE.fullmatch(part):
        return True
    changes = len(_CHANGES.findall(part))
    return (
        (changes > 2 and len(part) > 5)
        or (changes > 1 and len(part) > 11)
        or (changes > 0 and len(_CASE_CHANGES.findall(part)) > 1 and len(part) > 7)
        or (len(_CASE_CHANGES.findall(part)) > 3)
        or len(part) > _LONGEST_WORD
        or _HEXADECIMAL.fullmatch(part) is not None
    )
