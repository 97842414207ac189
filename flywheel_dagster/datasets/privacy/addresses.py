"""E-mail and IP addresses in running text."""

import ipaddress
import re
from collections import Counter

from flywheel_dagster.datasets.privacy.known import KnownPeople
from flywheel_dagster.datasets.privacy.placeholders import replace_matches

_EMAIL = re.compile(r"(?<![\w+%}-])(?<![\w+%-][.'])[\w+%-]++(?:[.'][\w+%-]++)*+@[\w-]++(?:\.[\w-]++)*+")
_HIDDEN_EMAIL = re.compile(
    r"(?<![\w+}-])(?<![\w+-]\.)[\w+-]{1,64}+(?:\.[\w+-]{1,64}+){0,8} ?[\[(]\s?(?:at|@|ät|arroba|arobase)\s?[\])] ?[\w-]{1,63}(?: ?(?:\.|[\[(]\s?(?:dot|punkt|punto|point)\s?[\])]) ?\w{2,63}){1,4}",
    re.IGNORECASE,
)
_HIDDEN_SIGN = re.compile(r"[\[(]\s?(?:at|@|ät|arroba|arobase)\s?[\])]", re.IGNORECASE)
_IP = re.compile(r"(?<![\w.}-])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w.]*\w)")
_IP6 = re.compile(r"(?<![\w.:}])(?=[0-9a-fA-F:]{0,4}:)[0-9a-fA-F:]{6,39}(?![\w:])")
_VERSION = re.compile(
    r"(?<!\w)(?:version|versión|versão|release|build|firmware|driver|v|ver|rev|§|section|abschnitt|kapitel|chapter|clause)[. :]{0,2}$",
    re.IGNORECASE,
)


def replace_emails(text: str, known: KnownPeople, counts: Counter[str]) -> str:
    """The text with placeholders for e-mail addresses, {{email}} for the lead's own."""

    def judge(found: re.Match[str]) -> str | None:
        address = found[0]
        name = known.email(address)
        if name or "." in address.rpartition("@")[2]:
            return name or "email_address"
        return None

    if "@" in text:
        text = replace_matches(_EMAIL, text, judge, counts)
    if _HIDDEN_SIGN.search(text):
        text = replace_matches(_HIDDEN_EMAIL, text, lambda found: "email_address", counts)
    return text


def replace_ip_addresses(text: str, counts: Counter[str]) -> str:
    """The text with {{ip_address}} for IPv4 and IPv6 addresses; not for versions ("version 10.0.19.1")."""

    def judge(found: re.Match[str]) -> str | None:
        if _VERSION.search(text[max(0, found.start() - 12) : found.start()]):
            return None
        try:
            address = ipaddress.ip_address(found[0].partition("/")[0])
        except ValueError:
            return None
        return "ip_address" if address.version == 4 or found[0].count(":") > 2 else None

    text = replace_matches(_IP, text, judge, counts)
    if text.count(":") > 2:
        text = replace_matches(_IP6, text, judge, counts)
    return text
