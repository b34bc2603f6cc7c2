"""Where the fields of events that are kept by column are: which columns, by the shape of all rows.

Whatever columns cannot tell exactly as the decoded event would is refused (``PlainWayError``): that event is
decoded and matched the plain way. Layouts are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.row_groups import Layout, Path

__all__ = ["ColumnShape", "PlainWayError"]


class PlainWayError(Exception):
    """The columns cannot say this exactly as the decoded event would."""


class ColumnShape:
    """How the fields of the events of a layout are found in its columns."""

    def __init__(self, layout: Layout) -> None:
        """Look at a layout; raise PlainWayError where its rows may differ in shape."""
        self._layout = layout
        self.name = _shape_of(layout)
        self._known: dict[str, tuple[Path, ...] | None] = {}

    def paths(self, name: str) -> tuple[Path, ...]:
        """Return the columns of a field, the first that is not null counts; raise PlainWayError."""
        if name not in self._known:
            try:
                self._known[name] = tuple(dict.fromkeys(self._find(name)))
            except PlainWayError:
                self._known[name] = None
        found = self._known[name]
        if found is None:
            raise PlainWayError
        return found

    def _find(self, name: str) -> Iterator[Path]:
        if self.name in {"", "flat"}:
            yield from self._descend((), name)
            if self.name == "flat" and name == "Provider_Name":
                yield from self._descend((), "SourceName")
            return
        places = shapes.paths(self.name, name)
        if not places:
            raise PlainWayError
        for path in places:
            if path in self._layout.structures:
                raise PlainWayError
            if path in self._layout.leaves:
                yield path
        # A name with dots may lead into an object of the event's data.
        for at, letter in enumerate(name):
            if letter == "." and any(self._leads_on(path) for path in shapes.paths(self.name, name[:at])):
                raise PlainWayError

    def _leads_on(self, path: Path) -> bool:
        return path in self._layout.structures or _is_nested(self._layout.leaves.get(path))

    def _descend(self, node: Path, name: str) -> Iterator[Path]:
        """Follow ``semantics.lookup``: the name as it is, else descending at the dots."""
        whole = (*node, name)
        if whole in self._layout.structures:
            raise PlainWayError
        if whole in self._layout.leaves:
            yield whole
        for at, letter in enumerate(name):
            if letter == ".":
                child = (*node, name[:at])
                if child in self._layout.structures:
                    yield from self._descend(child, name[at + 1 :])
                elif _is_nested(self._layout.leaves.get(child)):
                    raise PlainWayError


def _is_nested(kind: Any) -> bool:
    if kind is None:
        return False
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


_OTHERS = (
    ("EventCode",),
    ("log_name", "event_id"),
    ("LogName", "Id", "ProviderName"),
    ("EventId", "Channel", "Payload"),
    ("category", "properties"),
    ("winlog.event_id",),
    ("winlog.channel",),
    ("EventLog", "EventID", "Source"),
)
"""Members by which shapes are known whose fields columns do not tell."""


_INSIDE = {("System",), ("data", "win"), ("win", "system"), *shapes.INNER}
"""Objects in which the event itself may be."""


def _shape_of(layout: Layout) -> str:
    """Return the Windows shape of all rows that have one, "" for none; raise where rows may differ."""
    tops = {path[0] for path in (*layout.leaves, *layout.structures)}
    if shapes.may_be_wrapped(tops) or any(tops.issuperset(names) for names in _OTHERS):
        raise PlainWayError
    if not layout.structures.isdisjoint(_INSIDE) or any(
        _is_nested(layout.leaves.get((path[0],))) for path in _INSIDE
    ):
        raise PlainWayError
    found = [
        name
        for name, has in (
            ("event", ("Event", "System") in layout.structures),
            ("winlogbeat", ("winlog",) in layout.structures),
        )
        if has
    ]
    if ("Event",) in layout.leaves or ("winlog",) in layout.leaves or len(found) > 1:
        raise PlainWayError
    if found:
        if found[0] == "event":
            _check_attributes(layout)
        return found[0]
    if "EventID" not in tops:
        return ""
    if ("EventID",) in layout.structures or _is_nested(layout.leaves[("EventID",)]) or "EventData" in tops:
        raise PlainWayError
    return "flat"


def _check_attributes(layout: Layout) -> None:
    """Refuse another library's way to write the attributes of the system part."""
    for path in layout.under(("Event", "System")):
        if path in layout.structures and layout.under(path) != [(*path, "#attributes")]:
            raise PlainWayError
