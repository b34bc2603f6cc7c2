"""Which algorithms a signature may use: what is too weak to prove anything, by the name that CMS gives it.

After NIST SP 800-131A rev. 2 and SOG-IS: no MD2, MD5 or SHA-1, no DSA, no RSA below 2,048 bits, no elliptic
curve below 224 bits. What is strong enough today but not against a quantum computer is the business of
:mod:`haidang.crypto.inventory`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SMALLEST_CURVE", "SMALLEST_RSA", "WEAK_DIGESTS", "weak_digest", "weak_key"]

WEAK_DIGESTS = frozenset({"md2", "md4", "md5", "sha1", "ripemd160"})
SMALLEST_RSA = 2048
SMALLEST_CURVE = 224


def weak_digest(names: Iterable[str]) -> Reason | None:
    """Return why one of these digest algorithms proves nothing; None where all are strong enough."""
    weak = sorted(WEAK_DIGESTS.intersection(names))
    if not weak:
        return None
    return Reason(
        "algorithm-weak",
        Message(
            N_("It was signed with {algorithm}, which can be forged."),
            algorithm=weak[0].upper().replace("SHA1", "SHA-1"),
        ),
        Message(N_("Ask the signer to sign again with SHA-256 or stronger.")),
    )


def weak_key(public_key: Any) -> Reason | None:
    """Return why a public key (``asn1crypto`` PublicKeyInfo) is too weak; None where it is strong enough."""
    algorithm = public_key.algorithm
    if algorithm in {"rsa", "rsassa_pss", "rsaes_oaep"}:
        name, weak = f"RSA-{public_key.bit_size}", public_key.bit_size < SMALLEST_RSA
    elif algorithm == "ec":
        name, weak = f"EC-{public_key.bit_size}", public_key.bit_size < SMALLEST_CURVE
    else:
        name, weak = algorithm.upper(), algorithm == "dsa"
    if not weak:
        return None
    return Reason(
        "key-weak",
        Message(N_("It was signed with a key that is too weak: {algorithm}."), algorithm=name),
        Message(N_("Ask the signer for a signature with a stronger key.")),
    )
