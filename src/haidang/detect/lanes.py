"""Matching undecoded JSON documents: decode only what the rules of the likely route look at.

Most of the price of a scan is decoding JSON of which rules look at little. A *lane* is one route as it
appears in one JSON shape: a decoder for just the routing fields and the fields that the route's rules
need, and one generated function that decodes, checks that the document really is of this route, and
looks the signature up. Which lane to try is guessed from the bytes after ``"EventID":``; a wrong guess
costs a second decoding, never a wrong answer, because the decoded routing fields decide.

Whatever a lane cannot take exactly as flattening would (another shape, lists, objects, booleans, floats,
user data, broken JSON) raises inside the decoder, and the document goes the plain way: decode
everything, flatten, match. A property test holds both ways together.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.detect.decoders import Node, Present, Reach, decoder
from haidang.detect.gate import KeywordGate
from haidang.detect.projections import Projections, Trial
from haidang.detect.semantics import holds
from haidang.detect.tables import NOTHING, Held
from haidang.events.rendered import is_sysmon
from haidang.events.shapes import INSIDE, paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.joint import Joint
    from haidang.detect.memos import Memo
    from haidang.detect.routes import Part, Route
    from haidang.sigma.ir import Test

__all__ = ["NEEDLES", "PATIENCE", "TEXTS", "TOLD", "LaneSet", "NotInLaneError", "forbidden"]

PATIENCE = 8

NEEDLES = {"flat": b'"EventID":', "event": b'"EventID":', "winlogbeat": b'"event_id":'}
"""Shape to the bytes before the value that tells the routes apart best."""

TEXTS = frozenset({"ContextInfo", "Data", "Message", "Payload", "ScriptBlockText"})
"""Fields that hold texts of many lines: to look such a value up as a whole costs more than its lines do."""
TOLD = "UtcTime"
"""What every event of Sysmon has, unless only its rendered message is left."""
_GUESS_WIDTH = 6
_GUESS_LIMIT = 4096
_FORBIDDEN = {
    "event": (("Event", "UserData"), ("Event", "ProcessingErrorData"), ("Event", "RenderingInfo")),
    "winlogbeat": (("winlog", "user_data"), ("Event",)),
    "flat": (("EventData",), ("Event",), ("winlog",)),
}
"""Parts that flattening merges in, or that make it another shape: a document that has one is flattened."""


def forbidden(shape: str, wrapper: str) -> list[tuple[str, ...]]:
    """Return the paths without which documents are of a shape, inside a wrapper, for certain."""
    inside = (wrapper,) if wrapper else ()
    return [(name,) for name in INSIDE[wrapper]] + [(*inside, *path) for path in _FORBIDDEN[shape]]


class NotInLaneError(Exception):
    """This document must go the plain way."""


LANE_ERRORS = (NotInLaneError, msgspec.MsgspecError, UnicodeError, RecursionError)
"""What a lane raises for a document that must go the plain way."""


class _Identifier(msgspec.Struct, rename={"text": "#text"}, frozen=True):
    """An EventID with attributes."""

    text: int | str | None = None


class LaneSet:
    """All lanes of one shape (inside one wrapper), built as documents of new routes come.

    ``route`` gives the route of routing values; ``route_by`` are the routing fields: lanes exist for
    origins routed by Channel and EventID.
    """

    def __init__(
        self,
        shape: str,
        wrapper: str,
        route: Callable[[dict[str, Any]], Route],
        covered: frozenset[Test],
        patience: int = PATIENCE,
    ) -> None:
        """Start with no lane but the one that only reads the routing fields.

        ``covered`` are the keywords that the caller rules out before a document comes here; other keywords
        are ruled out by a gate of the lane's own. ``patience`` is how many documents of a route go the plain
        way before a lane is made: it takes as long as twenty of them.
        """
        self.shape = shape
        self.wrapper = wrapper
        self.needle = NEEDLES[shape]
        self._route = route
        self._covered = covered
        self._patience = patience
        self._seen: Counter[tuple[str, int | str]] = Counter()
        self._lanes: dict[tuple[str, int | str], Callable[[bytes], Held]] = {}
        self._memos: list[Projections] = []
        self.guesses = _Guesses(self._first_look())

    def run(self, documents: Sequence[bytes], start: int, end: int) -> tuple[int, Held | None]:
        """Match documents until a rule holds for one, or one must go the plain way.

        Returns:
            Its index and the rules that hold, None for the plain way; ``end`` when there is no such document.
        """
        guesses, needle = self.guesses, self.needle
        skip = len(needle)
        reach = skip + _GUESS_WIDTH
        at = start
        try:
            for at in range(start, end):
                document = documents[at]
                where = document.find(needle)
                held = guesses[document[where + skip : where + reach]](document)
                if held:
                    return at, held
        except LANE_ERRORS:
            return at, None
        return end, NOTHING

    def forget(self) -> None:
        """Forget what projections meant; called when the tables have forgotten what their signatures mean."""
        for memo in self._memos:
            memo.forget()

    def _first_look(self) -> Callable[[bytes], Held]:
        return self._generate(None, None, None)

    def _elsewhere(self, document: bytes, channel: str | None, event_id: int | str | None) -> Held:
        """Match a document whose routing values are not those of the lane that was guessed."""
        if channel is None or event_id is None:
            raise NotInLaneError
        key = (channel, event_id)
        lane = self._lanes.get(key)
        if lane is None:
            self._seen[key] += 1
            if self._seen[key] <= self._patience:
                raise NotInLaneError
            if len(self._lanes) >= _GUESS_LIMIT:
                self._lanes.clear()
                self._memos.clear()
                self._seen.clear()
                self.guesses.clear()
            lane = self._lanes[key] = self._generate(
                channel, event_id, self._route({"Channel": channel, "EventID": event_id})
            )
        at = document.find(self.needle) + len(self.needle)
        self.guesses[document[at : at + _GUESS_WIDTH]] = lane
        return lane(document)

    def _generate(
        self, channel: str | None, event_id: int | str | None, route: Route | None, *, remembers: bool = False
    ) -> Callable[[bytes], Held]:
        """Write the function of one lane."""
        root = Node()
        prefix = (self.wrapper,) if self.wrapper else ()
        types: dict[str, Any] = {}
        lines: list[str] = []
        reach = Reach(root, prefix, lines)
        eid_paths = paths(self.shape, "EventID")
        channel_at = reach.first(paths(self.shape, "Channel"))
        eid_at = reach.first(eid_paths)
        for path in eid_paths:
            types["r" + root.add((*prefix, *path))] = int | str | _Identifier | None
        for path in forbidden(self.shape, self.wrapper):
            types["r" + root.add(path)] = Any
            lines.append(f"if {reach.whole(path)} is not None: raise NotInLaneError")
        if self.shape == "event":
            # Another library's way to write attributes: only flattening knows it.
            provider = reach.object(("Event", "System", "Provider"))
            attributes = reach.object(("Event", "System", "Provider", "#attributes"))
            lines.append(f"if {provider} is not None and {attributes} is None: raise NotInLaneError")
        lines += [f"c = {channel_at}", f"i = {eid_at}", "if i.__class__ is Identifier: i = i.text"]
        names: dict[str, Any] = {
            "NotInLaneError": NotInLaneError,
            "Identifier": _Identifier,
            "NOTHING": NOTHING,
            "elsewhere": self._elsewhere,
            "CHANNEL": channel,
            "EVENT_ID": event_id,
        }
        if channel is None or event_id is None or route is None:
            lines.append("return elsewhere(document, c, i)")
            return _compile([], lines, names, root, types)
        lines.append(
            "if c != CHANNEL or i != EVENT_ID or i.__class__ is not EVENT_ID.__class__: "
            "return elsewhere(document, c, i)"
        )
        if is_sysmon(channel):
            # Without data of its own, it has what its message says: only flattening reads that.
            told = paths(self.shape, TOLD)
            for path in told:
                types["r" + root.add((*prefix, *path))] = Present | None
            lines.append(f"if {reach.first(told)} is None: raise NotInLaneError")
        first: list[str] = []
        answer = self._answer(route, reach, names, first)
        if answer is None:
            return _compile([], ["raise NotInLaneError"], names, root, types)
        if remembers:
            memo = names["memo"] = Projections()
            self._memos.append(memo)
            names["get"] = memo.get
            lines[:0] = ["found = get(r)", "if found is not None: return found"]
            lines.append(f"return memo.remember(r, {answer})")
        else:
            if not route.idle and not TEXTS.intersection(_sources(route)):
                names["judge"] = Trial(lambda: self._remember(channel, event_id, route)).judge
                lines.append("judge(r)")
            lines.append(f"return {answer}")
        return _compile(first, lines, names, root, types)

    def _remember(self, channel: str, event_id: int | str, route: Route) -> None:
        """Replace a lane, the events of which repeat themselves, by one that remembers them."""
        self._lanes[channel, event_id] = self._generate(channel, event_id, route, remembers=True)
        self.guesses.clear()

    def _answer(self, route: Route, reach: Reach, names: dict[str, Any], first: list[str]) -> str | None:
        """Return the expression for the rules of all parts, None where the plain way must be taken."""
        if route.idle:
            return "NOTHING"
        ruled_out = self._rule_out_keywords(route, names, first)
        answers: list[str | None] = []
        joint = route.joint
        if joint is not None:
            answers.append(self._together(joint, reach, names))
        for at, part in enumerate(route.parts):
            if not ruled_out.issuperset(test for _, test in part.table.keywords):
                return None
            if not part.keywords_alone and (joint is None or part not in joint.parts):
                answers.append(self._part(part, f"p{at}", reach, names))
        told = [answer for answer in answers if answer is not None]
        if len(told) < len(answers):
            return None
        names["merge"] = Held.merged
        return "NOTHING" if not told else told[0] if len(told) == 1 else f"merge(({', '.join(told)},))"

    def _rule_out_keywords(self, route: Route, names: dict[str, Any], first: list[str]) -> frozenset[Test]:
        """Add the line that turns documents with a keyword away; return the keywords that are ruled out."""
        wanted = {test for part in route.parts for _, test in part.table.keywords} - self._covered
        if not wanted:
            return self._covered
        gate = KeywordGate.over([sorted(wanted, key=repr)])
        if gate.covers:
            names["may_hold"] = gate.may_hold
            first.append("if may_hold(document): raise NotInLaneError")
        return self._covered | gate.covers

    def _part(self, part: Part, prefix: str, reach: Reach, names: dict[str, Any]) -> str | None:
        """Return the expression for the rules of one part, None when the projection cannot give it."""
        classes = self._classes(part.accessors, part.table.memos, prefix, reach, names)
        apart = self._apart(part, prefix, reach, names)
        if classes is None or apart is None:
            return None
        names[f"{prefix}s"] = part.table.signatures
        return f"{prefix}s[({''.join(f'{one}, ' for one in (*classes, *apart))})]"

    def _together(self, joint: Joint, reach: Reach, names: dict[str, Any]) -> str | None:
        """Do the same for the parts that are looked up together."""
        classes = self._classes(joint.accessors, joint.memos, "j", reach, names)
        for at, part in enumerate(joint.parts):
            apart = self._apart(part, f"j{at}", reach, names)
            if classes is None or apart is None:
                return None
            classes += apart
        names["js"] = joint.signatures
        return f"js[({''.join(f'{one}, ' for one in classes or ())})]"

    def _classes(
        self,
        accessors: Sequence[Accessor],
        memos: Sequence[Memo],
        prefix: str,
        reach: Reach,
        names: dict[str, Any],
    ) -> list[str] | None:
        """Return the expressions for the classes of values."""
        classes: list[str] = []
        for number, (accessor, memo) in enumerate(zip(accessors, memos, strict=True)):
            where = self._expression(accessor, reach, names)
            if where is None:
                return None
            name = f"{prefix}m{number}"
            if accessor.gathers:
                names[name] = memo.of_gathered
                classes.append(f"{name}({where})")
            elif TEXTS.isdisjoint(accessor.sources):
                names[name] = memo
                classes.append(f"{name}[{where}]")
            else:
                names[name] = memo.of_text
                classes.append(f"{name}({where})")
        return classes

    def _apart(self, part: Part, prefix: str, reach: Reach, names: dict[str, Any]) -> list[str] | None:
        """Return the expressions for the keywords of a part, which were ruled out, and for its pairs."""
        classes = ["0"] if part.table.keywords else []
        for number, ((_, test), (first, second)) in enumerate(zip(part.table.pairs, part.pairs, strict=True)):
            left, right = self._expression(first, reach, names), self._expression(second, reach, names)
            if left is None or right is None:
                return None
            names[f"{prefix}t{number}"] = test
            names["holds"] = holds
            classes.append(f"int(holds({prefix}t{number}, {left}, {right}))")
        return classes

    def _expression(self, accessor: Accessor, reach: Reach, names: dict[str, Any]) -> str | None:
        """Return the expression for a value, None when the projection cannot give it exactly."""
        needs = accessor.needs()
        if any("." in name or name == TOLD or not paths(self.shape, name) for name in needs):
            return None
        if not (accessor.gathers or accessor.values or any("{" in source for source in accessor.sources)):
            return reach.first([path for source in accessor.sources for path in paths(self.shape, source)])
        # Put together or translated: the accessor does it as for a decoded event, given what it needs.
        name = f"a{len(names)}"
        names[name] = accessor.get
        fetched = [f"{need!r}: {reach.first(paths(self.shape, need))}" for need in needs]
        return f"{name}({{{', '.join(fetched)}}})"


def _sources(route: Route) -> set[str]:
    """Return the names of all fields that the parts of a route look at."""
    return {source for part in route.parts for accessor in part.accessors for source in accessor.sources}


class _Guesses(dict[bytes, "Callable[[bytes], Held]"]):
    """Bytes after the needle to the lane that they last meant."""

    __slots__ = ("_unknown",)

    def __init__(self, unknown: Callable[[bytes], Held]) -> None:
        super().__init__()
        self._unknown = unknown

    def __missing__(self, key: bytes) -> Callable[[bytes], Held]:
        if len(self) >= _GUESS_LIMIT:
            self.clear()
        return self._unknown


def _compile(
    first: list[str], lines: list[str], names: dict[str, Any], root: Node, types: dict[str, Any]
) -> Callable[[bytes], Held]:
    """Make the function; the source holds generated names and quoted field names only."""
    names["decode"] = decoder(root, types)
    source = "\n    ".join(["def lane(document):", *first, "r = decode(document)", *lines])
    exec(compile(source, "<lane>", "exec"), names)  # noqa: S102 - see the docstring
    lane: Callable[[bytes], Held] = names["lane"]
    return lane
