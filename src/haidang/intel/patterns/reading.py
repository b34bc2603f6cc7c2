"""Reads a STIX pattern into a tree: a recursive descent over the tokens; sections 9.2 to 9.7.

It accepts what the specification's grammar accepts, and object paths with a hyphen in an unquoted step. What
of it logs can answer is not decided here. Patterns are not trusted: length and depth are bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.intel.patterns.model import Comparison, Constant, Literal, PatternError, quoted
from haidang.intel.patterns.tokens import END, Token, tokens
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["read_pattern"]

_EQUAL = {"=": "=", "==": "=", "!=": "!=", "<>": "!="}
_ORDER = ("<", "<=", ">", ">=")
_NEEDED = {"name": "an object path", "number": "a number", "string": "a text", "time": "a time"}
"""Kind of a token to what a reason calls it."""
_COMPARISON = "a comparison"
_INDEX = "a list index"
_END = "the end"
_TEXT = ("LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET")


def read_pattern(text: str, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Return the tree of a pattern (see ``model``).

    Raises:
        PatternError: It is no pattern, or longer or deeper than is read.
    """
    return _Reader(text, limits).whole()


class _Reader:
    def __init__(self, text: str, limits: Limits) -> None:
        if len(text) > limits.intel_pattern_chars:
            raise PatternError(f"the pattern is longer than {limits.intel_pattern_chars} characters")
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0
        self._most = limits.intel_pattern_depth

    def whole(self) -> Any:
        found = self._followed_by()
        if self._at != len(self._tokens):
            raise PatternError(f"{self._here()} is not expected there")
        return found

    def _peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else END

    def _take(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _here(self) -> str:
        """Return what stands here as a reason quotes it."""
        return _said(self._peek())

    def _accept(self, *words: str) -> str:
        kind, value = self._peek()
        if kind in {"keyword", "mark"} and value in words:
            self._at += 1
            return str(value)
        return ""

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise PatternError(f"{word!r} is expected where {self._here()} stands")

    def _of(self, kind: str, what: str) -> Any:
        """Return the value of the next token, which ``what`` needs to be of a kind."""
        token = self._take()
        if token[0] != kind:
            raise PatternError(f"{what} needs {_NEEDED[kind]}; {_said(token)} is none")
        return token[1]

    def _deeper(self, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > self._most:
            raise PatternError(f"the pattern is nested deeper than {self._most}")
        found = read()
        self._depth -= 1
        return found

    def _joined(self, word: str, read: Callable[[], Any]) -> Any:
        parts = [read()]
        while self._accept(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else (word.lower(), parts)

    # Observations. FOLLOWEDBY binds least, then OR, then AND; a qualifier binds to the expression before it.
    def _followed_by(self) -> Any:
        return self._joined("FOLLOWEDBY", self._observed_or)

    def _observed_or(self) -> Any:
        return self._joined("OR", self._observed_and)

    def _observed_and(self) -> Any:
        return self._joined("AND", self._observation)

    def _observation(self) -> Any:
        if self._accept("("):
            found = self._deeper(self._followed_by)
            self._expect(")")
            return self._qualified(found, once=False)
        self._expect("[")
        found = ("observe", self._deeper(self._compared_or))
        self._expect("]")
        return self._qualified(found, once=True)

    def _qualified(self, found: Any, *, once: bool) -> Any:
        """Read the qualifiers after an observation; each kind ``once`` unless parentheses stand between."""
        seen: set[str] = set()
        while qualifier := self._accept("WITHIN", "REPEATS", "START"):
            if once and qualifier in seen:
                raise PatternError(f"{qualifier} is said twice of one observation")
            seen.add(qualifier)
            if qualifier == "START":
                found = ("startstop", found, self._times())
            else:
                found = (qualifier.lower(), found, self._number_of(qualifier))
        return found

    def _times(self) -> tuple[str, str]:
        start = self._of("time", "START")
        self._expect("STOP")
        return start, self._of("time", "STOP")

    def _number_of(self, qualifier: str) -> int | float:
        number: int | float = self._of("number", qualifier)
        if number < 0:
            raise PatternError(f"{qualifier} needs a number that is not below 0")
        if qualifier == "REPEATS" and not isinstance(number, int):
            raise PatternError("REPEATS takes a whole number")
        self._expect("SECONDS" if qualifier == "WITHIN" else "TIMES")
        return number

    # Comparisons.
    def _compared_or(self) -> Any:
        return self._joined("OR", self._compared_and)

    def _compared_and(self) -> Any:
        return self._joined("AND", self._comparison)

    def _comparison(self) -> Any:
        if self._accept("("):
            found = self._deeper(self._compared_or)
            self._expect(")")
            return found
        absent = bool(self._accept("NOT"))
        if absent:
            self._expect("EXISTS")
        if absent or self._accept("EXISTS"):
            return Comparison(self._path(), "EXISTS", None, absent)
        path = self._path()
        negated = bool(self._accept("NOT"))
        return Comparison(path, *self._asked(), negated)

    def _asked(self) -> tuple[str, Any]:
        if self._accept("IN"):
            return "IN", self._set()
        if operator := self._accept(*_EQUAL):
            return _EQUAL[operator], self._constant()
        if operator := self._accept(*_ORDER):
            value = self._constant()
            if isinstance(value, bool):
                raise PatternError(f"{operator} compares what has an order; true and false have none")
            return operator, value
        if operator := self._accept(*_TEXT):
            return operator, self._of("string", operator)
        raise PatternError(f"{self._here()} is no operator")

    def _set(self) -> list[Constant]:
        self._expect("(")
        if self._accept(")"):
            return []
        values = [self._constant()]
        while self._accept(","):
            values.append(self._constant())
        self._expect(")")
        return values

    def _constant(self) -> Constant:
        token = self._take()
        kind, value = token
        if kind in {"string", "number", "bool"}:
            return value  # type: ignore[no-any-return] # the kinds say of which type it is
        if kind in {"time", "hex", "binary"}:
            return Literal(kind, value)
        raise PatternError(f"{_said(token)} is no constant")

    def _path(self) -> str:
        """Read an object path; the list steps ``[*]`` and ``[0]`` are read as any element."""
        path = str(self._of("name", _COMPARISON))
        self._expect(":")
        path += ":" + self._step()
        while True:
            if self._accept("."):
                path += "." + self._step()
            elif self._accept("["):
                if not self._accept("*") and not isinstance(index := self._of("number", _INDEX), int):
                    raise PatternError(f"{quoted(index)} is no list index")
                self._expect("]")
                path += "[*]"
            else:
                return path

    def _step(self) -> str:
        token = self._take()
        if token[0] not in {"name", "string"}:
            raise PatternError(f"{_said(token)} is no part of an object path")
        return str(token[1])


def _said(token: Token) -> str:
    return _END if token is END else quoted(token[1])
