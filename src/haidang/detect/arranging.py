"""Arranging rules for matching: plain data in, plain data out, so that a cache can keep the result.

Two arrangements, both nested tuples, lists and dicts of strings and numbers (``marshal`` takes them):

``arrange_field`` sorts all tests on one field by how they can be decided together:

    absent    numbers of the tests that an absent field satisfies
    present   … that any value satisfies, any_text … that any scalar satisfies (``*``)
    whole     folded value → numbers; whole_cased likewise with the value as it is
    starts    folded beginning → numbers; ends likewise
    inside    folded literal → numbers
    gated     folded literal → (number, decider, folds): decided one by one where the literal occurs
    ungated   (number, decider): decided one by one, always
    numbers   number → numbers of tests; ordered: (number, operator, limit)
    networks  (number, version of IP, address, mask): the last two as integers
    plain     (number, test): everything else

A decider is ("glob", parts, cased) or ("re", pattern, flags). ``folds`` says that the literal is surely in
the folded value of anything that matches.

``arrange_rules`` numbers the tests of all rules of a group, and finds for each rule its *anchors*: tests of
which at least one must hold for the rule to hold, so that a rule need not be looked at when none does.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from haidang.detect.literals import MARKS
from haidang.detect.regexes import required_literal
from haidang.detect.semantics import holds, number, text, wrap_keyword
from haidang.sigma.ir import ANY, ONE, Test

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.sigma.ir import Condition

__all__ = [
    "ARRANGEMENT_VERSION",
    "accepted_values",
    "arrange_field",
    "arrange_rules",
    "folded_value",
    "rule_keywords",
]

ARRANGEMENT_VERSION = "10"
"""Changes whenever what is arranged changes, so that a cache forgets the old form."""

Field = dict[str, Any]
Arranged = dict[str, Any]


def arrange_rules(conditions: Sequence[Condition]) -> Arranged:
    """Return the arrangement of a group of rules, given their conditions.

    The keys: ``fields`` (name → arrangement), ``keywords`` and ``pairs`` (number, test), ``conditions``
    (with numbers in place of tests, None for a rule that can never hold), ``anchors`` (number →
    positions of rules), ``always`` (positions of rules without anchors).
    """
    numbers: dict[Test, int] = {}
    numbered = [_number(condition, numbers) for condition in conditions]
    by_field: dict[str, list[tuple[int, Test]]] = {}
    keywords: list[tuple[int, tuple[Any, ...]]] = []
    pairs: list[tuple[int, tuple[Any, ...]]] = []
    for test, i in numbers.items():
        if test.field is None:
            keywords.append((i, tuple(wrap_keyword(test))))
        elif test.kind == "fieldref":
            pairs.append((i, tuple(test)))
        else:
            by_field.setdefault(test.field, []).append((i, test))
    weak = {
        i for test, i in numbers.items() if test.kind == "null" or (test.kind == "exists" and not test.value)
    }
    anchors: dict[int, list[int]] = {}
    always: list[int] = []
    for at, condition in enumerate(numbered):
        if condition == ("false",):
            continue
        found = _anchors(condition, weak)
        if found is None:
            always.append(at)
        for i in found or ():
            anchors.setdefault(i, []).append(at)
    return {
        "fields": {name: arrange_field(tests) for name, tests in by_field.items()},
        "keywords": keywords,
        "pairs": pairs,
        "conditions": numbered,
        "anchors": anchors,
        "always": always,
    }


def _number(condition: Condition, numbers: dict[Test, int]) -> Condition:
    kind = condition[0]
    if kind == "is":
        return ("is", numbers.setdefault(Test(*condition[1]), len(numbers)))
    if kind in {"and", "or", "not"}:
        return (kind, *(_number(part, numbers) for part in condition[1:]))
    return tuple(condition)


def _anchors(condition: Condition, weak: set[int]) -> frozenset[int] | None:
    """Return tests of which at least one must hold for the condition to hold; None when there are none."""
    kind = condition[0]
    if kind == "is":
        return None if condition[1] in weak else frozenset((condition[1],))
    if kind == "and":
        found = [anchors for part in condition[1:] if (anchors := _anchors(part, weak)) is not None]
        return min(found, key=len, default=None)
    if kind == "or":
        union: set[int] = set()
        for part in condition[1:]:
            anchors = _anchors(part, weak)
            if anchors is None:
                return None
            union |= anchors
        return frozenset(union)
    return frozenset() if kind == "false" else None


def rule_keywords(conditions: Iterable[Condition]) -> list[tuple[Test, ...]]:
    """Return the keywords of each rule that has any, as they are tested on one value."""
    found = (tuple(map(wrap_keyword, _keywords(condition))) for condition in conditions)
    return [tests for tests in found if tests]


def _keywords(condition: Condition) -> Iterator[Test]:
    if condition[0] == "is":
        if condition[1][0] is None:
            yield Test(*condition[1])
    elif condition[0] in {"and", "or", "not"}:
        for part in condition[1:]:
            yield from _keywords(part)


def folded_value(value: object) -> str:
    """Return the same text for all values that one number or one text without case may accept."""
    spelled = number(value)
    return text(value).lower() if spelled is None else text(spelled)


def accepted_values(condition: Condition, field: str) -> frozenset[str] | None:
    """Return the values of ``field`` (as ``folded_value`` gives them) without which a condition cannot hold.

    None stands for any value.
    """
    kind = condition[0]
    if kind == "is":
        test = Test(*condition[1])
        if test.field != field:
            return None
        if test.kind == "num":
            return frozenset((folded_value(test.value),))
        if test.kind == "str" and all(isinstance(part, str) for part in test.value):
            return frozenset((folded_value("".join(test.value)),))
        return None
    if kind == "and":
        found = [values for part in condition[1:] if (values := accepted_values(part, field)) is not None]
        return frozenset.intersection(*found) if found else None
    if kind == "or":
        union: set[str] = set()
        for part in condition[1:]:
            values = accepted_values(part, field)
            if values is None:
                return None
            union |= values
        return frozenset(union)
    return None


def arrange_field(tests: Iterable[tuple[int, Test]]) -> Field:
    """Return the arrangement of the tests of one field; see the module's docstring."""
    field: Field = {
        "absent": [],
        "present": [],
        "any_text": [],
        "whole": {},
        "whole_cased": {},
        "starts": {},
        "ends": {},
        "inside": {},
        "gated": {},
        "ungated": [],
        "numbers": {},
        "ordered": [],
        "networks": [],
        "plain": [],
    }
    for i, test in tests:
        if holds(test, None):
            field["absent"].append(i)
        _arrange(field, i, test)
    return field


def _arrange(field: Field, i: int, test: Test) -> None:
    kind = test.kind
    if kind == "str":
        _arrange_string(field, i, test)
    elif kind == "re":
        pattern, flags = test.value
        # A case-insensitive expression may match letters outside ASCII that lower() leaves apart (long s,
        # Kelvin): there its literal says nothing.
        _gate(
            field,
            i,
            required_literal(pattern),
            ("re", pattern, flags),
            folds="i" not in flags and "(?" not in pattern,
        )
    elif kind == "num":
        field["numbers"].setdefault(test.value, []).append(i)
    elif kind in {"lt", "lte", "gt", "gte", "ne"}:
        field["ordered"].append((i, kind, test.value))
    elif kind == "bool":
        field["whole"].setdefault("true" if test.value else "false", []).append(i)
    elif kind == "cidr":
        network = ip_network(test.value, strict=False)
        field["networks"].append((i, network.version, int(network.network_address), int(network.netmask)))
    elif kind == "exists":
        if test.value:
            field["present"].append(i)
    elif kind != "null":
        field["plain"].append((i, tuple(test)))


def _arrange_string(field: Field, i: int, test: Test) -> None:
    parts = _tidy(test.value)
    literals = [part for part in parts if isinstance(part, str)]
    words = [literal.lower() for literal in literals]
    if any(mark in word for mark in MARKS for word in words):
        field["plain"].append((i, tuple(test)))
        return
    shape = "".join("w" if isinstance(part, str) else {ANY: "*", ONE: "?"}[part] for part in parts)
    if test.cased and any(literal.lower() != literal.upper() for literal in literals):
        if shape == "w":
            field["whole_cased"].setdefault(literals[0], []).append(i)
        else:
            # Lower case depends on the neighbours outside ASCII (a final sigma): there the word says nothing.
            word = max(words, key=len)
            _gate(field, i, word, ("glob", parts, True), folds=word.isascii())
    elif shape in {"", "w"}:
        field["whole"].setdefault("".join(words), []).append(i)
    elif shape == "*":
        field["any_text"].append(i)
    elif shape == "w*":
        field["starts"].setdefault(words[0], []).append(i)
    elif shape == "*w":
        field["ends"].setdefault(words[0], []).append(i)
    elif shape == "*w*":
        field["inside"].setdefault(words[0], []).append(i)
    else:
        _gate(field, i, max(words, key=len, default=""), ("glob", parts, False), folds=True)


def _tidy(parts: Sequence[str | int]) -> tuple[str | int, ...]:
    """Join adjacent literals and adjacent ``*``; leave empty literals out."""
    tidy: list[str | int] = []
    for part in parts:
        if part == "":
            continue
        if tidy and isinstance(part, str) and isinstance(tidy[-1], str):
            tidy[-1] += part
        elif not (tidy and part == ANY and tidy[-1] == ANY):
            tidy.append(part)
    return tuple(tidy)


def _gate(field: Field, i: int, literal: str, decider: tuple[Any, ...], *, folds: bool) -> None:
    if literal:
        field["gated"].setdefault(literal, []).append((i, decider, folds))
    else:
        field["ungated"].append((i, decider))
