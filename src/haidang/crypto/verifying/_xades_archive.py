"""Archive timestamps inside XAdES signatures (ETSI EN 319 132-1, section 5.5.2.2): the form of version 1.4.1.

Each is over everything that is signed, the signature, and all unsigned properties before it, in their order.
Those are proven to have been there at its time, so that their certificates may have ended since.

The last is judged at present, and each one before it at the time that one behind it proves. Nothing of it is
trusted: what is not sound proves nothing, and is said.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto.verifying._archive_stamps import earliest
from haidang.crypto.verifying._xml_reading import (
    CANONICAL_XML,
    DS,
    QUALIFYING_PROPERTIES,
    XADES,
    bytes_in,
    canonical,
)
from haidang.crypto.verifying.proven import ProvenChains
from haidang.crypto.verifying.timestamps import verify_token

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from haidang.crypto.verdicts import SignatureVerdict
    from haidang.crypto.verifying._cms_evidence import Brought
    from haidang.crypto.verifying.chains import Chains
    from haidang.crypto.verifying.proven import Proof

__all__ = ["XadesArchive", "XadesArchives", "read_archives"]

_X: Final = f"{{{XADES}}}"
_X141: Final = "{http://uri.etsi.org/01903/v1.4.1#}"
_MOST: Final = 16
"""Archive timestamps of one signature that are looked at."""


class XadesArchive(NamedTuple):
    """One archive timestamp."""

    token: bytes
    method: str
    """How what it is over is brought into canonical form."""
    before: tuple[Any, ...]
    """The unsigned properties that it is over, elements."""


def read_archives(unsigned: Any) -> tuple[tuple[XadesArchive, ...], bool]:
    """Return the archive timestamps of a signature, and whether there are such of other forms.

    Args:
        unsigned: the element UnsignedSignatureProperties.

    Raises:
        XmlRefusedError: One is not sound.
    """
    found: list[XadesArchive] = []
    others = unsigned.find(f"{_X}ArchiveTimeStamp") is not None
    properties = list(unsigned)
    for at, one in enumerate(properties):
        if one.tag != f"{_X141}ArchiveTimeStamp":
            continue
        if one.find(f"{_X}Include") is not None or len(found) >= _MOST:
            others = True
            continue
        method = one.find(f"{{{DS}}}CanonicalizationMethod")
        name = CANONICAL_XML if method is None else method.get("Algorithm", "")
        before = tuple(properties[:at])
        found += (
            XadesArchive(bytes_in(token), name, before) for token in one.findall(f"{_X}EncapsulatedTimeStamp")
        )
    return tuple(found), others


class XadesArchives:
    """The archive timestamps of one signature, judged; they tell at which moment something was there."""

    def __init__(
        self,
        archives: Sequence[XadesArchive],
        signature: Any,
        signed: Callable[[str], Iterator[bytes]],
        chains: Chains,
        *,
        now: dt.datetime,
        brought: Brought,
    ) -> None:
        """Judge them.

        Args:
            archives: them, in the order of the document.
            signature: the element Signature.
            signed: yields what is signed, where a method for canonical form is needed by that one.
            chains: judges certificates.
            now: the present.
            brought: what came along with the signature.

        Raises:
            XmlRefusedError: What one is over cannot be told.
        """
        self._signature = signature
        self._signed = signed
        self._chains = chains
        self._judged: list[tuple[XadesArchive, SignatureVerdict]] = []
        for one in reversed(archives):
            verdict = verify_token(
                one.token,
                self._imprint(one),
                self._chains_at(
                    [verdict for other, verdict in self._judged if len(other.before) > len(one.before)]
                ),
                now=now,
                others=brought.certificates,
                crls=brought.crls,
                ocsps=brought.ocsps,
            )
            self._judged.append((one, verdict))

    @property
    def verdicts(self) -> list[SignatureVerdict]:
        """What holds of each, the newest first."""
        return [verdict for _, verdict in self._judged]

    @property
    def proof(self) -> Proof | None:
        """The earliest moment at which the signature was there."""
        return earliest(self.verdicts)

    def chains_of(self, element: Any) -> Chains:
        """Return what judges an unsigned property, at the moment at which it was there."""
        return self._chains_at([verdict for one, verdict in self._judged if element in one.before])

    def _chains_at(self, verdicts: Sequence[SignatureVerdict]) -> Chains:
        proof = earliest(verdicts)
        return ProvenChains(self._chains, proof, None) if proof else self._chains

    def _imprint(self, archive: XadesArchive) -> Callable[[str], bytes]:
        def digest(algorithm: str) -> bytes:
            found = hashlib.new(algorithm)
            for octets in self._octets(archive):
                found.update(octets)
            return found.digest()

        return digest

    def _octets(self, archive: XadesArchive) -> Iterator[bytes]:
        yield from self._signed(archive.method)
        for name in ("SignedInfo", "SignatureValue", "KeyInfo"):
            for one in self._signature.findall(f"{{{DS}}}{name}"):
                yield canonical(one, archive.method)
        for one in archive.before:
            yield canonical(one, archive.method)
        named = {
            one.get("URI", "") for one in self._signature.iterfind(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
        }
        for one in self._signature.findall(f"{{{DS}}}Object"):
            if one.find(QUALIFYING_PROPERTIES) is None and f"#{one.get('Id')}" not in named:
                yield canonical(one, archive.method)
