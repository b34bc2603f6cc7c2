"""What a PDF holds that is not seen, or covers what is seen: signed all the same, and said to who verifies.

A signature covers bytes. Whoever prepares a shadow attack (Mainka, Mladenov, Rohlmann: NDSS 2021) puts
content into the file before it is signed that nobody sees then: on a layer that is off, in an annotation that
is hidden, below one that is white. Such content is often harmless, so it is a warning and no verdict:

- layers (optional content groups) that are off, or shown on a screen and left out on paper, or the reverse;
- annotations that are hidden, or not shown on a screen;
- annotations that are painted on a white ground.

Fields of forms are not looked at: hidden and white ones are in every second form. Neither are white areas of
the page itself, and white pictures. The document is not trusted; what is looked at is bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying._pdf_changes import pages_in, target_of
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["hidden_content"]

MOST_PAGES = 2_000
"""Pages whose annotations are looked at."""
MOST_ANNOTATIONS = 5_000
MOST_LAYERS = 200
MOST_SAID = 10
"""Names and numbers that one reason tells."""
_LARGEST_LOOK = 64 << 10
"""Bytes (compressed) of an appearance that is looked into."""
_HIDDEN, _NO_VIEW = 2, 32
_UNSEEN_ANYWAY = {"/Widget", "/Link", "/Popup"}
_ONE = rb"(?:1(?:\.0*)?)"
_WHITE = re.compile(
    rb"(?<![\w.])(?:%b\s+g|%b\s+%b\s+%b\s+rg|0\s+0\s+0\s+0\s+k)\s(?:[^Q]{0,400}?)\b(?:f\*?|F|B\*?|b\*?)(?:\s|$)"
    % (_ONE, _ONE, _ONE, _ONE)
)
_HINT = Message(N_("Look at the document with layers and comments turned off and on before you rely on it."))


def hidden_content(root: Any) -> Iterator[Reason]:
    """Yield a warning for each kind of unseen content of a document; ``root`` is its catalog (pyHanko)."""
    layers = _layers(root)
    if layers:
        said = Message(
            N_("The document has layers that are not shown, or not everywhere: {names}."), names=_few(layers)
        )
        yield Reason("hidden-layers", said, _HINT, "warning")
    hidden, white, whole = _annotations(root)
    if not whole:
        said = Message(
            N_("Hidden and white things were looked for on the first {pages} pages, or fewer."),
            pages=MOST_PAGES,
        )
        yield Reason("hidden-not-all-looked-at", said, _HINT, "warning")
    if hidden:
        said = Message(N_("Hidden things lie on these pages: {pages}."), pages=_few(hidden))
        yield Reason("hidden-annotations", said, _HINT, "warning")
    if white:
        said = Message(
            N_("Things with a white ground, which may cover content, lie on these pages: {pages}."),
            pages=_few(white),
        )
        yield Reason("covering-annotations", said, _HINT, "warning")


def _layers(root: Any) -> list[str]:
    """Return the names of the layers that the default configuration does not show everywhere."""
    properties = _dictionary(root, "/OCProperties")
    default = _dictionary(properties, "/D")
    every = _array(properties, "/OCGs")[:MOST_LAYERS]
    off = [_identity(one) for one in _array(default, "/OFF")[:MOST_LAYERS]]
    on = [_identity(one) for one in _array(default, "/ON")[:MOST_LAYERS]]
    base_off = _value(default, "/BaseState") == "/OFF"
    found = []
    for raw in every:
        group = _target(raw)
        shown = _identity(raw) in on if base_off else _identity(raw) not in off
        if not shown or _depends_on_use(group):
            found.append(str(_value(group, "/Name") or "?")[:60])
    return found


def _depends_on_use(group: Any) -> bool:
    """Return whether a layer has another state on a screen or on paper than it has otherwise."""
    usage = _dictionary(group, "/Usage")
    states = (
        _value(_dictionary(usage, "/View"), "/ViewState"),
        _value(_dictionary(usage, "/Print"), "/PrintState"),
    )
    return "/OFF" in states


def _annotations(root: Any) -> tuple[list[str], list[str], bool]:
    """Return the pages with hidden annotations, those with white ones, and whether these are all."""
    hidden: dict[str, None] = {}
    white: dict[str, None] = {}
    left = MOST_ANNOTATIONS
    pages = pages_in(root)
    for page in pages[:MOST_PAGES]:
        for raw in _array(page.page, "/Annots"):
            left -= 1
            if left < 0:
                return list(hidden), list(white), False
            annotation = _target(raw)
            if _value(annotation, "/Subtype") in {None, *_UNSEEN_ANYWAY}:
                continue
            flags = _value(annotation, "/F")
            if isinstance(flags, int) and flags & (_HIDDEN | _NO_VIEW):
                hidden[str(page.number)] = None
            elif _is_white(annotation):
                white[str(page.number)] = None
    return list(hidden), list(white), len(pages) <= MOST_PAGES


def _is_white(annotation: Any) -> bool:
    colours = [_value(one, None) for one in _array(annotation, "/IC")]
    if colours and all(isinstance(one, int | float) and one == 1 for one in colours) and len(colours) != 4:
        return True
    look = _dictionary(_dictionary(annotation, "/AP"), "/N")
    if not hasattr(look, "encoded_data") or len(look.encoded_data) > _LARGEST_LOOK:
        return False
    return _WHITE.search(look.data) is not None


def _target(raw: Any) -> Any:
    return target_of(raw) if hasattr(raw, "get_object") else raw


def _value(value: Any, key: str | None) -> Any:
    """Return the value of a dictionary's key, or (``key`` None) what ``value`` refers to; None without it."""
    from pyhanko.pdf_utils import generic

    if key is None:
        return _target(value)
    if not isinstance(value, generic.DictionaryObject) or key not in value:
        return None
    return _target(value.raw_get(key))


def _dictionary(value: Any, key: str) -> Any:
    """Return the dictionary of a key; None where there is none."""
    from pyhanko.pdf_utils import generic

    found = _value(value, key)
    return found if isinstance(found, generic.DictionaryObject) else None


def _array(value: Any, key: str) -> list[Any]:
    """Return the elements of an array as they stand there, references unresolved."""
    from pyhanko.pdf_utils import generic

    found = _value(value, key)
    if not isinstance(found, generic.ArrayObject):
        return []
    return [found.raw_get(index) for index in range(len(found))]


def _identity(raw: Any) -> object:
    return (raw.idnum, raw.generation) if hasattr(raw, "idnum") else id(raw)


def _few(names: list[str]) -> str:
    return ", ".join(names[:MOST_SAID]) + (" …" if len(names) > MOST_SAID else "")
