"""Making plans: what the rules of a route look at, as cells for the library.

A *cell* takes one value out of a document, or several that one accessor puts together, and leads to a class
of the route's signature. A document of which a cell cannot be told exactly as flattening would is decoded
whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.detect.gate import KeywordGate
from haidang.detect.joint import JointMemo
from haidang.detect.lanes import TEXTS, TOLD, forbidden
from haidang.detect.memos import LONG
from haidang.detect.numbered import NumberedLines
from haidang.detect.semantics import holds
from haidang.detect.values import FieldMemo
from haidang.events.rendered import is_sysmon
from haidang.events.shapes import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.memos import Memo
    from haidang.detect.native import Scan
    from haidang.detect.routes import Part, Route
    from haidang.detect.tables import Held
    from haidang.detect.values import FieldTests
    from haidang.limits import Limits
    from haidang.sigma.ir import Test

__all__ = ["Group", "Planner"]

Class = tuple[int, bool]
"""The number of a class, and whether it may be remembered."""
_Cell = tuple[int, "int | None", list[list[int]]]
"""The library's memo, its way to look at texts, and the places of each value."""

_NOWHERE = frozenset(".\0")
"""What is in no name of a member that the library can be asked for: a dot may lead inside."""


class Group(NamedTuple):
    """A table, or several together: its signatures, and where its classes come from."""

    signatures: dict[tuple[int, ...], Held]
    cells: tuple[int, ...]
    """Places of its classes among all cells of the plan; -1 for keywords, which were ruled out."""


class Planner:
    """Makes the plans of one shape inside one wrapper, and keeps what decides their cells."""

    def __init__(
        self, scan: Scan, shape: str, wrapper: str, covered: frozenset[Test], limits: Limits
    ) -> None:
        """Tell ``scan`` where routing values are, and which documents are decoded whole whatever their route.

        ``covered`` are the keywords that the caller rules out before a document comes here.
        """
        self._scan = scan
        self._shape = shape
        self._prefix = (wrapper,) if wrapper else ()
        self._covered = covered
        self._limits = limits
        self._memos: dict[Any, tuple[int, int | None]] = {}
        self._gate_of: dict[frozenset[Test], tuple[int, frozenset[Test]]] = {}
        self.decide: list[Callable[[bytes], Class]] = []
        """Of each memo, what decides a value that the library has not seen, as it is written in JSON."""
        self.texts: list[NumberedLines] = []
        """The lines of each field that is looked at by lines."""
        self.gates: list[KeywordGate] = []
        """Gates for the keywords of some routes; a plan has the number of one, from 1 on."""
        channel, event_id = self._slots("Channel"), paths(shape, "EventID")
        scan.route_by(channel, [(self._slot(path), self._slot((*path, "#text"))) for path in event_id])
        for path in forbidden(shape, wrapper):
            scan.forbid(scan.slot(path))
        if shape == "event":
            # Another library's way to write attributes: only flattening knows it.
            provider = ("Event", "System", "Provider")
            scan.imply(self._slot(provider), self._slot((*provider, "#attributes")))

    def plan(self, channel: Any, route: Route) -> tuple[int, tuple[Group, ...]]:
        """Make the plan of a route; return its number, and what its classes lead to."""
        groups: list[Group] = []
        cells: list[_Cell] = []
        gate, ruled_out = (0, self._covered) if route.idle else self._gate(route)
        plain = not ruled_out.issuperset(test for part in route.parts for _, test in part.table.keywords)
        joint = route.joint
        together = joint.parts if joint is not None else ()
        if joint is not None:
            places = self._classes(joint.accessors, joint.memos, cells)
            for part in together:
                places = self._apart(part, places, cells)
            plain |= places is None
            groups.append(Group(joint.signatures, tuple(places or ())))
        for part in route.parts:
            if not part.keywords_alone and part not in together:
                places = self._classes(part.accessors, part.table.memos, cells)
                places = self._apart(part, places, cells)
                plain |= places is None
                groups.append(Group(part.table.signatures, tuple(places or ())))
        plan = self._scan.plan(gate=0 if plain else gate, idle=route.idle or not groups, plain=plain)
        if is_sysmon(channel):
            # Without data of its own, it has what its message says: only flattening reads that.
            self._scan.require(plan, self._slots(TOLD))
        for memo, text, needs in () if plain else cells:
            self._scan.cell(plan, memo, text, needs)
        return plan, tuple(groups)

    def _gate(self, route: Route) -> tuple[int, frozenset[Test]]:
        """Return the number of the gate of a route, 0 for none, and the keywords that are ruled out."""
        wanted = frozenset(test for part in route.parts for _, test in part.table.keywords) - self._covered
        if not wanted:
            return 0, self._covered
        if wanted not in self._gate_of:
            made = KeywordGate.over([sorted(wanted, key=repr)])
            if made.covers:
                self.gates.append(made)
            number = len(self.gates) if made.covers else 0
            self._gate_of[wanted] = number, self._covered | made.covers
        return self._gate_of[wanted]

    def _classes(
        self, accessors: Sequence[Accessor], memos: Sequence[Memo], cells: list[_Cell]
    ) -> list[int] | None:
        """Add the cells for values; return their places, None where a document cannot be asked for one."""
        found: list[int] = []
        for accessor, memo in zip(accessors, memos, strict=True):
            needs = self._needs(accessor)
            if needs is None:
                return None
            found.append(len(cells))
            cells.append((*self._memo(accessor, memo), needs))
        return found

    def _apart(self, part: Part, places: list[int] | None, cells: list[_Cell]) -> list[int] | None:
        """Add the places for the keywords of a part, which were ruled out, and the cells for its pairs."""
        if places is None:
            return None
        found = [*places, *([-1] if part.table.keywords else [])]
        for (_, test), (first, second) in zip(part.table.pairs, part.pairs, strict=True):
            left, right = self._needs(first), self._needs(second)
            if left is None or right is None:
                return None
            found.append(len(cells))
            cells.append((self._new_memo(_pair(test, first, second)), None, [*left, *right]))
        return found

    def _needs(self, accessor: Accessor) -> list[list[int]] | None:
        """Return the places of each value that an accessor needs."""
        needs = accessor.needs()
        if any(
            name == TOLD or not _NOWHERE.isdisjoint(name) or not paths(self._shape, name) for name in needs
        ):
            return None
        if _is_plain(accessor):
            return [[slot for source in accessor.sources for slot in self._slots(source)]]
        return [self._slots(name) for name in needs]

    def _memo(self, accessor: Accessor, memo: Memo) -> tuple[int, int | None]:
        """Return the library's memo for a value, and its way to look at it by lines, if there is one."""
        text = not TEXTS.isdisjoint(accessor.sources)
        key = (id(memo), None if _is_plain(accessor) else accessor.identity, text)
        if key not in self._memos:
            by_lines = self._by_lines(memo) if text and _is_plain(accessor) else None
            self._memos[key] = self._new_memo(_of_value(accessor, memo)), by_lines
        return self._memos[key]

    def _by_lines(self, memo: Memo) -> int | None:
        """Return the library's way to look at long texts, None where lines do not tell it all."""
        tests: tuple[FieldTests, ...] = ()
        if isinstance(memo, JointMemo):
            tests = memo.tests
        elif isinstance(memo, FieldMemo):
            tests = (memo.tests,)
        if not tests or not all(one.lines_tell() for one in tests):
            return None
        self.texts.append(NumberedLines(memo, tests, self._limits.memo_entries))
        ends = any(one.looks_at_ends for one in tests)
        return self._scan.text(ends=ends, long=LONG, longest=memo.value_chars)

    def _new_memo(self, decide: Callable[[bytes], Class]) -> int:
        self.decide.append(decide)
        return self._scan.memo()

    def _slots(self, name: str) -> list[int]:
        return [self._slot(path) for path in paths(self._shape, name)]

    def _slot(self, path: Sequence[str]) -> int:
        return self._scan.slot((*self._prefix, *path))


def _is_plain(accessor: Accessor) -> bool:
    """Return whether a value is that of a field as it is."""
    return not (accessor.gathers or accessor.values or any("{" in source for source in accessor.sources))


def _values(key: bytes) -> list[Any]:
    """Return the values of a key, each as it is written in JSON; an absent one is empty."""
    return [orjson.loads(written) if written else None for written in key.split(b"\0")]


def _of_value(accessor: Accessor, memo: Memo) -> Callable[[bytes], Class]:
    """Return what decides the class of a value that the library has not seen."""
    text = not TEXTS.isdisjoint(accessor.sources)
    gathers = accessor.gathers
    if _is_plain(accessor):

        def decide(key: bytes) -> Class:
            value = orjson.loads(key) if key else None
            if text and value.__class__ is str and len(value) > LONG:
                return memo.of_text(value), False
            return memo.classify(value), True

        return decide
    needs = accessor.needs()

    def decide_fetched(key: bytes) -> Class:
        value = accessor.get(dict(zip(needs, _values(key), strict=True)))
        if gathers:
            return memo.of_gathered(value), True
        if text:
            return memo.of_text(value), False
        return memo.classify(value), True

    return decide_fetched


def _pair(test: Test, first: Accessor, second: Accessor) -> Callable[[bytes], Class]:
    """Return what decides whether two fields are to each other as a rule wants."""
    of_first, of_second = first.needs(), second.needs()
    places = len(of_first) if not _is_plain(first) else 1

    def fetched(accessor: Accessor, names: Sequence[str], values: Sequence[Any]) -> Any:
        if _is_plain(accessor):
            return values[0]
        return accessor.get(dict(zip(names, values, strict=True)))

    def decide(key: bytes) -> Class:
        values = _values(key)
        left = fetched(first, of_first, values[:places])
        right = fetched(second, of_second, values[places:])
        return int(holds(test, left, right)), True

    return decide
