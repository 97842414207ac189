"""What the head sees of a reply: embeddings of the whole, of its sentences' mean and of its last sentence, then the rules' signals and their pairs."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flywheel_dagster.replies.head.encoder import WIDTH, embed
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.rules.classify import SIGNALS, signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAIRS = len(SIGNALS) * (len(SIGNALS) - 1) // 2
BLOCKS = (("whole", WIDTH), ("sentences", WIDTH), ("last", WIDTH), ("signals", len(SIGNALS)), ("pairs", PAIRS))
_HEAD, _TAIL = 1_500, 500  # characters that are read of a long reply, from its beginning and its end
_BREAK = re.compile(r"(?<=[.!?…])\s+|\n+")
_WORD = re.compile(r"\w")


def features(replies: Sequence[OwnWords]) -> "NDArray[np.float64]":
    """A row for each reply, the columns as BLOCKS says. Raises SettingsError where the extra `head` isn't installed."""
    import numpy as np

    texts = [_read_part(words.text) for words in replies]
    parts = [_sentences(text) for text in texts]
    distinct = sorted(
        {text for whole, said in zip(texts, parts, strict=True) for text in (whole, *said)}, key=lambda text: (len(text), text)
    )
    places = {text: place for place, text in enumerate(distinct)}
    vectors = embed(distinct).astype(np.float64) if distinct else np.empty((0, WIDTH))
    rows = [
        np.concatenate(
            [
                vectors[places[whole]],
                vectors[[places[each] for each in said]].mean(axis=0),
                vectors[places[said[-1]]],
                *_told(words),
            ]
        )
        for words, whole, said in zip(replies, texts, parts, strict=True)
    ]
    return np.array(rows) if rows else np.empty((0, sum(width for _, width in BLOCKS)))


def _told(words: OwnWords) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    import numpy as np

    found = signals(words)
    strengths = np.array([found[name] for name in SIGNALS])
    return strengths, np.outer(strengths, strengths)[np.triu_indices(len(strengths), 1)]


def _read_part(text: str) -> str:
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in _BREAK.split(text) if _WORD.search(part)] or [text]
