"""Splitting requests among models by how hard they are: simple ones to a small or own model, complex ones to a large one.

An experiment goes first: whoever is in one gets the arm's model, whatever the request is like. A split inside an arm would make the arm a mix of
models, and the mix another one whenever a threshold or the prompts change, so that nobody could say what won.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.routing.asking import Question
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.replies.rules.language import languages_of

_LONG = 6_000  # characters (about 1,500 tokens) from which on longer isn't harder
_MANY = 12  # constraints from which on more aren't harder
_TURNS = 6  # messages of a conversation
_FOREIGN = {"en": 0.0, "de": 0.5, "es": 0.5, "fr": 0.5, "pt": 0.5}  # all others: 1
_CHANNELS = {"sms": 0.0, "whatsapp": 0.2, "chat": 0.2, "in_app": 0.2, "social": 0.4, "linkedin": 0.5, "email": 0.7}  # all others: 1
_FIELD = re.compile(r"^(?:[-*•]|\d{1,2}[.)]|[A-Z][\w /]{0,30}:)[ \t]+\S", re.MULTILINE)
_RULE = re.compile(
    r"\b(?:must|never|always|only|without|avoid|exactly|at most|at least|no more than|do not|don't|make sure|ensure|mention|include|unless|if)\b",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"^Channel:[ \t]*(\w+)", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Weights:
    """How much each part counts; only their proportions matter."""

    length: float = 3
    constraints: float = 3
    language: float = 2
    channel: float = 1
    turns: float = 1

    def __post_init__(self) -> None:
        given = [getattr(self, each.name) for each in fields(self)]
        if min(given) < 0 or not 0 < sum(given) < float("inf"):
            raise InputError(f"{self} can't weigh anything; no weight may be negative, and one must be above 0")


@dataclass(frozen=True)
class Complexity:
    """How hard a request is, 0..1: the weighted mean of its parts (0..1 by name)."""

    score: float
    parts: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.score:.2f} ({', '.join(f'{name} {value:.2f}' for name, value in self.parts.items())})"


@dataclass(frozen=True)
class Tier:
    """The model for requests that score up to `up_to` (0..1), and more than the tier before. `target` None: the model that was assigned."""

    up_to: float
    target: Target | None


@dataclass(frozen=True)
class ComplexitySplit:
    """Tiers from the simplest to the most complex requests; the last one reaches to 1."""

    tiers: Sequence[Tier]
    weights: Weights = field(default_factory=Weights)

    def __post_init__(self) -> None:
        tops = [tier.up_to for tier in self.tiers]
        if not tops or tops != sorted(set(tops)) or tops[0] < 0 or tops[-1] != 1:
            raise InputError(f"tiers up to {tops} don't split 0..1; let them rise, and the last one reach to 1")

    def tier_of(self, question: Question) -> tuple[Tier, Complexity]:
        """The tier of a request, and why."""
        complexity = complexity_of(question, self.weights)
        return next(tier for tier in self.tiers if complexity.score <= tier.up_to), complexity


def complexity_of(question: Question, weights: Weights | None = None) -> Complexity:
    """How hard a request is, by what can be seen of it: length, fields, lists and rules, language, channel, and turns of the conversation."""
    weights = weights or Weights()
    text = "\n".join(message["content"] for message in question.messages if message["role"] != "assistant")
    turns = sum(message["role"] not in ("system", "developer") for message in question.messages)
    parts = {
        "length": min(1.0, sum(len(message["content"]) for message in question.messages) / _LONG),
        "constraints": min(1.0, (len(_FIELD.findall(text)) + len(_RULE.findall(text))) / _MANY),
        "language": _FOREIGN.get(question.language or _language(question), 1.0),
        "channel": _CHANNELS.get(_channel(question, text), 1.0),
        "turns": min(1.0, max(0, turns - 1) / _TURNS),
    }
    total = sum(getattr(weights, name) for name in parts)
    return Complexity(sum(getattr(weights, name) * value for name, value in parts.items()) / total, parts)


def threshold_for(scores: Sequence[float], complex_share: float) -> float:
    """The `up_to` of the simple tier that leaves about this share (0..1) of requests such as these to the next one."""
    if not scores or not 0 <= complex_share <= 1:
        raise InputError("a threshold needs scores of past requests, and a share of 0..1")
    ranked = sorted(scores)
    simple = round(len(ranked) * (1 - complex_share))
    return ranked[simple - 1] if simple else 0.0


def _channel(question: Question, text: str) -> str:
    if question.channel is not None:
        return question.channel.lower()
    found = _CHANNEL.search(text)
    return found[1].lower() if found else "email"


def _language(question: Question) -> str:
    asked = next((message["content"] for message in reversed(question.messages) if message["role"] == "user"), "")[:2_000]
    return languages_of(asked, [_WORD.findall(asked)])[0]
