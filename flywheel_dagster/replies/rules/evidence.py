"""What a reply's sentences hold: phrases by category, after negation, with more weight after a "but" and less before it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flywheel_dagster.replies.rules.automaton import Match
from flywheel_dagster.replies.rules.leaning import FAMILIES
from flywheel_dagster.replies.rules.lexicon import EVERYWHERE, Lexicon, lexicon
from flywheel_dagster.replies.rules.wording import BEGIN, COMMA, END, QUESTION

_WARM = frozenset({"interest", "meeting", "ask"})
_OBSTACLES = frozenset({"price", "timing", "no_need", "competitor", "authority", "reject", "unsubscribe", "hostile"})
_LATER = frozenset({"defer", "door"})
_DENIABLE = _WARM | _OBSTACLES | _LATER
_YIELDING = _WARM | {"referral"}
_REACH = 3  # words between "not" and what it denies
BEFORE_BUT = 0.4
_MOST_SIGNALS = 400
_NO_QUESTION = frozenset({"unsubscribe", "hostile", "sarcasm", "defer", "auto"})
_COMPLAINTS = frozenset({"hostile", "sarcasm"})
_STOPS = frozenset({"unsubscribe", "hostile"})
_REQUESTS = frozenset({"ask", "meeting", "price_question", "defer", "door"})
_SPECIFIC = 4  # words of a question
_SAYS_SOMETHING = 6  # words of a statement
_LEANS = {family: f"leans_{family}" for family in FAMILIES}
_HARDLY = 0.001  # share of a leaning that is none


class Signal(NamedTuple):
    """A phrase that was found: its category, our list's words for it, its weight, and where it stands."""

    category: str
    phrase: str
    weight: float
    sentence: int
    start: int


def evidence(sentences: Sequence[list[str]], languages: Sequence[str]) -> list[Signal]:
    """The signals of a reply in order. Of phrases inside one another only the outermost counts; of a sentence that says something, but
    nothing that the lists know: how it stands there, whether it denies, and which way the words of all such sentences lean."""
    found: list[Signal] = []
    unread: set[str] = set()
    all_lists = [lexicon(language) for language in languages or (EVERYWHERE,)]
    for number, sentence in enumerate(sentences):
        before = len(found)
        read = [lists.read(sentence) for lists in all_lists]
        for lists, words in zip(all_lists, read, strict=True):
            found += _signals(lists, words, number)
        here = {signal.category for signal in found[before:]}
        if here & _COMPLAINTS:
            found = [signal for signal in found if signal.sentence != number or signal.category not in _WARM]
        if sentence[-1] == QUESTION and not here & _NO_QUESTION:
            length = sum(word not in (COMMA, QUESTION) for word in sentence)
            found.append(Signal("question" if length >= _SPECIFIC else "short_question", "?", 1.0, number, len(sentence)))
        elif not here:
            unread.update(read[0])
            if sum(word != COMMA for word in sentence) >= _SAYS_SOMETHING:
                denies = any(word in lists.negators for lists, words in zip(all_lists, read, strict=True) for word in words)
                found.append(Signal("denial" if denies else "statement", "", 1.0, number, 0))
        if len(found) > _MOST_SIGNALS:
            break
        if number and any(sentence[0] in lists.turns for lists in all_lists):
            found = [
                signal._replace(weight=signal.weight * BEFORE_BUT) if signal.sentence == number - 1 else signal for signal in found
            ]
    leanings = all_lists[0].leanings.shares(unread) if unread else {}
    return [
        *found,
        *(Signal(_LEANS[family], "", share, len(sentences), 0) for family, share in leanings.items() if share > _HARDLY),
    ]


def _signals(lists: Lexicon, words: list[str], number: int) -> Iterator[Signal]:
    outermost = _outermost(list(lists.find(words)))
    if not outermost:
        return
    covered = {
        at for match in outermost if match.category == "inert" or match.category in _WARM for at in range(match.start, match.end)
    }
    turns = (
        []
        if lists.turns.isdisjoint(words)
        else [at for at, word in enumerate(words) if word in lists.turns and at > 1 and at not in covered]
    )
    concessions = [] if lists.concessions.isdisjoint(words) else [at for at, word in enumerate(words) if word in lists.concessions]
    for match in _unrefused(list(_undenied(lists, words, outermost, covered))):
        weight = BEFORE_BUT if turns and match.end <= turns[-1] else 1.0
        if (
            concessions
            and any(at < match.start for at in concessions)
            and not any(at > 2 for at in concessions if at < match.start and COMMA in words[at : match.start])
        ):
            weight = min(weight, BEFORE_BUT)
        phrase = " ".join(word for word in words[match.start : match.end] if word not in (BEGIN, END, COMMA))
        yield Signal(match.category, phrase, weight, number, match.start)


def _undenied(lists: Lexicon, words: list[str], matches: list[Match], covered: set[int]) -> Iterator[Match]:
    """Without what a "not" before it, or right after it, takes away; interest that is denied is a refusal."""
    for match in matches:
        if match.category == "inert":
            continue
        denied = match.category in _DENIABLE and _is_denied(lists, words, match.start, covered)
        taken_back = match.category in _WARM and _is_taken_back(lists, words, match, covered)
        if not denied and not taken_back:
            yield match
        elif match.category == "interest":
            yield match._replace(category="reject")


def _is_taken_back(lists: Lexicon, words: list[str], match: Match, covered: set[int]) -> bool:
    """ "Please do" before "not", "definitely" before "not": the phrase goes on to say the opposite."""
    return match.end < len(words) and words[match.end] in lists.negators and match.end not in covered


def _unrefused(matches: list[Match]) -> Iterator[Match]:
    """Without warm words that share words with a refusal at least as long, and without persons whom the writer has to ask first."""
    categories = {match.category for match in matches}
    if categories.isdisjoint(_OBSTACLES) or categories.isdisjoint(_YIELDING):
        yield from matches
        return
    refusals: dict[int, int] = {}
    asked: set[int] = set()
    for match in matches:
        places = range(match.start, match.end)
        if match.category in _OBSTACLES:
            refusals |= {at: max(refusals.get(at, 0), len(places)) for at in places}
        if match.category == "authority":
            asked.update(places)
    for match in matches:
        if match.category in _WARM and any(refusals.get(at, 0) >= match.end - match.start for at in range(match.start, match.end)):
            continue
        if match.category == "referral" and match.start - 1 in asked and match.start in asked:
            continue
        yield match


def _is_denied(lists: Lexicon, words: list[str], start: int, covered: set[int]) -> bool:
    for at in range(start - 1, max(start - _REACH - 2, 0), -1):
        word = words[at]
        if word == COMMA or word in lists.turns:
            return False
        if word in lists.negators and at not in covered:
            return True
    return False


def _outermost(matches: list[Match]) -> list[Match]:
    """Without those inside a longer one; same words in two categories stand for both. A request doesn't hide what it
    asks us to stop, nor "write again" when that is to be."""
    kept: list[Match] = []
    reach, widest, outer = -1, (-1, -1), ""
    for match in sorted(matches, key=lambda each: (each.start, -each.end)):
        if match.end > reach or (match.start, match.end) == widest:
            kept.append(match)
            if match.end > reach:
                reach, widest, outer = match.end, (match.start, match.end), match.category
        elif (match.category in _STOPS and outer in _REQUESTS) or (match.category == "when" and outer in _LATER):
            kept.append(match)
    return kept
