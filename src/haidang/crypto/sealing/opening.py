"""Opens a sealed file: decrypts, unpacks and verifies in one pass, and shows nothing before everything holds.

Rules:

- Another process decrypts; this one unpacks (:mod:`haidang.crypto.sealing.unpacking`) and takes digests.
  Memory stays the same at any size.
- Content gets its name when the file was authentic to its end and everything else holds, too
  (:mod:`haidang.crypto.sealing.acceptance`). Otherwise nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from haidang.crypto.lean import loading_alongside
from haidang.crypto.sealing.acceptance import DEFAULT_OPTIONS, Acceptance, OpenOptions
from haidang.crypto.sealing.age_streams import DecryptionFailedError, decrypting
from haidang.crypto.sealing.envelope import ENVELOPE, LARGEST_ENVELOPE
from haidang.crypto.sealing.unpacking import Store, workplace
from haidang.errors import InputError, SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from haidang.crypto.sealing.envelope import SealedEnvelope
    from haidang.crypto.sealing.keys import SealingKey
    from haidang.crypto.trust import Trust
    from haidang.crypto.verdicts import DocumentVerdict, Reason
    from haidang.crypto.verifying.asic_contents import Contents

__all__ = ["NotForYouError", "Opened", "is_sealed", "open_sealed"]

_JUDGING = "haidang.crypto.verifying.cms", "asn1crypto.tsp", "pyhanko_certvalidator.sig_validate"
"""What judging a signature loads, which comes last and takes 0.1 s."""

_AGE = b"age-encryption.org/v1\n"
_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed file that was opened, or only looked into."""

    envelope: SealedEnvelope
    verdict: DocumentVerdict
    """Of the container inside; it holds, or was accepted as indeterminate."""
    reasons: tuple[Reason, ...]
    """What the opener should know: expiry, "for your eyes", what was accepted."""
    key: str
    """The recipient, ``age1…``, as whom it was opened; "" where none of the named ones was."""
    place: Path | None
    """Where the content is now; None when it was only looked into."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "opened": str(self.place) if self.place else None,
            "key": self.key or None,
            "envelope": self.envelope.to_json(),
            "verdict": self.verdict.to_json(),
            "reasons": [reason.to_json() for reason in self.reasons],
        }


class NotForYouError(SealError):
    """None of the opener's keys opens it."""


def is_sealed(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is an age file."""
    return head.startswith((_AGE, _ARMOR))


def open_sealed(
    path: Path,
    keys: Sequence[SealingKey],
    trust: Trust,
    *,
    folder: Path | None,
    now: dt.datetime,
    options: OpenOptions = DEFAULT_OPTIONS,
) -> Opened:
    """Open the sealed file ``path`` into ``folder``.

    Args:
        path: the sealed file.
        keys: the opener's; one that fits is enough.
        trust: who is believed.
        folder: where the content appears under its own name; None only looks into the file.
        now: the moment of opening.
        options: what the opener accepts.

    Raises:
        InputError: It cannot be read.
        SealError: It is no sealed file, is damaged, is sealed to others, or something in it does not hold
            (:class:`RefusedError`).
        ContainerError: The container inside is damaged, or made so that programs would read it differently.
        PolicyError: A label is forbidden here.
        OutputError: The content cannot be written, or something of its name is there already.
    """
    try:
        with path.open("rb", buffering=1 << 18) as stream:
            stanzas = _stanzas(stream, path)
            with workplace(folder) as store:
                contents = _decrypt(stream, keys, store, path)
                from haidang.crypto.verifying.asic import judge

                verdict = judge(contents, trust, str(path), now=now, again=store.octets)
                acceptance = Acceptance(contents, verdict, keys, options, now)
                envelope, reasons = acceptance.checked(stanzas)
                place = store.publish(envelope)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error
    return Opened(envelope, verdict, reasons, acceptance.key(envelope), place)


def _decrypt(stream: IO[bytes], keys: Sequence[SealingKey], store: Store, path: Path) -> Contents:
    """Decrypt, and read the container that comes out."""
    if not keys:
        raise SealError(N_("There is no sealing key to open it with."), hint=N_("Choose one with --as NAME."))
    try:
        with decrypting(stream, [key.reveal() for key in keys]) as plain:
            # The other process takes as long to start.
            from haidang.crypto.verifying.asic_contents import read_contents

            with loading_alongside(*_JUDGING):
                return read_contents(
                    plain, wanted={ENVELOPE}, most=LARGEST_ENVELOPE, sink=store.take, threads=False
                )
    except DecryptionFailedError as error:
        raise _undecryptable(error, path) from error


def _undecryptable(error: Exception, path: Path) -> SealError:
    if "no matching keys" in str(error).lower():
        return NotForYouError(
            N_("{path} is not sealed to you: none of your keys opens it."),
            hint=N_("Choose another identity with --as NAME, or ask the sender to seal it to you."),
            path=path,
        )
    return SealError(
        N_("{path} is damaged or was cut off; nothing of it was kept."),
        hint=N_("Get it again from the sender."),
        path=path,
    )


def _stanzas(stream: IO[bytes], path: Path) -> int:
    """Return how many X25519 keys the header names; leave the stream at its begin.

    Raises:
        SealError: It is no age file.
    """
    head = stream.read(1 << 18)
    stream.seek(0)
    if not is_sealed(head):
        raise SealError(
            N_("{path} is not a sealed file."), hint=N_("haidang verify says what it is."), path=path
        )
    return head.partition(b"\n---")[0].count(b"\n-> X25519 ")
