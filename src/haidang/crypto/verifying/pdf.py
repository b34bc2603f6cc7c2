"""Signatures in PDF files (PAdES, ``adbe.pkcs7.detached``, document timestamps), into a verdict.

For each signature, in this order:

1. It stands where it must (:mod:`._pdf_structure`), and covers its whole revision.
2. What came after it is what it allows (pyHanko's policy of differences); otherwise it is said what changed,
   and which attack that is (:mod:`._pdf_changes`).
3. The signature is one over these bytes, of a signer who is believed (:mod:`.cms`, :mod:`.chains`), with the
   revocation data that the document carries (DSS) and the moments that its document timestamps prove.
4. The revision behind it is the one that it states, where it states one (:mod:`haidang.crypto.following`).

The file is not trusted: what cannot be read is a verdict, and reading it is bounded
(:mod:`haidang.crypto.pdfs`).

Example::

    verdict = verify_file(Path("a.pdf"), trust, now=context.now())
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from haidang.crypto.files import read_bounded
from haidang.crypto.following import follows_as_stated
from haidang.crypto.pdfs import (
    LARGEST_PDF,
    UnreadablePdfError,
    open_pdf,
    reading,
)
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict, marking_of
from haidang.crypto.verifying._beside import damaged_beside
from haidang.crypto.verifying._pdf_changes import differences
from haidang.crypto.verifying._pdf_code import standalone_codes, unsound_code
from haidang.crypto.verifying._pdf_evidence import Evidence, evidence_in
from haidang.crypto.verifying._pdf_hidden import hidden_content
from haidang.crypto.verifying._pdf_structure import (
    SUBFILTERS,
    MisplacedError,
    Placed,
    place_of,
    signature_fields,
    signature_in,
    unseen_after,
)
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.cms import verify_cms
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options, with_needs
from haidang.crypto.verifying.proven import Proof, ProvenChains
from haidang.crypto.verifying.timestamps import verify_token
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["recognises", "verify_file", "verify_pdf"]

KIND = "pdf"
_HEADER_WITHIN = 1024
_HINT = Message(N_("Do not rely on it. Ask the signer for the document as it was signed."))
_EVIDENCE_ALTERED = Reason(
    "evidence-altered",
    Message(N_("The evidence that the signature states to follow it was altered or taken away.")),
    _HINT,
)


class _Found(NamedTuple):
    """One signature of the document, before its signer is looked at."""

    name: str
    field: Any
    place: Placed | None = None
    revision: int = -1
    failure: SignatureVerdict | None = None
    reasons: tuple[Reason, ...] = ()
    """What was found of it so far, failure aside."""


def recognises(head: bytes, path: Path | None = None) -> int:
    """Return how sure it is that a file that begins with ``head`` is a PDF, 0 to 100."""
    del path
    if head.startswith(b"%PDF-"):
        return 95
    # A container may have a PDF in its first bytes: it knows itself better.
    return 50 if b"%PDF-" in head[:_HEADER_WITHIN] else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the PDF ``path``.

    Raises:
        InputError: It cannot be read, or is larger than any PDF that is verified.
    """
    content = read_bounded(path, LARGEST_PDF)
    return verify_pdf(content, trust, now=now, options=options, path=str(path))


def verify_pdf(
    content: bytes,
    trust: Trust,
    *,
    now: dt.datetime,
    options: Options = DEFAULT_OPTIONS,
    path: str = "",
) -> DocumentVerdict:
    """Return what holds of a PDF.

    Args:
        content: the file.
        trust: what is believed.
        now: the present.
        options: among them what opens it, where it is encrypted.
        path: its name, for the verdict.
    """
    try:
        with reading():
            return _verify(content, trust, now, options, path)
    except UnreadablePdfError as error:
        # Whoever lacks the password cannot tell what holds; that says nothing against the document.
        severity: Any = "warning" if error.code == "pdf-password" else "error"
        reason = Reason(error.code, error.said_message, error.said_hint, severity)
        return DocumentVerdict(path, KIND, reasons=(reason,))


def _verify(content: bytes, trust: Trust, now: dt.datetime, options: Options, path: str) -> DocumentVerdict:
    reader = open_pdf(content, options.password)
    try:
        found = [_look(reader, content, name, field) for name, field in signature_fields(reader)]
    except MisplacedError as misplaced:
        return DocumentVerdict(path, KIND, reasons=(misplaced.reason,))
    more = content.count(b"/ByteRange") > len(found) + standalone_codes(content)
    if not found:
        return DocumentVerdict(path, KIND, reasons=(_taken_out("error") if more else _unsigned(),))
    evidence = evidence_in(reader)
    damage = unsound_code(reader, content)
    judged = _judge_all(content, found, evidence, trust, now)
    signed = [damaged_beside(one, damage) if one.holds else one for one in judged]
    reasons = (*((_taken_out("warning"),) if more else ()), *hidden_content(reader.root))
    verdict = DocumentVerdict(path, KIND, tuple(signed), reasons, marking=marking_of(signed))
    return with_needs(verdict, options)


def _taken_out(severity: Literal["warning", "error"]) -> Reason:
    """Return that the file has a signature which the form of the document does not name."""
    return Reason(
        "signature-taken-out",
        Message(N_("The file has a signature that the document no longer shows: it was taken out.")),
        _HINT,
        severity,
    )


def _unsigned() -> Reason:
    return Reason(
        "no-signature",
        Message(N_("The document has no signature.")),
        Message(N_("Ask whoever sent it for the signed document.")),
        severity="warning",
    )


def _look(reader: Any, content: bytes, name: str, field: Any) -> _Found:
    """Return the signature of a field with what its place and what came after it say."""
    try:
        place = place_of(reader, content, field)
    except MisplacedError as misplaced:
        return _Found(name, field, failure=_failed("FORMAT_FAILURE", misplaced.reason))
    if place.subfilter not in SUBFILTERS:
        return _Found(name, field, place, failure=_unknown_kind(place.subfilter))
    if place.end == len(content):
        # All of the file, and so all of its revisions; nothing to compare, and nothing to load for it.
        last = reader.xrefs.total_revisions - 1
        return _Found(name, field, place, last, reasons=(_unchanged(),))
    return _look_after(reader, content, _Found(name, field, place), place)


def _look_after(reader: Any, content: bytes, found: _Found, place: Placed) -> _Found:
    """Return a signature that does not cover the whole file with what came after it."""
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        one: Any = EmbeddedPdfSignature(reader, found.field, found.name)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
        reason = Reason("signature-damaged", Message(N_("The signature is damaged.")), _HINT)
        return found._replace(failure=_failed("FORMAT_FAILURE", reason))
    one.coverage = one.evaluate_signature_coverage()
    found = found._replace(revision=one.signed_revision)
    if one.coverage != SignatureCoverageLevel.ENTIRE_REVISION:
        reason = Reason(
            "not-all-covered",
            Message(N_("The signature does not cover all of the document that it seems to cover.")),
            _HINT,
        )
        return found._replace(failure=_failed("FORMAT_FAILURE", reason))
    return _with_changes(reader, content, one, found, place)


def _with_changes(reader: Any, content: bytes, one: Any, found: _Found, place: Placed) -> _Found:
    """Return the signature with what came after it."""
    from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfReadError
    from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult

    if reader.xrefs.total_revisions - 1 == one.signed_revision:
        if not unseen_after(content, place.end):
            return found._replace(reasons=(_unchanged(),))
        reason = Reason(
            "bytes-added",
            Message(
                N_("Something was added to the file that belongs to no revision (incremental saving attack).")
            ),
            _HINT,
        )
        return found._replace(failure=_failed("HASH_FAILURE", reason))
    result: Any
    try:
        result = one.evaluate_modifications(DEFAULT_DIFF_POLICY)
    except PdfDecodeLimitError:
        raise
    except PdfReadError as error:  # what was signed refers to something that is gone
        result = error
    limit = one.docmdp_level
    level = result.modification_level.value if isinstance(result, DiffResult) else None
    allowed = level is not None and level <= (limit.value if limit is not None else _FORM_FILLING)
    said = differences(reader, one.signed_revision, place.end)
    if allowed:
        return found._replace(reasons=(_allowed(), *(one.reason(allowed=True) for one in said)))
    attacks = tuple(dict.fromkeys(one.attack for one in said if one.attack))
    reasons = (
        _forbidden(limited=level is not None),
        *(_shadow(attack) for attack in attacks),
        *(one.reason(allowed=False) for one in said),
    )
    failure = SignatureVerdict("TOTAL-FAILED", "HASH_FAILURE", reasons=reasons)
    detail = "" if isinstance(result, DiffResult) else str(result)[:300]
    return found._replace(failure=replace(failure, evidence={"change": detail} if detail else {}))


_FORM_FILLING = 2
"""What a signature allows that says nothing: filling in, signing again, keeping evidence."""


def _unchanged() -> Reason:
    return Reason("unchanged", Message(N_("The document is unchanged since this signature.")), severity="ok")


def _allowed() -> Reason:
    return Reason(
        "changed-as-allowed",
        Message(
            N_("Since this signature only such things were added as it allows: signatures, evidence, fields.")
        ),
        severity="note",
    )


def _forbidden(*, limited: bool) -> Reason:
    template = (
        N_("The document was changed after this signature, which does not allow changes of this kind.")
        if limited
        else N_("The document was changed after this signature (incremental saving attack).")
    )
    return Reason("changed-after-signing", Message(template), _HINT)


def _shadow(attack: str) -> Reason:
    said = {
        "hide": N_(
            "This is how a shadow attack works that hides: what covered other content was taken away."
        ),
        "replace": N_("This is how a shadow attack works that replaces: the same text looks otherwise."),
        "hide-and-replace": N_(
            "This is how a shadow attack works that hides and replaces: prepared content is shown instead."
        ),
    }
    return Reason(f"shadow-attack-{attack}", Message(said[attack]))


def _failed(subindication: Any, reason: Reason) -> SignatureVerdict:
    return SignatureVerdict("TOTAL-FAILED", subindication, reasons=(reason,))


def _unknown_kind(subfilter: str) -> SignatureVerdict:
    reason = Reason(
        "signature-kind-unknown",
        Message(N_("This kind of signature is not verified: {kind}."), kind=subfilter.lstrip("/") or "?"),
        Message(N_("Ask the signer to sign again as PAdES (ETSI.CAdES.detached).")),
    )
    return SignatureVerdict("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reasons=(reason,))


def _judge_all(
    content: bytes, found: list[_Found], evidence: Evidence, trust: Trust, now: dt.datetime
) -> list[SignatureVerdict]:
    """Return the verdicts, in the order of the signatures; the newest is judged first.

    A document timestamp that holds proves that all before it was there at its time.
    """
    known = chains_for(evidence.added_to(trust))
    verdicts: dict[str, SignatureVerdict] = {}
    proof: Proof | None = None
    order = sorted(found, key=lambda one: one.place.end if one.place else 0, reverse=True)
    for one in order:
        verdict = _judge(content, one, ProvenChains(known, proof, _claimed(one)), now, evidence)
        verdicts[one.name] = verdict
        stamped = verdict.proven_time
        if one.place and SUBFILTERS.get(one.place.subfilter) == "RFC3161" and stamped and verdict.holds:
            proof = proof if proof and proof.moment < stamped else Proof(stamped, verdict.signer)
    return [verdicts[one.name] for one in reversed(order)]


def _judge(
    content: bytes, found: _Found, chains: ProvenChains, now: dt.datetime, evidence: Evidence
) -> SignatureVerdict:
    if found.place is None or (found.failure is not None and found.revision < 0):
        verdict = found.failure or SignatureVerdict("TOTAL-FAILED", "FORMAT_FAILURE")
        return replace(verdict, evidence={**verdict.evidence, "field": found.name})
    digest = _digest(content, found.place)
    der = signature_in(found.place)
    after = memoryview(content)[found.place.end :]
    if SUBFILTERS[found.place.subfilter] == "RFC3161":
        verdict = verify_token(der, digest, chains, now=now, proven=chains.proven)
    else:
        verdict = verify_cms(der, digest, chains, now=now, level_prefix="PAdES")
        verdict = replace(verdict, level=_level(verdict.level, found, chains, evidence))
        verdict = _with_times(verdict, chains)
        if verdict.indication != "TOTAL-FAILED" and not follows_as_stated(der, after):
            found = found._replace(failure=_failed("HASH_FAILURE", _EVIDENCE_ALTERED))
    return _joined(verdict, found)


def _joined(verdict: SignatureVerdict, found: _Found) -> SignatureVerdict:
    """Return what the signer's side says together with what the document's side says, which leads."""
    extra = {"field": found.name, "covers": [0, found.place.end if found.place else 0]}
    failure = found.failure
    if failure is None:
        reasons = (*verdict.reasons, *found.reasons)
        return replace(verdict, reasons=reasons, evidence={**verdict.evidence, **extra})
    return replace(
        verdict,
        indication=failure.indication,
        subindication=failure.subindication,
        reasons=(*failure.reasons, *verdict.reasons),
        evidence={**verdict.evidence, **failure.evidence, **extra},
    )


def _with_times(verdict: SignatureVerdict, chains: ProvenChains) -> SignatureVerdict:
    """Return the verdict with the moments that the document states and proves."""
    verdict = replace(verdict, claimed_time=verdict.claimed_time or chains.claimed)
    proof = chains.proof
    if proof is None or (verdict.proven_time is not None and verdict.proven_time <= proof.moment):
        return verdict
    return replace(verdict, proven_time=proof.moment, time_authority=proof.authority)


def _level(level: str, found: _Found, chains: ProvenChains, evidence: Evidence) -> str:
    """Return the level with what the document adds to it (ETSI EN 319 142-1, section 6)."""
    if found.place is None or found.place.subfilter != "/ETSI.CAdES.detached":
        return "CMS"
    if level not in {"PAdES-B-T", "PAdES-B-LT"}:
        return level
    if not evidence.revocation:
        return "PAdES-B-T"
    return "PAdES-B-LTA" if chains.proven else "PAdES-B-LT"


def _digest(content: bytes, place: Placed) -> Callable[[str], bytes]:
    def digest(name: str) -> bytes:
        view = memoryview(content)
        found = hashlib.new(name, view[: place.first])
        found.update(view[place.second : place.end])
        return found.digest()

    return digest


def _claimed(found: _Found) -> dt.datetime | None:
    """Return the time that the signature dictionary states (``/M``)."""
    from pyhanko.pdf_utils.generic import parse_pdf_date

    try:
        stated = found.field["/V"]["/M"]
        moment: dt.datetime = parse_pdf_date(str(stated), strict=False)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC)
