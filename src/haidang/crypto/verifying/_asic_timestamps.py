"""Timestamps of ASiC containers (ETSI EN 319 162-1): what one proves, beside signatures or in place of them.

A timestamp proves that files were there at its time, and are unchanged since. It says of nobody that they
signed: a container that has nothing else is not signed, whatever its timestamp proves. One beside a signature
must hold, too, but covers no file on anybody's behalf.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from haidang.crypto.verdicts import Reason, SignatureVerdict
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.crypto.verifying.chains import Chains
    from haidang.crypto.verifying.proven import Proof

__all__ = ["LEVEL", "judge_timestamp", "misplaced_timestamp", "proofs_of", "timestamps_alone"]

LEVEL: Final = "RFC3161"


def judge_timestamp(
    token: bytes,
    imprint: Callable[[str], bytes],
    chains: Chains,
    *,
    now: dt.datetime,
    covers: tuple[str, ...],
    wrong: tuple[Reason, ...] = (),
) -> SignatureVerdict:
    """Return what holds of a timestamp of a container.

    Args:
        token: the timestamp token, DER.
        imprint: returns the digest of what was stamped: of the manifest, or of the only file.
        chains: judges the authority's certificate.
        now: the moment of verification.
        covers: the files that it is of.
        wrong: how these differ from what the manifest says.
    """
    from haidang.crypto.verifying.timestamps import verify_token

    verdict = replace(verify_token(token, imprint, chains, now=now), covers=covers)
    if not wrong:
        return verdict
    return replace(
        verdict,
        indication="TOTAL-FAILED",
        subindication="HASH_FAILURE",
        proven_time=None,
        reasons=(*wrong, *verdict.reasons),
    )


def proofs_of(stamps: Iterable[SignatureVerdict]) -> dict[str, Proof]:
    """Return for each file of a container the earliest moment at which a timestamp proves it was there."""
    from haidang.crypto.verifying.proven import Proof

    found: dict[str, Proof] = {}
    for one in stamps:
        if one.holds and one.proven_time is not None:
            for name in one.covers:
                if name not in found or one.proven_time < found[name].moment:
                    found[name] = Proof(one.proven_time, one.signer)
    return found


def misplaced_timestamp(name: str) -> SignatureVerdict:
    """Return the verdict on a timestamp of which it cannot be told what it is of."""
    reason = Reason(
        "timestamp-without-manifest",
        Message(N_("It cannot be told what the timestamp {name} is of."), name=name),
        Message(N_("Do not rely on it. Ask whoever made the container for a sound one.")),
    )
    return SignatureVerdict("TOTAL-FAILED", "FORMAT_FAILURE", LEVEL, reasons=(reason,))


def timestamps_alone(stamps: Sequence[SignatureVerdict], files: Sequence[str]) -> Iterator[Reason]:
    """Yield what follows where a container has timestamps and no signature."""
    proven = min((one.proven_time for one in stamps if one.holds and one.proven_time), default=None)
    said = (
        Message(
            N_(
                "Nobody signed it. The timestamp proves that what it covers was there on {date}, "
                "not whose it is."
            ),
            date=proven,
        )
        if proven
        else Message(N_("Nobody signed it, and no timestamp that is believed proves when it was there."))
    )
    yield Reason("timestamp-alone", said, Message(N_("Ask whoever sent it for a signed copy.")))
    covered = {name for one in stamps for name in one.covers}
    for name in files:
        if name not in covered:
            yield Reason(
                "file-not-covered",
                Message(N_("No timestamp covers the file {name}."), name=name),
                Message(N_("Do not rely on it: anybody may have put it there.")),
            )
