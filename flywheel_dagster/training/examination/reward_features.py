"""A message as numbers: what is written and how, and apart from that to whom."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from flywheel_dagster.datasets.near_duplicates import words
from flywheel_dagster.training.examination.message_text import SUBJECT, placeholder_names
from flywheel_dagster.training.examination.reward_data import Message

_HASHED = 2**13  # columns for words and pairs of words
_AUDIENCE = 2**9  # columns for what is known of the request
# What the request says of the message itself is told by the text: of the request only whom it is for and where.
_OF_AUDIENCE = ("Industry", "Role", "Company size", "Channel")


def audience_matrix(messages: Sequence[Message]) -> Any:
    """One row a message: a column for each industry, role, size and channel (hashed), in scipy's CSR."""
    from sklearn.feature_extraction import FeatureHasher

    return FeatureHasher(_AUDIENCE, input_type="string", alternate_sign=False).transform(map(_audience, messages))


def message_matrix(messages: Sequence[Message]) -> Any:
    """One row a message: its words and pairs of words (hashed, of length 1 together), its shape, and its audience."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.preprocessing import normalize

    texts = [message.text for message in messages]
    hashed = normalize(FeatureHasher(_HASHED, input_type="string", alternate_sign=False).transform(map(_ngrams, texts)))
    shapes = csr_matrix([_shape(text) for text in texts], shape=(len(texts), len(_shape(""))))
    return hstack([hashed, shapes, audience_matrix(messages)], format="csr")


def _audience(message: Message) -> list[str]:
    return [f"{title}={message.fields.get(title, '')}" for title in _OF_AUDIENCE]


def _ngrams(text: str) -> Iterator[str]:
    """Each once: how often a word is repeated says little in a short message."""
    found = words(text)
    yield from dict.fromkeys(found)
    yield from dict.fromkeys(map(" ".join, pairwise(found)))


def _shape(text: str) -> list[float]:
    """Numbers of about 1."""
    count = len(words(text))
    subject = SUBJECT.match(text)
    scale = math.log1p(count) / 5
    return [
        scale,
        scale * scale,
        1.0 if subject else 0.0,
        math.log1p(len(words(subject[0]))) / 3 if subject else 0.0,
        min(text.count("?"), 3) / 3,
        min(text.count("!"), 3) / 3,
        min(len(placeholder_names(text)), 4) / 4,
        min(text.count("\n\n"), 6) / 6,
        1.0 if any(map(str.isdigit, text)) else 0.0,
    ]
