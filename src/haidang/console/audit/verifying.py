"""Whether the audit log still is what it was: its entries, its checkpoints, and those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from haidang.console.audit.checkpoints import log_origin, signing_key
from haidang.console.audit.entries import leaf_of
from haidang.console.audit.models import Checkpoint, Entry, Head
from haidang.crypto.trails import Trail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.verdicts import Reason

__all__ = ["Verified", "verify"]


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
    key = signing_key().public_key()
    own = Checkpoint.objects.order_by("size").values_list("note", flat=True).iterator()
    trail = Trail(key, log_origin(key), (note.encode() for note in own), kept)
    # What is written meanwhile is not walked through: the head is read first.
    head = _head()
    for entry in Entry.objects.filter(number__lt=head.size).order_by("number").iterator(chunk_size=2000):
        trail.walk(entry.number, leaf_of(entry), bytes(entry.leaf))
    last = Entry.objects.order_by("-number").values_list("number", flat=True).first()
    if last is not None and last >= _head().size:
        trail.beyond(last)
    reasons = trail.end(head.size, bytes(head.peaks))
    return Verified(trail.tree.size, trail.tree.root(), reasons)


def _head() -> Head:
    return Head.objects.filter(pk=1).first() or Head()
