"""Seals a file or folder in one pass: signs it into an ASiC-E container, encrypts that to the recipients.

One thread packs (reads, takes digests, signs), the other encrypts and writes; a pipe joins them
(:mod:`haidang.crypto.sealing.pipes`). Memory stays the same at any size. The sealed file appears whole
or not at all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import appearing
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
from haidang.crypto.sealing.pipes import AbandonedError, BytePipe
from haidang.crypto.sealing.policy import labels_to_seal
from haidang.crypto.sealing.recipients import check_count
from haidang.crypto.sealing.unfinished import claim, sweep
from haidang.crypto.settings import DEFAULT_MARKING, Marking
from haidang.crypto.signing.asic import Item, write_container
from haidang.errors import SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.sealing.recipients import Recipient
    from haidang.crypto.signers import Signatory

__all__ = ["SealOptions", "seal"]

_BUFFER = 1 << 18


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
    keys = [age_recipient(one.key) for one in recipients]
    packing = pack(source)
    envelope = _envelope(packing, signatory, recipients, now, options)

    def write(pipe: BytePipe) -> None:
        write_container(pipe, _items(envelope, packing), signatory, now=now, timestamper=options.timestamper)

    sweep(target)
    with appearing(target, replace=options.replace) as stream:
        claim(stream)
        _encrypt(write, stream, keys)
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


def _encrypt(write: Callable[[BytePipe], None], stream: IO[bytes], keys: Sequence[Any]) -> None:
    """Have ``write`` fill a pipe in a thread, and encrypt what comes out of it into ``stream``."""
    with needs_extra():
        import pyrage
    pipe = BytePipe()
    failed: list[BaseException] = []

    def produce() -> None:
        try:
            write(pipe)
            pipe.close()
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001 -- it is raised again in the thread that waits
            failed.append(error)
            pipe.abandon()

    producer = threading.Thread(target=produce, name="haidang-seal", daemon=True)
    output = _Noting(stream.write, failed)
    producer.start()
    try:
        pyrage.encrypt_io(_Reading(pipe, failed), output, keys)
    except Exception as error:  # noqa: BLE001 -- pyrage raises what its reader and writer raised, or its own
        failed.append(SealError(N_("It cannot be encrypted: {reason}"), reason=error))
    finally:
        pipe.abandon()
        producer.join()
    if failed:
        raise failed[0]


class _Reading:
    """The side of a pipe that pyrage reads; keeps an interrupt, which pyrage would make a text of."""

    def __init__(self, pipe: BytePipe, failed: list[BaseException]) -> None:
        self._pipe = pipe
        self._failed = failed

    def read(self, size: int = -1) -> bytes:
        try:
            return self._pipe.read(size)
        except AbandonedError:
            raise
        except BaseException as error:
            self._failed.insert(0, error)
            raise


class _Noting:
    """Writes, and keeps the first error for whoever called the library."""

    def __init__(self, write: Callable[[bytes], object], failed: list[BaseException]) -> None:
        self._write = write
        self._failed = failed

    def write(self, data: bytes) -> int:
        try:
            self._write(data)
        except BaseException as error:
            self._failed.append(error)
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever opened the stream flushes it."""
