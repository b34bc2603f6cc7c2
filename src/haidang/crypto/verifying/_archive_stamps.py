"""Archive timestamps inside CAdES signatures, version 3 (ETSI EN 319 122-1, section 5.5.3).

Each is over the signer's part of a signature, the digest of the content, and an index of digests of all else
that was there: certificates, revocation data, unsigned attributes. What an index names is proven to have been
there at the timestamp's time, so that its certificates may have ended since.

The newest is judged at present, and each older one at the time that a newer one proves. Nothing of it is
trusted: what is not sound proves nothing, and is said.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying.algorithms import weak_digest
from haidang.crypto.verifying.proven import Proof, ProvenChains
from haidang.crypto.verifying.signer_infos import PARSER_ERRORS
from haidang.crypto.verifying.timestamps import verify_token
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.crypto.verdicts import SignatureVerdict
    from haidang.crypto.verifying._cms_evidence import Brought
    from haidang.crypto.verifying.chains import Chains

__all__ = ["VERSION_3", "ArchiveStamps", "doubts", "earliest"]

VERSION_3 = "0.4.0.1733.2.4"
_INDEX = "0.4.0.19122.1.5"
"""ats-hash-index-v3, an unsigned attribute of the timestamp."""
_MOST = 16
"""Archive timestamps of one signer that are looked at."""
_SIGNER_FIELDS = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")


def earliest(stamps: Iterable[SignatureVerdict]) -> Proof | None:
    """Return the earliest moment that timestamps prove, by those that hold."""
    believed = [Proof(one.proven_time, one.signer) for one in stamps if one.holds and one.proven_time]
    return min(believed, key=lambda one: one.moment, default=None)


def doubts(stamps: Iterable[SignatureVerdict]) -> Iterator[Reason]:
    """Yield which archive timestamps are not believed, though nothing was altered, and so prove nothing."""
    for one in stamps:
        if one.indication == "INDETERMINATE":
            yield Reason(
                "archive-timestamp-not-believed",
                Message(
                    N_("An archive timestamp is not believed, and proves nothing: {why}"),
                    why=one.reasons[0].message,
                ),
                one.reasons[0].hint,
                severity="note",
            )


class _Stamp(NamedTuple):
    """One archive timestamp, judged."""

    verdict: SignatureVerdict
    algorithm: str
    attributes: frozenset[bytes]
    """Digests of the unsigned attributes' values that were there."""


class ArchiveStamps:
    """The archive timestamps of one signer, judged; they tell at which moment something was there."""

    def __init__(
        self,
        info: Any,
        signed_data: Any,
        digest: Callable[[str], bytes],
        chains: Chains,
        *,
        now: dt.datetime,
        brought: Brought,
    ) -> None:
        """Judge them.

        Args:
            info: the signer, ``asn1crypto.cms.SignerInfo``.
            signed_data: what it is part of.
            digest: returns the digest of the signed content by the name of an algorithm.
            chains: judges certificates.
            now: the present.
            brought: what came along with the signature.
        """
        self._info = info
        self._signed_data = signed_data
        self._digest = digest
        self._chains = chains
        self._now = now
        self._brought = brought
        self._stamps: list[_Stamp] = []
        for token in sorted(_tokens(info), key=_time, reverse=True)[:_MOST]:
            self._stamps.append(self._judged(token))

    @property
    def verdicts(self) -> Sequence[SignatureVerdict]:
        """What holds of each, the newest first."""
        return [one.verdict for one in self._stamps]

    @property
    def proof(self) -> Proof | None:
        """The earliest moment at which the signature was there."""
        return earliest(self.verdicts)

    def chains_for(self, oid: str, value: bytes) -> Chains:
        """Return what judges the value of an unsigned attribute, at the moment at which it was there."""
        proof = earliest(
            [one.verdict for one in self._stamps if _key(oid, value, one.algorithm) in one.attributes]
        )
        return ProvenChains(self._chains, proof, None) if proof else self._chains

    def _judged(self, token: bytes) -> _Stamp:
        try:
            index = _index_of(token)
            algorithm: str = index["hash_ind_algorithm"]["algorithm"].native
            wrong = algorithm if weak_digest({algorithm}) else self._missing(index, algorithm)
        except PARSER_ERRORS as error:
            verdict = self._verified(token, lambda _: b"")
            return _Stamp(_failed(verdict, str(error)), "", frozenset())
        verdict = self._verified(token, lambda name: self._imprint(name, index))
        attributes = frozenset(one.native for one in index["unsigned_attrs"])
        return _Stamp(_failed(verdict, wrong) if wrong else verdict, algorithm, attributes)

    def _verified(self, token: bytes, imprint: Callable[[str], bytes]) -> SignatureVerdict:
        return verify_token(
            token,
            imprint,
            self.chains_for(VERSION_3, token),
            now=self._now,
            others=self._brought.certificates,
            crls=self._brought.crls,
            ocsps=self._brought.ocsps,
        )

    def _imprint(self, algorithm: str, index: Any) -> bytes:
        """Return the digest of what an archive timestamp is over."""
        found = hashlib.new(algorithm, self._signed_data["encap_content_info"]["content_type"].dump())
        found.update(self._digest(algorithm))
        for name in _SIGNER_FIELDS:
            found.update(self._info[name].dump())
        found.update(index.dump())
        return found.digest()

    def _missing(self, index: Any, algorithm: str) -> str:
        """Return what an index names that is not there (any more), or ""."""
        attributes = self._info["unsigned_attrs"] or ()
        present = {
            "certificates": [one.dump() for one in self._signed_data["certificates"] or ()],
            "crls": [one.dump() for one in self._signed_data["crls"] or ()],
            "unsigned_attrs": [
                one["type"].dump() + value.dump() for one in attributes for value in one["values"]
            ],
        }
        for name, there in present.items():
            digests = {hashlib.new(algorithm, one).digest() for one in there}
            if not {one.native for one in index[name]} <= digests:
                return name
        return ""


def _tokens(info: Any) -> Iterator[bytes]:
    for attribute in info["unsigned_attrs"] or ():
        if attribute["type"].dotted == VERSION_3:
            yield from (token.dump() for token in attribute["values"])


def _time(token: bytes) -> float:
    """Return the time that a token states, for sorting."""
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(token)
        at: dt.datetime = info["content"]["encap_content_info"]["content"].parsed["gen_time"].native
        return at.timestamp()
    except PARSER_ERRORS:
        return 0.0


def _index_of(token: bytes) -> Any:
    """Return the index that a timestamp is over, parsed.

    Raises:
        ValueError: There is not exactly one.
    """
    from asn1crypto import algos, cms, core

    class Digests(core.SequenceOf):  # type: ignore[misc]
        _child_spec = core.OctetString

    class Index(core.Sequence):  # type: ignore[misc]
        _fields = [  # noqa: RUF012 -- asn1crypto's way of saying it
            ("hash_ind_algorithm", algos.DigestAlgorithm),
            ("certificates", Digests),
            ("crls", Digests),
            ("unsigned_attrs", Digests),
        ]

    signers = cms.ContentInfo.load(token, strict=True)["content"]["signer_infos"]
    values = [
        value.dump()
        for signer in signers
        for attribute in signer["unsigned_attrs"] or ()
        if attribute["type"].dotted == _INDEX
        for value in attribute["values"]
    ]
    if len(values) != 1:
        raise ValueError(f"{len(values)} indexes")
    return Index.load(values[0], strict=True)


def _key(oid: str, value: bytes, algorithm: str) -> bytes:
    from asn1crypto import core

    return hashlib.new(algorithm, core.ObjectIdentifier(oid).dump() + value).digest() if algorithm else b""


def _failed(verdict: SignatureVerdict, detail: str) -> SignatureVerdict:
    if not verdict.holds:
        return verdict
    reason = Reason(
        "archive-timestamp-of-other",
        Message(N_("What an archive timestamp is of was changed or taken away ({detail})."), detail=detail),
        Message(N_("Fetch the file again from whoever sent it.")),
    )
    return replace(
        verdict,
        indication="TOTAL-FAILED",
        subindication="HASH_FAILURE",
        proven_time=None,
        reasons=(reason, *verdict.reasons),
    )
