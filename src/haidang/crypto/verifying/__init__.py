"""Verification of whatever was signed, by whomever, without a network, into a verdict.

A verifier is a module of this package that has

    recognises(head: bytes, path: Path) -> int
        how sure it is, 0 (not mine) to 100, from the first bytes and the name; cheap, imports nothing heavy
    verify_file(path: Path, trust: Trust, *, now: datetime, options: Options) -> DocumentVerdict
        what holds; it raises for files that cannot be read alone

The one that is surest verifies; there is no list to edit. The other modules are what they share: chains,
algorithms, signer infos. A signature that lies beside a document (``report.pdf.p7s``) is verified, too.

Example::

    verdict = verify(Path("report.csv"), load_trust(home.trust), now=now)
    if verdict.holds: …
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options
from haidang.errors import InputError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["Options", "unsigned", "verifiers", "verify"]

_NO_SIGNATURE = {"no-signature", "not-signed"}
_HEAD = 4096
"""Bytes by which a file is recognised."""


def verify(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the file ``path``.

    Raises:
        InputError: It cannot be read.
    """
    head = _head(path)
    found = sorted(
        ((module.recognises(head, path), name) for name, module in verifiers().items()), reverse=True
    )
    verdicts = [
        verifiers()[name].verify_file(path, trust, now=now, options=options)
        for score, name in found[:1]
        if score > 0
    ]
    beside = verifiers()["detached"]
    if beside.signatures_of(path, options) and found[0][1] != "detached":
        verdicts.append(beside.verify_file(path, trust, now=now, options=options))
    verdict = _joined(verdicts) if verdicts else unsigned(path)
    # Whatever a kind of document calls it: who asks about a file wants to hear the same of each.
    if not verdict.signatures and {reason.code for reason in verdict.reasons} & _NO_SIGNATURE:
        return unsigned(path, verdict.kind)
    return verdict


def verifiers() -> dict[str, Any]:
    """Return the modules that verify, by name, found by walking this package."""
    if not _VERIFIERS:
        for module in iter_modules(__path__):
            loaded = import_module(f"{__name__}.{module.name}")
            if hasattr(loaded, "recognises"):
                _VERIFIERS[module.name] = loaded
    return _VERIFIERS


_VERIFIERS: dict[str, Any] = {}


def unsigned(path: Path, kind: str = "unsigned") -> DocumentVerdict:
    """Return the verdict that a file has no signature."""
    reason = Reason(
        "unsigned",
        Message(N_("It has no signature: nobody vouches for it.")),
        Message(N_("Ask whoever sent it for a signed copy, or for the signature file (.p7s) beside it.")),
    )
    return DocumentVerdict(str(path), kind, reasons=(reason,))


def _joined(verdicts: list[DocumentVerdict]) -> DocumentVerdict:
    """Return one verdict on a document that is signed inside, beside, or both."""
    first, *more = [one for one in verdicts if one.signatures] or verdicts[:1]
    for one in more:
        first = replace(
            first, signatures=(*first.signatures, *one.signatures), reasons=(*first.reasons, *one.reasons)
        )
    return first


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error
