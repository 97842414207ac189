"""What a reply says, in one shape whoever read it: a language model, rules or a person. Built here only, so that its parts can't disagree."""

import math
from enum import StrEnum
from typing import TypedDict

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import ClassificationMethod, sentiment_of

MOST_REASONING = 500  # characters


class Sentiment(StrEnum):
    """How the writer feels about us: positive from 0.5, negative below -0.2, else neutral."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class InterestLevel(StrEnum):
    """How much the writer wants more: "let's schedule", "keep me posted", hardly anything, nothing."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


class Objection(StrEnum):
    """The obstacle that the writer states, the most specific one."""

    PRICE = "price"
    TIMING = "timing"
    AUTHORITY = "authority"
    COMPETITOR = "competitor"
    NOT_INTERESTED = "not_interested"
    NO_NEED = "no_need"
    NONE = "none"


class ReplyAnalysis(TypedDict):
    """A judged reply, as `SentimentAnalyzer` returns it and as `flywheel replies classify` writes it.

    sentiment_score lies in -1..1 and decides sentiment_label; interest_signal follows from
    level, label and objection; objection_detected is true for every objection_type but none; language is ISO 639-1, or "und"; confidence lies in 0..1. `method` is
    llm, rules or human; `version` is that of the prompt or the rules; `fallback_reason` says why rules answered though a model was asked.
    """

    sentiment_score: float
    sentiment_label: str
    interest_signal: bool
    interest_level: str
    objection_detected: bool
    objection_type: str
    reasoning: str
    is_auto_reply: bool
    wants_unsubscribe: bool
    referral: bool
    language: str
    confidence: float
    method: str
    model: str | None
    version: int
    fallback_reason: str | None


def reply_analysis(
    *,
    sentiment_score: float,
    interest_level: InterestLevel,
    objection_type: Objection,
    reasoning: str,
    language: str,
    confidence: float,
    method: ClassificationMethod,
    version: int,
    model: str | None = None,
    is_auto_reply: bool = False,
    wants_unsubscribe: bool = False,
    referral: bool = False,
    fallback_reason: str | None = None,
) -> ReplyAnalysis:
    """The analysis with what follows from its parts. Raises InputError for a score outside -1..1 or a confidence outside 0..1."""
    for name, value, low in (("sentiment_score", sentiment_score, -1), ("confidence", confidence, 0)):
        if not (math.isfinite(value) and low <= value <= 1):
            raise InputError(f"{name} is {value}; it lies between {low} and 1")
    score = round(float(sentiment_score), 3)
    label = sentiment_of(score)
    return ReplyAnalysis(
        sentiment_score=score,
        sentiment_label=label,
        interest_signal=interest_signal(Sentiment(label), interest_level, objection_type),
        interest_level=interest_level.value,
        objection_detected=objection_type is not Objection.NONE,
        objection_type=objection_type.value,
        reasoning=reasoning[:MOST_REASONING],
        is_auto_reply=is_auto_reply,
        wants_unsubscribe=wants_unsubscribe,
        referral=referral,
        language=language,
        confidence=round(float(confidence), 3),
        method=method.value,
        model=model,
        version=version,
        fallback_reason=fallback_reason,
    )


def interest_signal(label: Sentiment, level: InterestLevel, objection: Objection) -> bool:
    """Whether the lead is interested: more than a little, and no objection keeps the reply from being positive ("not now, maybe in spring" has
    a medium level and a future, but isn't what a model should learn to get)."""
    return level in (InterestLevel.HIGH, InterestLevel.MEDIUM) and (objection is Objection.NONE or label is Sentiment.POSITIVE)
