"""Seals a file or folder in one pass: signs it into an ASiC-E container, encrypts that to the recipients.

This process packs (reads, takes digests, signs), another one encrypts and writes
(:mod:`haidang.crypto.sealing.age_streams`). Memory stays the same at any size. The sealed file appears
whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.files import appearing
from haidang.crypto.sealing.age_streams import encrypting
from haidang.crypto.sealing.envelope import (
    CONTENT,
    ENVELOPE,
    NamedKey,
    SealedEnvelope,
    Sender,
    encode_envelope,
)
from haidang.crypto.sealing.keys import age_recipient
from haidang.crypto.sealing.packing import Packing, pack
from haidang.crypto.sealing.policy import labels_to_seal
from haidang.crypto.sealing.recipients import check_count
from haidang.crypto.sealing.unfinished import claim, sweep
from haidang.crypto.settings import DEFAULT_MARKING, Marking
from haidang.crypto.signing.asic import Item, write_container
from haidang.errors import SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.sealing.recipients import Recipient
    from haidang.crypto.signers import Signatory

__all__ = ["SealOptions", "seal"]


@dataclass(frozen=True, slots=True)
class SealOptions:
    """What the sender says beside the content."""

    expires: dt.datetime | None = None
    labels: tuple[str, ...] = ()
    for_your_eyes: bool = False
    subject: str = ""
    marking: Marking = DEFAULT_MARKING
    """Which labels this system may hold."""
    timestamper: Any = None
    """A pyHanko ``TimeStamper``; None signs without a timestamp."""
    replace: bool = False
    """Whether a sealed file that is there is replaced."""


DEFAULT_OPTIONS = SealOptions()


def seal(
    source: Path,
    target: Path,
    signatory: Signatory,
    recipients: Sequence[Recipient],
    *,
    now: dt.datetime,
    options: SealOptions = DEFAULT_OPTIONS,
) -> SealedEnvelope:
    """Seal the file or folder ``source`` into the file ``target``; return what was said of it.

    Args:
        source: what is sealed.
        target: where the sealed file appears; it must not be there.
        signatory: who seals.
        recipients: whose keys open it; nobody else's do, the sender's neither.
        now: the moment of sealing.
        options: what the sender says beside the content.

    Raises:
        InputError: Something cannot be read.
        SealError: It holds what cannot be sealed, there is no recipient, or it changed meanwhile.
        ContainerError: A name is not safe.
        PolicyError: A label is forbidden here.
        SigningError: The key cannot sign, or no timestamp can be had.
        OutputError: ``target`` cannot be written, or is there already.
    """
    check_count(recipients)
    options = replace(options, labels=labels_to_seal(options.labels, options.marking))
    if options.expires is not None and options.expires <= now:
        raise SealError(N_("The sealed file would have expired already."), hint=N_("Name a later moment."))
    keys = [one.key for one in recipients]
    for key in keys:
        age_recipient(key)
    packing = pack(source)
    envelope = _envelope(packing, signatory, recipients, now, options)

    sweep(target)
    with appearing(target, replace=options.replace) as stream:
        claim(stream)
        with encrypting(stream, keys) as plain:
            items = _items(envelope, packing)
            write_container(plain, items, signatory, now=now, timestamper=options.timestamper, threads=False)
    return envelope


def _envelope(
    packing: Packing,
    signatory: Signatory,
    recipients: Sequence[Recipient],
    now: dt.datetime,
    options: SealOptions,
) -> SealedEnvelope:
    facts = certificate_facts(signatory.certificate)
    return SealedEnvelope(
        sender=Sender(facts.name, facts.sha256, facts.unit, facts.organisation),
        recipients=tuple(NamedKey(one.name, one.key, one.unit, one.certificate) for one in recipients),
        created=now.replace(microsecond=0),
        content=packing.content,
        expires=options.expires,
        labels=options.labels,
        for_your_eyes=options.for_your_eyes,
        subject=options.subject,
    )


def _items(envelope: SealedEnvelope, packing: Packing) -> Iterator[Item]:
    yield Item(ENVELOPE, encode_envelope(envelope), envelope.created, "application/json")
    for path, modified in packing.folders():
        yield Item(f"{CONTENT}{path}/", b"", modified)
    for path, modified, pieces in packing.files():
        yield Item(f"{CONTENT}{path}", pieces, modified)
