"""Judging what is proven to have been there at an earlier moment: its certificates may have ended since.

A timestamp over a signature, or over a whole document, proves the moment (ETSI EN 319 102-1, section 5.6.2.3:
proof of existence).

Example::

    chains = ProvenChains(chains_for(trust), Proof(stamped, authority), None)
    verdict = verify_cms(signature, digest, chains, now=now)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.verifying.chains import Chains

if TYPE_CHECKING:
    import datetime as dt

    from haidang.crypto.verdicts import CertificateFacts
    from haidang.crypto.verifying.chains import ChainVerdict

__all__ = ["Proof", "ProvenChains"]


class Proof(NamedTuple):
    """A moment at which something was there, and who proves it."""

    moment: dt.datetime
    authority: CertificateFacts | None


class ProvenChains(Chains):
    """Judges certificates of one signature: one that was there at a moment that a later timestamp proves."""

    def __init__(self, chains: Chains, proof: Proof | None, claimed: dt.datetime | None) -> None:
        """Share what ``chains`` parsed and found; keep the proof, and the time that the document states."""
        vars(self).update(vars(chains))
        self.proof = proof
        self.proven = proof.moment if proof else None
        self.claimed = claimed

    def judge(self, certificate: Any, **known: Any) -> ChainVerdict:
        """Return what :meth:`Chains.judge` returns, with the moments of the document."""
        moments = [one for one in (known.pop("proven", None), self.proven) if one is not None]
        claimed = known.pop("claimed", None) or self.claimed
        return super().judge(certificate, proven=min(moments, default=None), claimed=claimed, **known)
