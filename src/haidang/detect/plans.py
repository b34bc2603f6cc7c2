"""Lanes in machine code: what the rules of a route look at, as a plan for the library, and what it asks for.

The twin of :mod:`haidang.detect.lanes`, which does the same where the library was not built: both take the
same documents, leave the same to whole decoding, and say the same of them. A plan has a *cell* for each class
of a route's signature; the library remembers classes by the bytes of the values in the document, and answers
by the classes. Whatever it has not seen is decided here, once, by the tables. Documents are untrusted.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from haidang.detect.gate import Joined
from haidang.detect.native import (
    ANSWERS,
    CLASS,
    FIRST,
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
from haidang.detect.planning import Planner
from haidang.detect.tables import Held
from haidang.events import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ctypes import CDLL

    from haidang.detect.native import Miss
    from haidang.detect.planning import Group
    from haidang.detect.routes import Route
    from haidang.events.model import Fields
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
        self._route = route
        self._covered = covered
        self._limits = limits
        self._patience = patience
        self._library = library
        self._start()

    def _start(self) -> None:
        """Know nothing."""
        self._scan = Scan(self._library, self._limits)
        self._planner = Planner(self._scan, self.shape, self._wrapper, self._covered, self._limits)
        self._seen: Counter[bytes] = Counter()
        self._groups: list[tuple[Group, ...]] = []
        self._answers: list[Held] = []

    def forget(self) -> None:
        """Forget what was decided; called when the tables have forgotten what their classes mean."""
        self._scan.forget()
        self._answers.clear()
        for text in self._planner.texts:
            text.forget()

    def flatten(self, document: bytes) -> Fields:
        """Return the fields of a document for which rules hold: it is of this shape, for certain."""
        decoded = orjson.loads(document)
        return shapes.flatten(self.shape, decoded[self._wrapper] if self._wrapper else decoded)

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
            held = self._planner.gates[gate - 1].candidates(
                Joined([documents.documents[at] for at in places])
            )
            found.update((places[at], None) for at in held)

    def _learn(self, misses: Iterable[Miss], codes: dict[int, int]) -> set[int]:
        """Decide what was not known; return documents whose route has a plan now, or that wait."""
        unknown: dict[bytes, list[int]] = {}
        lines: dict[int, list[tuple[int, bytes]]] = {}
        again: set[int] = set()
        for kind, of, document, key, value in misses:
            if kind == CLASS:
                number, lasting = self._planner.decide[of](key)
                self._scan.learn_class(of, key, number, lasting=lasting)
            elif kind == SIGNATURE:
                self._scan.learn_signature(key, self._answer(key))
            elif kind in {LINE, FIRST, LAST}:
                lines.setdefault(of, []).append((kind, key))
            elif kind == TEXT:
                self._scan.learn_text(of, kind, key, self._planner.texts[of].decide(key, value))
            else:
                unknown.setdefault(key, []).append(document)
                continue
            again.add(document)
        for of, asked in lines.items():
            self._planner.texts[of].learn(self._scan, of, asked)
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
        plan, groups = self._planner.plan(channel, self._route({"Channel": channel, "EventID": event_id}))
        self._groups.append(groups)
        return plan
