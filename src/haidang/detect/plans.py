"""Lanes in machine code: what the rules of a route look at, as a plan for the library, and what it asks for.

The twin of :mod:`haidang.detect.lanes`, which does the same where the library was not built: both take the
same documents, leave the same to whole decoding, and say the same of them. A plan has a *cell* for each class
of a route's signature; the library remembers classes by the bytes of the values in the document, and answers
by the classes. Whatever it has not seen is decided here, once, by the tables. Documents are untrusted.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from sys import byteorder
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.detect.gate import Joined, KeywordGate
from haidang.detect.joint import JointMemo
from haidang.detect.lanes import TEXTS, TOLD, forbidden
from haidang.detect.memos import LONG
from haidang.detect.native import (
    ANSWERS,
    APART,
    CLASS,
    FIRST,
    KEPT,
    LAST,
    LINE,
    NOTHING,
    PLAIN,
    SIGNATURE,
    TEXT,
    UNKNOWN,
    WAITING,
    Scan,
)
from haidang.detect.semantics import holds
from haidang.detect.tables import Held
from haidang.detect.texts import NO_ANSWER, joined
from haidang.detect.values import FieldMemo
from haidang.events.rendered import is_sysmon
from haidang.events.shapes import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from ctypes import CDLL

    from haidang.detect.binding import Accessor
    from haidang.detect.memos import Memo
    from haidang.detect.native import Miss
    from haidang.detect.routes import Part, Route
    from haidang.detect.texts import Answer
    from haidang.detect.values import FieldTests
    from haidang.limits import Limits
    from haidang.sigma.ir import Test

__all__ = ["PATIENCE", "PlanSet"]

PATIENCE = 2
_MOST_PLANS = 4096
_MOST_SEEN = 16_384
"""Routes of which it is counted how many documents came."""
_MOST_ANSWERS = 100_000
_MOST_ROUNDS = 8
"""Looks at a document until all of it is known: for its route, its values, and their signature."""

Class = tuple[int, bool]
"""The number of a class, and whether it may be remembered."""


_Cell = tuple[int, "int | None", list[list[int]]]
"""The library's memo, its way to look at texts, and the places of each value."""


class _Group(NamedTuple):
    """A table, or several together: its signatures, and where its classes come from."""

    signatures: dict[tuple[int, ...], Held]
    cells: tuple[int, ...]
    """Places of its classes among all cells of the plan; -1 for keywords, which were ruled out."""


class _Text:
    """The lines of one field's texts."""

    def __init__(self, memo: Memo, tests: Sequence[FieldTests]) -> None:
        """Decide by ``tests``, those of ``memo``."""
        self._memo = memo
        self._tests = tests
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        nothing = (NO_ANSWER,) * len(self._tests)
        self._nothing = 0
        self._numbers: dict[tuple[bytes, tuple[Answer, ...]], int] = {(b"", nothing): self._nothing}
        self._answers: list[tuple[Answer, ...]] = [nothing]

    def learn(self, scan: Scan, text: int, asked: Sequence[tuple[int, bytes]]) -> None:
        """Number lines that were asked for, each with its place, as they are written in JSON."""
        told = orjson.loads(b'["%b"]' % b'","'.join([line for _, line in asked]))
        ruled_out = self._ruled_out(told)
        for (kind, line), written, nothing in zip(asked, told, ruled_out, strict=True):
            number = self._nothing if nothing and kind == LINE else self._number(kind, line, written)
            scan.learn_text(text, kind, line, number)

    def _ruled_out(self, lines: Sequence[str]) -> Sequence[bool]:
        """Return of which lines one search says that they decide nothing."""
        rulers = [one.ruler for one in self._tests]
        if None in rulers:
            return [False] * len(lines)
        folded = "\n".join(lines).lower()
        ends = list(accumulate(len(line) + 1 for line in lines))
        found = [not line or line.isspace() for line in lines]  # Their places count.
        for ruler in rulers:
            for place in ruler(folded) if ruler is not None else ():
                found[bisect_right(ends, place)] = True
        return [not one for one in found]

    def _number(self, kind: int, line: bytes, told: str) -> int:
        """Return the number of what a line decides at its place."""
        answers = tuple(one.of_line(told, first=kind == FIRST, last=kind == LAST) for one in self._tests)
        # Of a line that may be part of what holds over several, the library keeps the place.
        kept = any(one.ends_nothing(told) for one in self._tests)
        known = (line if kept else b"", answers)
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self._answers)
            self._answers.append(answers)
        return number | KEPT if kept else number

    def decide(self, key: bytes, value: bytes) -> int:
        """Return the class of a text with these lines, or ``APART``."""
        low = int.from_bytes(key[:8], byteorder)
        numbers = {at for at in range(64) if low >> at & 1}
        numbers.update(
            one & ~KEPT for one in struct.unpack(f"={(len(key) - 8) // 4}I", key[8:]) if one != APART
        )
        for at, one in enumerate(self._tests):
            still_open = one.still_open(joined(self._answers[number][at] for number in numbers))
            if not all(decide.segments for _, decide in still_open):
                return APART
        return self._memo.of_text(orjson.loads(value))


class PlanSet:
    """All plans of one shape (inside one wrapper), made as documents of new routes come."""

    def __init__(
        self,
        library: CDLL,
        shape: str,
        wrapper: str,
        route: Callable[[dict[str, Any]], Route],
        covered: frozenset[Test],
        limits: Limits,
        patience: int = PATIENCE,
    ) -> None:
        """Start without plans; see :class:`~haidang.detect.lanes.LaneSet` for what is given."""
        self.shape = shape
        self._wrapper = wrapper
        self._prefix = (wrapper,) if wrapper else ()
        self._route = route
        self._covered = covered
        self._limits = limits
        self._patience = patience
        self._library = library
        self._start()

    def _start(self) -> None:
        """Know nothing."""
        self._scan = Scan(self._library, self._limits)
        self._seen: Counter[bytes] = Counter()
        self._groups: list[tuple[_Group, ...]] = []
        self._memos: dict[Any, tuple[int, int | None]] = {}
        self._decide: list[Callable[[bytes], Class]] = []
        self._texts: list[_Text] = []
        self._gates: list[KeywordGate] = []
        self._answers: list[Held] = []
        scan = self._scan
        channel, event_id = self._slots("Channel"), paths(self.shape, "EventID")
        scan.route_by(channel, [(self._slot(path), self._slot((*path, "#text"))) for path in event_id])
        for path in forbidden(self.shape, self._wrapper):
            slot = scan.slot(path)
            if slot is not None:
                scan.forbid(slot)
        if self.shape == "event":
            # Another library's way to write attributes: only flattening knows it.
            provider = ("Event", "System", "Provider")
            scan.imply(self._slot(provider), self._slot((*provider, "#attributes")))

    def forget(self) -> None:
        """Forget what was decided; called when the tables have forgotten what their classes mean."""
        self._scan.forget()
        self._answers.clear()
        for text in self._texts:
            text.forget()

    def look(self, documents: Joined, first: int) -> dict[int, Held | None]:
        """Match the documents from ``first`` on.

        Returns:
            By position the rules that hold, None where the document must be decoded whole; those for which
            no rule holds are left out.
        """
        if len(self._groups) >= _MOST_PLANS:
            self._start()
        scan = self._scan
        codes = scan.look(documents, first)
        gated = dict(scan.gated())
        waiting: list[int] = [at for at, code in codes.items() if code in {UNKNOWN, WAITING}]
        for _ in range(_MOST_ROUNDS):
            if not waiting:
                break
            again = self._learn(scan.misses(), codes)
            if not again:
                break
            waiting = sorted({*again, *(at for at in waiting if codes[at] == WAITING)})
            codes.update(zip(waiting, scan.again(waiting), strict=True))
            gated.update(scan.gated())
            waiting = [at for at in waiting if codes[at] in {UNKNOWN, WAITING}]
        found: dict[int, Held | None] = {}
        for at, code in codes.items():
            if code != NOTHING:
                found[at] = self._answers[code - ANSWERS] if code >= ANSWERS else None
        if gated:
            self._hold_to_gates(documents, gated, found)
        return found

    def _hold_to_gates(self, documents: Joined, gated: dict[int, int], found: dict[int, Held | None]) -> None:
        """Leave documents to whole decoding that may hold a keyword of their route."""
        by_gate: dict[int, list[int]] = {}
        for at, gate in gated.items():
            if found.get(at, NOTHING) is not None:
                by_gate.setdefault(gate, []).append(at)
        for gate, places in by_gate.items():
            held = self._gates[gate - 1].candidates(Joined([documents.documents[at] for at in places]))
            found.update((places[at], None) for at in held)

    def _learn(self, misses: Iterable[Miss], codes: dict[int, int]) -> set[int]:
        """Decide what was not known; return documents whose route has a plan now, or that wait."""
        unknown: dict[bytes, list[int]] = {}
        lines: dict[int, list[tuple[int, bytes]]] = {}
        again: set[int] = set()
        for kind, of, document, key, value in misses:
            if kind == CLASS:
                number, lasting = self._decide[of](key)
                self._scan.learn_class(of, key, number, lasting=lasting)
            elif kind == SIGNATURE:
                self._scan.learn_signature(key, self._answer(key))
            elif kind in {LINE, FIRST, LAST}:
                lines.setdefault(of, []).append((kind, key))
            elif kind == TEXT:
                self._scan.learn_text(of, kind, key, self._texts[of].decide(key, value))
            else:
                unknown.setdefault(key, []).append(document)
                continue
            again.add(document)
        for of, asked in lines.items():
            self._texts[of].learn(self._scan, of, asked)
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        for key, places in unknown.items():
            self._seen[key] += len(places)
            if self._seen[key] > self._patience:
                self._scan.learn_route(key, self._plan(key))
                again.update(places)
            else:
                codes.update((at, PLAIN) for at in places)
        return again

    def _answer(self, signature: bytes) -> int:
        """Return the number of the answer for the classes of a plan."""
        plan, *classes = struct.unpack(f"={len(signature) // 4}I", signature)
        held = Held.merged(
            [
                group.signatures[tuple([classes[at] if at >= 0 else 0 for at in group.cells])]
                for group in self._groups[plan]
            ]
        )
        if not held:
            return NOTHING
        if len(self._answers) >= _MOST_ANSWERS:
            return PLAIN
        self._answers.append(held)
        return ANSWERS + len(self._answers) - 1

    def _plan(self, key: bytes) -> int:
        """Make the plan of a route, given by its routing values as they are written."""
        event_id, channel = (orjson.loads(part) for part in key.split(b"\0"))
        route = self._route({"Channel": channel, "EventID": event_id})
        return self._make(channel, route)

    def _make(self, channel: Any, route: Route) -> int:
        scan = self._scan
        groups: list[_Group] = []
        cells: list[_Cell] = []
        wanted = {test for part in route.parts for _, test in part.table.keywords} - self._covered
        gate = 0
        ruled_out = self._covered
        if wanted and not route.idle:
            made = KeywordGate.over([sorted(wanted, key=repr)])
            ruled_out = self._covered | made.covers
            if made.covers:
                self._gates.append(made)
                gate = len(self._gates)
        plain = False
        joint = route.joint
        if joint is not None:
            places = self._classes(joint.accessors, joint.memos, cells)
            for part in joint.parts:
                places = self._apart(part, places, cells)
            plain |= places is None
            groups.append(_Group(joint.signatures, tuple(places or ())))
        for part in route.parts:
            plain |= not ruled_out.issuperset(test for _, test in part.table.keywords)
            if not part.keywords_alone and (joint is None or part not in joint.parts):
                places = self._classes(part.accessors, part.table.memos, cells)
                places = self._apart(part, places, cells)
                plain |= places is None
                groups.append(_Group(part.table.signatures, tuple(places or ())))
        plan = scan.plan(gate=0 if plain else gate, idle=route.idle or not groups, plain=plain)
        self._groups.append(tuple(groups))
        if is_sysmon(channel):
            # Without data of its own, it has what its message says: only flattening reads that.
            scan.require(plan, self._slots(TOLD))
        if not plain:
            for memo, text, needs in cells:
                scan.cell(plan, memo, text, needs)
        return plan

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
        if any("." in name or name == TOLD or not paths(self.shape, name) for name in needs):
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
        tests = (
            memo.tests
            if isinstance(memo, JointMemo)
            else (memo.tests,)
            if isinstance(memo, FieldMemo)
            else ()
        )
        if not tests or not all(one.lines_tell() for one in tests):
            return None
        self._texts.append(_Text(memo, tests))
        ends = any(one.looks_at_ends for one in tests)
        return self._scan.text(ends=ends, long=LONG, longest=memo.value_chars)

    def _new_memo(self, decide: Callable[[bytes], Class]) -> int:
        self._decide.append(decide)
        return self._scan.memo()

    def _slots(self, name: str) -> list[int]:
        return [self._slot(path) for path in paths(self.shape, name)]

    def _slot(self, path: Sequence[str]) -> int:
        slot = self._scan.slot((*self._prefix, *path))
        if slot is None:
            raise ValueError(path)
        return slot


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
