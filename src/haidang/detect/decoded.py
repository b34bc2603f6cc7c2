"""Matching the decoded events of one route by one generated function.

What :meth:`Route.match_plainly` does in loops over tables, fields and the places where a field may be, is
written out once: a field that several tables look at is fetched once, keywords of all tables are searched in
one pass, a part of which nothing but keywords could hold is left out where none is found. The meaning is that
of the plain way; a property test holds both together.

The source holds generated names and quoted field names only. Events are untrusted: what cannot be looked up
(an object, a list of more than texts) is decided without being remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.joint import accessor_key
from haidang.detect.semantics import holds, lookup
from haidang.detect.tables import NOTHING, Held, Table
from haidang.detect.words import EventWords, KeywordSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.joint import Joint
    from haidang.detect.memos import Memo
    from haidang.detect.routes import Part
    from haidang.events.model import Fields

__all__ = ["generate"]


def generate(parts: Sequence[Part], joint: Joint | None) -> Callable[[Fields], Held]:
    """Return the function that gives the rules of all parts that hold for an event."""
    return _Writer(parts, joint).function()


class _Writer:
    """Writes the lines of one function and gathers what they name."""

    def __init__(self, parts: Sequence[Part], joint: Joint | None) -> None:
        self._parts = parts
        self._joint = joint
        self._lines = ["get = event.get"]
        self._names: dict[str, Any] = {
            "NOTHING": NOTHING,
            "EventWords": EventWords,
            "holds": holds,
            "lookup": lookup,
            "merge": Held.merged,
        }
        self._values: dict[Any, str] = {}
        memos = [part.table.keyword_memo for part in parts]
        self._searched = [at for at, memo in enumerate(memos) if memo is not None]
        if self._searched:
            search = KeywordSearch([memo.tests for memo in memos if memo is not None])
            self._names["keywords"] = search.answers
            self._lines.append("found = keywords(event)")

    def function(self) -> Callable[[Fields], Held]:
        answers: list[str] = []
        if self._joint is not None:
            answers.append(self._together(self._joint))
        joined = self._joint.parts if self._joint is not None else ()
        answers += [self._part(at, part) for at, part in enumerate(self._parts) if part not in joined]
        if len(answers) == 1:
            self._lines.append(f"return {answers[0]}")
        else:
            self._lines += [f"h{at} = {answer}" for at, answer in enumerate(answers)]
            held = [f"h{at}" for at in range(len(answers))]
            self._lines.append(f"return merge(({', '.join(held)},)) if {' or '.join(held)} else NOTHING")
        source = "\n    ".join(["def match(event):", *self._lines])
        exec(compile(source, "<route>", "exec"), self._names)  # noqa: S102 - see the docstring
        match: Callable[[Fields], Held] = self._names["match"]
        return match

    def _together(self, joint: Joint) -> str:
        """Return the expression for the rules of the parts that are looked up together."""
        self._names["joint"] = joint.signatures
        classes = [
            self._class(f"j{number}", self._value(accessor), memo)
            for number, (accessor, memo) in enumerate(zip(joint.accessors, joint.memos, strict=True))
        ]
        for part in joint.parts:
            classes += self._apart(self._parts.index(part), part)
        return f"joint[({''.join(f'{one}, ' for one in classes)})]"

    def _part(self, at: int, part: Part) -> str:
        """Return the expression for the rules of one part."""
        table, names = part.table, self._names
        if type(table) is not Table:
            names[f"p{at}"] = part.match
            return f"p{at}(event, EventWords(event))"
        names[f"s{at}"] = table.signatures
        classes = [
            self._class(f"m{at}_{number}", self._value(accessor), memo)
            for number, (accessor, memo) in enumerate(zip(part.accessors, table.memos, strict=True))
        ]
        classes += self._apart(at, part)
        answer = f"s{at}[({''.join(f'{one}, ' for one in classes)})]"
        return f"{answer} if {self._found(at)} else NOTHING" if part.keywords_alone else answer

    def _found(self, at: int) -> str:
        return f"found[{self._searched.index(at)}]"

    def _apart(self, at: int, part: Part) -> list[str]:
        """Return the expressions for the keywords and pairs of a part."""
        classes: list[str] = []
        if part.table.keyword_memo is not None:
            self._names[f"k{at}"] = part.table.keyword_memo.number
            classes.append(f"k{at}({self._found(at)}) if {self._found(at)} else 0")
        for number, ((_, test), (first, second)) in enumerate(zip(part.table.pairs, part.pairs, strict=True)):
            self._names[f"t{at}_{number}"] = test
            both = f"{self._value(first)}, {self._value(second)}"
            classes.append(f"int(holds(t{at}_{number}, {both}))")
        return classes

    def _class(self, name: str, value: str, memo: Memo) -> str:
        """Return the expression for the class of a value."""
        self._names[name] = memo
        self._names[f"{name}l"] = memo.of_list
        self._names[f"{name}c"] = memo.classify
        return (
            f"{name}[{value}] if (c := {value}.__class__) is str or {value} is None "
            f"else {name}l({value}) if c is list else {name}c({value}) if c is dict or c is tuple "
            f"else {name}[{value}]"
        )

    def _value(self, accessor: Accessor) -> str:
        """Return the name of the local that holds a value."""
        key = accessor_key(accessor)
        known = self._values.get(key)
        if known is None:
            known = self._values[key] = f"v{len(self._values)}"
            self._lines.append(f"{known} = {self._fetched(known, accessor)}")
        return known

    def _fetched(self, local: str, accessor: Accessor) -> str:
        if accessor.gathers or accessor.values or any("{" in source for source in accessor.sources):
            self._names[f"a{local}"] = accessor.get
            return f"a{local}(event)"
        *others, last = map(_one, accessor.sources)
        found = last
        for other in reversed(others):
            found = f"{local} if ({local} := {other}) is not None else {found}"
        return found


def _one(source: str) -> str:
    """Return the expression for one field; what has a dot is looked for inside objects where one is there."""
    plain = f"get({source!r})"
    steps = source.split(".")
    beginnings = [".".join(steps[:upto]) for upto in range(1, len(steps))]
    if not beginnings:
        return plain
    there = " or ".join(f"{beginning!r} in event" for beginning in beginnings)
    return f"(lookup(event, {source!r}) if {there} else {plain})"
