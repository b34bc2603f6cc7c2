"""A sealed file as people read it: who sealed it, to whom, when, what it holds, how it is marked.

Everything that the envelope says is made safe for a terminal.

Example::

    ✔ report.age: opened into inbox/report
        Sealed by    Nguyễn Thị Ánh — Phòng Văn thư, Sở Y tế tỉnh Mẫu
        Sealed on    2026-11-01 15:00:00+07:00
        For          Trần Văn Bình (Phòng Tổ chức)
        Content      folder report: 12 files, 3.4 MB
        Marking      TLP:AMBER; for the named recipients' eyes only
        Use until    2026-12-01 00:00:00+07:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from haidang.crypto.sealing.envelope import SealedContent, SealedEnvelope
    from haidang.crypto.verdicts import Reason
    from haidang.i18n import Translator

__all__ = ["envelope_lines", "heading", "reason_lines"]

_MOST_SHOWN = 12
_WIDTH = 12
_COLOURS = {"✔": "32", "✘": "1;31", "?": "33"}
_SEVERITIES = {"error": N_("Problem"), "warning": N_("Caution"), "note": N_("Note"), "ok": N_("Note")}


def heading(mark: str, text: str, *, colour: bool = False) -> str:
    """Return the first line: ``mark`` is ✔, ✘ or ?; colour only repeats what it says."""
    line = f"{mark} {neutralise(text)}"
    return f"\x1b[{_COLOURS[mark]}m{line}\x1b[0m" if colour else line


def envelope_lines(
    envelope: SealedEnvelope, translate: Translator, *, zone: dt.tzinfo | None = None
) -> Iterator[str]:
    """Yield the lines that say what an envelope says; times are in ``zone`` (None: this machine's)."""
    _ = translate
    sender = envelope.sender
    unit = ", ".join(part for part in (sender.unit, sender.organisation) if part and part != sender.name)
    yield _row(_("Sealed by"), f"{sender.name} — {unit}" if unit else sender.name)
    yield _row(_("Sealed on"), _local(envelope.created, zone))
    yield _row(_("For"), _recipients(envelope, translate))
    if envelope.subject:
        yield _row(_("Subject"), envelope.subject)
    yield _row(_("Content"), _content(envelope.content, translate))
    marks = [
        *envelope.labels,
        *([_("for the named recipients' eyes only")] if envelope.for_your_eyes else []),
    ]
    if marks:
        yield _row(_("Marking"), "; ".join(marks))
    if envelope.expires is not None:
        yield _row(_("Use until"), _local(envelope.expires, zone))


def reason_lines(reasons: Sequence[Reason], translate: Translator) -> Iterator[str]:
    """Yield what to know, and what to do about it."""
    for reason in reasons:
        yield _row(translate(_SEVERITIES[reason.severity]), reason.message.said(translate))
        hint = reason.hint.said(translate)
        if hint:
            yield _row(translate("What to do"), hint)


def _recipients(envelope: SealedEnvelope, translate: Translator) -> str:
    shown: dict[str, None] = {}
    for one in envelope.recipients:
        name = one.name or f"{one.key[:12]}…"
        shown[f"{name} ({one.unit})" if one.unit and one.unit != one.name else name] = None
    names = list(shown)
    if len(names) <= _MOST_SHOWN:
        return ", ".join(names)
    more = translate("and {n} more").format(n=len(names) - _MOST_SHOWN)
    return f"{', '.join(names[:_MOST_SHOWN])}, {more}"


def _content(content: SealedContent, translate: Translator) -> str:
    if not content.folder:
        return translate("file {name}, {size}").format(name=content.name, size=_size(content.bytes))
    said = translate.ngettext(
        "folder {name}: {n} file, {size}", "folder {name}: {n} files, {size}", len(content.files)
    )
    return said.format(name=content.name, n=len(content.files), size=_size(content.bytes))


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _local(moment: dt.datetime, zone: dt.tzinfo | None) -> str:
    try:
        return str(moment.astimezone(zone).replace(microsecond=0))
    except (OverflowError, ValueError):
        return str(moment)


def _row(label: str, text: str) -> str:
    return f"    {label:<{_WIDTH}} {neutralise(text)}"
