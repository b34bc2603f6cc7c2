"""C2PA content credentials in pictures, into a verdict.

The library c2pa checks the manifest, its hashes and its signature, and that the chain ends in one of
our anchors; it knows nothing of revocation, so the signer's certificate is judged again by
:mod:`haidang.crypto.verifying.chains`. It does not hand the certificate out: those in the file with the
serial number that it names are judged, and each of them must hold. Nor does it look at what lies between that
which is signed: :mod:`._manifest_store` does, where the rest holds.

The picture is not trusted: it is bounded, and what c2pa cannot read is a verdict. Nothing is fetched.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.files import read_bounded
from haidang.crypto.outer_boxes import BOXED_TYPES, OUTER_BOXES
from haidang.crypto.signing.pictures import LABELS, LARGEST_PICTURE, MAKER, picture_type
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict, Subindication
from haidang.crypto.verifying._beside import damaged_beside
from haidang.crypto.verifying._manifest_store import unsound_store
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options, with_needs
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust
    from haidang.crypto.verifying.chains import Chains

__all__ = ["recognises", "verify_file"]

KIND = "c2pa"
MOST_CERTIFICATES = 64
_LONGEST_LABEL = 200

_CERTIFICATE = re.compile(rb"\x30\x82..\x30\x82..\xa0\x03\x02\x01\x02\x02", re.DOTALL)
# What :mod:`chains` judges anew, by the moment that the caller names instead of the system's clock.
_JUDGED_HERE = {"signingCredential.expired", "claimSignature.outsideValidity"}
_UNTRUSTED = {"signingCredential.untrusted"}


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is a picture that may have credentials."""
    return 80 if picture_type(head, path) else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the credentials in a picture.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    from haidang.crypto.verifying import unsigned

    content = read_bounded(path, LARGEST_PICTURE)
    report = _report(content, trust)
    if report is None:
        return unsigned(path, KIND)
    if isinstance(report, Reason):
        verdict = SignatureVerdict("TOTAL-FAILED", "FORMAT_FAILURE", level="C2PA", reasons=(report,))
        return DocumentVerdict(str(path), KIND, (verdict,))
    found = _sound(_signature(report, content, chains_for(trust), now), report, content)
    marking = _labels(report) if found.indication != "TOTAL-FAILED" else {}
    return with_needs(DocumentVerdict(str(path), KIND, (found,), marking=marking), options)


def _report(content: bytes, trust: Trust) -> dict[str, Any] | Reason | None:
    """Return what c2pa says; None where there are no credentials, a reason where they are not sound."""
    import io

    with needs_extra():
        import c2pa
        from cryptography.hazmat.primitives.serialization import Encoding
    anchors = b"".join(one.public_bytes(Encoding.PEM) for one in trust.anchors).decode()
    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {"user_anchors": anchors} if anchors else {},
    }
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(settings))
        with c2pa.Reader(picture_type(content[:64]), io.BytesIO(content), context=context) as reader:
            found: dict[str, Any] = json.loads(reader.json())
            return found
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error):
            return None
        return Reason(
            "format",
            Message(N_("The content credentials are damaged ({detail})."), detail=str(error)[:200]),
            Message(N_("Fetch the file again from whoever sent it.")),
        )
    except ValueError as error:
        return Reason(
            "format",
            Message(N_("The content credentials are damaged ({detail})."), detail=str(error)[:200]),
            Message(N_("Fetch the file again from whoever sent it.")),
        )


def _signature(report: dict[str, Any], content: bytes, chains: Chains, now: dt.datetime) -> SignatureVerdict:
    info = _active(report).get("signature_info") or {}
    failures = [one for one in _failures(report) if one not in _JUDGED_HERE]
    certificates = _certificates(content, str(info.get("cert_serial_number", "")))
    verdict = SignatureVerdict(
        "TOTAL-PASSED",
        level="C2PA",
        signer=chains.facts(certificates[0]) if certificates else None,
        evidence={"c2pa": failures, "signature": str(info.get("alg", ""))},
    )
    wrong = [one for one in failures if one not in _UNTRUSTED]
    if wrong:
        return _failed(verdict, wrong)
    if failures and certificates:
        judged = _judged(verdict, certificates, chains, now)
        return judged if not judged.holds else _untrusted(verdict)
    if failures or not certificates:
        return _untrusted(verdict)
    return _judged(verdict, certificates, chains, now)


def _sound(verdict: SignatureVerdict, report: dict[str, Any], content: bytes) -> SignatureVerdict:
    """Return the verdict; that it failed, where it holds and what lies beside the signed parts is unsound."""
    if not verdict.holds:
        return verdict
    makers = _active(report).get("claim_generator_info") or [{}]
    ours = isinstance(makers[0], dict) and makers[0].get("name") == MAKER
    mime = picture_type(content[:64])
    stated = _stated_boxes(report) if ours and mime in BOXED_TYPES else None
    active = str(report.get("active_manifest"))
    return damaged_beside(verdict, unsound_store(content, mime, active, ours=ours, outer_boxes=stated))


def _active(report: dict[str, Any]) -> dict[str, Any]:
    manifest = (report.get("manifests") or {}).get(report.get("active_manifest"))
    return manifest if isinstance(manifest, dict) else {}


def _failures(report: dict[str, Any]) -> list[str]:
    """Return the codes of what c2pa found wrong, in the picture and in those that it was made from."""
    results = report.get("validation_results") or {}
    found = [one.get("code", "?") for one in (results.get("activeManifest") or {}).get("failure", [])]
    for delta in results.get("ingredientDeltas") or []:
        found += [one.get("code", "?") for one in (delta.get("validationDeltas") or {}).get("failure", [])]
    if not found and report.get("validation_state") not in {"Valid", "Trusted"}:
        found.append("invalid")
    return found


def _certificates(content: bytes, serial: str) -> list[Any]:
    """Return the certificates in the file that have this serial number."""
    from asn1crypto import x509

    from haidang.crypto.verifying.signer_infos import PARSER_ERRORS

    found: dict[bytes, Any] = {}
    for number, match in enumerate(_CERTIFICATE.finditer(content)):
        if number == MOST_CERTIFICATES:
            break
        begin = match.start()
        length = int.from_bytes(content[begin + 2 : begin + 4], "big") + 4
        try:
            one = x509.Certificate.load(content[begin : begin + length], strict=True)
            if str(one.serial_number) == serial:
                found[one.sha256] = one
        except PARSER_ERRORS:
            continue
    return list(found.values())


def _judged(
    verdict: SignatureVerdict, certificates: list[Any], chains: Chains, now: dt.datetime
) -> SignatureVerdict:
    for one in certificates:
        chain = chains.judge(one, purpose="signing", now=now)
        verdict = replace(
            verdict,
            indication=chain.indication,
            subindication=chain.subindication,
            reasons=chain.reasons,
            evidence={**verdict.evidence, **chain.evidence},
        )
        if not chain.holds:
            return verdict
    return verdict


def _failed(verdict: SignatureVerdict, codes: list[str]) -> SignatureVerdict:
    changed = any(code.endswith("mismatch") and not code.startswith("claimSignature") for code in codes)
    signature = any(code.startswith("claimSignature") for code in codes)
    subindication: Subindication = "FORMAT_FAILURE"
    message = Message(N_("The content credentials are damaged ({detail})."), detail=", ".join(codes)[:200])
    code = "format"
    if signature:
        subindication, code = "SIG_CRYPTO_FAILURE", "signature-wrong"
        message = Message(N_("The signature is not one of this signer's key: it was changed or forged."))
    elif changed:
        subindication, code = "HASH_FAILURE", "content-changed"
        message = Message(N_("The picture was changed after it was signed."))
    reason = Reason(code, message, Message(N_("Do not rely on it. Ask for the picture as it was signed.")))
    return replace(verdict, indication="TOTAL-FAILED", subindication=subindication, reasons=(reason,))


def _untrusted(verdict: SignatureVerdict) -> SignatureVerdict:
    reason = Reason(
        "issuer-unknown",
        Message(N_("The content credentials are from an authority that this machine does not trust.")),
        Message(N_("If you trust this authority, bring its root certificate into the trust folder.")),
    )
    return replace(
        verdict, indication="INDETERMINATE", subindication="NO_CERTIFICATE_CHAIN_FOUND", reasons=(reason,)
    )


def _stated_boxes(report: dict[str, Any]) -> str | None:
    """Return what the claim states of the outer boxes; None for one made before this was stated."""
    data = _assertion(report, OUTER_BOXES)
    return None if data is None else str(data.get("sha256"))


def _labels(report: dict[str, Any]) -> dict[str, str]:
    written = (_assertion(report, LABELS) or {}).get("labels")
    if isinstance(written, list):
        return {"labels": "; ".join(map(str, written))[:_LONGEST_LABEL]}
    return {}


def _assertion(report: dict[str, Any], label: str) -> dict[str, Any] | None:
    """Return what an assertion of the active manifest says; None where there is none of this name."""
    for assertion in _active(report).get("assertions") or []:
        if assertion.get("label") == label and isinstance(assertion.get("data"), dict):
            found: dict[str, Any] = assertion["data"]
            return found
    return None
