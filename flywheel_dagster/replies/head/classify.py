"""What a reply says, by the head: it weighs the rules' signals and the embeddings together. What is certain by rules stays so."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flywheel_dagster.outcomes.events import ClassificationMethod
from flywheel_dagster.replies.analysis import InterestLevel, Objection, ReplyAnalysis, Sentiment, reply_analysis
from flywheel_dagster.replies.head.features import features
from flywheel_dagster.replies.head.weights import TASKS, Weights, shipped_weights
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.rules.classify import classify_by_rules

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_AT_A_TIME = 256


def classify_by_head(words: OwnWords, *, automatic: bool = False, unsubscribe: bool = False) -> ReplyAnalysis:
    """The analysis of a reply; `automatic` and `unsubscribe` are what its headers said. Many at a time are faster: classify_many_by_head.

    `model` names the head, or is None where a rule decided that is certain: automatic answers and unsubscribes. Raises SettingsError where the
    extra `head` isn't installed, or the weights were made for something else.
    """
    return classify_many_by_head([(words, automatic, unsubscribe)])[0]


def classify_many_by_head(replies: Sequence[tuple[OwnWords, bool, bool]], *, weights: Weights | None = None) -> list[ReplyAnalysis]:
    """The analyses of replies, each with what its headers said (automatic, unsubscribe), in order. Raises SettingsError as above."""
    chosen = weights or shipped_weights()
    found = [classify_by_rules(words, automatic=automatic, unsubscribe=unsubscribe) for words, automatic, unsubscribe in replies]
    unsure = [place for place, ruled in enumerate(found) if not (ruled["is_auto_reply"] or ruled["wants_unsubscribe"])]
    for start in range(0, len(unsure), _AT_A_TIME):
        places = unsure[start : start + _AT_A_TIME]
        for place, likely in zip(places, _likelihoods(chosen, features([replies[each][0] for each in places])), strict=True):
            found[place] = _weighed(found[place], likely, chosen)
    return found


def _likelihoods(weights: Weights, rows: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """For each row the probability of every possible combination of labels."""
    import numpy as np

    scores = rows @ weights.matrix + weights.intercept
    total = np.zeros((len(rows), len(weights.possible)))
    start = 0
    for task, (_, values) in enumerate(TASKS):
        odds = scores[:, start : start + len(values)] * weights.sharpness[task]
        start += len(values)
        total += (odds - np.logaddexp.reduce(odds, axis=1, keepdims=True))[:, weights.possible[:, task]]
    return np.exp(total - np.logaddexp.reduce(total, axis=1, keepdims=True))


def _weighed(ruled: ReplyAnalysis, likely: "NDArray[np.float64]", weights: Weights) -> ReplyAnalysis:
    best = weights.possible[int(likely.argmax())]
    sentiment, interest, objection = (values[place] for (_, values), place in zip(TASKS, best, strict=True))
    share = {name: float(likely[weights.possible[:, 0] == place].sum()) for place, name in enumerate(TASKS[0][1])}
    sure = min(1.0, share[sentiment])
    because = f"head: {sentiment} ({sure:.2f}); rules: {ruled['sentiment_label']}; {ruled['reasoning']}"
    return reply_analysis(
        sentiment_score=_score(Sentiment(sentiment), share),
        interest_level=InterestLevel(interest),
        objection_type=Objection(objection),
        reasoning=because,
        language=ruled["language"],
        confidence=sure,
        method=ClassificationMethod.RULES,
        version=ruled["version"],
        model=weights.name,
        referral=ruled["referral"],
    )


def _score(sentiment: Sentiment, share: Mapping[str, float]) -> float:
    """Within the label's range, the further out the likelier."""
    if sentiment is Sentiment.POSITIVE:
        return 0.5 + 0.45 * min(1.0, share["positive"])
    if sentiment is Sentiment.NEGATIVE:
        return -0.25 - 0.7 * min(1.0, share["negative"])
    return max(-0.15, min(0.45, 0.1 + 0.5 * (share["positive"] - share["negative"])))
