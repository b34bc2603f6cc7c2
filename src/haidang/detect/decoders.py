"""The projection of a document: what a lane decodes of it, as a tree that becomes a msgspec structure.

``Node`` gathers the paths that are wanted; ``Reach`` gives the expressions that reach into what was decoded,
for the source of a generated function. Keys come from logsource maps and rules, and are never part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Node", "Present", "Reach", "decoder"]

Scalar = str | int | None


class Present:
    """A value of which nothing counts but that it is there.

    The time of an event never repeats itself, and what lanes remember as a whole must.
    """


_PRESENT = Present()


def _as_present(_type: type, _value: Any) -> Present:
    """Decode a value of which nothing counts but that it is there."""
    return _PRESENT


class Node:
    """One object of the projection: its members by key, each a leaf or a further object."""

    def __init__(self) -> None:
        """Start without members."""
        self.members: dict[str, tuple[str, Node | None]] = {}

    def add(self, path: Sequence[str], *, opens: bool = False) -> str:
        """Add a path; return the expression suffix that reaches it, e.g. ``.k0.k3``.

        ``opens`` says that the path itself leads to an object.
        """
        key, rest = path[0], path[1:]
        name, node = self.members.get(key, (f"k{len(self.members)}", None))
        if (rest or opens) and node is None:
            node = Node()
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
        # Equal and frozen, so that a projection can be looked up as a whole.
        return msgspec.defstruct("Projection", fields, rename=rename, gc=False, frozen=True)


class Reach:
    """Expressions that reach into the projection; nested objects are fetched once into a local name."""

    def __init__(self, root: Node, prefix: tuple[str, ...], lines: list[str]) -> None:
        """Reach into ``root``, inside the wrapper ``prefix``; what is fetched first goes to ``lines``."""
        self._root = root
        self._prefix = prefix
        self.lines = lines
        self._objects: dict[tuple[str, ...], str] = {(): "r"}

    def one(self, path: Sequence[str]) -> str:
        """Return the expression for the value at ``path``."""
        return self.whole((*self._prefix, *path))

    def whole(self, whole: tuple[str, ...]) -> str:
        """Return the expression for the value at a path from the top of the document."""
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


def decoder(root: Node, types: dict[str, Any]) -> Callable[[bytes], Any]:
    """Return what decodes the wanted parts of a document; ``types`` are of leaves that are no scalars."""
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(root.build(types, "r"), dec_hook=_as_present).decode
    return decode
