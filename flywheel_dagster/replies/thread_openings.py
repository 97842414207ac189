"""Finds the lines with which mail programs open a quoted thread: an introduction, a ruled title, or a block of headers, in any language."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_LONGEST = 240  # characters of a line that can be part of an opening
_NEAR = 600  # characters before the end of an introduction
_MOST_LINES = 4  # over which an introduction is wrapped
_MOST_HEADERS = 8
_MOST_ADDRESSES = 4

_TITLES = re.compile(
    "original message|original appointment|original email|forwarded message|begin forwarded message|forwarded by|"
    "reply message|ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|anfang der weitergeleiteten nachricht|"
    "anfang der weitergeleiteten e-mail|message original|message d'origine|message d’origine|message transféré|"
    "message initial|début du message transféré|début du message réexpédié|mensaje original|mensaje reenviado|"
    "inicio del mensaje reenviado|mensagem original|mensagem encaminhada|início da mensagem reencaminhada|"
    "messaggio originale|messaggio inoltrato|inizio messaggio inoltrato|oorspronkelijk bericht|origineel bericht|"
    "doorgestuurd bericht|begin doorgestuurd bericht|ursprungligt meddelande|originalmeddelande|vidarebefordrat meddelande|"
    "opprinnelig melding|videresendt melding|oprindelig meddelelse|videresendt meddelelse|alkuperäinen viesti|"
    "välitetty viesti|wiadomość oryginalna|oryginalna wiadomość|wiadomość przekazana|původní zpráva|původní e-mail|"
    "přeposlaná zpráva|eredeti üzenet|továbbított üzenet|mesaj original|mesajul original|orijinal mesaj|iletilen mesaj|"
    "исходное сообщение|пересылаемое сообщение|оригинальное сообщение|первоначальное сообщение|початкове повідомлення|"
    "пересилане повідомлення|αρχικό μήνυμα|προωθημένο μήνυμα|原始邮件|邮件原件|转发的邮件|原始郵件|轉寄郵件|元のメッセージ|転送されたメッセージ|원본 메시지|전달된 메시지|"
    "الرسالة الأصلية|הודעה מקורית|forwarded by .*|"
    ".{0,20}(?:reply|respond|answer|write|type your reply) above this line.{0,20}|.{0,30}oberhalb dieser (?:linie|zeile).{0,30}",
    re.IGNORECASE,
)
_HEADERS = {
    "from": "from|von|de|da|van|från|fra|od|от|от кого|від|від кого|lähettäjä|feladó|de la|kimden|gönderen|από|发件人|寄件者|"
    "寄件人|差出人|보낸 사람|보낸사람|מאת|من|expéditeur|remitente|remetente|mittente|afzender|absender|avsändare",
    "date": "date|sent|datum|gesendet|gesendet am|envoyé|envoyé le|fecha|enviado|enviado el|enviado em|enviada|enviada em|enviados|"
    "data|inviato|verzonden|skickat|sendt|dato|wysłano|data wysłania|дата|отправлено|надіслано|odesláno|odoslané|lähetetty|"
    "päivämäärä|päiväys|elküldve|dátum|trimis|tarih|gönderildi|gönderme tarihi|ημερομηνία|στάλθηκε|发送时间|日期|寄件日期|傳送時間|日付|送信日時|보낸 날짜|"
    "날짜|תאריך|נשלח|التاريخ|تاريخ|when",
    "to": "to|an|à|a|para|pour|aan|till|til|do|dla|кому|komu|vastaanottaja|címzett|către|kime|alıcı|προς|收件人|收件者|宛先|받는 사람|"
    "받는사람|אל|إلى|destinataire|destinatario|destinatário|empfänger",
    "copy": "cc|bcc|kopie|kopia|копия|копія|kopio|cópia|copie|copia|másolat|抄送|副本|참조|reply-to|antwort an|répondre à|responder a|"
    "responder para|rispondi a|kopi|importance|wichtigkeit|attachments|anlagen|priorità|prioridad",
    "subject": "subject|betreff|betr|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|тема|předmět|predmet|aihe|tárgy|"
    "subiect|konu|θέμα|主题|主旨|件名|제목|נושא|الموضوع|re",
}
_KINDS = {name: kind for kind, names in _HEADERS.items() for name in names.split("|")}
_HEADER = re.compile(r"[\s*_>|]{0,8}([^\W\d_][^:：\n*]{0,24}?)[ \t\xa0]{0,3}\*{0,2}[ \t]{0,3}[:：](?!//)")

_WROTE = re.compile(
    r"(?<!\w)(?<!\bi )(?<!\bwe )(?:wrote|writes|quoting|zitat von|citando|citat från|schrieb|hat geschrieben|geschrieben|a [ée]crit|escribi[óo]|escribi[óo]:|escreveu|ha scritto|scritto|"
    r"schreef|geschreven|skrev|skreiv|kirjoitti|napisał|napisała|napisał\(a\)|pisze|napsal|napsala|napsal\(a\)|napísal|napísal\(a\)|"
    r"írta|ezt írta|a scris|yazdı|şunu yazdı|написал|написала|написал\(а\)|пишет|пише|написав|написала|написав\(ла\)|έγραψε|"
    r"je napisao|je napisala|rašė|kirjutas|đã viết|viết|menulis)(?!\w)|写道|寫道|书写|のメール|書きました|작성|님이|כתב|كتب",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"\W{0,6}(?:(?:in (?:a )?(?:message|article|reply)|quoting|zitat von|citando|citat från|on|am|le|el|em|op|den|il|il giorno|w dniu|dnia|dne|dňa|a|el día|no dia|pe|på|tir|ons|vào|pada|στις|в|у|dana|"
    r"în data de)(?!\w)|(?:\w{1,12}[,.]{0,2} {0,2})?\d{1,4}[-./年 ])",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\d[:.h]\d\d(?!\d)|(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|"
    r"(?<!\w)(?:mon|tues?|wed|thurs?|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|yesterday)(?!\w)",
    re.IGNORECASE,
)
_TIMED = re.compile(r"\d[:.h]\d\d(?!\d)")
_ADDRESS = re.compile(r"(?<=\w)@\w")
_BEGINS_WITH_SENDER = re.compile(r"[^@:]{0,120}(?:mailto:[^@:]{0,64})?(?<=\w)@\w")
_ALPHANUMERIC = re.compile(r"[^\W_]")
_CLOSES_ADDRESS = re.compile(r">[^<>]{0,40}[:：]\s*$")
_RULE = re.compile(r"[\s>]{0,4}[-_=*#]{2,}")
_ENDS = (":", "：", ">", "--", "wrote", "schrieb", "écrit", "escribió", "escreveu", "写道", "寫道")


class Opening(NamedTuple):
    """Lines `begin` to `end` (excluded) open a thread; it is `titled` by a rule or headers, not introduced in words."""

    begin: int
    end: int
    titled: bool


def quoted(line: str) -> str:
    """The line without the signs of a quotation at its beginning."""
    return line[:_LONGEST].lstrip("> \t|")


def opening_at(lines: Sequence[str], number: int, first: int = 0) -> Opening | None:
    """The opening that line `number` begins, or ends if it is an introduction, which may be wrapped, but begins at line `first` or later.

    Only a few lines around are looked at, and of them the first 240 characters.
    """
    line = lines[number]
    if not line or len(line) > _LONGEST or line.isspace():
        return None
    if not (":" in line or "：" in line or _RULE.match(line) or line.rstrip().lower().endswith(_ENDS)):
        return None
    if not (_ALPHANUMERIC.search(line) or closes_address(line)):
        return _ruled_headers(lines, number)
    return _title(lines, number) or _headers(lines, number) or _introduction(lines, number, first)


def _ruled_headers(lines: Sequence[str], number: int) -> Opening | None:
    after = _past_blank(lines, number + 1)
    headed = _headers(lines, after) if _RULE.match(lines[number]) else None
    return Opening(number, headed.end, True) if headed else None


def _title(lines: Sequence[str], number: int) -> Opening | None:
    line = lines[number].strip()
    bare = quoted(line).strip(" \t-_=*#:：—–<>")
    ruled = _RULE.match(line) is not None
    if len(bare) > 60 or not (ruled or line.endswith((":", "：", "--"))):
        return None
    known = _TITLES.fullmatch(bare) is not None
    if not known and not (ruled and line.endswith("--")):
        return None
    after = _past_blank(lines, number + 1)
    headed = _headers(lines, after)
    if headed:
        return Opening(number, headed.end, True)
    return Opening(number, number + 1, True) if known else None


def _headers(lines: Sequence[str], number: int) -> Opening | None:
    """The sender and another header, with a subject or an address among them; or, in a language not known here, four with a bracketed address and a time."""
    if number >= len(lines) or not (begins := _HEADER.match(lines[number][:_LONGEST])):
        return None
    if begins[1].strip().casefold() not in _KINDS and not all(map(_HEADER.match, lines[number + 1 : number + 4])):
        return None
    kinds: list[str | None] = []
    addressed = bracketed = timed = False
    end = number
    for line in lines[number : number + 2 * _MOST_HEADERS]:
        line = line[:_LONGEST]
        if found := _HEADER.match(line):
            kinds.append(_KINDS.get(found[1].strip().casefold()))
            addressed = addressed or "@" in line
            bracketed = bracketed or ("@" in line and "<" in line)
            timed = timed or ("@" not in line and _TIMED.search(line) is not None)
        elif not line.strip() or not _continues(line):
            break
        end += 1
        if len(kinds) == _MOST_HEADERS:
            break
    known = set(kinds) - {None}
    sent = "from" in known and len(known) > (1 if kinds[0] == "from" else 2) and kinds[0] and ("subject" in known or addressed)
    foreign = len(kinds) > 3 and bracketed and timed
    return Opening(number, end, True) if sent or foreign else None


def _continues(line: str) -> bool:
    """A header's value that is wrapped: indented, or more addresses."""
    return line[0] in " \t" or "@" in line or line.rstrip().endswith((";", ">"))


def _introduction(lines: Sequence[str], number: int, first: int) -> Opening | None:
    """ "On …, Ada <ada@x> wrote:", whose last line is `number`."""
    if not lines[number].rstrip().lower().endswith(_ENDS) or (number + 1 < len(lines) and closes_address(lines[number + 1])):
        return None
    followed = _quotation_follows(lines, number + 1)
    near = " ".join(line[:_LONGEST] for line in lines[max(first, number - 2 * _MOST_LINES) : number + 1])[-_NEAR:]
    dated, addressed = _DATED.search(near), _ADDRESS.search(near)
    if not ((dated and addressed) or (_WROTE.search(near) and (followed or dated or addressed))):
        return None
    best: Opening | None = None
    joined, wrapped = "", 0
    for begin in range(number, max(first, number - 2 * _MOST_LINES) - 1, -1):
        line = lines[begin]
        if not line.strip() and joined.startswith("<"):
            continue  # an address that stands apart, as from HTML
        wrapped += 1
        if not line.strip() or len(line) > _LONGEST or wrapped > _MOST_LINES or (begin < number and line.startswith(">")):
            break
        if best and _is_whole(joined) and not (_STARTS.match(line) and _DATED.search(line)):
            break
        joined = f"{line.strip()} {joined}".strip()
        begins = _STARTS.match(joined) or _BEGINS_WITH_SENDER.match(joined)
        if (begins and _introduces(joined, followed)) or (begin == number and _WROTE.search(joined) and _is_whole(joined)):
            best = Opening(begin, number + 1, False)
    return best


def closes_address(line: str) -> bool:
    """The end of an introduction that was wrapped before the sign that looks like a quotation's: "> wrote:"."""
    return _CLOSES_ADDRESS.match(line[:_LONGEST]) is not None


def _is_whole(words: str) -> bool:
    return _DATED.search(words) is not None and _ADDRESS.search(words) is not None


def _introduces(words: str, followed: bool) -> bool:
    if words.count("@") > _MOST_ADDRESSES or words.count("<") > _MOST_ADDRESSES:
        return False
    ended = words.rstrip("-— >*_").endswith((":", "：")) or words.endswith(("--", ":*"))
    wrote, dated, addressed = _WROTE.search(words), _DATED.search(words), _ADDRESS.search(words)
    if wrote and (dated or addressed):
        return followed or bool(dated and addressed) or (ended and (addressed is not None or any(map(str.isdigit, words))))
    if dated and addressed:
        return (ended or words.endswith(">")) and (followed or _TIMED.search(words) is not None)
    return bool(wrote and ended and followed)


def _quotation_follows(lines: Sequence[str], number: int) -> bool:
    at = _past_blank(lines, number)
    return at < len(lines) and lines[at].startswith((">", "|"))


def _past_blank(lines: Sequence[str], number: int) -> int:
    """The next line with text, at most three further."""
    for at in range(number, min(number + 3, len(lines))):
        if lines[at].strip():
            return at
    return number
