"""Telephone numbers in running text: a cheap look at digits and their grouping first, then the numbering plans of phonenumbers."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.known import SHORTEST_PHONE, KnownPeople
from flywheel_dagster.datasets.privacy.placeholders import Part, replace_matches

# Countries whose national notation, beginning with the trunk prefix 0, is understood.
WITH_TRUNK_ZERO = ("DE", "GB", "FR", "IT", "NL", "BE", "AT", "CH", "BR", "SE", "IE", "AU")
_SEPARATOR = r"[ \t\xa0\u2009\u202f().\-/\u2010-\u2015]"
_RUN = re.compile(rf"(?<![\w#$€£+}}])(?<!\d[.,:/-])(?:\+ ?\(?|\(\+?)?\d(?:{_SEPARATOR}{{0,3}}\d)*+")
_GROUP = re.compile(r"\d+")
_MOST_DIGITS = 60  # of a run of groups; more is a table of figures
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
_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2})(?!\d)")
_YEARS = re.compile(r"(?:19|20)\d\d(?:\D{1,3}(?:19|20)\d\d)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,' ])000)(?:\1000)*|\d{1,3}(?:\.\d{3}){2,}")


class _Candidate(NamedTuple):
    digits: str
    groups: tuple[int, ...]  # their lengths
    written: str
    begin: int
    end: int


def replace_phones(text: str, known: KnownPeople, counts: Counter[str]) -> str:
    """The text with placeholders for telephone numbers, {{phone}} for the lead's own."""
    return replace_matches(_RUN, text, lambda found: _phone(found, known), counts)


def _phone(found: re.Match[str], known: KnownPeople) -> Part | None:
    groups = list(_GROUP.finditer(found[0]))
    if not SHORTEST_PHONE <= sum(len(group[0]) for group in groups) <= _MOST_DIGITS:
        return None
    text, start = found.string, found.start()
    before = text[max(0, start - 40) : start]
    for candidate in _candidates(found, groups):
        first, last = candidate.begin == start, candidate.end == found.end()
        lead = before if first else text[max(0, candidate.begin - 40) : candidate.begin]
        if last and _AMOUNT_BEHIND.match(text, candidate.end):
            continue
        name = known.phone(candidate.written)
        if name:
            return Part(name, candidate.begin, candidate.end)
        if _is_phone(candidate, lead):
            return Part("phone_number", candidate.begin, candidate.end)
    return None


def _candidates(found: re.Match[str], groups: list[re.Match[str]]) -> Iterator[_Candidate]:
    """The run, then what is left without its last or first groups; longest first."""
    count = len(groups)
    for size in range(count, 0, -1):
        for first in range(count - size + 1):
            part = groups[first : first + size]
            digits = "".join(group[0] for group in part)
            if not SHORTEST_PHONE <= len(digits) <= 17:
                continue
            begin, end = part[0].start(), part[-1].end()
            begin = _opening(found[0], begin) if first else 0
            written = found[0][begin:end]
            yield _Candidate(digits, tuple(len(group[0]) for group in part), written, found.start() + begin, found.start() + end)


def _opening(written: str, begin: int) -> int:
    """Where a number begins whose first digit this is: at its plus sign or bracket."""
    while begin and written[begin - 1] in "(+":
        begin -= 1
    return begin


def _is_phone(candidate: _Candidate, before: str) -> bool:
    digits, groups, written = candidate.digits, candidate.groups, candidate.written
    if _DATE.match(written) or _YEARS.fullmatch(written) or _THOUSANDS.fullmatch(written):
        return False
    called = _CALLED.search(before) is not None
    if written.lstrip(" (").startswith("+"):
        return 7 < len(digits) <= 15 and _is_possible("+" + digits)
    if not called and _NO_PHONE.search(before):
        return False
    if digits.startswith("00"):
        return 9 < len(digits) <= 17 and _is_valid("+" + digits[2:], None)
    if called:
        return len(groups) > 1 or len(digits) > 6
    if digits.startswith("0"):
        return 9 <= len(digits) <= 12 and any(_is_valid(digits, region) for region in WITH_TRUNK_ZERO)
    regions = _regions(digits, groups, written)
    return any(_is_valid(digits, region) for region in regions)


def _regions(digits: str, groups: tuple[int, ...], written: str) -> tuple[str, ...]:
    """Where a number without trunk prefix is grouped so."""
    if groups in ((3, 3, 4), (1, 3, 3, 4), (3, 7)):
        return ("US",)
    if groups in ((2, 4, 4), (2, 5, 4), (2, 1, 4, 4)) or (written.startswith("(") and groups in ((2, 8), (2, 9))):
        return ("BR",)
    if len(digits) == 9 and groups in ((3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2)):
        return ("ES", "PT")
    return ()


def _is_possible(number: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)
