"""A text that a regular expression matches, or nearly: enough to provoke a rule, not to prove anything."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

__all__ = ["sample"]

_PARSER: Any = import_module("re._parser")
_IS: Any = import_module("re._constants")
_OF_CATEGORY = {"DIGIT": "0459", "NOT_DIGIT": "x- ", "SPACE": " \t", "NOT_SPACE": "x0-", "WORD": "aZ_9"}


def sample(pattern: str, chance: random.Random) -> str:
    """Return a text for a pattern; what is only looked at around it is left out."""
    try:
        tree = _PARSER.parse(pattern)
    except (re.error, OverflowError):
        return "x"
    return _of(tree, chance, {})


def _of(tree: Any, chance: random.Random, groups: dict[int, str]) -> str:
    return "".join(_one(operator, argument, chance, groups) for operator, argument in tree)


def _one(operator: Any, argument: Any, chance: random.Random, groups: dict[int, str]) -> str:
    if operator is _IS.LITERAL:
        return chr(argument)
    if operator in (_IS.ANY, _IS.NOT_LITERAL):
        return chance.choice("x0 -")
    if operator is _IS.IN:
        return _member(argument, chance)
    if operator is _IS.BRANCH:
        return _of(chance.choice(argument[1]), chance, groups)
    if operator is _IS.SUBPATTERN:
        made = groups[argument[0] or 0] = _of(argument[3], chance, groups)
        return made
    if operator in (_IS.MAX_REPEAT, _IS.MIN_REPEAT):
        least, most, inner = argument
        times = min(chance.choice([least, least + 1]), most)
        return "".join(_of(inner, chance, groups) for _ in range(times))
    return groups.get(argument, "") if operator is _IS.GROUPREF else ""


def _member(members: Any, chance: random.Random) -> str:
    if members[0][0] is _IS.NEGATE:
        return chance.choice("x0~ ")
    operator, argument = chance.choice(members)
    if operator is _IS.LITERAL:
        return chr(argument)
    if operator is _IS.RANGE:
        return chr(chance.randint(*argument))
    return chance.choice(_OF_CATEGORY.get(str(argument).removeprefix("CATEGORY_"), "x"))
