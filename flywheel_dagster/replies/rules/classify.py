"""What a reply says, by rules: no model, no network, the same answer every time."""

from collections.abc import Mapping

from flywheel_dagster.outcomes.events import ClassificationMethod
from flywheel_dagster.replies.analysis import ReplyAnalysis, reply_analysis
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.rules.evidence import Signal, evidence
from flywheel_dagster.replies.rules.language import languages_of
from flywheel_dagster.replies.rules.leaning import FAMILIES
from flywheel_dagster.replies.rules.lexicon import CATEGORIES
from flywheel_dagster.replies.rules.verdict import Strengths, decide
from flywheel_dagster.replies.rules.wording import read_part, sentences

RULES_VERSION = 2
SIGNALS = (
    *sorted(CATEGORIES - {"inert"}),
    "question",
    "short_question",
    "statement",
    "denial",
    *(f"leans_{family}" for family in FAMILIES),
)  # the names of `signals`, in order
_MOST_NAMED = 6


def classify_by_rules(words: OwnWords, *, automatic: bool = False, unsubscribe: bool = False) -> ReplyAnalysis:
    """The analysis of a reply; `automatic` and `unsubscribe` are what its headers said. The time is linear in the text."""
    language, found = _read(words)
    verdict = decide(found, automatic=automatic, unsubscribe=unsubscribe)
    return reply_analysis(
        sentiment_score=verdict.score,
        interest_level=verdict.interest,
        objection_type=verdict.objection,
        reasoning=_reasoning(verdict.because, found, automatic=automatic, unsubscribe=unsubscribe),
        language=language,
        confidence=verdict.confidence,
        method=ClassificationMethod.RULES,
        version=RULES_VERSION,
        is_auto_reply=verdict.is_auto_reply,
        wants_unsubscribe=verdict.wants_unsubscribe,
        referral=verdict.referral,
    )


def signals(words: OwnWords) -> Mapping[str, float]:
    """How strongly each category of SIGNALS is present, 0 to 1: features for a classifier that learns."""
    weight = Strengths(_read(words)[1]).weight
    return {name: weight.get(name, 0.0) for name in SIGNALS}


def _read(words: OwnWords) -> tuple[str, list[Signal]]:
    text = read_part(words.text)
    said = sentences(text)
    language, lists = languages_of(text, said)
    return language, evidence(said, lists)


def _reasoning(because: str, found: list[Signal], *, automatic: bool, unsubscribe: bool) -> str:
    """Names categories and phrases of our own lists, never words that only the writer used."""
    headers = [name for name, said in (("headers: automatic", automatic), ("headers: unsubscribe", unsubscribe)) if said]
    named = dict.fromkeys(f"{signal.category}: {signal.phrase}" for signal in found if signal.phrase)
    return "; ".join([because, *headers, *list(named)[:_MOST_NAMED]])
