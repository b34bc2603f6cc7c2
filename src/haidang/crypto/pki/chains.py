"""Chains of certificates of authorities: put in order, and checked when they come from another machine.

What comes is not trusted: a chain is accepted when each certificate is signed by the next, each is an
authority that is valid today, and the last signs itself. That the last is the right root is for people to
compare, by its fingerprint.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from haidang.crypto.certificates import certificate_facts, fingerprint
from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import key_id
from haidang.errors import AuthorityError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

__all__ = [
    "CHAINS",
    "Chain",
    "as_pem",
    "chain_for",
    "check_authority_chain",
    "check_root",
    "crl_number",
    "is_signed_by",
]

Chain: TypeAlias = Literal["first", "second"]
CHAINS: tuple[Chain, ...] = get_args(Chain)
"""An authority's own: of the key that all can use, and of a second one that withstands quantum computers."""

_CLOCK_SLACK = dt.timedelta(minutes=5)
_LONGEST = 10


def chain_for(key: Any, certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the certificate of ``key`` among ``certificates`` and those above it, in order.

    Raises:
        AuthorityError: None is for this key.
    """
    identifier = key_id(key)
    own = [one for one in certificates if _id_or_nothing(one) == identifier]
    if not own:
        raise AuthorityError(
            N_("None of the certificates is for this key."),
            hint=N_("Name the file that answers the request that was made here."),
        )
    path = [max(own, key=lambda one: one.not_valid_after_utc)]
    while path[-1].subject != path[-1].issuer and len(path) < _LONGEST:
        above = next((one for one in certificates if one not in path and is_signed_by(path[-1], one)), None)
        if above is None:
            break
        path.append(above)
    return path


def check_authority_chain(path: Sequence[x509.Certificate], now: dt.datetime) -> None:
    """Check that ``path`` is that of an authority, up to a root.

    Raises:
        AuthorityError: It is not.
    """
    with needs_extra():
        from cryptography import x509
    reason: Message | None = None
    for one in path:
        try:
            constraints = one.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            constraints = None
        if constraints is None or not constraints.ca:
            reason = Message(N_("{name} is no authority"), name=certificate_facts(one).name)
        elif not one.not_valid_before_utc <= now + _CLOCK_SLACK or one.not_valid_after_utc <= now:
            reason = Message(N_("{name} is not valid today"), name=certificate_facts(one).name)
    if len(path) < 2 or not is_signed_by(path[-1], path[-1]):
        reason = Message(N_("it does not reach a root"))
    if reason is not None:
        raise AuthorityError(
            N_("The chain of certificates is not accepted: {reason}."),
            hint=N_("Name the file that haidang pki sign wrote on the root's machine."),
            reason=reason,
        )


def check_root(path: Sequence[x509.Certificate], wanted: str) -> None:
    """Check that the last of ``path`` has the fingerprint that a person has from elsewhere; "" asks nothing.

    Raises:
        AuthorityError: It has another.
    """
    digits = "".join(wanted.replace(":", "").split()).lower()
    found = fingerprint(path[-1])
    if digits and digits != found:
        raise AuthorityError(
            N_("The root of this certificate has another fingerprint: {found}."),
            hint=N_("Do not use it. Ask the authority, by another way than this file came."),
            found=found,
        )


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether ``issuer`` signed ``certificate``."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _id_or_nothing(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return key_id(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        return ""


def crl_number(der: bytes) -> int:
    """Return the number of a CRL, 0 where it has none or is none."""
    with needs_extra():
        from cryptography import x509
    try:
        crl = x509.load_der_x509_crl(der)
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion):
        return 0


def as_pem(certificates: Sequence[x509.Certificate]) -> str:
    """Return certificates as PEM, in their order."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)
