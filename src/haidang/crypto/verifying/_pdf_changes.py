"""What changed in a PDF after a signature, in words: pages, letters, pictures, comments, fields, actions.

Whether a change is allowed is pyHanko's judgement (its policy knows what filling in a form, signing again and
keeping evidence look like, and nothing else). Here is said what it was, by comparing the document as it was
signed with the document as it is; and, where the change has the form of a known attack, that it has:

- hide: something that lay over the content was taken away, so that other content appears;
- replace: letters or the look of a field were exchanged, so that the same text reads otherwise;
- hide and replace: content that was in the file when it was signed, but not seen, took the place of what was
  seen.

(Mainka, Mladenov, Rohlmann: Shadow Attacks, NDSS 2021.)
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Difference", "differences", "pages_in", "target_of"]

MOST_PAGES = 5_000
"""How many pages are compared."""
MOST_OBJECTS = 20_000
"""How many objects one comparison looks at."""
MOST_SAID = 20
"""How many differences are said; more are counted."""
LONGEST_VALUE = 80
"""Letters of the value of a field that are shown."""
_DEEPEST = 60
_BACKWARDS = frozenset(
    {"/Parent", "/P", "/Prev", "/Popup", "/IRT", "/StructParent", "/StructParents", "/Dest"}
)
_WORDS: dict[str, str] = {
    "/OpenAction": N_("what is done when the document is opened"),
    "/AA": N_("what the document does by itself"),
    "/Names": N_("names, scripts and attachments"),
    "/OCProperties": N_("layers that can be hidden"),
    "/PageLabels": N_("page numbers"),
    "/Outlines": N_("bookmarks"),
}


class Difference(NamedTuple):
    """One thing that is otherwise than it was when it was signed."""

    code: str
    message: Message
    attack: str = ""
    """``hide``, ``replace`` or ``hide-and-replace``, where it has that form."""

    def reason(self, *, allowed: bool) -> Reason:
        """Return it as a reason: a warning where the signature allows it, an error where not."""
        return Reason(self.code, self.message, severity="warning" if allowed else "error")


class _Prints:
    """Digests of objects with all that they refer to, each taken once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bytes] = {}
        self._open: set[tuple[int, int]] = set()
        self._count = 0

    def of(self, value: Any, depth: int = 0) -> bytes:
        """Return a digest of ``value``; cycles and what lies too deep count as nothing."""
        from pyhanko.pdf_utils import generic

        self._count += 1
        if depth > _DEEPEST or self._count > MOST_OBJECTS:
            return b"..."
        if isinstance(value, generic.DecryptedObjectProxy):
            value = value.decrypted
        if isinstance(value, generic.IndirectObject):
            return self._of_reference(value, depth)
        digest = hashlib.sha256(type(value).__name__.encode())
        if isinstance(value, generic.DictionaryObject):
            for key in sorted(value):
                if key not in _BACKWARDS:
                    digest.update(key.encode() + b"=" + self.of(value.raw_get(key), depth + 1))
            if isinstance(value, generic.StreamObject):
                digest.update(value.encoded_data)
        elif isinstance(value, generic.ArrayObject):
            for index in range(len(value)):
                digest.update(self.of(value.raw_get(index), depth + 1))
        else:
            digest.update(repr(value).encode())
        return digest.digest()

    def _of_reference(self, value: Any, depth: int) -> bytes:
        key = (value.idnum, value.generation)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            return b"cycle"
        self._open.add(key)
        found = self.of(target_of(value), depth + 1)
        self._open.discard(key)
        self._known[key] = found
        return found


class _Page(NamedTuple):
    number: int
    identity: tuple[int, int]
    page: Any


class _View(NamedTuple):
    """One revision of the document."""

    root: Any
    root_identity: tuple[int, int]
    prints: _Prints


def differences(reader: Any, signed_revision: int, signed_bytes: int) -> list[Difference]:
    """Return what differs between the revision that was signed and the last one.

    Args:
        reader: of the document.
        signed_revision: the revision that the signature is in.
        signed_bytes: how many bytes of the file the signature covers, itself included.
    """
    last = reader.xrefs.total_revisions - 1
    if last <= signed_revision:
        return []
    old, new = (_view(reader, revision) for revision in (signed_revision, last))
    prepared = _prepared(reader, signed_revision, signed_bytes)
    found = list(_compare(old, new))
    if old.root_identity != new.root_identity or prepared:
        found.insert(
            0,
            Difference(
                "hidden-content-shown",
                Message(
                    N_("Content that was hidden when the file was signed is shown instead of other content.")
                ),
                "hide-and-replace",
            ),
        )
    return _bounded(found)


def _view(reader: Any, revision: int) -> _View:
    resolver = reader.get_historical_resolver(revision)
    reference = resolver.root_ref
    return _View(resolver.get_object(reference), (reference.idnum, reference.generation), _Prints())


def _prepared(reader: Any, signed_revision: int, signed_bytes: int) -> bool:
    """Return whether a later table names an object that lies in the signed part of the file."""
    for revision in range(signed_revision + 1, reader.xrefs.total_revisions):
        for reference in reader.xrefs.explicit_refs_in_revision(revision):
            now = reader.xrefs.get_historical_ref(reference, revision)
            if isinstance(now, int) and now < signed_bytes:
                before = reader.xrefs.get_historical_ref(reference, signed_revision)
                if before != now:
                    return True
    return False


def _compare(old: _View, new: _View) -> Iterator[Difference]:
    before, after = pages_in(old.root), pages_in(new.root)
    if len(after) > len(before):
        yield Difference(
            "page-added", Message(N_("Pages were added: {count}."), count=len(after) - len(before))
        )
    if len(after) < len(before):
        yield Difference(
            "page-removed", Message(N_("Pages were taken out: {count}."), count=len(before) - len(after))
        )
    for one, other in zip(before, after, strict=False):
        yield from _compare_pages(one, other, old.prints, new.prints)
    yield from _compare_fields(old, new)
    for key, words in _WORDS.items():
        if _print(old.root, key, old.prints) != _print(new.root, key, new.prints):
            yield Difference("document-changed", Message(N_("Changed: {what}."), what=Message(words)))


def _compare_pages(one: _Page, other: _Page, old: _Prints, new: _Prints) -> Iterator[Difference]:
    number = one.number

    def differs(*path: str) -> bool:
        return _print(one.page, path, old) != _print(other.page, path, new)

    if differs("/Contents"):
        yield Difference(
            "page-content-changed", Message(N_("The content of page {page} was changed."), page=number)
        )
    if any(differs(key) for key in ("/MediaBox", "/CropBox", "/Rotate")):
        yield Difference("page-size-changed", Message(N_("Page {page} was cut or turned."), page=number))
    if differs("/Resources", "/Font"):
        yield Difference(
            "page-fonts-changed",
            Message(N_("The letters of page {page} were exchanged."), page=number),
            "replace",
        )
    if differs("/Resources", "/XObject"):
        yield Difference(
            "page-pictures-changed",
            Message(N_("Pictures of page {page} were exchanged."), page=number),
            "hide",
        )
    yield from _compare_annotations(one, other, old, new)


def _compare_annotations(one: _Page, other: _Page, old: _Prints, new: _Prints) -> Iterator[Difference]:
    before, after = _annotations(one.page, old), _annotations(other.page, new)
    for identity, digest in before.items():
        if identity not in after:
            yield Difference(
                "annotation-removed",
                Message(N_("Something that lay on page {page} was taken away."), page=one.number),
                "hide",
            )
        elif digest != after[identity]:
            yield Difference(
                "annotation-changed",
                Message(N_("Something that lies on page {page} was changed."), page=one.number),
                "replace",
            )
    for _ in set(after) - set(before):
        yield Difference(
            "annotation-added", Message(N_("Something was laid on page {page}."), page=one.number)
        )


def _annotations(page: Any, prints: _Prints) -> dict[tuple[int, int], bytes]:
    """Return what lies on a page and is no field of the form."""
    from pyhanko.pdf_utils import generic

    found: dict[tuple[int, int], bytes] = {}
    try:
        array = page["/Annots"]
    except KeyError:
        return found
    if not isinstance(array, generic.ArrayObject):
        return found
    for index in range(min(len(array), MOST_PAGES)):
        raw = array.raw_get(index)
        annotation = target_of(raw)
        if isinstance(annotation, generic.DictionaryObject) and annotation.get("/Subtype") != "/Widget":
            identity = (raw.idnum, raw.generation) if isinstance(raw, generic.IndirectObject) else (-1, index)
            found[identity] = prints.of(raw)
    return found


def _compare_fields(old: _View, new: _View) -> Iterator[Difference]:
    before, after = dict(_fields(old.root)), dict(_fields(new.root))
    for name, field in after.items():
        if _text(field, "/FT") == "/Sig":
            continue
        if name not in before:
            yield Difference("field-added", Message(N_("The field {field} was added."), field=name))
            continue
        was, now = _text(before[name], "/V"), _text(field, "/V")
        if was != now:
            yield Difference(
                "field-filled",
                Message(
                    N_("The field {field} was changed from “{before}” to “{after}”."),
                    field=name, before=was, after=now,
                ),
            )  # fmt: skip
        elif _print(before[name], "/AP", old.prints) != _print(field, "/AP", new.prints):
            yield Difference(
                "field-look-changed",
                Message(
                    N_("The look of the field {field} was exchanged, and its value was not."), field=name
                ),
                "replace",
            )
    for name in set(before) - set(after):
        yield Difference("field-removed", Message(N_("The field {field} was taken out."), field=name))


def _fields(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field of the form with its full name; cycles are walked once."""
    from pyhanko.pdf_utils import generic

    try:
        waiting = [("", root["/AcroForm"]["/Fields"])]
    except KeyError:
        return
    seen: set[tuple[int, int]] = set()
    while waiting:
        prefix, array = waiting.pop()
        if not isinstance(array, generic.ArrayObject):
            continue
        for index in range(len(array)):
            raw = array.raw_get(index)
            if isinstance(raw, generic.IndirectObject):
                identity = (raw.idnum, raw.generation)
                if identity in seen or len(seen) > MOST_PAGES:
                    continue
                seen.add(identity)
            field = target_of(raw)
            if not isinstance(field, generic.DictionaryObject):
                continue
            name = f"{prefix}{_text(field, '/T')}"
            if "/T" in field:
                yield name, field
            if "/Kids" in field:
                waiting.append((f"{name}.", field["/Kids"]))


def pages_in(root: Any) -> list[_Page]:
    """Return the pages in their order; a tree with cycles is walked once."""
    from pyhanko.pdf_utils import generic

    found: list[_Page] = []
    seen: set[tuple[int, int]] = set()
    try:
        waiting = [root.raw_get("/Pages")]
    except KeyError:
        return found
    while waiting and len(found) < MOST_PAGES:
        raw = waiting.pop()
        node = target_of(raw)
        identity = (raw.idnum, raw.generation) if isinstance(raw, generic.IndirectObject) else (-1, -1)
        if identity in seen or not isinstance(node, generic.DictionaryObject):
            continue
        seen.add(identity)
        kids = node.get("/Kids")
        if isinstance(kids, generic.ArrayObject):
            waiting.extend(kids.raw_get(index) for index in reversed(range(len(kids))))
        else:
            found.append(_Page(len(found) + 1, identity, node))
    return found


def target_of(raw: Any) -> Any:
    """Return what ``raw`` refers to; None where that is gone."""
    from pyhanko.pdf_utils.misc import PdfReadError

    try:
        return raw.get_object()
    except PdfReadError:
        return None


def _print(value: Any, path: str | tuple[str, ...], prints: _Prints) -> bytes:
    from pyhanko.pdf_utils import generic

    keys = (path,) if isinstance(path, str) else path
    for key in keys[:-1]:
        value = value.get(key) if isinstance(value, generic.DictionaryObject) else None
    if not isinstance(value, generic.DictionaryObject) or keys[-1] not in value:
        return b""
    return prints.of(value.raw_get(keys[-1]))


def _text(value: Any, key: str) -> str:
    from pyhanko.pdf_utils import generic

    found = value.get(key, "") if isinstance(value, generic.DictionaryObject) else ""
    if isinstance(found, generic.NullObject):
        return ""
    text = str(found) if isinstance(found, str | int | float) else type(found).__name__
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _bounded(found: list[Difference]) -> list[Difference]:
    if len(found) <= MOST_SAID:
        return found
    more = Message(N_("{count} more things were changed."), count=len(found) - MOST_SAID)
    return [*found[:MOST_SAID], Difference("more-changed", more)]
