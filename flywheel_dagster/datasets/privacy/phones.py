"""Telephone numbers in running text: a cheap look at digits and their grouping first, then the numbering plans of phonenumbers."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.known import SHORTEST_PHONE, KnownPeople
from flywheel_dagster.datasets.privacy.placeholders import Part, replace_matches

# Countries whose national notation, beginning with the trunk prefix 0, is understood.
WITH_TRUNK_ZERO = ("DE", "GB", "FR", "IT", "NL", "BE", "AT", "CH", "BR", "SE", "IE", "AU")
_SEPARATOR = r"[ \t\xa0\u2009\u202f().\-/\u2010-\u2015]"
_RUN = re.compile(rf"(?<![\w#$€£+}}])(?<!\d[.,:/-])(?:\+ ?\(?|\(\+?)?\d(?:{_SEPARATOR}{{0,3}}\d)*+")
_GROUP = re.compile(r"\d+")
_OPENING = re.compile(r"(?:\+ ?\(?|\(\+?)?$")
_MOST_DIGITS = 17
_MOST_OF_ONE = 8  # groups of a number
_MOST_GROUPS = 60  # of a run; more is a table of figures
_BEFORE = 40  # characters in which a number's name stands
_CALLED = re.compile(
    r"(?:tel(?:e(?:phone|fon|fone|fono))?|t[ée]l(?:[ée]phone)?|phone|ph|cell(?:ulare)?|celular|mobile?|m[óo]vil|mob|handy(?:nummer)?|fax|telefax|direct|"
    r"durchwahl|rufnummer|telefonnummer|mobilnummer|whats ?app|signal|call|text|sms|ring|dial|reach me (?:at|on)|anrufen|anruf(?: unter)?|unter|"
    r"portable|appelez|joindre au|ll[áa]m[ae](?:me)?(?: al)?|ligue?(?: para)?|liga(?: para)?|chiam\w+(?: al)?|zap|☎|📞|📱)"
    r"(?: ?(?:number|no|nr|nummer|line|me|us|him|her|mich|uns|at|on|an|is|ist|est|es|é|under|unter|al|au|para|o|el|le|numero|número|numéro|n°|nº))*"
    r"[ .:=#(+/-]{0,4}$",
    re.IGNORECASE,
)
_NO_PHONE = re.compile(
    r"(?:order|orders|invoice|ticket|case|ref|reference|id|sku|po|p\.o\.|part|serial|article|item|account|acct|policy|contract|customer|booking|tracking|"
    r"isbn|issn|ean|vat|ust|iban|bic|patent|registration|reg|hrb|hra|siren|siret|cnpj|ein|duns|zip|postcode|plz|box|zoom|meeting|webinar|"
    r"passcode|pin|code|request|rfp|rfc|bestell\w*|auftrag\w*|rechnung\w*|kunden\w*|artikel\w*|konto\w*|vorgang\w*|aktenzeichen|az|vertrag\w*|"
    r"commande|facture|dossier|contrat|client|r[ée]f[ée]rence|pedido|factura|contrato|cliente|fatura|nota|protocolo|processo|ordine|fattura|"
    r"version|versión|versão|build|v|model|chapter|section|page|year|years|fy|since|between|from|revenue|budget|salary|"
    r"[$€£¥]|usd|eur|gbp|chf|brl|r\$)"
    r"(?: ?(?:number|numbers|no|nr|nummer|num|n°|nº|n|numero|número|numéro|id|code|is|ist|est|es|é|de|du|der|mit))*[ .:=#(/-]{0,4}$",
    re.IGNORECASE,
)
_AMOUNT_BEHIND = re.compile(
    r"\s?(?:[%€$£¥°]|usd|eur|gbp|chf|brl|euros?|dollars?|users?|people|customers|units|views|rows|records|million|k\b)",
    re.IGNORECASE,
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?:{_DAY}([./-]){_DAY}\1(?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d([./-]){_DAY}\2{_DAY})(?!\d|[./-]\d)")
_YEARS = re.compile(r"(?:19|20)\d\d(?:\D{1,3}(?:19|20)\d\d)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,' ])000)(?:\1000)*|\d{1,3}(?:\.\d{3}){2,}")


class NumberingPlans:
    """The numbering plans of phonenumbers, asked a limited number of times: 100 times and once more for 50 characters. Beyond, each number is taken for valid."""

    def __init__(self, characters: int) -> None:
        self._left = 100 + characters // 50

    def has(self, number: str, region: str | None = None) -> bool:
        """Whether a number is valid in a region, or by its country code."""
        self._left -= 1
        return self._left < 0 or _is_valid(number, region)


@lru_cache(4096)
def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


class _Candidate(NamedTuple):
    digits: str
    groups: tuple[int, ...]  # their lengths
    begin: int
    end: int


def replace_phones(text: str, known: KnownPeople, plans: NumberingPlans, counts: Counter[str]) -> str:
    """The text with placeholders for telephone numbers, {{phone}} for the lead's own."""
    return replace_matches(_RUN, text, lambda found: _phones(found, known, plans), counts)


def _phones(found: re.Match[str], known: KnownPeople, plans: NumberingPlans) -> Iterator[Part]:
    groups = [group.span() for group in _GROUP.finditer(found.string, *found.span())]
    if len(groups) > _MOST_GROUPS or sum(end - begin for begin, end in groups) < SHORTEST_PHONE:
        return
    first = 0
    while first < len(groups):
        part, after = None, first + 1
        if date := _DATE.match(found.string, groups[first][0]):
            first = next((number for number, (begin, _) in enumerate(groups) if begin >= date.end()), len(groups))
            continue
        for candidate, last in _candidates(found, groups, first):
            name = _judged(candidate, found.string, known, plans)
            if name:
                part, after = Part(name, candidate.begin, candidate.end), last
                break
        if part:
            yield part
        first = after


def _candidates(found: re.Match[str], groups: list[tuple[int, int]], first: int) -> Iterator[tuple[_Candidate, int]]:
    """What begins with a group, longest first, and the group after it."""
    begin = groups[first][0]
    least = found.start() if first == 0 else groups[first - 1][1]
    if opening := _OPENING.search(found.string[max(least, begin - 3) : begin]):
        begin -= len(opening[0])
    for last in range(min(len(groups), first + _MOST_OF_ONE), first, -1):
        part = groups[first:last]
        digits = "".join(found.string[slice(*group)] for group in part)
        if SHORTEST_PHONE <= len(digits) <= _MOST_DIGITS:
            end = part[-1][1]
            unpaired = found.string[begin] == "(" and found.string.count("(", begin, end) > found.string.count(")", begin, end)
            yield _Candidate(digits, tuple(after - before for before, after in part), begin + unpaired, end), last


def _judged(candidate: _Candidate, text: str, known: KnownPeople, plans: NumberingPlans) -> str | None:
    digits, groups, begin, end = candidate
    written = text[begin:end]
    if _YEARS.fullmatch(written) or _THOUSANDS.fullmatch(written) or _AMOUNT_BEHIND.match(text, end):
        return None
    if name := known.phone(written):
        return name
    before = text[max(0, begin - _BEFORE) : begin]
    return "phone_number" if _is_phone(digits, groups, written, before, plans) else None


def _is_phone(digits: str, groups: tuple[int, ...], written: str, before: str, plans: NumberingPlans) -> bool:
    if written.lstrip(" (").startswith("+"):
        return 7 < len(digits) <= 15
    called = _CALLED.search(before) is not None
    if not called and _NO_PHONE.search(before):
        return False
    if digits.startswith("00"):
        return 9 < len(digits) <= 17 and plans.has("+" + digits[2:])
    if called:
        return len(groups) > 1 or len(digits) > 6
    if digits.startswith("0"):
        well_grouped = min(groups[:-1], default=2) > 1 and (len(groups) <= 5 or set(groups) == {2})
        return 9 <= len(digits) <= 12 and well_grouped and any(plans.has(digits, region) for region in WITH_TRUNK_ZERO)
    return any(plans.has(digits, region) for region in _regions(groups, written))


def _regions(groups: tuple[int, ...], written: str) -> tuple[str, ...]:
    """Where a number without trunk prefix is grouped so."""
    if groups in ((3, 3, 4), (1, 3, 3, 4), (3, 7)):
        return ("US",)
    if groups in ((2, 4, 4), (2, 5, 4), (2, 1, 4, 4)) or (written.startswith("(") and groups in ((2, 8), (2, 9))):
        return ("BR",)
    if groups in ((3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2)):
        return ("ES", "PT")
    return ()
