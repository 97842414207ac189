"""What the messages that a model learnt from look like: their lengths, subject lines, merge fields and greetings, by channel."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flywheel_dagster.datasets.near_duplicates import words
from flywheel_dagster.training.examination.examples import ANY, Example, channel_of
from flywheel_dagster.training.examination.message_text import greeted_as, has_subject, placeholder_names, uses_markdown

_ENOUGH = 10  # messages of a channel, fewer are judged by all channels together
_USUAL = 0.05  # of the messages: a rarer greeting may be somebody's name
_LOWER = re.compile(r"\b[a-zà-öø-ÿ][\w'’-]*")
_LOW, _HIGH = 0.01, 0.99
_SHRUNK, _STRETCHED = 0.5, 1.5


@dataclass(frozen=True)
class ChannelProfile:
    """Of one channel: a range of words that nearly all messages lie in, the shares with a subject line and with each merge field."""

    fewest_words: float
    most_words: float
    with_subject: float
    fields: Mapping[str, float]


@dataclass(frozen=True)
class Profile:
    """What is usual. `channels` has ANY besides those with enough messages; `greetings` are capitalised words that many are greeted as, and
    `words` those that stand in lower case somewhere."""

    channels: Mapping[str, ChannelProfile]
    placeholders: frozenset[str]
    greetings: frozenset[str]
    words: frozenset[str]
    markdown: bool
    longest_words: int
    messages: int

    def channel(self, name: str) -> ChannelProfile:
        """The channel's profile, or that of all together."""
        return self.channels.get(name) or self.channels[ANY]


def profile_of(examples: Iterable[Example]) -> Profile:
    """The profile of examples; those that ask for a message that fails say nothing of what is wanted. There must be at least one."""
    lengths: dict[str, list[int]] = defaultdict(list)
    subjects: Counter[str] = Counter()
    fields: dict[str, Counter[str]] = defaultdict(Counter)
    greetings: Counter[str] = Counter()
    lower: set[str] = set()
    markdown = False
    for example in examples:
        if not example.asks_for_success:
            continue
        names = placeholder_names(example.text)
        count = len(words(example.text))
        for channel in {channel_of(example.request), ANY}:
            lengths[channel].append(count)
            subjects[channel] += has_subject(example.text)
            fields[channel].update(names)
        if (greeted := greeted_as(example.text)) is not None:
            greetings[greeted] += 1
        lower.update(_LOWER.findall(example.text))
        markdown = markdown or uses_markdown(example.text)
    total = len(lengths[ANY])
    return Profile(
        channels={
            channel: ChannelProfile(
                fewest_words=_quantile(found, _LOW) * _SHRUNK,
                most_words=_quantile(found, _HIGH) * _STRETCHED,
                with_subject=subjects[channel] / len(found),
                fields={name: count / len(found) for name, count in fields[channel].items()},
            )
            for channel, found in lengths.items()
            if len(found) >= _ENOUGH or (channel == ANY and found)
        },
        placeholders=frozenset(fields[ANY]),
        greetings=frozenset(word for word, count in greetings.items() if count >= max(2, _USUAL * total)),
        words=frozenset(lower),
        markdown=markdown,
        longest_words=max(lengths[ANY], default=0),
        messages=total,
    )


def _quantile(values: list[int], share: float) -> float:
    """With linear interpolation (type 7 of Hyndman and Fan)."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
