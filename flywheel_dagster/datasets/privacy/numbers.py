"""Numbers that stand for a person or their money: cards, IBANs and national numbers, each by its check digits."""

import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from stdnum import luhn, verhoeff
from stdnum.be import nn as be_nn
from stdnum.br import cpf as br_cpf
from stdnum.ca import sin as ca_sin
from stdnum.ch import ssn as ch_ssn
from stdnum.de import idnr as de_idnr
from stdnum.es import dni as es_dni
from stdnum.es import nie as es_nie
from stdnum.fr import nir as fr_nir
from stdnum.it import codicefiscale as it_codicefiscale
from stdnum.nl import bsn as nl_bsn
from stdnum.pl import pesel as pl_pesel
from stdnum.pt import nif as pt_nif
from stdnum.se import personnummer as se_personnummer
from stdnum.us import ssn as us_ssn

from flywheel_dagster.datasets.privacy.placeholders import Part, replace_matches

_SPACE = r"[ \xa0\u202f]"
_BEFORE, _AFTER = r"(?<![\w}])(?<!\d[.,/-])", r"(?!\w|[.,/-]\d)"

_CARD = re.compile(
    rf"{_BEFORE}(?:(?:4\d|5[1-5]|2[2-7]|3[0689]|6[024-9])\d\d(?:(?:{_SPACE}|-)?\d{{4}}){{3}}(?:{_SPACE}?\d{{1,3}})?|3[47]\d\d(?:{_SPACE}|-)?\d{{6}}(?:{_SPACE}|-)?\d{{5}}|3[0689]\d\d(?:{_SPACE}|-)?\d{{6}}(?:{_SPACE}|-)?\d{{4}}|(?:4\d{{12}}|6\d{{17,18}})){_AFTER}"
)
_FEWEST_OF_ACCOUNT = 12  # digits: a card has 13, and hardly an IBAN fewer than 12
_IBAN = re.compile(rf"(?<![\w}}])[A-Za-z]{{2}}\d{{2}}(?:{_SPACE}?[A-Za-z0-9]){{11,30}}")
_COUNTRIES = """
AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27 DK:18 DO:28
EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27
JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18
NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28
TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30
"""  # characters of an IBAN, by country (SWIFT, IBAN registry)
_LENGTHS = {pair[:2]: int(pair[3:]) for pair in _COUNTRIES.split()}

Valid = Callable[[str], bool]
# By their number of digits and shape alone: a check over many digits or letters, or a grouping that nothing else has.
_BY_SHAPE: tuple[tuple[int, re.Pattern[str], Valid], ...] = (
    (9, re.compile(rf"{_BEFORE}\d{{3}}[- ]\d{{2}}[- ]\d{{4}}{_AFTER}"), us_ssn.is_valid),
    (11, re.compile(rf"{_BEFORE}\d{{3}}\.\d{{3}}\.\d{{3}}[-/]\d{{2}}{_AFTER}"), br_cpf.is_valid),
    (11, re.compile(rf"{_BEFORE}\d{{2}}\.\d{{2}}\.\d{{2}}-\d{{3}}\.\d{{2}}{_AFTER}"), be_nn.is_valid),
    (13, re.compile(rf"{_BEFORE}756\.\d{{4}}\.\d{{4}}\.\d{{2}}{_AFTER}"), ch_ssn.is_valid),
    (13, re.compile(rf"{_BEFORE}[12] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{{3}} ?\d{{3}} ?\d\d{_AFTER}"), fr_nir.is_valid),
    (11, re.compile(rf"{_BEFORE}\d{{2}} \d{{3}} \d{{3}} \d{{3}}{_AFTER}"), de_idnr.is_valid),
    (8, re.compile(rf"{_BEFORE}\d{{2}}\.?\d{{3}}\.?\d{{3}}[- ]?[A-Za-z]{_AFTER}"), es_dni.is_valid),
    (7, re.compile(rf"{_BEFORE}[XYZxyz][- ]?\d{{7}}[- ]?[A-Za-z]{_AFTER}"), es_nie.is_valid),
    (10, re.compile(rf"{_BEFORE}\d{{6}}[-+]\d{{4}}{_AFTER}"), se_personnummer.is_valid),
    # HMRC, National Insurance Manual NIM39110: letters that are not used; no check digit.
    (
        6,
        re.compile(r"(?<![\w}])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)"),
        lambda number: True,
    ),
)
_FISCAL_CODE = re.compile(
    r"(?<![\w}])[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?!\w)", re.IGNORECASE
)
# By what they are called: numbers with one check digit or none, which order numbers look like.
_IS = r"(?:[ -]?(?:number|no|nr|nummer|numéro|número|n°|nº|num|#|is|ist|est|es|é|lautet|-)|[ .:#(]){0,6}[ .:#(]{1,3}"
_CALLED = re.compile(
    r"(?<!\w)(?:(?P<us>ssn|social security|itin)|(?P<br>cpf)|(?P<pt>nif|contribuinte|nipc)|(?P<de>steuer-?id\w*|steuer(?:liche )?identifikationsnummer|id-?nr|idnr|tin)|"
    r"(?P<nl>bsn|burgerservicenummer|sofinummer)|(?P<pl>pesel)|(?P<ca>sin|social insurance)|(?P<india>aadhaa?r))"
    rf"{_IS}(?P<number>\d(?:[ .-]?\d){{5,12}})(?!\w)",
    re.IGNORECASE,
)
_LENGTH_OF_FISCAL_CODE = 16
_SIGNS_OF_PASSPORT = ("passp", "passeport", "pasaporte", "passaport", "reisepass", "ausweis", "licen", "führerschein")
_PASSPORT = re.compile(
    r"(?<!\w)(?:passport|reisepass|personalausweis|passeport|pasaporte|passaporte|passaporto|driver'?s licen[cs]e|führerschein)"
    rf"{_IS}(?P<number>(?=(?:[A-Z]*\d){{3}})[A-Z0-9]{{6,14}})(?!\w)",
    re.IGNORECASE,
)
_SIGNS_OF_CALLED = (
    "ssn",
    "social",
    "tin",
    "cpf",
    "nif",
    "contrib",
    "nipc",
    "steuer",
    "nr",
    "bsn",
    "burger",
    "sofi",
    "pesel",
    "sin",
    "aadha",
)
_VALID: dict[str, Valid] = {
    "us": lambda number: len(number) == 9,
    "br": br_cpf.is_valid,
    "pt": pt_nif.is_valid,
    "de": de_idnr.is_valid,
    "nl": nl_bsn.is_valid,
    "pl": pl_pesel.is_valid,
    "ca": ca_sin.is_valid,
    "india": lambda number: len(number) == 12 and verhoeff.is_valid(number),
}


def replace_numbers(text: str, counts: Counter[str]) -> str:
    """The text with placeholders for IBANs, cards and national numbers."""
    digits = sum(map(str.isdecimal, text))
    text = replace_lettered_numbers(text, counts)
    if digits >= _FEWEST_OF_ACCOUNT:
        text = replace_matches(_IBAN, text, _iban, counts)
        text = replace_matches(_CARD, text, lambda found: "card_number" if luhn.is_valid(_bare(found[0])) else None, counts)
    for fewest, pattern, is_valid in _BY_SHAPE:
        if digits >= fewest:
            text = replace_matches(pattern, text, partial(_national, is_valid), counts)
    lower = text.lower()
    return replace_matches(_CALLED, text, _called, counts) if any(sign in lower for sign in _SIGNS_OF_CALLED) else text


def replace_lettered_numbers(text: str, counts: Counter[str]) -> str:
    """The text with {{national_number}} for those in which few digits stand together: Italian codici fiscali, and passports called so."""
    if max(map(len, text.split()), default=0) >= _LENGTH_OF_FISCAL_CODE:
        text = replace_matches(_FISCAL_CODE, text, partial(_national, it_codicefiscale.is_valid), counts)
    lower = text.lower()
    if not any(sign in lower for sign in _SIGNS_OF_PASSPORT):
        return text
    return replace_matches(_PASSPORT, text, lambda found: [Part("national_number", *found.span("number"))], counts)


def _national(is_valid: Valid, found: re.Match[str]) -> str | None:
    return "national_number" if is_valid(_bare(found[0])) else None


def _bare(number: str) -> str:
    return "".join(character for character in number if character.isalnum())


def _iban(found: re.Match[str]) -> list[Part] | None:
    """The IBAN that the match begins with: as long as its country has them, and 1 modulo 97 (ISO 13616)."""
    length = _LENGTHS.get(found[0][:2].upper(), 99)
    characters = [at for at, character in enumerate(found[0]) if character.isalnum()]
    if len(characters) < length:
        return None
    end = characters[length - 1] + 1
    if found[0][end : end + 1].isalnum() or (found.string[found.end() : found.end() + 1].isalnum() and end == len(found[0])):
        return None
    number = _bare(found[0][:end]).upper()
    if int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 != 1:
        return None
    return [Part("iban", found.start(), found.start() + end)]


def _called(found: re.Match[str]) -> list[Part] | None:
    country = next(name for name in _VALID if found[name])
    return [Part("national_number", *found.span("number"))] if _VALID[country](_bare(found["number"])) else None
