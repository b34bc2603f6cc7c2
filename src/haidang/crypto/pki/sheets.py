"""A share of a key as a sheet of paper: PDF, one page a holder, in Vietnamese or English.

The sheet is a secret: it is made in memory, and whoever writes it gives the file mode 0600. The template is
``sheet.typ``; the page looks like a document of a public body (Decree 30/2020/NĐ-CP) and is to be printed on
a printer that keeps nothing, folded, and sealed in an envelope.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from haidang.crypto.extra import needs_extra
from haidang.errors import OutputError

if TYPE_CHECKING:
    import datetime as dt

    from haidang.crypto.pki.ceremony import Share
    from haidang.i18n import Translator

__all__ = ["Occasion", "share_sheet"]

_TEMPLATE = Path(__file__).with_name("sheet.typ")
_COLUMNS = 3


class Occasion(NamedTuple):
    """What all sheets of a ceremony say."""

    body: str
    """The public body."""
    authority: str
    fingerprint: str
    """Of the authority's key, as people compare it."""
    day: dt.date
    with_passphrase: bool = False
    holder: str = ""
    """Whose sheet it is; empty leaves a line to fill in."""


def share_sheet(share: Share, occasion: Occasion, translate: Translator) -> bytes:
    """Return the sheet of one share, PDF.

    Raises:
        OutputError: It could not be typeset.
    """
    with needs_extra():
        import typst
    data = msgspec.json.encode(_content(share, occasion, translate)).decode()
    try:
        pdf = typst.compile(_TEMPLATE.read_bytes(), format="pdf", sys_inputs={"data": data})
    except typst.TypstError as error:
        raise OutputError(
            f"the sheet cannot be made: {error.message}",
            hint="This is a defect of the program; please report it.",
        ) from None
    assert isinstance(pdf, bytes)  # noqa: S101 -- one PDF, not one image a page
    return pdf


def _content(share: Share, occasion: Occasion, _: Translator) -> dict[str, object]:
    in_vietnamese = _.lang == "vi"
    day = occasion.day.strftime("%d/%m/%Y") if in_vietnamese else occasion.day.isoformat()
    rules = [
        _("Check the words, put this sheet into an envelope, seal and sign it, and keep it in a safe."),
        _("Do not photograph, copy or scan it, and type it nowhere but at a ceremony of restoring."),
        _("Open the envelope only when the head of the body orders in writing to restore the key."),
        _("If the sheet is lost or was seen by others, say so at once: a new ceremony replaces all shares."),
    ]
    if occasion.with_passphrase:
        rules.append(_("The shares need a passphrase beside them, which is kept apart from all sheets."))
    return {
        "lang": _.lang,
        "body": occasion.body,
        "state": "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" if in_vietnamese else "",
        "motto": "Độc lập - Tự do - Hạnh phúc",
        "title": _("Share of a key"),
        "subtitle": _("Share {number} of {count}; any {threshold} of them restore the key").format(
            number=share.number, count=share.of, threshold=share.threshold
        ),
        "facts": [
            [_("Authority"), occasion.authority],
            [_("Key"), occasion.fingerprint],
            [_("Day of the ceremony"), day],
            [_("Holder"), occasion.holder or "." * 60],
        ],
        "words": share.words,
        "rows": -(-len(share.words) // _COLUMNS),
        "rules_title": _("How to keep it"),
        "rules": rules,
        "signers": [_("Holder of the share"), _("Witness")],
        "sign_here": _("(signature and full name)"),
        "footer": _(
            "For the holder alone. To restore: haidang pki ceremony restore (four letters of a word do)."
        ),
    }
