"""Patterns and expressions: what must look at a value itself, since no literal in it decides.

Each says what it can do without: one that stays in a line is decided line by line, one that requires words
runs only where these are. Values are untrusted: expressions run in linear time, or within a limit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.detect.regexes import (
    length_of_line,
    required_literals,
    searcher,
    segments,
    shortest_match,
    stays_in_line,
)
from haidang.detect.semantics import glob_pattern
from haidang.sigma.ir import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.limits import Limits

__all__ = ["Decider"]


class Decider:
    """One pattern or expression, compiled when it is first needed: most never are."""

    __slots__ = ("_by_line", "_limits", "_plan", "_run", "_segments", "_words", "folds")

    def __init__(self, plan: tuple[Any, ...], limits: Limits) -> None:
        """Take what ``arranging`` says of it: its kind, what is looked for, and how."""
        self._plan = plan
        self._limits = limits
        self.folds = plan[0] == "glob" and not plan[2]
        """Whether the folded value is looked at, not the value itself."""
        self._run: Callable[[str, str], bool] | None = None
        self._by_line: bool | None = None
        self._words: frozenset[str] | None = None
        self._segments: list[frozenset[str]] | None = None

    @property
    def by_line(self) -> bool:
        """Whether it holds for a text exactly where it holds for one of its lines by itself."""
        if self._by_line is None:
            kind, pattern, flags = self._plan
            self._by_line = kind == "re" and (
                stays_in_line(pattern, flags) or length_of_line(pattern, flags) is not None
            )
        return self._by_line

    @property
    def words(self) -> frozenset[str]:
        """Folded words, none over the end of a line, without which it holds for no ASCII text."""
        if self._words is None:
            kind, what, _ = self._plan
            parts = required_literals(what) if kind == "re" else what
            words = [part for part in parts if isinstance(part, str)]
            self._words = frozenset(word.lower() for word in words if word.isascii() and "\n" not in word)
        return self._words

    @property
    def segments(self) -> list[frozenset[str]]:
        """Folded words, together in one line, without which no line has to do with whether it holds.

        Lines that are not blank and have none of these sets end whatever they are between. Empty where it is
        not of this kind.
        """
        if self._segments is None:
            kind, what, flags = self._plan
            found = (segments(what, flags) if kind == "re" else _segments_of_glob(what)) or []
            words = frozenset().union(*found)
            self._segments = found if all(word.isascii() and "\n" not in word for word in words) else []
        return self._segments

    def __call__(self, value: str, folded: str) -> bool:
        """Return whether it holds for a value, which is given in lower case too."""
        if self._run is None:
            self._run = _compile(self._plan, self._limits)
        return self._run(value, folded)


def _segments_of_glob(parts: Sequence[str | int]) -> list[frozenset[str]] | None:
    """Return the literals of a pattern that may be anywhere, None where lines in between may be part of it.

    Two ``?`` match the ends of a blank line; three may match all of a line that is not.
    """
    if not parts[0] == parts[-1] == ANY or ANY in parts[1:-1]:
        return None
    if any(parts[at : at + 3] == (ONE, ONE, ONE) for at in range(len(parts))):
        return None
    return [frozenset({part.lower()}) for part in parts if isinstance(part, str)]


def _compile(plan: tuple[Any, ...], limits: Limits) -> Callable[[str, str], bool]:
    kind, what, how = plan
    if kind == "re":
        return _expression(what, how, limits)
    if ONE not in what:
        match = _in_order(what if how else tuple(part if part == ANY else part.lower() for part in what))
    else:
        pattern = re.compile(glob_pattern(what, cased=how), re.DOTALL).fullmatch

        def match(value: str) -> bool:
            return pattern(value) is not None

    if how:
        return lambda value, _folded: match(value)
    return lambda _value, folded: match(folded)


def _expression(pattern: str, flags: str, limits: Limits) -> Callable[[str, str], bool]:
    """Return what decides a regular expression; it runs where all that it requires is there."""
    least = shortest_match(pattern)
    if length_of_line(pattern, flags) is not None:
        return lambda value, _folded: len(value) >= least and max(map(len, value.split("\n"))) >= least
    search = searcher(pattern, flags, limits.regex_seconds, limits.regex_timeouts).search
    words = required_literals(pattern)
    # Case-insensitive ones may match letters outside ASCII that lower() leaves apart.
    cased = "i" not in flags and "(?" not in pattern

    def match(value: str, folded: str) -> bool:
        if len(value) < least:
            return False
        if folded and (cased or value.isascii()):
            for word in words:
                if word not in folded:
                    return False
        return search(value)

    return match


def _in_order(parts: Sequence[str | int]) -> Callable[[str], bool]:
    """Return whether literals with ``*`` between them make up a text: each found at its first place."""
    words = [part for part in parts if isinstance(part, str)]
    first = str(words.pop(0)) if words and parts[0] != ANY else ""
    last = str(words.pop()) if words and parts[-1] != ANY else ""
    # One literal without any "*" is never handed to a decider.

    def match(value: str) -> bool:
        if not (value.startswith(first) and value.endswith(last)):
            return False
        at, end = len(first), len(value) - len(last)
        for word in words:
            at = value.find(word, at, end)
            if at < 0:
                return False
            at += len(word)
        return at <= end

    return match
