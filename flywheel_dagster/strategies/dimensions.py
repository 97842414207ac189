"""Dimensions: the decisions that messages are told apart by. A strategy is one value of each."""

from collections.abc import Sequence

from flywheel_dagster.errors import InputError

Strategy = tuple[str, ...]

FRAMEWORK_AND_TONE = ("framework", "tone")
BY_AGENT = {
    "PersonalizerAgent": FRAMEWORK_AND_TONE,
    "CopywriterAgent": ("hooks_used", "cta"),
    "DeliverabilityAgent": ("domain_selected", "send_time"),
}
RATES = ("reply_rate", "meeting_rate", "close_rate")
PERFORMANCE = "performance"
METRICS = (*RATES, PERFORMANCE)
WEIGHTS = {"reply_rate": 0.2, "meeting_rate": 0.3, "close_rate": 0.5}  # of performance, as in design.md

_SAME = {
    "hooks": "hooks_used",
    "hook": "hooks_used",
    "call_to_action": "cta",
    "domain": "domain_selected",
}  # as decision_words() has it


def dimension(keys: str | Sequence[str]) -> tuple[str, ...]:
    """The dimension of one to three decision keys, given as a list or as text such as "hooks_used,cta". Raises InputError for none, more or the same twice."""
    named = keys.split(",") if isinstance(keys, str) else list(keys)
    found = tuple(key_of(each.strip()) for each in named)
    if not 1 <= len(found) <= 3 or "" in found or len(set(found)) < len(found):
        raise InputError(
            f"a dimension has one to three different decision keys, not {', '.join(named) or 'none'}; e.g. framework,tone"
        )
    return found


def key_of(name: str) -> str:
    """The decision key that a name stands for: hooks, hook and hooks_used are one."""
    return _SAME.get(name, name)


def name_of(strategy: Strategy) -> str:
    """A strategy as one word: PAS_professional."""
    return "_".join(strategy)


def metric_named(name: str, *, known: Sequence[str] = METRICS) -> str:
    """The metric, if there is one by this name; else InputError."""
    if name not in known:
        raise InputError(f"no metric {name!r}; use one of {', '.join(known)}")
    return name
