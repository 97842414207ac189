"""How replies are judged without a language model: by the head where its extra is installed and the settings allow it, else by rules."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.head.classify import classify_many_by_head
from flywheel_dagster.replies.head.encoder import encoder_version
from flywheel_dagster.replies.head.weights import Weights, shipped_weights
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster.settings import load_settings

_LOG = logging.getLogger(__name__)


class OfflineReply(NamedTuple):
    """A writer's own words, and whether the mail's headers tell an automatic answer or an unsubscribe."""

    words: OwnWords
    automatic: bool = False
    unsubscribe: bool = False


def judge_offline(words: OwnWords, *, automatic: bool = False, unsubscribe: bool = False) -> ReplyAnalysis:
    """What a reply says, without asking a language model. Raises SettingsError as `head_in_use` does."""
    return judge_many_offline([OfflineReply(words, automatic, unsubscribe)])[0]


def judge_many_offline(replies: Sequence[OfflineReply]) -> list[ReplyAnalysis]:
    """The same for many, in order; the head reads many at a time twice as fast as one by one."""
    weights = head_in_use()
    if weights is None:
        return [classify_by_rules(each.words, automatic=each.automatic, unsubscribe=each.unsubscribe) for each in replies]
    return classify_many_by_head(replies, weights=weights)


@cache
def head_in_use() -> Weights | None:
    """The head's weights by FLYWHEEL_REPLY_HEAD, which a process reads once; None where rules judge alone.

    off: none. auto: the head where its extra is installed and fits, with a warning where it doesn't fit. on: the head. Raises SettingsError for
    "on" where the extra isn't installed or doesn't fit.
    """
    wanted = load_settings().reply_head
    if wanted == "off" or (wanted == "auto" and encoder_version() is None):
        return None
    try:
        return shipped_weights()
    except SettingsError as error:
        if wanted == "on":
            raise
        _LOG.warning("replies are judged by rules alone: %s", error)
        return None
