"""Decides by the conventions' order: unsubscribe and closed doors, automatic replies, questions and enthusiasm, then all that is neither."""

from collections.abc import Sequence
from typing import NamedTuple

from flywheel_dagster.outcomes.events import sentiment_of
from flywheel_dagster.replies.analysis import InterestLevel, Objection
from flywheel_dagster.replies.rules.evidence import BEFORE_BUT, Signal
from flywheel_dagster.replies.rules.leaning import FAMILIES

_STRONG = ("meeting", "ask", "price_question", "question")
_FORGIVING = ("meeting", "price_question")
_FULL_QUESTION = 9  # words
_HINTS = frozenset({"meeting", "ask", "interest"})
_DOUBTS = ("reject", "competitor", "price", "no_need", "timing", "authority", "defer", "door", "maybe", "referral", "forwarded")
_OPEN = ("defer", "door")
_WARMTH = (("meeting", 0.75), ("ask", 0.65), ("question", 0.6), ("price_question", 0.6))
_OBJECTIONS = (
    ("competitor", Objection.COMPETITOR),
    ("price", Objection.PRICE),
    ("authority", Objection.AUTHORITY),
    ("timing", Objection.TIMING),
    ("no_need", Objection.NO_NEED),
)
_LEANINGS = {
    "refusal": (-0.25, InterestLevel.NONE, Objection.NOT_INTERESTED),
    "no_need": (-0.25, InterestLevel.NONE, Objection.NO_NEED),
    "competitor": (-0.25, InterestLevel.NONE, Objection.COMPETITOR),
    "price": (-0.25, InterestLevel.NONE, Objection.PRICE),
    "later": (0.05, InterestLevel.MEDIUM, Objection.TIMING),
    "others": (0.05, InterestLevel.MEDIUM, Objection.AUTHORITY),
    "warmth": (0.5, InterestLevel.HIGH, Objection.NONE),
    "thanks": (0.05, InterestLevel.LOW, Objection.NONE),
}
_SIDE = {family: sentiment_of(score) for family, (score, _, _) in _LEANINGS.items()}


class Verdict(NamedTuple):
    """What the signals amount to; the ranges are those of ReplyAnalysis. `because` names the rule that decided."""

    score: float
    interest: InterestLevel
    objection: Objection
    confidence: float
    because: str
    is_auto_reply: bool = False
    wants_unsubscribe: bool = False
    referral: bool = False


class Strengths:
    """How strongly each category is present (0 to about 1), how often, and where it stands last."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.weight: dict[str, float] = {}
        self.count: dict[str, int] = {}
        self.last: dict[str, tuple[int, int]] = {}
        for signal in signals:
            self.weight[signal.category] = max(self.weight.get(signal.category, 0.0), signal.weight)
            self.count[signal.category] = self.count.get(signal.category, 0) + 1
            self.last[signal.category] = (signal.sentence, signal.start)

    def of(self, *categories: str) -> float:
        """The strongest of these."""
        strongest = 0.0
        weight = self.weight
        for each in categories:
            if each in weight and weight[each] > strongest:
                strongest = weight[each]
        return strongest

    def latest(self, *categories: str) -> tuple[int, int]:
        """Where the last of these stands."""
        return max(self.last.get(each, (-1, -1)) for each in categories)


def decide(signals: Sequence[Signal], *, automatic: bool, unsubscribe: bool) -> Verdict:
    """The verdict on a reply's signals and its headers."""
    found = Strengths(signals)
    objection = _objection(found)
    referral = found.of("referral", "forwarded") > 0
    if unsubscribe or found.of("unsubscribe"):
        return Verdict(
            -0.95 if found.of("hostile") else -0.9,
            InterestLevel.NONE,
            _or_not_interested(objection),
            0.95,
            "asks for no more mail",
            wants_unsubscribe=True,
        )
    if automatic or _is_automatic(found):
        return Verdict(
            0.0,
            InterestLevel.NONE,
            Objection.NONE,
            0.95 if automatic else 0.85,
            "an automatic reply",
            is_auto_reply=True,
            referral=referral,
        )
    forgiven = not found.of("reject") and _is_forgiven(found)
    if found.of("hostile") and not forgiven:
        return Verdict(-0.95, InterestLevel.NONE, _or_not_interested(objection), 0.85, "annoyed", referral=referral)
    if found.of("sarcasm") and not forgiven:
        return Verdict(-0.7, InterestLevel.NONE, _or_not_interested(objection), 0.6, "mocking", referral=referral)
    return _weighed(found, objection, referral)


def _weighed(found: Strengths, objection: Objection, referral: bool) -> Verdict:
    strong, warm, closed = found.of(*_STRONG), found.of("interest"), found.of("reject")
    if _is_lone_hint(found):
        strong = warm = 0.0
    obstacle = found.of("no_need", "competitor", "price")
    opened = found.of(*_OPEN)
    soft = found.of("wrong_person", "left", "authority", "timing", "referral", "forwarded", "maybe")
    if closed:
        if strong > closed or (strong and strong >= closed and found.latest(*_STRONG) > found.latest("reject")) or (warm > closed):
            return _positive(found, objection, referral, 0.55)
        if found.of("wrong_person", "left"):
            whose = Objection.AUTHORITY if found.of("wrong_person") and referral else Objection.NONE
            return Verdict(0.0, InterestLevel.NONE, whose, 0.5, "the wrong person", referral=referral)
        if opened >= closed:
            return Verdict(
                0.0, InterestLevel.MEDIUM, _or_not_interested(objection), 0.5, "declines, the door left open", referral=referral
            )
        if found.of("referral", "forwarded") and not obstacle:
            return Verdict(0.05, InterestLevel.LOW, objection, 0.45, "others decide", referral=referral)
        sure = 0.9 if not (strong or warm or soft) else 0.65
        return Verdict(_coldness(found), InterestLevel.NONE, _or_not_interested(objection), sure, "declines", referral=referral)
    if obstacle:
        asked_only = strong and not found.of("meeting", "ask", "price_question") and not found.of("competitor")
        rhetorical = asked_only and found.latest("no_need", "price") > found.latest("question")
        if (strong >= obstacle and not rhetorical) or warm > obstacle:
            return _positive(found, objection, referral, 0.6)
        dated = found.of("timing") and (found.of("when") or not found.of("competitor"))
        dated = dated or (
            found.of("price") and found.of("when") and not found.of("competitor", "no_need")
        )  # "no budget until January"
        if opened or dated or found.of("maybe", "authority"):
            interest = InterestLevel.MEDIUM if opened or dated or found.of("maybe") else InterestLevel.LOW
            return Verdict(0.05, interest, objection, 0.55, "an obstacle, the door left open", referral=referral)
        return Verdict(_coldness(found), InterestLevel.NONE, objection, 0.7, "an obstacle", referral=referral)
    if found.of("wrong_person", "left") and not strong > 0:
        whose = Objection.AUTHORITY if found.of("wrong_person") and referral else Objection.NONE
        return Verdict(0.0, InterestLevel.NONE, whose, 0.75, "the wrong person", referral=referral)
    later = found.of("timing", "defer")
    agreed = found.count.get("meeting", 0) > 1 or found.latest(*_STRONG) > found.latest("timing", "defer")
    if strong and (strong > later or agreed) and (strong >= found.of("authority")):
        return _positive(found, objection, referral, 0.85 if not later else 0.6)
    doubted = warm and not strong and found.count["interest"] == 1 and found.latest("denial") > found.latest("interest")
    if warm > BEFORE_BUT and warm > found.of("timing", "authority", "defer", "maybe") and not doubted:
        return _positive(found, objection, referral, 0.7)
    return _neutral(found, objection, referral)


def _positive(found: Strengths, objection: Objection, referral: bool, sure: float) -> Verdict:
    interest = InterestLevel.HIGH if found.of(*_STRONG) or found.count.get("interest", 0) > 1 else InterestLevel.MEDIUM
    return Verdict(_warmth(found), interest, objection, sure, "asks, agrees or is keen", referral=referral)


def _warmth(found: Strengths) -> float:
    """From 0.55 (mild), over 0.6 (a plain question) and 0.75 (a meeting), to 0.9 and more (several warm phrases)."""
    base = next((score for category, score in _WARMTH if found.of(category)), 0.6)
    warm = 0.05 + 0.05 * min(found.count["interest"], 4) if found.of("interest") else 0.0
    return base + warm - (0.1 if found.of(*_DOUBTS) and base + warm > 0.65 else 0.0)


def _coldness(found: Strengths) -> float:
    """From -0.4 (declines with thanks) to -0.8 (more than once, and without)."""
    polite = 0.2 if found.of("ack", "interest", "bye", "door") else 0.0
    return -0.6 + polite - 0.1 * min(found.count.get("reject", 1) - 1, 2)


def _neutral(found: Strengths, objection: Objection, referral: bool) -> Verdict:
    warm = 0.15 * bool(found.of("interest", *_STRONG))
    if found.of("defer", "door", "maybe", "timing", "when") and not found.of("referral"):
        return Verdict(0.15 + warm, InterestLevel.MEDIUM, objection, 0.75, "later, or perhaps", referral=referral)
    if found.of("referral") and not found.of("forwarded", "interest"):
        return Verdict(0.05, InterestLevel.NONE, Objection.AUTHORITY, 0.65, "somebody else's matter", referral=True)
    if found.of("authority"):
        return Verdict(0.15 + warm, InterestLevel.MEDIUM, objection, 0.7, "others decide", referral=referral)
    if referral:
        return Verdict(0.1 + warm, InterestLevel.MEDIUM, objection, 0.7, "names somebody else", referral=True)
    if 0 < found.of("interest") <= BEFORE_BUT:
        return Verdict(-0.3, InterestLevel.NONE, Objection.NOT_INTERESTED, 0.35, "warm words, then a but")
    if found.of("short_question"):
        return Verdict(0.5, InterestLevel.MEDIUM, objection, 0.5, "asks something")
    if found.of("bye"):
        return Verdict(-0.4, InterestLevel.NONE, Objection.NOT_INTERESTED, 0.4, "takes leave")
    if found.of("denial") or found.of("statement"):
        return _leaning(found, objection)
    if found.of("ack"):
        return Verdict(0.1, InterestLevel.LOW, objection, 0.6, "no more than an answer")
    return Verdict(0.05, InterestLevel.LOW, objection, 0.2, "nothing matched")


def _leaning(found: Strengths, objection: Objection) -> Verdict:
    """Nothing was read that decides: which way the words lean."""
    sides = dict.fromkeys(_SIDE.values(), 0.0)
    for family in FAMILIES:
        sides[_SIDE[family]] += found.of(f"leans_{family}")
    family = max(FAMILIES, key=lambda each: (sides[_SIDE[each]], found.of(f"leans_{each}")))
    score, interest, leans_to = _LEANINGS[family] if any(sides.values()) else _LEANINGS["refusal"]
    return Verdict(
        score,
        interest,
        leans_to if objection is Objection.NONE else objection,
        0.25,
        f"no phrase that decides, words that lean to {family.replace('_', ' ')}",
    )


def _is_lone_hint(found: Strengths) -> bool:
    """One warm phrase beside a doubt that weighs as much: words of courtesy, more often than not."""
    kinds = [each for each in (*_STRONG, "interest") if found.of(each)]
    return len(kinds) == 1 and kinds[0] in _HINTS and found.count[kinds[0]] == 1 and found.of(*_DOUBTS) >= found.of(kinds[0])


def _is_forgiven(found: Strengths) -> bool:
    """Whether a meeting, the price or a full question comes after hard words; a short question may be one more of them."""
    hard = found.latest("hostile", "sarcasm")
    asked = found.latest("question")
    return found.latest(*_FORGIVING) > hard or (asked[0] > hard[0] and asked[1] >= _FULL_QUESTION)


def _is_automatic(found: Strengths) -> bool:
    count = found.count.get("auto", 0)
    human = sum(found.count.get(each, 0) for each in ("meeting", "interest", "question", "price_question", "reject"))
    return count > human


def _objection(found: Strengths) -> Objection:
    for category, objection in _OBJECTIONS:
        if found.of(category):
            return objection
    return Objection.TIMING if found.of("when") and (found.of("defer") or not found.of(*_STRONG)) else Objection.NONE


def _or_not_interested(objection: Objection) -> Objection:
    return Objection.NOT_INTERESTED if objection is Objection.NONE else objection
