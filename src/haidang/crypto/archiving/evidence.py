"""Which certificates, CRLs and OCSP answers a later verifier will need: those of the chains, no more.

What is in a document is not trusted. It only chooses among what is trusted, and adds certificates, which a
verifier believes through an anchor alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.embedded import certificates_of
from haidang.crypto.extra import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.trust import Trust

__all__ = ["Evidence", "evidence_for"]


class Evidence(NamedTuple):
    """What proves a signature beside the signature, DER."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


def evidence_for(infos: Iterable[Any], trust: Trust) -> Evidence:
    """Return what the chains of all signers in ``infos`` (ContentInfo) need of what is trusted."""
    with needs_extra():
        from haidang.crypto.trust import as_asn1
    pool = {one.subject.dump(): one for one in map(as_asn1, (*trust.authorities, *trust.anchors))}
    wanted = {one.sha256: one for info in infos for one in certificates_of(info)}
    waiting = list(wanted.values())
    while waiting:
        one = waiting.pop()
        above = pool.get(one.issuer.dump())
        if above is not None and above.sha256 not in wanted:
            wanted[above.sha256] = above
            waiting.append(above)
    issuers = {one.issuer.dump() for one in wanted.values()}
    serials = {one.serial_number for one in wanted.values()}
    needed = trust.about(issuers, serials)
    return Evidence(tuple(one.dump() for one in wanted.values()), needed.crls, needed.ocsps)
