"""What a reply says, by rules: no model, no network, the same answer every time."""

from flywheel_dagster.outcomes.events import ClassificationMethod
from flywheel_dagster.replies.analysis import InterestLevel, Objection, ReplyAnalysis, reply_analysis
from flywheel_dagster.replies.own_words import OwnWords

RULES_VERSION = 1


def classify_by_rules(words: OwnWords, *, automatic: bool = False, unsubscribe: bool = False) -> ReplyAnalysis:
    """The analysis of a reply; `automatic` and `unsubscribe` are what its headers said."""
    text = words.text.casefold()
    score, interest, objection = 0.1, InterestLevel.LOW, Objection.NONE
    if unsubscribe or "unsubscribe" in text or "not interested" in text:
        score, interest, objection = -0.8, InterestLevel.NONE, Objection.NOT_INTERESTED
    elif "interested" in text or "?" in text:
        score, interest = 0.7, InterestLevel.HIGH
    return reply_analysis(
        sentiment_score=score,
        interest_level=interest,
        objection_type=objection,
        reasoning="rules",
        language="und",
        confidence=0.3,
        method=ClassificationMethod.RULES,
        version=RULES_VERSION,
        is_auto_reply=automatic,
        wants_unsubscribe=unsubscribe,
    )
