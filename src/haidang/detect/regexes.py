"""Regular expressions of rules, run so that no value can hang a scan.

- RE2 (linear time) runs every expression that it knows.
- What RE2 refuses (look-around, back references, atomic groups) runs in ``regex`` under a time limit; an
  expression that hits the limit counts as not matching on that value, and is counted in ``timeouts`` so
  that the run can say so. One that hits it often is given up: its further values are only counted.
- ``required_literal`` finds text that must be in any value that matches, so that most values need no
  regular expression at all.

The patterns come from rules, the values from logs; neither is trusted.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

from haidang.errors import ConfigurationError
from haidang.limits import DEFAULT_LIMITS

__all__ = [
    "Searcher",
    "length_of_line",
    "may_explode",
    "required_literal",
    "required_literals",
    "runs_in_linear_time",
    "searcher",
    "segments",
    "shortest_match",
    "stays_in_line",
    "timeouts",
]

_CONSTANTS: Any = import_module("re._constants")
_PARSER: Any = import_module("re._parser")
"""The standard library has no public parser of expressions."""

_LONGEST_KNOWN = 1 << 20
_MOST_INSIDE = 8
_FLAGS = re.compile(r"\(\?([ims]+)\)")
"""Flags that do not change what an expression's letters are, but for their case."""
_MOST_PROBES = 8
_LINE_END = ord("\n")
_PROBE_CHARS = 60

timeouts: Counter[str] = Counter()
"""Pattern to how many values hit the time limit in this process."""


class Searcher(Protocol):
    """A compiled regular expression."""

    def search(self, value: str) -> bool:
        """Return whether the expression matches anywhere in ``value``."""
        ...


class _Re2:
    __slots__ = ("_search",)

    def __init__(self, pattern: Any) -> None:
        self._search = pattern.search

    def search(self, value: str) -> bool:
        # Given bytes, the library does not count characters. A lone surrogate cannot be handed to it.
        return self._search(value.encode("utf-8", "replace")) is not None


class _Bounded:
    __slots__ = ("_left", "_pattern", "_seconds", "_source")

    def __init__(self, pattern: Any, source: str, seconds: float, most: int) -> None:
        self._pattern = pattern
        self._source = source
        self._seconds = seconds
        self._left = most

    def search(self, value: str) -> bool:
        if not self._left:
            # Given up: a million hostile values must not cost a million time limits.
            timeouts[self._source] += 1
            return False
        try:
            return self._pattern.search(value, timeout=self._seconds) is not None
        except TimeoutError:
            self._left -= 1
            timeouts[self._source] += 1
            return False


def searcher(
    pattern: str,
    flags: str,
    seconds: float = DEFAULT_LIMITS.regex_seconds,
    most: int = DEFAULT_LIMITS.regex_timeouts,
) -> Searcher:
    """Compile ``pattern`` with ``flags`` (out of "ims"); raise ConfigurationError when nothing can run it."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.never_capture = True
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    prefix = "(?m)" if "m" in flags else ""
    try:
        return _Re2(re2.compile(prefix + pattern, options))
    except re2.error:
        pass
    import regex

    wanted = regex.VERSION0
    for letter, flag in (("i", regex.IGNORECASE), ("m", regex.MULTILINE), ("s", regex.DOTALL)):
        wanted |= flag if letter in flags else 0
    try:
        return _Bounded(regex.compile(pattern, wanted), pattern, seconds, most)
    except regex.error as error:
        message = f"the regular expression {pattern!r} cannot be compiled: {error}"
        raise ConfigurationError(message) from error


def runs_in_linear_time(pattern: str, flags: str) -> bool:
    """Return whether RE2 runs an expression; raise ConfigurationError when nothing can."""
    return isinstance(searcher(pattern, flags), _Re2)


def may_explode(pattern: str) -> bool:
    """Return whether back-tracking may try exponentially many ways through an expression.

    That is taken to be so where a repeat without end is inside another, or where the expression does not end
    within the time limit on a run of one of its own characters. False where the pattern is not understood.
    """
    tree = _parsed(pattern)
    return tree is not None and (_nested(tree, inside=False) or _hangs(pattern, tree))


def _hangs(pattern: str, tree: Any) -> bool:
    import regex

    try:
        compiled = regex.compile(pattern)
    except regex.error:
        return False
    letters = dict.fromkeys(letter for run in _runs(tree) for letter in run)
    for letter in list(letters)[:_MOST_PROBES] or ["a"]:
        try:
            compiled.search(letter * _PROBE_CHARS + "\n!", timeout=DEFAULT_LIMITS.regex_seconds)
        except TimeoutError:
            return True
    return False


def _nested(tree: Any, *, inside: bool) -> bool:
    constants = _CONSTANTS
    for operator, argument in tree:
        if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            endless = argument[1] == constants.MAXREPEAT
            if (endless and inside) or _nested(argument[2], inside=inside or endless):
                return True
        elif operator is constants.SUBPATTERN:
            if _nested(argument[3], inside=inside):
                return True
        elif operator is constants.BRANCH:
            if any(_nested(branch, inside=inside) for branch in argument[1]):
                return True
        elif operator in (constants.ASSERT, constants.ASSERT_NOT) and _nested(argument[1], inside=inside):
            return True
    return False


def required_literal(pattern: str) -> str:
    """Return the longest ASCII text that every match contains, lower-cased; "" where there is none.

    Only a top-level sequence of plain characters counts (and what plain groups and repeats of at least one
    hold); alternatives and options give nothing. The parse is that of ``re``; a pattern that it does not
    know gives "".
    """
    return max(required_literals(pattern), key=len, default="")


def required_literals(pattern: str) -> list[str]:
    """Return the ASCII texts that every match contains, lower-cased, in their order."""
    tree = _parsed(pattern)
    return [] if tree is None else [run for run in _runs(tree) if run]


def length_of_line(pattern: str, flags: str) -> int | None:
    """Return how long a line must be for an expression like ``.{1000,}``, None for any other expression.

    An automaton that counts to a thousand takes a thousand steps for each character.
    """
    tree = _parsed(pattern)
    if tree is None or len(tree) != 1 or "s" in flags or tree.state.flags & re.DOTALL:
        return None
    constants = _CONSTANTS
    operator, argument = tree[0]
    if operator is not constants.MAX_REPEAT or argument[1] != constants.MAXREPEAT:
        return None
    any_one = len(argument[2]) == 1 and argument[2][0][0] is constants.ANY
    return int(argument[0]) if any_one and argument[0] else None


def stays_in_line(pattern: str, flags: str) -> bool:
    """Return whether an expression matches a text exactly where it matches one of the text's lines by itself.

    So it is where nothing in it can match the end of a line, or asks where the text begins or ends.
    """
    tree = _parsed(pattern)
    if tree is None:
        return False
    return _in_line(tree, any_one=not ("s" in flags or tree.state.flags & re.DOTALL))


def _in_line(tree: Any, *, any_one: bool) -> bool:
    """Return the same for a part; ``any_one`` says that a dot leaves out the end of a line."""
    constants = _CONSTANTS
    for operator, argument in tree:
        if operator is constants.LITERAL:
            stays = argument != _LINE_END
        elif operator is constants.ANY:
            stays = any_one
        elif operator is constants.IN:
            stays = all(map(_leaves_line_end_out, argument))
        elif operator in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            stays = _in_line(argument[2], any_one=any_one)
        elif operator is constants.SUBPATTERN:
            stays = not argument[1] & re.DOTALL and _in_line(argument[3], any_one=any_one)
        elif operator is constants.BRANCH:
            stays = all(_in_line(branch, any_one=any_one) for branch in argument[1])
        else:
            stays = operator is constants.AT and argument is constants.AT_BOUNDARY
        if not stays:
            return False
    return True


def _leaves_line_end_out(item: tuple[Any, Any]) -> bool:
    """Return whether a member of a set of characters does not match the end of a line."""
    constants = _CONSTANTS
    operator, argument = item
    if operator is constants.LITERAL:
        return bool(argument != _LINE_END)
    if operator is constants.RANGE:
        return not argument[0] <= _LINE_END <= argument[1]
    return operator is constants.CATEGORY and argument in (
        constants.CATEGORY_DIGIT,
        constants.CATEGORY_WORD,
    )


def segments(pattern: str, flags: str) -> list[frozenset[str]] | None:
    """Cut an expression where it matches white space; return what words each part requires, lower-cased.

    Each part matches inside one line, and what is between two of them ends lines or leaves white space out:
    a match over several lines has a whole part in its first line, in its last, and in each between that is
    not blank. None where an expression is not of this kind, or a part of it requires nothing.
    """
    tree = _parsed(pattern)
    if tree is None:
        return None
    any_one = not ("s" in flags or tree.state.flags & re.DOTALL)
    parts: list[list[Any]] = [[]]
    for item in tree:
        if _is_space(item):
            parts.append([])
        elif _in_line([item], any_one=any_one):
            parts[-1].append(item)
        else:
            return None
    found = [frozenset(run for run in _runs(part) if run) for part in parts]
    return found if all(found) else None


def _is_space(item: tuple[Any, Any]) -> bool:
    """Return whether a part of an expression matches white space and nothing else, ends of lines too."""
    constants = _CONSTANTS
    operator, argument = item
    if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT):
        return len(argument[2]) == 1 and _is_space(argument[2][0])
    return operator is constants.IN and argument == [(constants.CATEGORY, constants.CATEGORY_SPACE)]


def shortest_match(pattern: str) -> int:
    """Return how many characters any match has at least; 0 where that is not known.

    Few command lines have the thousand characters that ``.{1000,}`` asks for, and an automaton counts slowly.
    """
    tree = _parsed(pattern)
    return 0 if tree is None else min(int(tree.getwidth()[0]), _LONGEST_KNOWN)


@lru_cache(maxsize=4096)
def _parsed(pattern: str) -> Any:
    """Return the parse of ``re``, None where that does not know a pattern or may read it otherwise.

    Flags in the middle of a pattern are left out, but that a dot may match the end of a line is kept.
    """
    if "[[:" in pattern:  # A class by name, which is two things to ``re``.
        return None
    inside = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_MOST_INSIDE + 1):
            try:
                tree = _PARSER.parse(pattern)
            except (OverflowError, RecursionError):
                return None
            except re.error as error:
                # RE2 and PCRE take flags in the middle; ``re`` says where it does not.
                flags = _FLAGS.match(pattern, error.pos) if error.pos else None
                if flags is None:
                    return None
                inside += flags[1]
                pattern = pattern[: flags.start()] + pattern[flags.end() :]
            else:
                tree.state.flags |= re.DOTALL if "s" in inside else 0
                return tree
    return None


def _runs(tree: Any) -> list[str]:
    constants = _CONSTANTS
    runs: list[str] = []
    run = ""
    for operator, argument in tree:
        if operator is constants.LITERAL and argument < 128:
            run += chr(argument).lower()
            continue
        runs.append(run)
        run = ""
        if operator is constants.SUBPATTERN:
            runs.extend(_runs(argument[3]))
        elif operator in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[0] >= 1:
            runs.extend(_runs(argument[2]))
    runs.append(run)
    return runs
