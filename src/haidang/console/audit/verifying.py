"""Whether the audit log still is what it was: entries, tree, checkpoints of its own and of others.

- An entry that was altered no longer has its leaf; whoever alters the leaf, too, changes the root that a
  checkpoint states.
- An entry that was taken away leaves a gap in the numbers; one at the end leaves fewer than the head or a
  checkpoint says.
- Whoever rewrites all of it, the service's key in hand, is found by a checkpoint that somebody else kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.console.audit.checkpoints import log_origin, service_key
from haidang.console.audit.entries import leaf_of
from haidang.console.audit.models import Checkpoint, Entry, Head
from haidang.crypto.merkle import Tree, read_checkpoint
from haidang.crypto.verdicts import Reason
from haidang.errors import VerificationError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Verified", "verify"]

_MOST_REASONS = 50


class Verified(NamedTuple):
    """What :func:`verify` found."""

    entries: int
    root: bytes
    reasons: tuple[Reason, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reasons


def verify(kept: Iterable[bytes] = ()) -> Verified:
    """Return what is wrong with the log, measured at its own checkpoints and those that others ``kept``."""
    key = service_key().public_key()
    origin = log_origin(key)
    notes = [(note.encode(), N_("of the service")) for note in _own_notes()]
    notes += [(note, N_("that was kept elsewhere")) for note in kept]
    reasons: list[Reason] = []
    wanted: dict[int, list[tuple[bytes, str]]] = {}
    for note, whose in notes:
        try:
            checkpoint = read_checkpoint(note, key, origin)
        except VerificationError as error:
            reasons.append(
                _error(
                    "checkpoint-unsound",
                    N_("A checkpoint {whose} does not hold: {detail}."),
                    whose=Message(whose),
                    detail=error.message,
                )
            )
        else:
            wanted.setdefault(checkpoint.size, []).append((checkpoint.root, whose))
    tree, found = _walked(wanted)
    reasons += found
    reasons += [
        _error(
            "log-cut",
            N_("A checkpoint {whose} is of {size} entries, but the log has {n}: its end was cut off."),
            whose=Message(whose),
            size=size,
            n=tree.size,
        )
        for size, roots in sorted(wanted.items())
        if size > tree.size
        for _root, whose in roots
    ]
    reasons += _head_differs(tree)
    return Verified(tree.size, tree.root(), tuple(reasons[:_MOST_REASONS]))


def _walked(wanted: dict[int, list[tuple[bytes, str]]]) -> tuple[Tree, list[Reason]]:
    """Return the tree over the entries that are there, and what is wrong with them."""
    tree = Tree()
    reasons: list[Reason] = []
    expected = 0
    for entry in Entry.objects.order_by("number").iterator(chunk_size=2000):
        if entry.number != expected and len(reasons) < _MOST_REASONS:
            reasons.append(
                _error("log-entry-missing", N_("Entry {number} of the log is missing."), number=expected)
            )
        expected = entry.number + 1
        leaf = leaf_of(entry)
        if leaf != bytes(entry.leaf) and len(reasons) < _MOST_REASONS:
            reasons.append(
                _error("log-entry-altered", N_("Entry {number} of the log was altered."), number=entry.number)
            )
        tree.append_leaf(leaf)
        for root, whose in wanted.get(tree.size, ()):
            if root != tree.root() and len(reasons) < _MOST_REASONS:
                reasons.append(
                    _error(
                        "log-altered",
                        N_(
                            "The first {size} entries are not those of a checkpoint {whose}: one was altered."
                        ),
                        size=tree.size,
                        whose=Message(whose),
                    )
                )
    return tree, reasons


def _head_differs(tree: Tree) -> list[Reason]:
    head = Head.objects.filter(pk=1).first()
    size = head.size if head else 0
    if size > tree.size:
        return [
            _error(
                "log-cut",
                N_("The log had {size} entries and has {n}: its end was cut off."),
                size=size,
                n=tree.size,
            )
        ]
    if size < tree.size or (head and bytes(head.peaks) != tree.peaks):
        return [
            _error(
                "log-head-differs", N_("The log does not agree with what it was when it was written last.")
            )
        ]
    return []


def _own_notes() -> Iterable[str]:
    return Checkpoint.objects.order_by("size").values_list("note", flat=True).iterator()


def _error(code: str, template: str, **values: Any) -> Reason:
    return Reason(
        code,
        Message(template, **values),
        hint=Message(N_("Keep the data folder and the database as they are, and look into it.")),
    )
