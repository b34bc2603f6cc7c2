"""Verifies ASiC containers (ETSI EN 319 162-1) that anyone made: ASiC-E and ASiC-S with CAdES or XAdES.

Rules:

- The zip is read in one forward pass (:mod:`haidang.crypto.containers.zip_walking`); what two programs could
  read differently is refused.
- Every file must be covered by a signature: its digest stands in the manifest that is signed (ASiC-E with
  CAdES), in the signature (XAdES), or it is what is signed (ASiC-S). A file that is not is named, and the
  container as a whole does not hold.
- Where the manifest says of which form the zip is, as ours do, it must be of that form to the bit. Whoever
  adds a signature or a timestamp makes another zip of it; that one is judged as anybody's.
- A timestamp beside a signature must hold, too. A timestamp alone proves a time, but nobody signed.

The container is not trusted: how it is read is for :mod:`.asic_contents`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from haidang.crypto.containers.manifest import Manifest, read_manifest
from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_walking import stored_sizes
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict, marking_of
from haidang.crypto.verifying._asic_timestamps import (
    LEVEL,
    judge_timestamp,
    misplaced_timestamp,
    proofs_of,
    timestamps_alone,
)
from haidang.crypto.verifying._zip_form import altered_form
from haidang.crypto.verifying.asic_contents import LARGEST_KEPT, chunks_of, read_contents
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, with_needs
from haidang.crypto.verifying.signer_infos import Failure
from haidang.errors import InputError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from haidang.crypto.trust import Trust
    from haidang.crypto.verifying.asic_contents import Contents
    from haidang.crypto.verifying.chains import Chains
    from haidang.crypto.verifying.options import Options
    from haidang.crypto.verifying.proven import Proof
    from haidang.crypto.verifying.xml_signatures import XmlVerdict

__all__ = ["judge", "recognises", "verified_contents", "verify_file"]

MOST_SIGNATURES = 100
"""Signatures of one container."""

_ASIC_E: Final = "application/vnd.etsi.asic-e+zip"
_ASIC_S: Final = "application/vnd.etsi.asic-s+zip"
_SUFFIXES: Final = {".asice": "asic-e", ".sce": "asic-e", ".asics": "asic-s", ".scs": "asic-s"}
_P7S = re.compile(r"META-INF/[^/]*signature[^/]*\.p7[sm]", re.IGNORECASE)
_XADES = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml", re.IGNORECASE)
_MANIFEST = re.compile(r"META-INF/[^/]*ASiC(?:Archive)?Manifest[^/]*\.xml", re.IGNORECASE)
_TOKEN = re.compile(r"META-INF/[^/]*\.tst", re.IGNORECASE)


def recognises(head: bytes, path: Path | None = None) -> int:
    """Return how sure it is that this is an ASiC container, by its mimetype or its name (0 to 90)."""
    named = head.startswith(b"PK") and head[30:38] == b"mimetype"
    if named and b"application/vnd.etsi.asic-" in head[38:200]:
        return 90
    return 80 if path is not None and path.suffix.lower() in _SUFFIXES else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the container in ``path``.

    Raises:
        InputError: It cannot be read.
    """
    return with_needs(verified_contents(path, trust, now=now)[0], options)


def verified_contents(
    path: Path, trust: Trust, *, now: dt.datetime, wanted: Collection[str] = (), most: int = LARGEST_KEPT
) -> tuple[DocumentVerdict, dict[str, bytes]]:
    """Return what holds of a container, and those of its ``wanted`` files that a signature covers.

    What is returned is what was verified: the file is read once. Use it only where the verdict holds.

    Args:
        path: the container.
        trust: what is believed.
        now: the moment of verification.
        wanted: names of small files to keep.
        most: bytes of all of them together.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            sizes = stored_sizes(stream)
            stream.seek(0)
            contents = read_contents(stream, sizes=sizes, wanted=wanted, most=most)

            def again(name: str) -> Iterator[bytes]:
                stream.seek(0)
                return chunks_of(stream, sizes, name)

            verdict = judge(contents, trust, str(path), now=now, again=again)
    except ContainerError as error:
        kind = _SUFFIXES.get(path.suffix.lower(), "asic-e")
        return DocumentVerdict(str(path), kind, reasons=(error.reason(),)), {}
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error
    covered = {name for signature in verdict.signatures for name in signature.covers}
    return verdict, {name: content for name, content in contents.kept.items() if name in covered}


def judge(
    contents: Contents,
    trust: Trust,
    path: str,
    *,
    now: dt.datetime,
    again: Callable[[str], Iterator[bytes]],
) -> DocumentVerdict:
    """Return what holds of a container that was read.

    Args:
        contents: what was found in it.
        trust: what is believed.
        path: what the verdict calls it.
        now: the moment of verification.
        again: yields the content of a file, where its digest by SHA-256 is not enough.
    """
    judging = _Judging(contents, trust, now, again)
    signatures, reasons = judging.signatures()
    kind = "asic-s" if contents.mimetype == _ASIC_S else "asic-e"
    return DocumentVerdict(
        path, kind, signatures, (*judging.form(), *reasons), marking=marking_of(signatures)
    )


class _Judging:
    """One container, and what it is held against."""

    def __init__(
        self,
        contents: Contents,
        trust: Trust,
        now: dt.datetime,
        again: Callable[[str], Iterator[bytes]],
    ) -> None:
        self.contents = contents
        self.trust = trust
        self.now = now
        self._again = again

    def form(self) -> Iterator[Reason]:
        """Yield what is odd about the container's form."""
        contents = self.contents
        if contents.mimetype not in {"", _ASIC_E, _ASIC_S}:
            yield Reason(
                "mimetype-unknown",
                Message(
                    N_("The container says that it is {mimetype}, not ASiC."), mimetype=contents.mimetype[:80]
                ),
                severity="warning",
            )
        elif contents.mimetype and contents.first != "mimetype":
            yield Reason(
                "mimetype-not-first",
                Message(N_("The file mimetype is not the first of the container.")),
                severity="warning",
            )

    def signatures(self) -> tuple[tuple[SignatureVerdict, ...], tuple[Reason, ...]]:
        """Return the verdict of each signature, and what holds of the container as a whole."""
        metadata = self.contents.metadata
        names = [name for name in metadata if _P7S.fullmatch(name)]
        in_xml = [name for name in metadata if _XADES.fullmatch(name)]
        tokens = [name for name in metadata if _TOKEN.fullmatch(name)]
        if len(names) + len(in_xml) + len(tokens) > MOST_SIGNATURES:
            raise ContainerError(
                "too-many-signatures", N_("The container has more than {n} signatures."), n=MOST_SIGNATURES
            )
        simple = self.contents.mimetype == _ASIC_S
        manifests = {} if simple and not tokens else self.manifests()
        stamps = self.timestamps(tokens, manifests)
        proofs = proofs_of(stamps.values())
        if simple:
            found = [self.simple(name, proofs.get(name)) for name in names]
        else:
            found = [self.extended(name, manifests.get(name, []), proofs.get(name)) for name in names]
        from_xml = [self.xml(name) for name in in_xml]
        found += [one for verdict in from_xml for one in verdict.signatures]
        reasons = [one for verdict in from_xml for one in verdict.reasons]
        if stamps and not found:
            return tuple(stamps.values()), tuple(
                timestamps_alone(list(stamps.values()), list(self.contents.digests))
            )
        if not found:
            reason = Reason("not-signed", Message(N_("The container has no signature.")))
            return (), (reason,)
        if all(verdict.complete for verdict in from_xml):
            reasons += self.uncovered(found)
        if len(names) == 1 and not in_xml and not tokens and not reasons:
            reasons += self.altered_around(found[0], manifests.get(names[0], []))
        return (*found, *stamps.values()), tuple(reasons)

    def uncovered(self, found: list[SignatureVerdict]) -> Iterator[Reason]:
        """Yield the files that no signature covers."""
        covered = {name for one in found for name in one.covers}
        for name in self.contents.digests:
            if name not in covered:
                yield Reason(
                    "file-not-covered",
                    Message(N_("No signature covers the file {name}."), name=name),
                    Message(N_("Do not rely on it: anybody may have put it there.")),
                )

    def altered_around(
        self, verdict: SignatureVerdict, manifests: list[tuple[str, Manifest]]
    ) -> Iterator[Reason]:
        """Yield what was altered around files that were not."""
        if verdict.indication != "TOTAL-FAILED":
            for name, manifest in manifests:
                yield from altered_form(self.contents.form, name, manifest)

    def manifests(self) -> dict[str, list[tuple[str, Manifest]]]:
        """Return the manifests by the name of the signature that they lead to."""
        found: dict[str, list[tuple[str, Manifest]]] = {}
        for name, content in self.contents.metadata.items():
            if _MANIFEST.fullmatch(name):
                manifest = read_manifest(content, name)
                found.setdefault(manifest.signature, []).append((name, manifest))
        return found

    def extended(
        self, name: str, manifests: list[tuple[str, Manifest]], proof: Proof | None
    ) -> SignatureVerdict:
        """Return the verdict of one signature of an ASiC-E container."""
        if len(manifests) != 1:
            reason = Reason(
                "manifest-missing" if not manifests else "manifest-ambiguous",
                Message(N_("The signature {name} does not belong to exactly one manifest."), name=name),
            )
            return SignatureVerdict("TOTAL-FAILED", "FORMAT_FAILURE", "ASiC-E/CAdES", reasons=(reason,))
        manifest_name, manifest = manifests[0]
        content = self.contents.metadata[manifest_name]
        wrong = tuple(self.altered(manifest))
        verdict = self.cms(
            name, lambda algorithm: hashlib.new(algorithm, content).digest(), "ASiC-E/CAdES", proof
        )
        covers = tuple(one.name for one in manifest.references)
        return _with(verdict, covers, wrong)

    def altered(self, manifest: Manifest) -> Iterator[Reason]:
        """Yield the files that are not what the manifest says."""
        for one in manifest.references:
            digest = self.digest(one.name, one.algorithm)
            if digest is None:
                yield _file_missing(one.name)
            elif digest != one.digest:
                yield _file_altered(one.name)

    def digest(self, name: str, algorithm: str) -> bytes | None:
        """Return the digest of a file of the container; None where it is not there."""
        if name in self.contents.metadata:
            return hashlib.new(algorithm, self.contents.metadata[name]).digest()
        known = self.contents.digests.get(name)
        return known if known is None or algorithm == "sha256" else self.again(name, algorithm)

    def again(self, name: str, algorithm: str) -> bytes:
        """Return the digest of a file by another algorithm than SHA-256."""
        digest = hashlib.new(algorithm)
        for chunk in self._again(name):
            digest.update(chunk)
        return digest.digest()

    def octets(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file."""
        known = self.contents.metadata.get(name)
        return self._again(name) if known is None else iter((known,))

    def xml(self, name: str) -> XmlVerdict:
        """Return what holds of the signatures in the XML file ``name``."""
        from haidang.crypto.verifying._xml_references import Surroundings
        from haidang.crypto.verifying.xml_signatures import judge_xml

        around = Surroundings(
            self.digest,
            lambda one: Failure("TOTAL-FAILED", "HASH_FAILURE", _file_missing(one)),
            lambda one: Failure("TOTAL-FAILED", "HASH_FAILURE", _file_altered(one)),
            self.octets,
        )
        simple = self.contents.mimetype == _ASIC_S
        return judge_xml(
            self.contents.metadata[name],
            self.chains(None),
            now=self.now,
            around=around,
            prefix="ASiC-S/XAdES" if simple else "ASiC-E/XAdES",
        )

    def simple(self, name: str, proof: Proof | None) -> SignatureVerdict:
        """Return the verdict of the signature of an ASiC-S container, over its only file."""
        files = list(self.contents.digests)
        if len(files) != 1:
            return SignatureVerdict(
                "TOTAL-FAILED", "FORMAT_FAILURE", "ASiC-S/CAdES", reasons=(_not_one_file(len(files)),)
            )
        verdict = self.cms(name, self.digest_of(files[0]), "ASiC-S/CAdES", proof)
        return _with(verdict, tuple(files), ())

    def digest_of(self, name: str) -> Callable[[str], bytes]:
        """Return what returns the digest of a file by an algorithm."""
        return lambda algorithm: (
            self.contents.digests[name] if algorithm == "sha256" else self.again(name, algorithm)
        )

    def timestamps(
        self, names: list[str], manifests: dict[str, list[tuple[str, Manifest]]]
    ) -> dict[str, SignatureVerdict]:
        """Return the verdict of each timestamp: at present, or at the time that one over it proves."""
        found = {name: self.timestamp(name, manifests.get(name, []), None) for name in names}
        for _ in names:
            proofs = proofs_of(found.values())
            again = [name for name in names if found[name].indication == "INDETERMINATE" and name in proofs]
            for name in again:
                found[name] = self.timestamp(name, manifests.get(name, []), proofs[name])
            if not any(found[name].holds for name in again):
                break
        return found

    def timestamp(
        self, name: str, manifests: list[tuple[str, Manifest]], proof: Proof | None
    ) -> SignatureVerdict:
        """Return the verdict of one timestamp: over a manifest, or over the only file (ASiC-S)."""
        token = self.contents.metadata[name]
        if self.contents.mimetype == _ASIC_S and not manifests:
            files = tuple(self.contents.digests)
            if len(files) != 1:
                return SignatureVerdict(
                    "TOTAL-FAILED", "FORMAT_FAILURE", LEVEL, reasons=(_not_one_file(len(files)),)
                )
            return judge_timestamp(
                token, self.digest_of(files[0]), self.chains(proof), now=self.now, covers=files
            )
        if len(manifests) != 1:
            return misplaced_timestamp(name)
        manifest_name, manifest = manifests[0]
        content = self.contents.metadata[manifest_name]
        return judge_timestamp(
            token,
            lambda algorithm: hashlib.new(algorithm, content).digest(),
            self.chains(proof),
            now=self.now,
            covers=tuple(one.name for one in manifest.references),
            wrong=tuple(self.altered(manifest)),
        )

    def cms(
        self, name: str, digest: Callable[[str], bytes], prefix: str, proof: Proof | None
    ) -> SignatureVerdict:
        """Return the verdict of the CMS signature ``name`` by itself."""
        from haidang.crypto.verifying.cms import verify_cms

        signature = self.contents.metadata[name]
        verdict = verify_cms(signature, digest, self.chains(proof), now=self.now, level_prefix=prefix)
        if proof is None:
            return verdict
        if verdict.holds and verdict.level.endswith("-LT"):
            verdict = replace(verdict, level=f"{prefix}-B-LTA")
        if verdict.proven_time is None or verdict.proven_time > proof.moment:
            verdict = replace(verdict, proven_time=proof.moment, time_authority=proof.authority)
        return verdict

    def chains(self, proof: Proof | None) -> Chains:
        """Return what judges certificates, at the moment at which something is proven to have been there."""
        from haidang.crypto.verifying.chains import chains_for
        from haidang.crypto.verifying.proven import ProvenChains

        chains = chains_for(self.trust)
        return ProvenChains(chains, proof, None) if proof else chains


def _with(verdict: SignatureVerdict, covers: tuple[str, ...], wrong: tuple[Reason, ...]) -> SignatureVerdict:
    if wrong:
        return replace(
            verdict,
            indication="TOTAL-FAILED",
            subindication="HASH_FAILURE",
            covers=covers,
            reasons=(*wrong, *verdict.reasons),
        )
    return replace(verdict, covers=covers)


def _not_one_file(number: int) -> Reason:
    return Reason(
        "not-one-file",
        Message(N_("An ASiC-S container holds one file, and this one holds {n}."), n=number),
    )


def _file_missing(name: str) -> Reason:
    return Reason(
        "file-missing", Message(N_("The file {name} is signed, but is not in the container."), name=name)
    )


def _file_altered(name: str) -> Reason:
    return Reason("file-altered", Message(N_("The file {name} was altered after signing."), name=name))
