"""Signed checkpoints of the audit log: what others keep, so that they see whether it was rewritten.

The key is the service's own (ECDSA P-256), made on the first start in the data folder, readable by nobody
else. A checkpoint is signed with every :data:`EVERY_ENTRIES` entries and, when something is written, once
:data:`EVERY_MINUTES` have passed since the last; :func:`sign_now` signs whatever is there.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from haidang.console.audit.models import Checkpoint, Head
from haidang.crypto import merkle
from haidang.crypto.keys import key_id
from haidang.crypto.service_keys import service_key

if TYPE_CHECKING:
    from haidang.crypto.keys import SigningKey

__all__ = ["EVERY_ENTRIES", "EVERY_MINUTES", "log_origin", "sign_due", "sign_now", "signing_key"]

EVERY_ENTRIES = 100
EVERY_MINUTES = 5


def signing_key() -> SigningKey:
    """Return the key that checkpoints are signed with.

    Raises:
        KeyAccessError: The file of the key holds none.
        OutputError: It cannot be written.
    """
    return service_key(Path(settings.DATA) / "audit-key.pem")


def log_origin(key: Any) -> str:
    """Return the name of the log whose checkpoints are signed with a key."""
    return f"haidang/audit/{key_id(key)[:16]}"


def sign_due(head: Head, tree: merkle.Tree, at: dt.datetime) -> None:
    """Sign a checkpoint where one is due; the caller holds the lock of ``head``."""
    if (
        head.signed_at is None
        or head.size - head.signed_size >= EVERY_ENTRIES
        or at - head.signed_at >= dt.timedelta(minutes=EVERY_MINUTES)
    ):
        _sign(head, tree, at)


def sign_now() -> Checkpoint | None:
    """Return a checkpoint of all entries, signed now where there is none yet; None for an empty log."""
    with transaction.atomic():
        head = Head.objects.select_for_update().filter(pk=1).first()
        if head is None or not head.size:
            return None
        if head.signed_size != head.size:
            _sign(head, merkle.Tree.resumed(head.size, bytes(head.peaks)), timezone.now())
        return Checkpoint.objects.order_by("-size").first()


def _sign(head: Head, tree: merkle.Tree, at: dt.datetime) -> None:
    key = signing_key()
    note = merkle.sign_checkpoint(merkle.Checkpoint(log_origin(key), tree.size, tree.root()), key)
    Checkpoint.objects.create(size=tree.size, note=note.decode())
    head.signed_size, head.signed_at = tree.size, at
    head.save(update_fields=["signed_size", "signed_at"])
