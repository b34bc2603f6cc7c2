"""A verdict as people read it: who signed, for which unit, when, unchanged or what is wrong, and what to do.

Everything that a file or certificate says of itself is made safe for a terminal. Colour only repeats what
words say.

Example::

    ✔ report.csv: valid
        Signed by    Nguyễn Thị Ánh — Phòng Văn thư, Sở Y tế tỉnh Mẫu
        Signed on    2026-11-01 15:00:00+07:00, as Dấu thời gian Tỉnh Mẫu proves
        Content      unchanged since it was signed
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.messages import Message
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.crypto.verdicts import (
        CertificateFacts,
        DocumentVerdict,
        Indication,
        Reason,
        SignatureVerdict,
    )

__all__ = ["verdict_lines", "verdict_summary"]

_MARKS: dict[Indication, tuple[str, str, str]] = {
    "TOTAL-PASSED": ("✔", N_("valid"), "32"),
    "TOTAL-FAILED": ("✘", N_("NOT VALID"), "1;31"),
    "INDETERMINATE": ("?", N_("cannot be told"), "33"),
}
_UNSIGNED = N_("not signed")
_NOBODY = {"unsigned", "timestamp-alone"}
_SEVERITIES = {"error": N_("Problem"), "warning": N_("Caution"), "note": N_("Note"), "ok": N_("Note")}
# Where these say that something is wrong, what was signed is still what is there.
_CHANGED = {"HASH_FAILURE"}
_UNCERTAIN = {"SIG_CRYPTO_FAILURE", "FORMAT_FAILURE", "SIGNED_DATA_NOT_FOUND", "NO_SIGNING_CERTIFICATE_FOUND"}


def verdict_lines(
    verdict: DocumentVerdict,
    translate: Callable[[str], str],
    *,
    zone: dt.tzinfo | None = dt.UTC,
    colour: bool = False,
) -> Iterator[str]:
    """Yield the lines that say a verdict.

    Args:
        verdict: what to say.
        translate: says a template in the reader's language.
        zone: in which times are shown; None for this machine's.
        colour: whether the reader's terminal shows colours.
    """
    yield _heading(verdict, translate, colour=colour)
    several = len(verdict.signatures) > 1
    for number, signature in enumerate(verdict.signatures, 1):
        if several:
            mark, word, _ = _MARKS[signature.indication]
            said = translate("Signature {n} of {total}: {word}")
            yield f"  {mark} " + said.format(n=number, total=len(verdict.signatures), word=translate(word))
        rows = list(_signature(signature, translate, zone))
        yield from _aligned(rows)
    yield from _aligned(_reasons(verdict.reasons, translate, zone))
    if verdict.marking:
        marks = ", ".join(str(value) for value in verdict.marking.values() if value)
        yield from _aligned([(translate("Marking"), marks)])


def verdict_summary(verdicts: Sequence[DocumentVerdict], translate: Callable[[str], str]) -> str:
    """Return one line that counts verdicts."""
    counted = Counter(verdict.indication for verdict in verdicts)
    return translate("{total} files: {passed} valid, {failed} not valid, {open} that cannot be told").format(
        total=len(verdicts),
        passed=counted["TOTAL-PASSED"],
        failed=counted["TOTAL-FAILED"],
        open=counted["INDETERMINATE"],
    )


def _heading(verdict: DocumentVerdict, translate: Callable[[str], str], *, colour: bool) -> str:
    mark, word, code = _MARKS[verdict.indication]
    if any(reason.code in _NOBODY for reason in verdict.reasons):
        word = _UNSIGNED
    line = f"{mark} {neutralise(verdict.path)}: {translate(word)}"
    return f"\x1b[{code}m{line}\x1b[0m" if colour else line


def _signature(
    signature: SignatureVerdict, translate: Callable[[str], str], zone: dt.tzinfo | None
) -> Iterator[tuple[str, str]]:
    stamp = signature.level == "RFC3161"
    if signature.signer is not None:
        yield translate("Timestamp by") if stamp else translate("Signed by"), _who(signature.signer)
    when = _when(signature, translate, zone)
    if when:
        yield translate("Stamped on") if stamp else translate("Signed on"), when
    yield translate("Content"), translate(_content(signature))
    if signature.covers:
        named = [translate("the whole document") if one == "/" else one for one in signature.covers[:5]]
        yield translate("Covers"), ", ".join(named) + (" …" if len(signature.covers) > 5 else "")
    if signature.level:
        yield translate("Form"), signature.level
    yield from _reasons(signature.reasons, translate, zone)


def _who(facts: CertificateFacts) -> str:
    unit = ", ".join(part for part in (facts.unit, facts.organisation) if part and part != facts.name)
    name = facts.name or facts.organisation or facts.subject
    return f"{name} — {unit}" if unit else name


def _when(signature: SignatureVerdict, translate: Callable[[str], str], zone: dt.tzinfo | None) -> str:
    if signature.level == "RFC3161":
        return _local(signature.claimed_time, zone) if signature.claimed_time else ""
    if signature.proven_time is not None:
        authority = signature.time_authority.name if signature.time_authority else "?"
        said = translate("{date}, as {authority} proves")
        return said.format(date=_local(signature.proven_time, zone), authority=authority)
    if signature.claimed_time is not None:
        said = translate("{date}, as the signer says; no timestamp proves it")
        return said.format(date=_local(signature.claimed_time, zone))
    return ""


def _content(signature: SignatureVerdict) -> str:
    stamp = signature.level == "RFC3161"
    if signature.subindication in _CHANGED:
        if stamp:
            return N_("CHANGED since it was stamped, or another file")
        return N_("CHANGED since it was signed, or another file")
    if signature.subindication in _UNCERTAIN:
        return N_("not known whether it was changed")
    if any(reason.code == "changed-as-allowed" for reason in signature.reasons):
        return N_("what was signed is unchanged; something was added since, as it allows")
    return N_("unchanged since it was stamped") if stamp else N_("unchanged since it was signed")


def _reasons(
    reasons: Sequence[Reason], translate: Callable[[str], str], zone: dt.tzinfo | None
) -> list[tuple[str, str]]:
    rows = []
    for reason in reasons:
        rows.append(
            (translate(_SEVERITIES[reason.severity]), _local_message(reason.message, zone).said(translate))
        )
        hint = _local_message(reason.hint, zone).said(translate)
        if hint:
            rows.append((translate("What to do"), hint))
    return rows


def _aligned(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = 12
    for label, text in rows:
        yield f"    {label:<{width}} {neutralise(text)}"


def _local(moment: dt.datetime, zone: dt.tzinfo | None) -> str:
    return str(moment.astimezone(zone).replace(microsecond=0))


def _local_message(message: Message, zone: dt.tzinfo | None) -> Message:
    """Return the message with its moments in the reader's zone."""
    values = {
        name: _local(value, zone)
        if isinstance(value, dt.datetime)
        else _local_message(value, zone)
        if isinstance(value, Message)
        else value
        for name, value in message.values.items()
    }
    return Message(message.template, **values)
