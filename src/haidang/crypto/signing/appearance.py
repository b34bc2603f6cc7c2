"""What is seen of a signature on the page: who, of which unit, when; or the picture of a signature or a seal.

As Decree 30/2020/NĐ-CP, appendix I, wants it on administrative documents: an organisation's digital
signature says its name and the time of signing (ISO 8601, with the zone of Viet Nam) at the top right of the
first page, in black, upright, 10 points; a person's is the picture of their signature in blue, an
organisation's on a document of its own the picture of its seal in red, where the name stands. The pictures
are the user's, PNG with a transparent ground.

What is seen proves nothing; who wants to know verifies. typst draws it, with the letters embedded.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import read_bounded
from haidang.crypto.signing.places import Corner, PageBox, Place, place_on
from haidang.errors import SigningError
from haidang.i18n import N_, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.crypto.signers import Signatory
    from haidang.i18n import Language

__all__ = [
    "LARGEST_PICTURE",
    "MOST_PIXELS",
    "VIETNAM",
    "Appearance",
    "PageBox",
    "Placed",
    "draw_seal",
    "read_picture",
]

VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""The zone whose time a seal shows."""

LARGEST_PICTURE = 4 << 20
"""Bytes of the picture of a signature or seal."""
MOST_PIXELS = 4_000_000
"""Pixels of it: 2,000 by 2,000 is 600 dpi at the size of a seal, and more."""
LONGEST_LINE = 160
"""Letters of a line; a longer one is cut."""

_WORDS_ONLY = (200.0, 40.0)
_WITH_PICTURE = (170.0, 110.0)
"""Points that a seal needs where nobody says how large it is to be."""

_TEMPLATE = Path(__file__).with_name("seal.typ")
_PNG = b"\x89PNG\r\n\x1a\n"


class Placed(NamedTuple):
    """A seal, drawn, and where it goes."""

    page: int
    """Index of the page, from 0."""
    box: tuple[float, float, float, float]
    """Left, bottom, right, top: points in the page's own coordinates."""
    style: Any
    """A ``pyhanko.stamp.BaseStampStyle``."""


class Appearance(NamedTuple):
    """What is to be seen, and where."""

    place: Place = Corner()
    picture: bytes = b""
    """A PNG: the picture of a signature or a seal (:func:`read_picture`)."""
    words: bool = True
    """Whether it says who, for which unit and when."""
    language: Language = "vi"
    zone: dt.tzinfo = VIETNAM

    def placed(self, reader: Any, signatory: Signatory, now: dt.datetime) -> Placed:
        """Return the seal of ``signatory`` for the document of ``reader``.

        Raises:
            SigningError: The place is not on a page, or the picture is none.
        """
        spot = place_on(reader, self.place, size=_WITH_PICTURE if self.picture else _WORDS_ONLY)
        lines = self.lines(signatory, now) if self.words else []
        drawn = draw_seal(
            lines,
            picture=self.picture,
            size=(spot.width, spot.height),
            turned=spot.turned,
            language=self.language,
        )
        return Placed(spot.page, spot.box, _style(drawn))

    def lines(self, signatory: Signatory, now: dt.datetime) -> list[str]:
        """Return what the seal says, line by line."""
        _ = translator(self.language)
        facts = certificate_facts(signatory.certificate)
        units = [one for one in (facts.unit, facts.organisation) if one and one != facts.name]
        name = facts.name or facts.organisation
        moment = now.astimezone(self.zone).replace(microsecond=0).isoformat()
        return [
            _("Signed by: {name}").format(name=_cut(name)),
            *([_("Unit: {unit}").format(unit=_cut(", ".join(units)))] if units else []),
            _("Time of signing: {time}").format(time=moment),
        ]


def read_picture(path: Path) -> bytes:
    """Return the picture in a file.

    Raises:
        InputError: It cannot be read, or is too large.
        SigningError: It is no PNG of a bearable size.
    """
    picture = read_bounded(path, LARGEST_PICTURE)
    _check_picture(picture)
    return picture


def draw_seal(
    lines: Sequence[str],
    *,
    picture: bytes = b"",
    size: tuple[float, float],
    turned: int = 0,
    language: Language = "vi",
) -> bytes:
    """Return a PDF of one page with the seal.

    Args:
        lines: what it says.
        picture: a PNG, or nothing.
        size: width and height as they are seen, in points.
        turned: by how many degrees the page that it goes on is turned (``/Rotate``).
        language: of the text.

    Raises:
        SigningError: The picture is no PNG of a bearable size.
    """
    with needs_extra():
        import typst
    if picture:
        _check_picture(picture)
    data = {
        "width": round(size[0], 2),
        "height": round(size[1], 2),
        "turned": turned,
        "lang": language,
        "lines": list(lines),
        "picture": "picture.png" if picture else "",
    }
    # typst reads files below its root only: a folder of our own, which nobody else can read.
    with tempfile.TemporaryDirectory(prefix="haidang-") as folder:
        template = Path(folder) / _TEMPLATE.name
        template.write_bytes(_TEMPLATE.read_bytes())
        if picture:
            (Path(folder) / "picture.png").write_bytes(picture)
        try:
            drawn: bytes = typst.compile(
                str(template),
                root=folder,
                format="pdf",
                ignore_system_fonts=True,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise SigningError(
                N_("The seal cannot be drawn: {reason}."),
                hint=N_("Check the picture: a PNG, as a drawing program saves it."),
                reason=str(error).splitlines()[0].rstrip("."),
            ) from error
    return drawn


def _check_picture(picture: bytes) -> None:
    """Refuse what is no PNG, or one that expands to more than a seal needs."""
    width, height = struct.unpack(">II", picture[16:24]) if len(picture) >= 33 else (0, 0)
    if not picture.startswith(_PNG) or picture[12:16] != b"IHDR" or not width or not height:
        raise SigningError(
            N_("The picture is no PNG."), hint=N_("Save it as PNG, with a transparent ground.")
        )
    if len(picture) > LARGEST_PICTURE or width * height > MOST_PIXELS:
        raise SigningError(
            N_("The picture is too large: {width} by {height}."),
            hint=N_("Make it at most {most} pixels in all, e.g. 1,000 by 600."),
            width=width,
            height=height,
            most=MOST_PIXELS,
        )


def _style(drawn: bytes) -> Any:
    """Return the style of pyHanko's that puts the page ``drawn`` on another, as it is."""
    from pyhanko.pdf_utils.content import PdfContent, ResourceType
    from pyhanko.pdf_utils.generic import pdf_name
    from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, Margins, SimpleBoxLayoutRule
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.stamp import StaticStampStyle

    no_margins: Any = Margins.uniform

    class Seal(PdfContent):
        def render(self) -> bytes:
            writer: Any = self.writer
            form = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(drawn)))
            self.set_resource(ResourceType.XOBJECT, pdf_name("/Seal"), form)
            left, bottom, right, top = form.get_object()["/BBox"]
            self.box = BoxConstraints(width=abs(right - left), height=abs(top - bottom))
            return b"/Seal Do"

    return StaticStampStyle(
        border_width=0,
        background=Seal(),
        background_opacity=1.0,
        background_layout=SimpleBoxLayoutRule(
            x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=no_margins(0)
        ),
    )


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
