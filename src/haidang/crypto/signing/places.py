"""Where on a page a seal goes: a corner, or a box.

A corner is one of the page as it is seen, whatever its coordinates and its turn. A seal does not lie on another
one: it goes below it, or above it at the bottom. A box is in the page's own coordinates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

from haidang.errors import SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CORNERS", "Corner", "CornerName", "PageBox", "Place", "Spot", "place_on"]

CornerName: TypeAlias = Literal["top-right", "top-left", "bottom-right", "bottom-left"]
CORNERS: tuple[CornerName, ...] = get_args(CornerName)

_FROM_SIDE = 42.0
"""Points between a seal and the side of the page: 15 mm, the margin of the decree."""
_FROM_EDGE = 14.0
"""Points between a seal and the upper or lower edge: the heading begins at 20 mm."""
_BETWEEN = 4.0
_SMALLEST = 20.0
"""Points; a smaller seal cannot be read."""


class Corner(NamedTuple):
    """A corner of a page as it is seen."""

    name: CornerName = "top-right"
    page: int = 1
    """Number of the page; -1 is the last one."""
    width: float = 200
    """Points."""
    height: float = 40


class PageBox(NamedTuple):
    """A box in a page's own coordinates, in points."""

    page: int
    """Number of the page; -1 is the last one."""
    left: float
    bottom: float
    right: float
    top: float


Place: TypeAlias = Corner | PageBox

_Box: TypeAlias = tuple[float, float, float, float]


class Spot(NamedTuple):
    """Where a seal goes on the page itself."""

    page: int
    """Index of the page, from 0."""
    box: _Box
    """Left, bottom, right, top."""
    width: float
    """As it is seen."""
    height: float
    turned: int
    """Degrees by which the page is turned clockwise when it is shown: 0, 90, 180 or 270."""


def place_on(reader: Any, place: Place) -> Spot:
    """Return where ``place`` is in the document of ``reader``.

    Raises:
        SigningError: There is no such page, or the place is not on it.
    """
    index = _index(reader, place.page)
    page = reader.find_page_for_modification(index)[0].get_object()
    limits = _limits(page)
    turned = _turn(page)
    if isinstance(place, PageBox):
        box = (place.left, place.bottom, place.right, place.top)
    else:
        box = _in_corner(place, limits, turned, list(_taken(page)))
    width, height = box[2] - box[0], box[3] - box[1]
    inside = limits[0] <= box[0] and limits[1] <= box[1] and box[2] <= limits[2] and box[3] <= limits[3]
    if min(width, height) < _SMALLEST or not inside:
        raise SigningError(
            N_("The place for the seal is not on page {page}, or too small: {box}."),
            hint=N_("The page reaches from {limits}. A seal is at least 20 points high and wide."),
            page=index + 1,
            box=_said(box),
            limits=_said(limits),
        )
    if turned % 180:
        width, height = height, width
    return Spot(index, box, width, height, turned)


def _index(reader: Any, number: int) -> int:
    count = int(reader.root["/Pages"]["/Count"])
    index = count + number if number < 0 else number - 1
    if not 0 <= index < count:
        raise SigningError(
            N_("There is no page {page}: the document has {count}."),
            hint=N_("Name another page; -1 is the last one."),
            page=number,
            count=count,
        )
    return index


def _limits(page: Any) -> _Box:
    """Return the part of the page that is seen."""
    found = _inherited(page, "/CropBox") or _inherited(page, "/MediaBox") or (0, 0, 612, 792)
    x1, y1, x2, y2 = (float(one) for one in found)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _turn(page: Any) -> int:
    turned = int(_inherited(page, "/Rotate") or 0) % 360
    return turned if turned % 90 == 0 else 0


def _inherited(page: Any, key: str) -> Any:
    from pyhanko.pdf_utils.generic import NullObject

    node = page
    for _ in range(50):
        if key in node and not isinstance(node[key], NullObject):
            return node[key]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    return None


def _in_corner(corner: Corner, limits: _Box, turned: int, taken: list[_Box]) -> _Box:
    seen = _as_seen(limits, limits, turned)
    wide, high = seen[2] - seen[0], seen[3] - seen[1]
    vertical, _, horizontal = corner.name.partition("-")
    left = wide - _FROM_SIDE - corner.width if horizontal == "right" else _FROM_SIDE
    left = max(0.0, min(left, wide - corner.width))
    bottom = high - _FROM_EDGE - corner.height if vertical == "top" else _FROM_EDGE
    others = [_as_seen(one, limits, turned) for one in taken]
    step = -(corner.height + _BETWEEN) if vertical == "top" else corner.height + _BETWEEN
    while any(_overlap((left, bottom, left + corner.width, bottom + corner.height), one) for one in others):
        bottom += step
    return _on_page((left, bottom, left + corner.width, bottom + corner.height), limits, turned)


def _taken(page: Any) -> Iterator[_Box]:
    """Yield where fields and seals lie on the page already."""
    for raw in list(page.get("/Annots", ()))[:1000]:
        annotation = raw.get_object()
        try:
            x1, y1, x2, y2 = (float(one) for one in annotation["/Rect"])
        except (KeyError, TypeError, ValueError):
            continue
        if annotation.get("/Subtype") == "/Widget" and x1 != x2 and y1 != y2:
            yield min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _as_seen(box: _Box, limits: _Box, turned: int) -> _Box:
    """Return a box of the page in the coordinates in which it is seen, from 0, 0 at the lower left."""
    wide, high = limits[2] - limits[0], limits[3] - limits[1]
    x1, y1, x2, y2 = box[0] - limits[0], box[1] - limits[1], box[2] - limits[0], box[3] - limits[1]
    if turned == 90:
        return y1, wide - x2, y2, wide - x1
    if turned == 180:
        return wide - x2, high - y2, wide - x1, high - y1
    if turned == 270:
        return high - y2, x1, high - y1, x2
    return x1, y1, x2, y2


def _on_page(seen: _Box, limits: _Box, turned: int) -> _Box:
    """Return a box that is seen in the coordinates of the page: the way back of :func:`_as_seen`."""
    wide, high = limits[2] - limits[0], limits[3] - limits[1]
    x1, y1, x2, y2 = seen
    if turned == 90:
        x1, y1, x2, y2 = wide - y2, x1, wide - y1, x2
    elif turned == 180:
        x1, y1, x2, y2 = wide - x2, high - y2, wide - x1, high - y1
    elif turned == 270:
        x1, y1, x2, y2 = y1, high - x2, y2, high - x1
    return x1 + limits[0], y1 + limits[1], x2 + limits[0], y2 + limits[1]


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _said(box: _Box) -> str:
    return ", ".join(f"{one:g}" for one in box)
