"""Opens a sealed file: decrypts, unpacks and verifies in one pass, and shows nothing before everything holds.

Rules:

- Another process decrypts; this one unpacks into a temporary folder (mode 0700) beside the place where the
  content is to appear, and takes digests. Memory stays the same at any size.
- Content gets its name when the file was authentic to its end, the signature holds, the signer is the sender
  that the envelope names, what is inside is what the envelope lists, the opener is among the recipients whom
  the sender named, and the rules of this system allow its labels. Otherwise nothing is left.
- Nothing that is there is replaced.
- Expiry and "for your eyes" are the sender's wishes; they are reported, not enforced.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.files import sync_folder
from haidang.crypto.sealing.age_streams import DecryptionFailedError, decrypting
from haidang.crypto.sealing.envelope import (
    CONTENT,
    ENVELOPE,
    LARGEST_ENVELOPE,
    SealedEnvelope,
    decode_envelope,
)
from haidang.crypto.sealing.policy import labels_to_open
from haidang.crypto.sealing.unfinished import FOLDER_PREFIX, claim, sweep_folder
from haidang.crypto.settings import DEFAULT_MARKING, Marking
from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.crypto.verifying.asic import Contents, judge, read_contents
from haidang.errors import InputError, OutputError, SealError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.containers.zip_walking import Member
    from haidang.crypto.sealing.keys import SealingKey
    from haidang.crypto.trust import Trust

__all__ = ["NotForYouError", "OpenOptions", "Opened", "RefusedError", "is_sealed", "open_sealed"]

_AGE = b"age-encryption.org/v1\n"
_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_SYNCED = 100
"""Files that are flushed to the disk one by one; more are flushed together."""


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What the opener accepts."""

    marking: Marking = DEFAULT_MARKING
    """Which labels this system may hold."""
    accept_indeterminate: bool = False
    """Open although it cannot be determined whether the signature holds, e.g. without a current CRL."""
    accept_forwarded: bool = False
    """Open although the sender did not name the opener among the recipients."""


DEFAULT_OPTIONS = OpenOptions()


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


class RefusedError(SealError):
    """It was decrypted, but something about it does not hold; nothing of it was left on the disk."""

    def __init__(
        self,
        reason: Reason,
        *,
        verdict: DocumentVerdict | None = None,
        envelope: SealedEnvelope | None = None,
    ) -> None:
        """Keep why, and what is known of it."""
        super().__init__(
            reason.message.template, hint=reason.hint.template, **reason.message.values | reason.hint.values
        )
        self.reason = reason
        self.verdict = verdict
        self.envelope = envelope

    @property
    def indeterminate(self) -> bool:
        """Whether it may hold, and only cannot be determined."""
        return self.reason.code == "signature-indeterminate"


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
            with _workplace(folder) as store:
                contents = _decrypt(stream, keys, store, path)
                verdict = judge(contents, trust, str(path), now=now, again=store.digest)
                checking = _Checking(contents, verdict, keys, options, now)
                envelope, reasons = checking.checked(stanzas)
                place = store.publish(envelope)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error
    return Opened(envelope, verdict, reasons, checking.key(envelope), place)


class _Checking:
    """Everything that must hold before the content gets its name."""

    def __init__(
        self,
        contents: Contents,
        verdict: DocumentVerdict,
        keys: Sequence[SealingKey],
        options: OpenOptions,
        now: dt.datetime,
    ) -> None:
        self.contents = contents
        self.verdict = verdict
        self.keys = keys
        self.options = options
        self.now = now
        self.reasons: list[Reason] = []

    def checked(self, stanzas: int) -> tuple[SealedEnvelope, tuple[Reason, ...]]:
        """Return the envelope and what to tell the opener, or refuse."""
        content = self.contents.kept.get(ENVELOPE)
        if content is None:
            raise SealError(
                N_("This is an age file, but not one that Hải Đăng sealed: nobody signed an envelope in it."),
                hint=N_("If you trust it all the same, open it with the age program."),
            )
        # The refusals say of whom they speak, so the envelope is read before the signature is judged; it is
        # believed only after that.
        envelope = decode_envelope(content)
        self._signature(envelope)
        self._sender(envelope)
        self._content(envelope)
        self._recipients(envelope, stanzas)
        for label in labels_to_open(envelope.labels, self.options.marking):
            self._note(
                "label-unknown", N_("The label {label} is not known here; ask the sender."), label=label
            )
        self._wishes(envelope)
        return envelope, tuple(self.reasons)

    def key(self, envelope: SealedEnvelope) -> str:
        """Return the opener's key that the sender named."""
        named = {one.key for one in envelope.recipients}
        return next((key.recipient for key in self.keys if key.recipient in named), "")

    def _signature(self, envelope: SealedEnvelope) -> None:
        if self.verdict.holds:
            return
        if self.verdict.indication == "TOTAL-FAILED":
            raise self._refused(
                "signature-failed",
                N_("The signature of the sealed file does not hold."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
            )
        if not self.options.accept_indeterminate:
            raise self._refused(
                "signature-indeterminate",
                N_("It cannot be determined whether the signature of the sealed file holds."),
                N_("See why below; renew the revocation lists, or open it with --accept-indeterminate."),
                envelope,
            )
        self._note(
            "signature-indeterminate",
            N_("It was opened although it cannot be determined whether the signature holds."),
        )

    def _sender(self, envelope: SealedEnvelope) -> None:
        signers = {one.signer.sha256 for one in self.verdict.signatures if one.signer}
        if envelope.sender.certificate not in signers:
            raise self._refused(
                "sender-mismatch",
                N_("The envelope names {name} as the sender, but somebody else signed it."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
                name=envelope.sender.name,
            )

    def _content(self, envelope: SealedEnvelope) -> None:
        listed = {f"{CONTENT}{one.path}" for one in envelope.content.files}
        found = set(self.contents.digests) - {ENVELOPE}
        odd = sorted(listed ^ found)
        if odd:
            raise self._refused(
                "content-mismatch",
                N_("What is inside is not what the envelope lists: {name}."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
                name=odd[0],
            )

    def _recipients(self, envelope: SealedEnvelope, stanzas: int) -> None:
        if not self.key(envelope):
            if not self.options.accept_forwarded:
                raise self._refused(
                    "not-a-recipient",
                    N_("{sender} did not seal this to you: somebody else passed it on, encrypted anew."),
                    N_("Ask {sender} whether you may have it. To open it all the same: --accept-forwarded"),
                    envelope,
                    sender=envelope.sender.name,
                )
            self._note(
                "not-a-recipient", N_("The sender did not name you among the recipients; it was passed on.")
            )
        elif stanzas > len({one.key for one in envelope.recipients}):
            self._note(
                "more-keys-than-recipients",
                N_("It was encrypted to more keys than the sender names: somebody else may read it, too."),
            )

    def _wishes(self, envelope: SealedEnvelope) -> None:
        if envelope.expires is not None and envelope.expires < self.now:
            self._note(
                "expired",
                N_("The sender wished that it is not used after {date}."),
                date=envelope.expires.isoformat(timespec="minutes"),
            )
        if envelope.for_your_eyes:
            self._note("for-your-eyes", N_("It is for the eyes of the named recipients only."))

    def _note(self, code: str, message: str, **values: object) -> None:
        self.reasons.append(Reason(code, Message(message, **values), severity="warning"))

    def _refused(
        self, code: str, message: str, hint: str, envelope: SealedEnvelope, **values: object
    ) -> RefusedError:
        reason = Reason(code, Message(message, **values), Message(hint, **values))
        return RefusedError(reason, verdict=self.verdict, envelope=envelope)


class _Store:
    """Where unpacked content waits until it may appear; with no folder it is only looked at."""

    def __init__(self, folder: Path | None, temporary: Path | None) -> None:
        self._folder = folder
        self._temporary = temporary
        self._checked = ""
        self._count = 0

    def take(self, member: Member) -> Iterator[bytes]:
        """Yield the chunks of a member, writing them on the way."""
        if self._temporary is None or member.folder or not member.name.startswith(CONTENT):
            yield from member.chunks()
            return
        path = self._temporary / member.name.removeprefix(CONTENT)
        try:
            self._check_free(member.name.removeprefix(CONTENT).partition("/")[0])
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb", buffering=1 << 16) as stream:
                for chunk in member.chunks():
                    stream.write(chunk)
                    yield chunk
                stream.flush()
                self._count += 1
                if self._count <= _MOST_SYNCED:
                    os.fsync(descriptor)
        except OSError as error:
            raise _unwritable(path, error) from error

    def digest(self, name: str, algorithm: str) -> bytes:
        """Refuse to take another digest: what we seal has SHA-256."""
        raise ContainerError(
            "digest-not-accepted",
            N_("{name} uses the digest {algorithm}, which sealed files do not have."),
            name=name,
            algorithm=algorithm,
        )

    def publish(self, envelope: SealedEnvelope) -> Path | None:
        """Give the content its name, and its times; return where it is."""
        if self._folder is None or self._temporary is None:
            return None
        content = envelope.content
        target = self._folder / content.name
        try:
            for path in content.folders:
                (self._temporary / path).mkdir(mode=0o700, parents=True, exist_ok=True)
            for one in content.files:
                _set_time(self._temporary / one.path, one.modified)
            for path in sorted(content.folders, reverse=True):
                sync_folder(self._temporary / path)
            if self._count > _MOST_SYNCED:
                os.sync()
            self._check_free(content.name, again=True)
            _appear(self._temporary / content.name, target, folder=content.folder)
            sync_folder(self._folder)
        except OSError as error:
            raise _unwritable(target, error) from error
        return target

    def _check_free(self, name: str, *, again: bool = False) -> None:
        if self._folder is not None and (again or name != self._checked):
            self._checked = name
            if os.path.lexists(self._folder / name):
                raise _exists(self._folder / name)


@contextlib.contextmanager
def _workplace(folder: Path | None) -> Iterator[_Store]:
    """Yield a store whose temporary folder is gone afterwards, whatever happens."""
    if folder is None:
        yield _Store(None, None)
        return
    temporary = folder / f"{FOLDER_PREFIX}{secrets.token_hex(6)}.tmp"
    try:
        sweep_folder(folder)
        temporary.mkdir(mode=0o700)
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        claim(descriptor)
        yield _Store(folder, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def _decrypt(stream: IO[bytes], keys: Sequence[SealingKey], store: _Store, path: Path) -> Contents:
    """Decrypt, and read the container that comes out."""
    if not keys:
        raise SealError(N_("There is no sealing key to open it with."), hint=N_("Choose one with --as NAME."))
    try:
        with decrypting(stream, [key.reveal() for key in keys]) as plain:
            return read_contents(plain, wanted={ENVELOPE}, most=LARGEST_ENVELOPE, sink=store.take)
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


def _appear(temporary: Path, target: Path, *, folder: bool) -> None:
    if not folder:
        try:
            # A link is refused where the name is taken; a rename would replace what is there.
            os.link(temporary, target)
        except FileExistsError:
            raise _exists(target) from None
        except OSError:
            temporary.rename(target)
        return
    # A folder is never renamed over a file, nor over a folder that is not empty.
    temporary.rename(target)


def _set_time(path: Path, moment: dt.datetime) -> None:
    nanoseconds = (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    with contextlib.suppress(OverflowError):
        os.utime(path, ns=(nanoseconds, nanoseconds))


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} is there already", hint="Move it away, or name another folder with --output.")


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="Name another folder, or make room and check the permissions.",
    )
