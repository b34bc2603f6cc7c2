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

from typing import TYPE_CHECKING, Any

import msgspec

from haidang.detect.semantics import holds
from haidang.events.rendered import is_sysmon
from haidang.events.shapes import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.routes import Part, Route
    from haidang.sigma.ir import Test

__all__ = ["NEEDLES", "LaneSet", "NotInLaneError"]

Found = tuple[int, ...]
Scalar = str | int | None

NEEDLES = {"flat": b'"EventID":', "event": b'"EventID":', "winlogbeat": b'"event_id":'}
"""Shape to the bytes before the value that tells the routes apart best."""

_GUESS_WIDTH = 6
_GUESS_LIMIT = 4096
_FORBIDDEN = {
    "event": (("Event", "UserData"), ("Event", "ProcessingErrorData"), ("Event", "RenderingInfo")),
    "winlogbeat": (("winlog", "user_data"),),
    "flat": (),
}
"""Parts that flattening merges in: a document that has one is flattened."""


class NotInLaneError(Exception):
    """This document must go the plain way."""


class _Identifier(msgspec.Struct, rename={"text": "#text"}):
    """An EventID with attributes."""

    text: int | str | None = None


class _Node:
    """One object of the projection: its members by key, each a leaf or a further object."""

    def __init__(self) -> None:
        self.members: dict[str, tuple[str, _Node | None]] = {}

    def add(self, path: Sequence[str], *, opens: bool = False) -> str:
        """Add a path; return the expression suffix that reaches it, e.g. ``.k0.k3``.

        ``opens`` says that the path itself leads to an object.
        """
        key, rest = path[0], path[1:]
        name, node = self.members.get(key, (f"k{len(self.members)}", None))
        if (rest or opens) and node is None:
            node = _Node()
        self.members[key] = (name, node)
        if not rest or node is None:
            return f".{name}"
        return f".{name}{node.add(rest, opens=opens)}"

    def build(self, leaf_types: dict[str, Any], at: str) -> Any:
        """Return the msgspec struct type of this object."""
        fields: list[tuple[str, Any, Any]] = []
        for name, node in self.members.values():
            suffix = f"{at}.{name}"
            if node is None:
                fields.append((name, leaf_types.get(suffix, Scalar), None))
            else:
                inner = node.build(leaf_types, suffix)
                fields.append((name, inner | None, None))
        rename = {name: key for key, (name, _) in self.members.items()}
        return msgspec.defstruct("Projection", fields, rename=rename, gc=False)


class LaneSet:
    """All lanes of one shape (inside one wrapper), built as documents of new routes come.

    ``route`` gives the route of routing values; ``route_by`` are the routing fields: lanes exist for
    origins routed by Channel and EventID.
    """

    def __init__(
        self, shape: str, wrapper: str, route: Callable[[dict[str, Any]], Route], covered: frozenset[Test]
    ) -> None:
        """Start with no lane but the one that only reads the routing fields.

        ``covered`` are the keywords that the caller rules out before a document comes here.
        """
        self.shape = shape
        self.wrapper = wrapper
        self.needle = NEEDLES[shape]
        self._route = route
        self._covered = covered
        self._lanes: dict[tuple[str, int | str], Callable[[bytes], Found]] = {}
        self.guesses = _Guesses(self._first_look())
        self.match = self._matcher()
        """Matches one document; raises when it must go the plain way."""

    def _matcher(self) -> Callable[[bytes], Found]:
        """Return the function that matches one document; it raises when the plain way must be taken."""
        guesses, needle = self.guesses, self.needle
        skip = len(needle)
        end = skip + _GUESS_WIDTH

        def match(document: bytes) -> Found:
            at = document.find(needle)
            return guesses[document[at + skip : at + end]](document)

        return match

    def _first_look(self) -> Callable[[bytes], Found]:
        return self._generate(None, None, None)

    def _elsewhere(self, document: bytes, channel: str | None, event_id: int | str | None) -> Found:
        """Match a document whose routing values are not those of the lane that was guessed."""
        if channel is None or event_id is None:
            raise NotInLaneError
        key = (channel, event_id)
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= _GUESS_LIMIT:
                self._lanes.clear()
                self.guesses.clear()
            lane = self._lanes[key] = self._generate(
                channel, event_id, self._route({"Channel": channel, "EventID": event_id})
            )
        at = document.find(self.needle) + len(self.needle)
        self.guesses[document[at : at + _GUESS_WIDTH]] = lane
        return lane(document)

    def _generate(
        self, channel: str | None, event_id: int | str | None, route: Route | None
    ) -> Callable[[bytes], Found]:
        """Write the function of one lane."""
        root = _Node()
        prefix = (self.wrapper,) if self.wrapper else ()
        types: dict[str, Any] = {}
        lines: list[str] = []
        reach = _Reach(root, prefix, lines)
        eid_paths = paths(self.shape, "EventID")
        channel_at = reach.first(paths(self.shape, "Channel"))
        eid_at = reach.first(eid_paths)
        for path in eid_paths:
            types["r" + root.add((*prefix, *path))] = int | str | _Identifier | None
        for path in _FORBIDDEN[self.shape]:
            types["r" + root.add((*prefix, *path))] = Any
            lines.append(f"if {reach.one(path)} is not None: raise NotInLaneError")
        if self.shape == "event":
            # Another library's way to write attributes: only flattening knows it.
            provider = reach.object(("Event", "System", "Provider"))
            attributes = reach.object(("Event", "System", "Provider", "#attributes"))
            lines.append(f"if {provider} is not None and {attributes} is None: raise NotInLaneError")
        lines += [f"c = {channel_at}", f"i = {eid_at}", "if i.__class__ is Identifier: i = i.text"]
        names: dict[str, Any] = {
            "NotInLaneError": NotInLaneError,
            "Identifier": _Identifier,
            "elsewhere": self._elsewhere,
            "CHANNEL": channel,
            "EVENT_ID": event_id,
        }
        if route is None:
            lines.append("return elsewhere(document, c, i)")
        else:
            lines.append(
                "if c != CHANNEL or i != EVENT_ID or i.__class__ is not EVENT_ID.__class__: "
                "return elsewhere(document, c, i)"
            )
            if is_sysmon(channel):
                # Without data of its own, it has what its message says: only flattening reads that.
                lines.append(f"if {reach.first(paths(self.shape, 'UtcTime'))} is None: raise NotInLaneError")
            lines.extend(self._answer(route, reach, names))
        return _compile(lines, names, root, types)

    def _answer(self, route: Route, reach: _Reach, names: dict[str, Any]) -> list[str]:
        """Return the lines that look the signature up."""
        if route.idle:
            return ["return ()"]
        before = len(reach.lines)
        answers: list[str] = []
        for at, part in enumerate(route.parts):
            if self._is_ruled_out(part):
                continue
            answer = self._part(part, f"p{at}", reach, names)
            if answer is None:
                del reach.lines[before:]
                return ["raise NotInLaneError"]
            answers.append(answer)
        if not answers:
            return ["return ()"]
        if len(answers) == 1:
            return [f"return {answers[0]}"]
        names["merge"] = _merge
        return [f"return merge(({', '.join(answers)},))"]

    def _is_ruled_out(self, part: Part) -> bool:
        """Return whether a part looks for nothing but keywords that are ruled out already."""
        table = part.table
        covered = self._covered.issuperset(test for _, test in table.keywords)
        return (
            bool(table.keywords)
            and covered
            and not table.fields
            and not table.pairs
            and not table.signatures[(0,)]
        )

    def _part(self, part: Part, prefix: str, reach: _Reach, names: dict[str, Any]) -> str | None:
        """Return the expression for the rules of one part, None when the projection cannot give it."""
        if not self._covered.issuperset(test for _, test in part.table.keywords):
            return None
        classes: list[str] = []
        for number, (accessor, memo) in enumerate(zip(part.accessors, part.table.memos, strict=True)):
            where = self._expression(accessor, reach, names)
            if where is None:
                return None
            names[f"{prefix}m{number}"] = memo
            classes.append(f"{prefix}m{number}[{where}]")
        if part.table.keywords:
            classes.append("0")
        for number, ((_, test), (first, second)) in enumerate(zip(part.table.pairs, part.pairs, strict=True)):
            left, right = self._expression(first, reach, names), self._expression(second, reach, names)
            if left is None or right is None:
                return None
            names[f"{prefix}t{number}"] = test
            names["holds"] = holds
            classes.append(f"int(holds({prefix}t{number}, {left}, {right}))")
        names[f"{prefix}s"] = part.table.signatures
        return f"{prefix}s[({''.join(f'{one}, ' for one in classes)})]"

    def _expression(self, accessor: Accessor, reach: _Reach, names: dict[str, Any]) -> str | None:
        """Return the expression for a value, None when the projection cannot give it exactly."""
        needs = accessor.needs()
        if any("." in name or not paths(self.shape, name) for name in needs):
            return None
        if not accessor.values and not any("{" in source for source in accessor.sources):
            return reach.first([path for source in accessor.sources for path in paths(self.shape, source)])
        # Put together or translated: the accessor does it as for a decoded event, given what it needs.
        name = f"a{len(names)}"
        names[name] = accessor.get
        fetched = [f"{need!r}: {reach.first(paths(self.shape, need))}" for need in needs]
        return f"{name}({{{', '.join(fetched)}}})"


def _merge(answers: tuple[Found, ...]) -> Found:
    """Join the rules of several parts; nearly always all are empty."""
    found: Found = ()
    for answer in answers:
        if answer:
            found = tuple(sorted({*found, *answer})) if found else answer
    return found


class _Guesses(dict[bytes, "Callable[[bytes], Found]"]):
    """Bytes after the needle to the lane that they last meant."""

    __slots__ = ("_unknown",)

    def __init__(self, unknown: Callable[[bytes], Found]) -> None:
        super().__init__()
        self._unknown = unknown

    def __missing__(self, key: bytes) -> Callable[[bytes], Found]:
        if len(self) >= _GUESS_LIMIT:
            self.clear()
        return self._unknown


class _Reach:
    """Expressions that reach into the projection; nested objects are fetched once into a local name."""

    def __init__(self, root: _Node, prefix: tuple[str, ...], lines: list[str]) -> None:
        self._root = root
        self._prefix = prefix
        self.lines = lines
        self._objects: dict[tuple[str, ...], str] = {(): "r"}

    def one(self, path: Sequence[str]) -> str:
        """Return the expression for the value at ``path``."""
        whole = (*self._prefix, *path)
        suffix = self._root.add(whole)
        attribute = suffix.rpartition(".")[2]
        holder = self._object(whole[:-1])
        return (
            f"{holder}.{attribute}"
            if holder == "r"
            else f"({holder}.{attribute} if {holder} is not None else None)"
        )

    def first(self, places: Sequence[Sequence[str]]) -> str:
        """Return the expression for the first of several places that is not null."""
        expressions = [self.one(path) for path in places]
        found = expressions.pop()
        for at, expression in enumerate(reversed(expressions)):
            name = f"v{len(self.lines)}_{at}"
            found = f"({name} if ({name} := {expression}) is not None else {found})"
        return found

    def object(self, path: tuple[str, ...]) -> str:
        """Return the local name of the object at ``path``; it must hold at least one member."""
        return self._object((*self._prefix, *path))

    def _object(self, path: tuple[str, ...]) -> str:
        known = self._objects.get(path)
        if known is not None:
            return known
        holder = self._object(path[:-1])
        name = f"o{len(self._objects)}"
        attribute = self._root.add(path, opens=True).rpartition(".")[2]
        value = f"{holder}.{attribute}"
        self.lines.append(
            f"{name} = {value}" if holder == "r" else f"{name} = {value} if {holder} is not None else None"
        )
        self._objects[path] = name
        return name


def _compile(
    lines: list[str], names: dict[str, Any], root: _Node, types: dict[str, Any]
) -> Callable[[bytes], Found]:
    """Make the function; the source holds generated names and quoted field names only."""
    names["decode"] = msgspec.json.Decoder(root.build(types, "r")).decode
    source = "\n    ".join(["def lane(document):", "r = decode(document)", *lines])
    exec(compile(source, "<lane>", "exec"), names)  # noqa: S102 - see the docstring
    lane: Callable[[bytes], Found] = names["lane"]
    return lane
