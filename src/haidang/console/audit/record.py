"""Writing into the audit log, in the transaction of what is recorded.

Rules:

- A change and its entry are kept together or not at all: :func:`record` is called inside the transaction of
  the change, after it. Outside of one it makes its own.
- Numbers have no gaps: the head row is locked until the transaction ends (SQLite's transactions are
  IMMEDIATE, so that there is one writer anyway), and whoever is rolled back gives its numbers back.
- Each entry is about one record; a bulk action hands all of them to :func:`record_each` at once.
- ``before`` and ``after`` hold what changed, never a secret.

Example::

    with transaction.atomic():
        before = {"state": alert.state}
        alert.save()
        record(request, "alert.close", alert, before, {"state": alert.state})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone

from haidang.console.audit import checkpoints
from haidang.console.audit.entries import leaf_of, plain
from haidang.console.audit.models import Entry, Head
from haidang.console.people.models import User
from haidang.console.units.models import Unit
from haidang.crypto.merkle import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Actor", "Change", "Who", "locked_head", "record", "record_each"]


class Who(NamedTuple):
    """Somebody who acts, and from where."""

    name: str
    address: str = ""


Actor: TypeAlias = HttpRequest | User | Who | str
"""A request (who is signed in, or whose token it is), a person, or ``service``."""


class Change(NamedTuple):
    """What happened to one record."""

    obj: models.Model | str
    """The record, or the kind of something that is none (``audit``, ``session``)."""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def record(
    actor: Actor,
    action: str,
    obj: models.Model | str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Entry:
    """Record one change, or one look at evidence.

    Args:
        actor: Who does it.
        action: What, as ``alert.close``.
        obj: To what.
        before: What was there, by name; only what changed.
        after: What is there now.
    """
    return record_each(actor, action, [Change(obj, before, after)])[0]


def record_each(actor: Actor, action: str, changes: Iterable[Change]) -> list[Entry]:
    """Record the same act on several records, one entry for each, under one lock."""
    who = who_is(actor)
    with transaction.atomic():
        head = locked_head()
        tree = Tree.resumed(head.size, bytes(head.peaks))
        at = timezone.now()
        entries = [_entry(tree, at, who, action, change) for change in changes]
        if entries:
            Entry.objects.bulk_create(entries)
            head.size, head.peaks = tree.size, tree.peaks
            head.save(update_fields=["size", "peaks"])
            checkpoints.sign_due(head, tree, at)
    return entries


def locked_head() -> Head:
    """Return the head row, locked until the transaction ends; it is made for the first entry."""
    head = Head.objects.select_for_update().filter(pk=1).first()
    if head is None:
        Head.objects.get_or_create(pk=1)
        head = Head.objects.select_for_update().get(pk=1)
    return head


def who_is(actor: Actor) -> Who:
    """Return the name of who acts, and the address that the request came from."""
    if isinstance(actor, Who):
        return actor
    if isinstance(actor, HttpRequest):
        address = str(actor.META.get("REMOTE_ADDR") or "")[:50]
        token = getattr(actor, "token", None)
        if token is not None:
            return Who(f"token {token.name} of {token.user.get_username()}", address)
        name = actor.user.get_username() if actor.user.is_authenticated else "anonymous"
        return Who(name, address)
    return Who(actor.get_username() if isinstance(actor, User) else actor)


def _entry(tree: Tree, at: Any, who: Who, action: str, change: Change) -> Entry:
    kind, key, name, path = _about(change.obj)
    entry = Entry(
        number=tree.size,
        at=at,
        actor=plain(who.name)[:300],
        address=plain(who.address)[:50],
        action=action,
        object_kind=kind,
        object_id=key,
        object_name=plain(name)[:300],
        unit_path=path,
        before=plain(change.before),
        after=plain(change.after),
    )
    entry.leaf = leaf_of(entry)
    tree.append_leaf(entry.leaf)
    return entry


def _about(obj: models.Model | str) -> tuple[str, str, str, str]:
    """Return kind, key, name and the path of the unit of what an entry is about."""
    if isinstance(obj, str):
        return obj, "", "", ""
    unit = obj if isinstance(obj, Unit) else getattr(obj, "unit", None)
    return (
        str(obj._meta.model_name),
        str(obj.pk),
        str(obj),
        unit.path if isinstance(unit, Unit) else "",
    )
