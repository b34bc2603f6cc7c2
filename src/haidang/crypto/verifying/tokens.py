"""Timestamps that lie beside what they are of: ``report.csv.tsr`` (an answer) or ``.tst`` (a token alone)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from haidang.crypto.files import read_bounded
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict
from haidang.crypto.verifying._beside import damaged_beside
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["SUFFIX", "recognises", "verify_file"]

SUFFIX = ".tsr"
_SUFFIXES = (SUFFIX, ".tst")
_LARGEST = 1 << 20
_TST_INFO = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04"
"""The OID of TSTInfo, DER."""


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is a timestamp."""
    if not head.startswith(b"\x30"):
        return 0
    if path.suffix.lower() in _SUFFIXES:
        return 95
    return 93 if _TST_INFO in head[:128] else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of a timestamp over the file beside it.

    Raises:
        InputError: A file cannot be read.
    """
    from haidang.crypto.signing.cades import digest_of_file
    from haidang.crypto.verifying.chains import chains_for
    from haidang.crypto.verifying.timestamps import verify_token

    status, token = _parts(read_bounded(path, _LARGEST))
    beside = path.with_name(path.name.removesuffix(path.suffix))
    content = options.content or (beside if beside != path and beside.is_file() else None)
    if content is None:
        reason = Reason(
            "content-missing",
            Message(N_("The file that was stamped is not there.")),
            Message(N_("Put the stamped file beside its timestamp, or name it with --content.")),
        )
        missing = SignatureVerdict(
            "INDETERMINATE", "SIGNED_DATA_NOT_FOUND", level="RFC3161", reasons=(reason,)
        )
        return DocumentVerdict(str(path), "timestamp", (missing,))
    verdict = verify_token(token, lambda name: digest_of_file(content, name), chains_for(trust), now=now)
    if status is not None and verdict.holds:
        verdict = _with_status(verdict, status)
    return DocumentVerdict(str(path), "timestamp", (verdict,))


def _parts(content: bytes) -> tuple[bytes | None, bytes]:
    """Return the status and the token of an answer; what is none is taken for a token, and judged then."""
    from asn1crypto import core

    from haidang.crypto.verifying.signer_infos import PARSER_ERRORS

    try:
        parts = core.SequenceOf.load(content, strict=True, spec=core.Any)
        if len(parts) == 2 and parts[0].dump()[:1] == b"\x30":
            return parts[0].dump(), parts[1].dump()
    except PARSER_ERRORS:
        return None, content
    return None, content


def _with_status(verdict: SignatureVerdict, status: bytes) -> SignatureVerdict:
    """Return the verdict on a token that holds with what the answer says around it, which nobody signed."""
    from asn1crypto import tsp

    from haidang.crypto.verifying.signer_infos import PARSER_ERRORS

    try:
        told = tsp.PKIStatusInfo.load(status, strict=True)
        name = str(told["status"].native)
        more = bool(told["status_string"].native or told["fail_info"].native)
        sound = more or tsp.PKIStatusInfo({"status": name}).dump() == status
    except PARSER_ERRORS:
        name, sound = "", False
    if not sound or name not in {"granted", "granted_with_mods"}:
        return damaged_beside(verdict, "status of the answer")
    if name == "granted":
        return verdict
    reason = Reason(
        "granted-otherwise",
        Message(N_("The authority says that it stamped otherwise than was asked (grantedWithMods).")),
        Message(N_("Look at what it stamped with --json, or ask for a new timestamp.")),
        severity="warning",
    )
    return replace(
        verdict,
        indication="INDETERMINATE",
        subindication="SIG_CONSTRAINTS_FAILURE",
        reasons=(*verdict.reasons, reason),
    )
