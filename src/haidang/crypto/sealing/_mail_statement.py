"""What the signature in a sealed mail says of the mail around it: a signed attribute of CMS.

A signature covers what is inside. To whom it is encrypted, how, and the header of the mail lie outside, where
anybody could alter them, and whoever received the mail could seal its signed inside to somebody else. So
whatever stands around the ciphertext is made first, and the signature states it::

    SealedMail ::= SEQUENCE {
      recipients SEQUENCE OF IssuerAndSerialNumber,
      shell      MessageImprint,          -- RFC 3161; of the CMS without ciphertext and authentication code
      header     SEQUENCE OF UTF8String } -- the lines of the mail's header, unfolded

What departs from it is named:

- the opener is not among the recipients: somebody passed it on (``not-a-recipient``);
- recipients, versions, algorithms or the form of the CMS, or of what was encrypted, differ
  (``encryption-altered``);
- a header line, or the form of the mail's body, differs (``header-altered``, ``body-altered``). What is
  inside is unaltered then, and mail gateways do such things; so this can be accepted, but not unseen.

Further header lines are what transport adds; they are named, and nothing covers them. The name of the
attribute is an OID of our own below the arc 2.25, which anybody may use with a UUID (ITU-T X.667).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.sealing._mail_encryption import shell_in
from haidang.crypto.sealing.mime import header_lines, is_body_of, is_signed_as_written, readable
from haidang.crypto.signed_attributes import imprint_of, is_imprint_of, make_known, provider_of, values_of
from haidang.crypto.trust import as_asn1
from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

__all__ = ["ALTERED", "DAMAGED", "FORWARDED", "Received", "departures", "statement_provider"]

FORWARDED = "not-a-recipient"
DAMAGED = "encryption-altered"
ALTERED = frozenset({"header-altered", "body-altered"})
"""Codes of reasons that leave what is inside as it was sealed."""

_NAME = "haidang_sealed_mail"
_OID = "2.25.144967587892485764916774656012205178661"
_PARSER_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_OURS = frozenset(
    {"subject", "date", "mime-version", "content-type", "content-transfer-encoding", "content-disposition"}
)
"""Header lines that nobody may add where none was sealed: they say what the mail is, and about what."""
_MOST_NAMED = 12
_WIDEST = 200
_COMPARE = N_(
    "Mail gateways do this. Compare it, and ask the sender; or open it with --accept-indeterminate."
)


class Received(NamedTuple):
    """A sealed mail as it was received, taken apart; nothing of it is trusted."""

    mail: bytes
    """The file: a mail, or CMS alone."""
    cms: bytes
    inside: bytes
    """What was decrypted: ``multipart/signed``."""
    entity: bytes
    """What is signed."""
    signature: bytes
    """CMS SignedData, of which it is known that nothing in it was altered."""


@cache
def _statement_class() -> Any:
    """Return the ASN.1 class of the statement, made known to asn1crypto's CMS."""
    with needs_extra():
        from asn1crypto import cms, core, tsp

    class Recipients(core.SequenceOf):  # type: ignore[misc]
        _child_spec = cms.IssuerAndSerialNumber

    class Lines(core.SequenceOf):  # type: ignore[misc]
        _child_spec = core.UTF8String

    class SealedMail(core.Sequence):  # type: ignore[misc]
        _fields = [("recipients", Recipients), ("shell", tsp.MessageImprint), ("header", Lines)]  # noqa: RUF012 -- asn1crypto writes to it

    make_known(_NAME, _OID, SealedMail)
    return SealedMail


def statement_provider(
    certificates: Sequence[x509.Certificate], shell: bytes, header: bytes, digest: str
) -> Any:
    """Return what pyHanko takes as a further signed attribute.

    Args:
        certificates: the recipients'.
        shell: what stands around the ciphertext.
        header: the header of the mail.
        digest: the name of a digest algorithm of the SHA-2 family.
    """
    fields = {
        "recipients": [_named(one) for one in certificates],
        "shell": imprint_of(shell, digest),
        "header": [line.decode() for line in header_lines(header)],
    }
    return provider_of(_NAME, _statement_class()(fields))


def departures(received: Received, opener: x509.Certificate, sender: str) -> tuple[Reason, ...]:
    """Return what of a mail is not as its signature states; a note where it states nothing.

    Args:
        received: the mail; its signature holds, or it cannot be told.
        opener: the certificate of whoever opens it.
        sender: the name of whoever signed it.
    """
    try:
        return tuple(_departures(received, opener, sender))
    except _PARSER_ERRORS:
        return (_damaged(),)


def _departures(received: Received, opener: x509.Certificate, sender: str) -> Iterator[Reason]:
    _statement_class()
    from asn1crypto import cms

    signers = cms.ContentInfo.load(received.signature, strict=True)["content"]["signer_infos"]
    statements = [stated for signer in signers for stated in values_of(signer, _OID)]
    if not statements:
        yield Reason(
            "beside-not-covered",
            Message(N_("The signature does not cover to whom the mail is sealed, nor its header.")),
            severity="note",
        )
    for stated in statements:
        if _named(opener).dump() not in {one.dump() for one in stated["recipients"]}:
            yield _forwarded(sender)
        elif not _is_shell(stated["shell"], received.cms) or not is_signed_as_written(
            received.inside, received.entity, received.signature
        ):
            yield _damaged()
        elif received.mail == received.cms:
            yield Reason(
                "header-absent",
                Message(
                    N_("There is no mail around it whose header could be compared with what was sealed.")
                ),
                severity="note",
            )
        else:
            yield from _header_departures(stated["header"].native, header_lines(received.mail))
            if not is_body_of(received.mail, received.cms):
                yield Reason(
                    "body-altered",
                    Message(N_("The body of the mail is not as it was sealed; what is inside is unaltered.")),
                    Message(_COMPARE),
                    severity="warning",
                )


def _named(certificate: x509.Certificate) -> Any:
    from asn1crypto import cms

    one = as_asn1(certificate)
    return cms.IssuerAndSerialNumber({"issuer": one.issuer, "serial_number": one.serial_number})


def _is_shell(imprint: Any, content: bytes) -> bool:
    try:
        return is_imprint_of(imprint, shell_in(content))
    except _PARSER_ERRORS:
        return False


def _header_departures(sealed: Sequence[str], lines: Sequence[bytes]) -> Iterator[Reason]:
    found: dict[str, list[bytes]] = {}
    for line in lines:
        found.setdefault(_name(line.decode("latin-1")).lower(), []).append(line)
    for written in sealed:
        name = _name(written)
        now = found.pop(name.lower(), [])
        if now != [written.encode()]:
            yield _altered(name, written, now)
    for key in sorted(_OURS & set(found)):
        yield _altered(key.title(), "", found.pop(key))
    if found:
        names = [_name(several[0].decode("latin-1"))[:_WIDEST] for several in found.values()]
        said = ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
        yield Reason(
            "header-added",
            Message(
                N_("Header lines that were added on the way, which no signature covers: {names}"), names=said
            ),
            severity="note",
        )


def _altered(name: str, line: str, now: Sequence[bytes]) -> Reason:
    """Return that a header line differs: ``line`` as it was sealed, ``now`` as it is; either may be empty."""
    sealed, found = _value(line.encode()), " | ".join(map(_value, now))
    if sealed == found:
        # The same to a reader; where the bits differ, only the lines as they are written show.
        sealed, found = line, " | ".join(one.decode("latin-1") for one in now)
    nothing = Message(N_("nothing"))
    return Reason(
        "header-altered",
        Message(
            N_("The header line {name} was altered; what is inside was not. Sealed: {sealed}. Now: {now}"),
            name=name,
            sealed=sealed[:_WIDEST] or nothing,
            now=found[:_WIDEST] or nothing,
        ),
        Message(_COMPARE),
        severity="warning",
    )


def _name(line: str) -> str:
    return line.partition(":")[0].strip()


def _value(line: bytes) -> str:
    return readable(line.partition(b":")[2].strip())[:_WIDEST]


def _damaged() -> Reason:
    return Reason(
        "encryption-altered",
        Message(N_("The recipients or the encryption are not those that the sender signed.")),
        Message(N_("Do not use it. Ask the sender to seal it again.")),
    )


def _forwarded(sender: str) -> Reason:
    return Reason(
        "not-a-recipient",
        Message(
            N_("{sender} did not seal this to you: somebody else passed it on, encrypted anew."),
            sender=sender,
        ),
        Message(
            N_("Ask {sender} whether you may have it. To open it all the same: --accept-forwarded"),
            sender=sender,
        ),
        severity="warning",
    )
