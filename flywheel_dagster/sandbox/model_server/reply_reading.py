"""What this sandbox says of a sales reply when it is asked for a `reply_analysis`: a development stand-in that looks for a few keywords.

It is no language model and is right about plain replies only; its answers fit the schema and contradict themselves nowhere.
"""

import json
from collections.abc import Mapping
from typing import Any

from flywheel_dagster.sandbox.model_server.tokens import words

SCHEMA_NAME = "reply_analysis"

_AUTOMATIC = ("out of office", "out of the office", "automatic reply", "auto-reply", "abwesend", "ausente", "absence")
_UNSUBSCRIBE = ("unsubscribe", "remove me", "stop emailing", "take me off", "opt out", "abmelden", "désabonner", "darme de baja")
_COMPETITOR = ("already use", "already have", "we use ", "signed with", "happy with our")
_PRICE = ("too expensive", "budget", "can't afford", "zu teuer", "trop cher", "muy caro")
_AUTHORITY = ("my boss", "not my decision", "my manager", "decides")
_TIMING = ("next quarter", "next year", "later", "not now", "not right now", "busy")
_NO_NEED = ("don't need", "no need", "kein bedarf", "no necesitamos", "pas besoin")
_CLOSED = ("not interested", "no thanks", "no thank you", "kein interesse", "no me interesa", "pas intéressé", "sem interesse")
_OPEN = ("interested", "tell me more", "schedule", "let's talk", "sounds great", "call me", "love to", "works for me", "?")
_REFERRAL = ("colleague", "reach out to", "contact my", "please contact", "cc'ing")
_LANGUAGES = {
    "de": frozenset(("und", "nicht", "wir", "ich", "danke", "bitte", "kein")),
    "es": frozenset(("gracias", "nosotros", "por", "favor", "estamos", "el", "para")),
    "fr": frozenset(("merci", "nous", "vous", "je", "pas", "est", "pour")),
    "pt": frozenset(("obrigado", "obrigada", "não", "você", "nós", "uma", "sem")),
    "en": frozenset(("the", "you", "thanks", "we", "i", "is", "to", "me", "for", "not")),
}


def can_read(name: str | None, schema: Mapping[str, Any]) -> bool:
    """The schema is ours: it has our name, and no property that we have no answer for."""
    return name == SCHEMA_NAME and set(schema.get("properties") or {}) <= _PROPERTIES


def quoted_reply(message: str) -> str:
    """The reply in a user message: member "reply" of the line of JSON in it, or all of it where there is none."""
    for line in message.splitlines():
        if line.startswith("{"):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and isinstance(value.get("reply"), str):
                return str(value["reply"])
    return message


def read_reply(reply: str) -> dict[str, Any]:
    """The answer, by the first kind of keyword that is found."""
    text = reply.lower()

    def says(phrases: tuple[str, ...]) -> bool:
        return any(phrase in text for phrase in phrases)

    obstacles = (
        ("competitor", _COMPETITOR),
        ("price", _PRICE),
        ("authority", _AUTHORITY),
        ("timing", _TIMING),
        ("no_need", _NO_NEED),
    )
    obstacle = next((name for name, phrases in obstacles if says(phrases)), "none")
    automatic = unsubscribe = False
    if says(_UNSUBSCRIBE):
        unsubscribe = True
        said = ("negative", -0.9, "none", "not_interested", "It asks to be left alone.")
    elif says(_AUTOMATIC):
        automatic = True
        said = ("neutral", 0.0, "none", "none", "It is an automatic reply.")
    elif says(_CLOSED) or obstacle in ("competitor", "no_need"):
        closed = "not_interested" if obstacle == "none" else obstacle
        said = ("negative", -0.6, "none", closed, "It closes the door.")
    elif obstacle != "none":
        said = ("neutral", 0.1, "medium", obstacle, "It names an obstacle.")
    elif says(_OPEN):
        said = ("positive", 0.8, "high", "none", "It shows interest.")
    else:
        said = ("neutral", 0.1, "low", "none", "It says little.")
    label, score, interest, objection, reasoning = said
    return {
        "reasoning": f"{reasoning} (Keywords only: a sandbox, no language model.)",
        "language": _language(text),
        "is_auto_reply": automatic,
        "wants_unsubscribe": unsubscribe,
        "referral": says(_REFERRAL),
        "sentiment_label": label,
        "sentiment_score": score,
        "interest_level": interest,
        "objection_type": objection,
        "confidence": 0.6,
    }


def _language(text: str) -> str:
    found = frozenset(words(text))
    best = max(_LANGUAGES, key=lambda name: len(_LANGUAGES[name] & found))
    return best if _LANGUAGES[best] & found else "und"


_PROPERTIES = read_reply("").keys()
