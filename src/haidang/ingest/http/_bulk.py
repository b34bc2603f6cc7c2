"""The body of Elasticsearch's bulk request: lines of actions, each with the line of its document.

- ``create`` and ``index`` are taken. ``update`` and ``delete`` change what was written before, which a log
  does not: their items say so.
- Where every action is in its place and every document an object, which is nearly always, the documents are
  looked at all at once. Else line by line: what is broken goes to the quarantine, its item says so, the
  rest is taken.
- Each item has its answer, in order; generated ids are there because clients expect some.

All input is untrusted.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from haidang.ingest.http._records import are_objects, is_object, refuse_too_many
from haidang.ingest.model import BrokenLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["Bulk", "read_bulk"]

_TAKEN = frozenset({"create", "index"})
_WITH_DOCUMENT = frozenset({"create", "index", "update"})


class _Target(msgspec.Struct, rename={"index": "_index", "id": "_id"}, gc=False):
    index: str | None = None
    id: str | int | None = None


class _Action(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    create: _Target | None = None
    index: _Target | None = None
    update: _Target | None = None
    delete: _Target | None = None


class _Named(NamedTuple):
    """An action: what is to be done, and where."""

    name: str
    where: str
    id: str | None


class Bulk(NamedTuple):
    """What a bulk request holds."""

    documents: Sequence[bytes]
    broken: BrokenLines
    items: list[bytes]
    """The answer to each item, JSON."""
    errors: bool
    """Whether an item was not taken."""


_ACTIONS = msgspec.json.Decoder(_Action)


def read_bulk(body: bytes, index: str, limits: Limits, *, brief: bool) -> Bulk:
    """Return the documents of a bulk request and the answers to its items.

    Args:
        body: The request's body.
        index: The index of its path, "" where it has none.
        limits: Bounds.
        brief: Whether an answer has the status alone.

    Raises:
        RequestError: There are too many.
    """
    refuse_too_many(body, limits)
    lines = body.strip(b"\r\n \t").split(b"\n")
    actions, documents = lines[::2], lines[1::2]
    named = {line: _named(line, index) for line in set(actions)}
    straight = len(actions) == len(documents) and all(one and one.name in _TAKEN for one in named.values())
    small = len(body) <= limits.line_bytes or max(map(len, documents), default=0) <= limits.line_bytes
    if straight and small and are_objects(b"\n".join(documents), len(documents)):
        answers = _Answers(brief=brief)
        items = [answers.taken(one) for line in actions if (one := named[line]) is not None]
        return Bulk(documents, BrokenLines(limits), items, errors=False)
    return _by_line(lines, index, limits, brief=brief)


def _by_line(lines: Sequence[bytes], index: str, limits: Limits, *, brief: bool) -> Bulk:
    answers = _Answers(brief=brief)
    broken = BrokenLines(limits)
    documents: list[bytes] = []
    items: list[bytes] = []
    rest = (line.strip() for line in lines)
    for line in rest:
        if not line:
            continue
        action = _named(line, index)
        if action is None:
            broken.broken("broken-line", line, "The line is no action of a bulk request.")
            items.append(answers.declined(_Named("index", index, None), "malformed action"))
            continue
        document = next(rest, b"") if action.name in _WITH_DOCUMENT else b""
        if action.name not in _TAKEN:
            items.append(answers.declined(action, "only create and index are taken"))
        elif not document:
            items.append(answers.declined(action, "the document is missing"))
        elif len(document) > limits.line_bytes:
            broken.broken("oversized-line", document, f"longer than {limits.line_bytes} bytes")
            items.append(answers.declined(action, "the document is too long"))
        elif not is_object(document):
            broken.broken("broken-line", document, "The line is no JSON object.")
            items.append(answers.declined(action, "the document is no JSON object"))
        else:
            documents.append(document)
            items.append(answers.taken(action))
    return Bulk(documents, broken, items, errors=len(documents) < len(items))


def _named(line: bytes, index: str) -> _Named | None:
    """Return the action of a line, None where it is none."""
    try:
        action = _ACTIONS.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    given = list(_given(action))
    if len(given) != 1:
        return None
    name, target = given[0]
    return _Named(name, target.index or index, None if target.id is None else str(target.id))


def _given(action: _Action) -> Iterator[tuple[str, _Target]]:
    for name in action.__struct_fields__:
        target = getattr(action, name)
        if target is not None:
            yield name, target


class _Answers:
    """Answers to the items of one request."""

    def __init__(self, *, brief: bool) -> None:
        self._brief = brief
        self._heads: dict[tuple[str, str], str] = {}
        self._prefix = secrets.token_urlsafe(9)
        self._count = 0

    def taken(self, action: _Named) -> bytes:
        if self._brief:
            return b'{"%b":{"status":201}}' % action.name.encode()
        return self._head(action) + b',"_version":1,"result":"created","status":201}}'

    def declined(self, action: _Named, reason: str) -> bytes:
        error = msgspec.json.encode({"type": "document_parsing_exception", "reason": reason})
        if self._brief:
            return b'{"%b":{"status":400,"error":%b}}' % (action.name.encode(), error)
        return self._head(action) + b',"status":400,"error":%b}}' % error

    def _head(self, action: _Named) -> bytes:
        key = (action.name, action.where)
        head = self._heads.get(key)
        if head is None:
            head = f'{{"{action.name}":{{"_index":{msgspec.json.encode(action.where).decode()},"_id":'
            self._heads[key] = head
        self._count += 1
        id_ = f"{self._prefix}{self._count}" if action.id is None else action.id
        return head.encode() + msgspec.json.encode(id_)
