"""The condition language of Sigma: ``(selection and not 1 of filter_*) or all of them``.

Rules of this module:

- ``not`` binds tighter than ``and``, ``and`` tighter than ``or``; the words may be in any case.
- ``them`` and patterns leave out detections whose name begins with an underscore, unless the pattern
  begins with one itself.
- A name or pattern that fits no detection is an error: dropped silently, it would change the rule.
- Beyond the specification, ``2 of selection_*`` is understood as long as its expansion stays small.

The text is untrusted: nesting is bounded.
"""

from __future__ import annotations

import re
from fnmatch import translate as _wildcards
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from haidang.sigma.ir import Condition

__all__ = ["ConditionSyntaxError", "parse", "resolve"]

_TOKEN = re.compile(r"\s*(?:(\()|(\))|([\w*?.-]+)|(\S))")
_QUANTIFIERS = {"any": 1, "all": 0}
_MOST_NESTING = 100
_MOST_COMBINATIONS = 500


class ConditionSyntaxError(Exception):
    """A condition cannot be understood; internal to the package, turned into a RuleError."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Return the tree of ``text``: and/or/not over ("name", x) and ("of", n, pattern); n = 0 is all."""
    return _Parser(text).whole()


def resolve(
    tree: Condition, names: Iterable[str], detection: Callable[[str], Condition | None]
) -> Condition | None:
    """Return ``tree`` with each name replaced by ``detection(name)``.

    Detections that are None (a pipeline dropped all that was in them) are left out; None is returned
    where nothing is left.
    """
    kind = tree[0]
    if kind == "name":
        if tree[1] not in names:
            raise ConditionSyntaxError(
                f"the condition names {tree[1]!r}, which is not in the detection section"
            )
        return detection(tree[1])
    if kind == "of":
        return _joined_of(tree[1], tree[2], names, detection)
    if kind == "not":
        inner = resolve(tree[1], names, detection)
        return None if inner is None else ("not", inner)
    return _joined(kind, [resolve(part, names, detection) for part in tree[1:]])


def _joined(kind: str, parts: list[Condition | None]) -> Condition | None:
    left = [part for part in parts if part is not None]
    return (kind, *left) if len(left) > 1 else left[0] if left else None


def _joined_of(
    number: int, pattern: str, names: Iterable[str], detection: Callable[[str], Condition | None]
) -> Condition | None:
    found = [name for name in names if _fits(name, pattern)]
    if not found:
        raise ConditionSyntaxError(f"{pattern!r} in the condition fits no detection")
    if number > len(found):
        raise ConditionSyntaxError(
            f"the condition wants {number} of {pattern!r}, which fits only {len(found)}"
        )
    parts = [detection(name) for name in found]
    if number == 0 or number == len(found):
        return _joined("and", parts)
    if number == 1:
        return _joined("or", parts)
    if comb(len(found), number) > _MOST_COMBINATIONS:
        raise ConditionSyntaxError(f"'{number} of {pattern}' has too many combinations")
    return _joined("or", [_joined("and", list(some)) for some in combinations(parts, number)])


def _fits(name: str, pattern: str) -> bool:
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    return pattern == "them" or _pattern(pattern).match(name) is not None


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(_wildcards(pattern), re.DOTALL)


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        for match in _TOKEN.finditer(text):
            if match[4]:
                raise ConditionSyntaxError(_strange(match[4]))
            self.tokens.append(match[1] or match[2] or match[3])
        self.position = 0
        self.depth = 0

    def whole(self) -> Condition:
        if not self.tokens:
            raise ConditionSyntaxError("the condition is empty")
        tree = self.either()
        if self.position < len(self.tokens):
            raise ConditionSyntaxError(f"unexpected {self.tokens[self.position]!r} in the condition")
        return tree

    def word(self) -> str:
        return self.tokens[self.position].lower() if self.position < len(self.tokens) else ""

    def either(self) -> Condition:
        return self._chain("or", self.both)

    def both(self) -> Condition:
        return self._chain("and", self.negation)

    def _chain(self, word: str, operand: Callable[[], Condition]) -> Condition:
        parts = [operand()]
        while self.word() == word:
            self.position += 1
            parts.append(operand())
        return (word, *parts) if len(parts) > 1 else parts[0]

    def negation(self) -> Condition:
        self.depth += 1
        if self.depth > _MOST_NESTING:
            raise ConditionSyntaxError(f"the condition is nested more than {_MOST_NESTING} deep")
        try:
            if self.word() == "not":
                self.position += 1
                return ("not", self.negation())
            return self.operand()
        finally:
            self.depth -= 1

    def operand(self) -> Condition:
        word = self.word()
        if word in {"", ")", "and", "or", "of"}:
            raise ConditionSyntaxError(
                f"a name is missing before {word!r}" if word else "the condition ends too early"
            )
        text = self.tokens[self.position]
        self.position += 1
        if word == "(":
            tree = self.either()
            if self.word() != ")":
                raise ConditionSyntaxError("a closing parenthesis is missing in the condition")
            self.position += 1
            return tree
        if self.word() == "of":
            return self.selector(word)
        if "*" in text or "?" in text:
            raise ConditionSyntaxError(f"the pattern {text!r} needs '1 of' or 'all of' before it")
        return ("name", text)

    def selector(self, quantifier: str) -> Condition:
        self.position += 1
        number = int(quantifier) if quantifier.isdecimal() else _QUANTIFIERS.get(quantifier, -1)
        if number < 0 or quantifier == "0":
            raise ConditionSyntaxError(f"{quantifier!r} is no quantifier; use 1, any or all")
        if self.word() in {"", "(", ")"}:
            raise ConditionSyntaxError("'of' needs a pattern or 'them' after it")
        pattern = self.tokens[self.position]
        self.position += 1
        return ("of", number, "them" if pattern.lower() == "them" else pattern)


def _strange(character: str) -> str:
    if character == "|":
        return "'|' in a condition is the aggregation syntax of Sigma 1; write a correlation rule instead"
    return f"unexpected {character!r} in the condition"
