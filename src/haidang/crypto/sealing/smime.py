"""Sealed mail (S/MIME, RFC 8551) for who has only a certificate: signed first, then encrypted.

Rules:

- AES-256-GCM with RSA-OAEP or ECDH. For mail programs that cannot read that, AES-256-CBC with RSA PKCS#1
  v1.5: it is not authenticated, so that an altered mail decrypts to something else. Either way nothing is
  shown unless the signature inside holds.
- The certificate must allow it: keyEncipherment for RSA, keyAgreement for EC (P-256, P-384, P-521).
- The signature states the recipients, everything else around the ciphertext, and the header of the mail
  (:mod:`haidang.crypto.sealing._mail_statement`): no bit of a mail can be altered, and none be passed on in
  the sender's name, unseen. Mails of other programs, and those sealed before it did, are judged by what is
  inside alone.
- Subject and date stand inside as well (RFC 9788), for programs that know no such statement.
- A mail is held in memory, and so at most :data:`LARGEST_MAIL` large.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto.containers.member_names import check_name
from haidang.crypto.files import PRIVATE, read_bounded, write_whole
from haidang.crypto.sealing._mail_encryption import Encryption, check_certificate, decrypted
from haidang.crypto.sealing._mail_statement import (
    ALTERED,
    DAMAGED,
    FORWARDED,
    Received,
    departures,
    statement_provider,
)
from haidang.crypto.sealing.mime import (
    attachment,
    attachment_in,
    enveloped,
    enveloped_in,
    headers_of,
    signed,
    signed_in,
)
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.errors import SealError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.signers import Signatory
    from haidang.crypto.trust import Trust
    from haidang.crypto.verdicts import SignatureVerdict

__all__ = ["LARGEST_MAIL", "OpenedMail", "RefusedMailError", "is_mail", "open_mail", "seal_mail"]

LARGEST_MAIL: Final = 32 << 20
"""Bytes of the file that is sealed."""

_LARGEST_MESSAGE = 3 * LARGEST_MAIL
"""Base64 twice makes 16/9 of it."""
_INDETERMINATE = "signature-indeterminate"


class OpenedMail(NamedTuple):
    """A sealed mail that was opened."""

    verdict: DocumentVerdict
    """Of the signature inside."""
    authenticated: bool
    """Whether the encryption itself shows alterations (AES-GCM)."""
    place: Path | None
    """Where the file is now; None when it was only looked into."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "opened": str(self.place) if self.place else None,
            "mail": True,
            "authenticated": self.authenticated,
            "verdict": self.verdict.to_json(),
        }


class RefusedMailError(SealError):
    """It was decrypted, but the signature inside, or what it says of the mail around it, does not hold."""

    def __init__(self, reason: Reason, verdict: DocumentVerdict) -> None:
        """Keep why, and what is known of it."""
        super().__init__(
            reason.message.template, hint=reason.hint.template, **reason.message.values | reason.hint.values
        )
        self.reason = reason
        self.verdict = verdict

    @property
    def indeterminate(self) -> bool:
        """Whether it may hold, or only the mail around what is inside was altered."""
        return self.reason.code in {_INDETERMINATE, *ALTERED}


def is_mail(head: bytes, path: Path) -> bool:
    """Return whether a file that begins with ``head`` may be a sealed mail."""
    lowered = head.lower()
    return b"application/pkcs7-mime" in lowered or (path.suffix.lower() == ".p7m" and head.startswith(b"0"))


def seal_mail(
    source: Path,
    target: Path,
    signatory: Signatory,
    certificates: Sequence[x509.Certificate],
    *,
    now: dt.datetime,
    subject: str = "",
    authenticated: bool = True,
) -> None:
    """Seal the file ``source`` into the mail ``target`` for the holders of ``certificates``.

    Args:
        source: what is sealed; at most :data:`LARGEST_MAIL` bytes.
        target: where the mail appears; it must not be there.
        signatory: who seals.
        certificates: the recipients'.
        now: the moment of sealing.
        subject: the subject of the mail; it is signed, and not encrypted.
        authenticated: AES-256-GCM; False for mail programs that know AES-256-CBC only.

    Raises:
        InputError: ``source`` cannot be read, or is too large.
        SealError: A certificate cannot be sealed to.
        SigningError: The key cannot sign.
        OutputError: ``target`` cannot be written, or is there already.
    """
    if not certificates:
        raise SealError(
            N_("There is nobody to seal to."), hint=N_("Name certificates with --to-certificate.")
        )
    for one in certificates:
        check_certificate(one, now)
    headers = headers_of(" ".join(subject.split()), format_datetime(now))
    kind = "authEnveloped-data" if authenticated else "enveloped-data"
    encryption = Encryption(certificates, authenticated=authenticated)
    entity = attachment(source.name, read_bounded(source, LARGEST_MAIL), headers)
    algorithm = signatory.digest
    statement = statement_provider(certificates, encryption.shell, enveloped(b"", kind, headers), algorithm)
    digest = hashlib.new(algorithm, entity).digest()
    signature = sign_digest(signatory, digest, algorithm, now=now, attributes=[statement])
    mail = enveloped(encryption.sealed(signed(entity, signature, algorithm)), kind, headers)
    write_whole(target, mail + b"\r\n", replace=False)


def open_mail(
    path: Path,
    signatory: Signatory,
    trust: Trust,
    *,
    folder: Path | None,
    now: dt.datetime,
    accept_indeterminate: bool = False,
    accept_forwarded: bool = False,
) -> OpenedMail:
    """Open the sealed mail ``path`` into ``folder``; its file appears only if the signature inside holds.

    Args:
        path: the mail, or the CMS in it (``.p7m``).
        signatory: whose key decrypts.
        trust: who is believed.
        folder: where the file appears; None only looks into the mail.
        now: the moment of opening.
        accept_indeterminate: open although it cannot be told whether the signature holds, or the mail around
            what is sealed was altered.
        accept_forwarded: open although the sender did not name the opener among the recipients.

    Raises:
        InputError: It cannot be read.
        SealError: It is no sealed mail, is damaged, is sealed to others, or its signature does not hold.
        OutputError: The file cannot be written, or something of its name is there already.
    """
    mail = read_bounded(path, _LARGEST_MESSAGE)
    content = enveloped_in(mail)
    inside, authenticated = decrypted(content, signatory, path)
    entity, signature = signed_in(inside)
    judged = _verdict(entity, signature, trust, now)
    sender = judged.signer.name if judged.signer else "?"
    reasons: tuple[Reason, ...] = ()
    if judged.indication != "TOTAL-FAILED":
        received = Received(mail, content, inside, entity, signature)
        reasons = departures(received, signatory.certificate, sender)
    verdict = DocumentVerdict(str(path), "cms", (_weighed(judged, reasons),))
    accepted = {FORWARDED} if accept_forwarded else set()
    if accept_indeterminate:
        accepted |= {_INDETERMINATE, *ALTERED}
    for reason in _doubts(judged, reasons):
        if reason.code not in accepted:
            raise RefusedMailError(reason, verdict)
    name, file = attachment_in(entity)
    place = None if folder is None else folder / _safe(name)
    if place is not None:
        write_whole(place, file, mode=PRIVATE, replace=False)
    return OpenedMail(verdict, authenticated, place)


def _verdict(entity: bytes, signature: bytes, trust: Trust, now: dt.datetime) -> SignatureVerdict:
    from haidang.crypto.verifying.cms import verify_cms

    verdict = verify_cms(signature, lambda name: hashlib.new(name, entity).digest(), trust, now=now)
    return replace(verdict, level=f"S/MIME, {verdict.level}" if verdict.level else "S/MIME")


def _weighed(verdict: SignatureVerdict, reasons: tuple[Reason, ...]) -> SignatureVerdict:
    """Return the verdict on what is inside, with what departs from what the signature says of the mail."""
    verdict = replace(verdict, reasons=(*reasons, *verdict.reasons))
    codes = {one.code for one in reasons}
    if DAMAGED in codes:
        return replace(verdict, indication="TOTAL-FAILED", subindication="FORMAT_FAILURE")
    if verdict.holds and codes & {FORWARDED, *ALTERED}:
        return replace(verdict, indication="INDETERMINATE", subindication="SIG_CONSTRAINTS_FAILURE")
    return verdict


def _doubts(verdict: SignatureVerdict, reasons: tuple[Reason, ...]) -> Iterator[Reason]:
    """Yield what speaks against opening a mail, the worst first."""
    if verdict.indication == "TOTAL-FAILED":
        yield Reason(
            "signature-failed",
            Message(N_("The signature in the sealed mail does not hold.")),
            Message(N_("Do not use it. Ask the sender to seal it again.")),
        )
    yield from (one for one in reasons if one.code in {DAMAGED, FORWARDED})
    if verdict.indication == "INDETERMINATE":
        yield Reason(
            "signature-indeterminate",
            Message(N_("It cannot be determined whether the signature in the sealed mail holds.")),
            Message(N_("See why below; renew the revocation lists, or open it with --accept-indeterminate.")),
        )
    yield from (one for one in reasons if one.code in ALTERED)


def _safe(name: str) -> str:
    """Return the name of the file in a mail: its last part, which must not be hidden.

    Raises:
        ContainerError: It is not safe.
    """
    last = PurePosixPath(name.replace("\\", "/")).name.lstrip(".") or "message"
    check_name(last)
    return last
