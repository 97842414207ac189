"""Separates what somebody wrote from what machines put beneath it: "Sent from my phone", legal notices, footers of lists, "-- " and what follows."""

import re
from typing import NamedTuple

_LONGEST = 240  # characters of a line that is looked at
_MOST_BELOW = 30  # lines beneath a delimiter
_LONGEST_MENTION = 160
_SHORTEST_NOTICE, _LONGEST_NOTICE = 60, 4_000

_DELIMITER = re.compile(r"(?:--|—|––|\\--)[ \t]*")
_RULED = re.compile(r"[-_=*~#]{3,}")

# Lines of mail programs, by language. Each begins its line; the sender's device or program follows.
_SENT_FROM = re.compile(
    r"(?:sent|written|typed|posted|dictated)(?: \w{1,12})? (?:from|via|with|by|using|through|on) |get \[?outlook for |from (?:my )?mobile|"
    r"from my \w|\w{1,12} (?:from|via) (?:my )?mobile|download .{0,30}(?:outlook|yahoo mail)|"
    r"(?:von |vom )?(?:meinem|meiner|mein) [\w .-]{1,40}gesendet|gesendet (?:von|vom|mit|über)|diese nachricht wurde von meinem|"
    r"holen sie sich outlook|"
    r"envoy[ée]e? (?:de|depuis|à partir|avec|par|via)|t[ée]l[ée]charger outlook|obtenez outlook|"
    r"enviad[oa] (?:desde|de|do|da|con|com|por|pelo|via|a partir|mediante)|obtener outlook|obtenga outlook|obter o outlook|"
    r"inviat[oa] (?:da|dal|con|tramite)|scarica outlook|"
    r"(?:verzonden|verstuurd) (?:vanaf|van|met|via|vanuit)|outlook voor |"
    r"skickat (?:från|med)|sendt fra|sendt med|sendt via|hämta outlook|lähetetty |"
    r"wysłan[eoy] (?:z|ze|przez)|pobierz outlook|odesláno z|odoslané z|küldve |elküldve |trimis (?:de|din|cu)|poslano |"
    r"отправлено (?:с|из|от)|послано с|надіслано (?:з|із)|στάλθηκε από|iphone'umdan gönderildi|"
    r"(?:desde|depuis|von|från|fra|dal|do|vanaf|z|с|из) (?:mi|mon|meinem|min|mio|meu|mijn|mojego|моего) (?:iphone|ipad|android|blackberry|"
    r"galaxy|samsung|smartphone|handy|mobil|móvil|celular|portable|t[ée]l[ée]fon|телефон)|"
    r"発信元|从我的|從我的|由我的|發自|发自|自我的|傳送自|获取|取得 outlook|.{0,12}(?:iphone|ipad|android)から送信|나의 .{0,12}에서 보냄",
    re.IGNORECASE,
)
_ABOUT_SENDING = re.compile(
    r"(?<!\w)(?:mistake|error|wrong|accident|account|address|yesterday|earlier|today|last|love|you|your|i|we|docusign)(?!\w)",
    re.IGNORECASE,
)
_LIST_FOOTER = re.compile(
    r"you (?:are receiving|received|are subscribed|were sent) (?:this|to)|"
    r"to (?:stop receiving|unsubscribe from|post to) .{0,160}(?:click|visit|send an?|go to|https?:|@)|"
    r"reply to this e-?mail directly|view (?:it|this) on github|visit topic or reply|unsubscribe from these emails|"
    r"(?:virus-free|virenfrei|sans virus|libre de virus|livre de vírus)\.|(?:this|diese|ce|este) .{0,30}(?:checked for virus|scanned (?:for|by)|avast|avg)|"
    r"please consider the environment|(?:bitte )?denken sie an die umwelt|pensez à l.environnement|(?:por favor,? )?piense en el medio|antes de imprimir|"
    r"learn more about .{0,40}sender identification|"
    r"save paper|https?://\S{0,120}(?:listinfo|mailman|unsubscribe)\S*$",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"(?<!\w)(?:i|i'm|my|me|ich|mein|meine|mich|je|mes|mon|yo|mi|mis|meu|minha)(?!\w)", re.IGNORECASE)
# Stems of what legal notices are about, and of what they say besides.
_LEGAL_SUBJECTS = (
    "confidential", "privileged", "intended", "addressee", "disclaim", "registered in", "registered office", "company no", "company number",
    "vertraulich", "handelsregister", "registergericht", "geschäftsführ", "confidentiel", "confidencia", "riservat", "vertrouwelijk",
    "privilegiad",
)  # fmt: skip
_LEGAL_STEMS = (
    *_LEGAL_SUBJECTS,
    "recipient", "unauthori", "disclos", "dissemin", "in error", "notify", "delet", "legally", "liab", "virus", "proprietary", "attachment",
    "this email", "this e-mail", "this message", "this communication", "empfänger", "irrtümlich", "unbefugt", "weitergabe", "vernichten",
    "löschen", "rechtlich", "ausschließlich", "destinataire", "erreur", "interdit", "divulg", "expéditeur", "supprim", "destinatari",
    "destinatári", "por error", "por engano", "prohib", "proib", "notifi", "elimin", "geadresseerde",
)  # fmt: skip


class Footed(NamedTuple):
    """A text and the footers that stood beneath it, "" where there are none."""

    text: str
    footer: str


def cut_footer(text: str) -> Footed:
    """The text without what machines put beneath it. The text is "" where there is nothing else. Linear in the text's length."""
    lines = text.split("\n")
    end = _delimited(lines)
    while (above := _without_last(lines, end)) < end:
        end = above
    apart = [_stands_alone(lines, number, end) for number in range(end)]
    kept = [line for line, device in zip(lines, apart, strict=False) if not device]
    mentions = [line for line, device in zip(lines, apart, strict=False) if device]
    return Footed("\n".join(kept).strip(), "\n".join([*mentions, *lines[end:]]).strip())


def _delimited(lines: list[str]) -> int:
    """Where "-- " stands (RFC 3676) with no more than a signature beneath it; else the end."""
    below = 0
    found = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if _DELIMITER.fullmatch(line[:_LONGEST]):
            found = number
        elif line.strip():
            below += 1
        if below > _MOST_BELOW:
            break
    return found


def _without_last(lines: list[str], end: int) -> int:
    """`end` without one footer before it, and the rules and empty lines above that."""
    begin = end = _above_rules(lines, end)
    if end and (_is_sent_from(lines, end - 1) or _LIST_FOOTER.match(lines[end - 1].strip()[:_LONGEST])):
        return _above_rules(lines, end - 1)
    length = 0
    while begin and lines[begin - 1].strip() and length < _LONGEST_NOTICE:
        begin -= 1
        length += len(lines[begin])
    paragraph = " ".join(line[:_LONGEST_NOTICE] for line in lines[begin:end])[:_LONGEST_NOTICE].strip()
    return _above_rules(lines, begin) if _LIST_FOOTER.match(paragraph[:_LONGEST]) or _is_legal(paragraph) else end


def _above_rules(lines: list[str], end: int) -> int:
    while end and (not lines[end - 1].strip() or _RULED.fullmatch(lines[end - 1].strip()[:_LONGEST])):
        end -= 1
    return end


def _is_sent_from(lines: list[str], number: int) -> bool:
    """A mention of the writer's device; not the end of a sentence that began on the line above."""
    line, above = lines[number].strip(), lines[number - 1].strip() if number else ""
    return _mentions_device(line) and (not line[:1].islower() or not above or _mentions_device(above))


def _mentions_device(line: str) -> bool:
    bare = line[:_LONGEST].strip("<>()[]*_-~| ")
    return (
        len(bare) <= _LONGEST_MENTION
        and not bare.endswith("?")
        and _SENT_FROM.match(bare) is not None
        and not _ABOUT_SENDING.search(bare)
    )


def _stands_alone(lines: list[str], number: int, end: int) -> bool:
    """A mention of the writer's device that is a paragraph of its own, above further text."""
    if not lines[number] or (number and lines[number - 1].strip()) or (number + 1 < end and lines[number + 1].strip()):
        return False
    return _is_sent_from(lines, number)


def _is_legal(paragraph: str) -> bool:
    if len(paragraph) < _SHORTEST_NOTICE or _PERSONAL.search(paragraph):
        return False
    paragraph = paragraph.lower()
    return any(stem in paragraph for stem in _LEGAL_SUBJECTS) and sum(stem in paragraph for stem in _LEGAL_STEMS) > 2
