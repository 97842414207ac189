"""Finds many phrases at once. A phrase is a short pattern of words; all of a language become one automaton, made as far as texts need it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.rules.wording import BEGIN, END, NUMBER, QUESTION

GAP = 3  # words that ".." may stand for
_SKIPS = 3  # fillers in a row that may stand between two words of a phrase
_MOST_STATES = 20_000
_SHORTEST_STEM = 3  # letters
_EDGES = frozenset({BEGIN, END, QUESTION})
_PIECE = re.compile(r"\)\?|[\[\]()|]|[^\s\[\]()|]+")


class Match(NamedTuple):
    """Words start to end (excluded) of a sentence, and the category whose phrase they are."""

    category: str
    start: int
    end: int


class _Node:
    __slots__ = ("barriers", "categories", "gaps", "room", "words")

    def __init__(self, room: int = 0, barriers: frozenset[str] = frozenset()) -> None:
        self.words: dict[str, list[_Node]] = {}
        self.gaps: list[_Node] = []
        self.categories: set[str] = set()
        self.room = room
        self.barriers = barriers


_Place = tuple[_Node, int, int]  # where in a phrase; words left in its gap; fillers that may still be skipped


class _State:
    __slots__ = ("categories", "moves", "places")

    def __init__(self, places: frozenset[_Place]) -> None:
        self.places = places
        self.categories = tuple(sorted({each for node, _, skips in places if skips == _SKIPS for each in node.categories}))
        self.moves: dict[str, _State | None] = {}


class Phrases:
    """The phrases of a language, by category, ready to be found."""

    def __init__(
        self,
        phrases: Mapping[str, Sequence[str]],
        macros: Mapping[str, str],
        fillers: frozenset[str],
        spell: Callable[[str], list[str]],
        barriers: Mapping[str, frozenset[str]],
    ) -> None:
        """`barriers` are words that a category's gaps never stand for: "have .. interest" isn't what "have no interest" says."""
        self.words: set[str] = set()
        self.stems: set[str] = set()
        self.uses: dict[str, Counter[str]] = {}  # how often a word stands in each category's phrases
        self._fillers = fillers
        self._root = _Node()
        for category, lines in phrases.items():
            for line in lines:
                pattern = _Pattern(line, category, macros, spell, self, _EDGES | barriers.get(category, frozenset()))
                for node in pattern.from_(self._root):
                    node.categories.add(category)
        self._forget()

    def find(self, words: Sequence[str]) -> Iterator[Match]:
        """The longest match of each category from each word on. The time is linear: a match is at most as long as its phrase with gaps and fillers."""
        if self._count > _MOST_STATES:
            self._forget()
        begin = self._start
        for start, first in enumerate(words):
            state = begin.moves[first] if first in begin.moves else self._move(begin, first)
            if state is None:
                continue
            found: dict[str, int] | None = None
            at = start + 1
            while True:
                if state.categories:
                    found = found or {}
                    for category in state.categories:
                        found[category] = at
                if at == len(words):
                    break
                word = words[at]
                following = state.moves[word] if word in state.moves else self._move(state, word)
                if following is None:
                    break
                state = following
                at += 1
            if found:
                for category, end in found.items():
                    yield Match(category, start, end)

    def _forget(self) -> None:
        self._start = _State(frozenset({(self._root, 0, 0)}))
        self._known: dict[frozenset[_Place], _State] = {}
        self._count = 0

    def _move(self, state: _State, word: str) -> _State | None:
        places = frozenset(self._after(state.places, word))
        following = None
        if places:
            following = self._known.get(places)
            if following is None:
                following = self._known[places] = _State(places)
        state.moves[word] = following
        self._count += 1
        return following

    def _after(self, places: frozenset[_Place], word: str) -> Iterator[_Place]:
        prefixes = [f"{word[:length]}*" for length in range(_SHORTEST_STEM, len(word) + 1) if f"{word[:length]}*" in self.stems]
        if word[0].isdigit():
            prefixes.append(NUMBER)
        for node, room, skips in places:
            for known in (word, *prefixes):
                for following in node.words.get(known, ()):
                    yield from _entered(following)
            if room and word not in node.barriers:
                yield node, room - 1, skips
            elif skips and word in self._fillers:
                yield node, room, skips - 1


def _entered(node: _Node) -> Iterator[_Place]:
    yield node, node.room, _SKIPS
    for gap in node.gaps:
        yield from _entered(gap)


class _Pattern:
    """One line of a list, read from left to right: (a|b), [optional] or (optional)?, @macro, stem*, and .. for up to GAP words."""

    def __init__(
        self,
        line: str,
        category: str,
        macros: Mapping[str, str],
        spell: Callable[[str], list[str]],
        owner: Phrases,
        barriers: frozenset[str],
    ) -> None:
        self._line, self._category, self._macros, self._spell, self._owner = line, category, macros, spell, owner
        self._barriers = barriers

    def from_(self, root: _Node) -> list[_Node]:
        pieces = _PIECE.findall(self._line)
        ends, rest = self._sequence(pieces, 0, [root])
        if rest != len(pieces) or root in ends:
            raise InputError(f"the phrase {self._line!r} can't be read: brackets don't match, or all of it is optional")
        return ends

    def _sequence(self, pieces: list[str], at: int, starts: list[_Node]) -> tuple[list[_Node], int]:
        here = starts
        while at < len(pieces) and pieces[at] not in ("|", ")", ")?", "]"):
            piece = pieces[at]
            if piece in ("(", "["):
                before = here
                here, at = self._choice(pieces, at + 1, before)
                if pieces[at] != ")":
                    here = [*here, *(node for node in before if node not in here)]
            elif piece == "..":
                here = [self._gap(here)]
            elif piece.startswith("@") and piece[1:] in self._macros:
                here, _ = self._choice([*_PIECE.findall(self._macros[piece[1:]].replace("|", " | ")), ")"], 0, here)
            else:
                here = self._word(piece, here)
            at += 1
        return here, at

    def _choice(self, pieces: list[str], at: int, starts: list[_Node]) -> tuple[list[_Node], int]:
        ends: list[_Node] = []
        joint = _Node()
        while True:
            stop = at + 1
            if (
                at + 1 < len(pieces)
                and pieces[stop] in ("|", ")", ")?", "]")
                and pieces[at] not in ("(", "[", "..")
                and not self._is_macro(pieces[at])
            ):
                self._word(pieces[at], starts, joint)
                if joint not in ends:
                    ends.append(joint)
                at = stop
            else:
                found, at = self._sequence(pieces, at, starts)
                ends += [node for node in found if node not in ends]
            if at >= len(pieces):
                raise InputError(f"the phrase {self._line!r} lacks a closing bracket")
            if pieces[at] != "|":
                return ends, at
            at += 1

    def _is_macro(self, piece: str) -> bool:
        return piece.startswith("@") and piece[1:] in self._macros

    def _gap(self, starts: list[_Node]) -> _Node:
        gap = _Node(GAP, self._barriers)
        for start in starts:
            start.gaps.append(gap)
        return gap

    def _word(self, piece: str, starts: list[_Node], last: _Node | None = None) -> list[_Node]:
        words = [piece] if piece.endswith("*") or piece[0] in "@#^$?," else self._spell(piece)
        here = starts
        for number, word in enumerate(words):
            if word.endswith("*") and len(word) <= _SHORTEST_STEM:
                raise InputError(f"the phrase {self._line!r} has the stem {word}; a stem has {_SHORTEST_STEM} letters or more")
            (self._owner.stems if word.endswith("*") else self._owner.words).add(word)
            self._owner.uses.setdefault(word, Counter())[self._category] += 1
            target = last if last is not None and number == len(words) - 1 else _Node()
            for node in here:
                node.words.setdefault(word, []).append(target)
            here = [target]
        return here
