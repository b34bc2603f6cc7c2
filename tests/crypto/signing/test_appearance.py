from __future__ import annotations

import datetime as dt
import shutil
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from haidang.crypto.signing.appearance import (
    LARGEST_PICTURE,
    MOST_PIXELS,
    Appearance,
    draw_seal,
    read_picture,
)
from haidang.crypto.signing.pdf import sign_pdf_bytes
from haidang.crypto.signing.places import CORNERS, Corner, PageBox
from haidang.crypto.verifying.pdf import verify_pdf
from haidang.errors import InputError, SigningError
from tests.crypto.small_pdf import classic_pdf, pages_of
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

LATER = MOMENT + dt.timedelta(days=1)
LETTERS = "ẮẰẲẴẶẤẦẨẪẬẾỀỂỄỆỐỒỔỖỘỚỜỞỠỢỨỪỬỮỰỲỴỶỸĐđắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữựỳỵỷỹ"


def png(width: int = 40, height: int = 30) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xdc\0\0\xff" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def sealed(appearance: Appearance, content: bytes | None = None, **options: Any) -> bytes:
    signatory = options.pop("signatory", None) or small_pki().signatory()
    return sign_pdf_bytes(
        content or classic_pdf(), signatory, now=MOMENT, level="B-B", appearance=appearance, **options
    )


def poppler(program: str, *arguments: str, content: bytes, folder: Path) -> bytes:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    path = folder / "a.pdf"
    path.write_bytes(content)
    to_stdout = [] if program == "pdftoppm" else ["-"]
    done = subprocess.run([program, *arguments, str(path), *to_stdout], capture_output=True, check=True)
    return done.stdout


def red_box(content: bytes, folder: Path, page: int = 1) -> tuple[float, float, float, float]:
    """Return where red is on a page as it is seen: left, top, right, bottom, as parts of it."""
    image = poppler("pdftoppm", "-r", "36", "-f", str(page), "-l", str(page), content=content, folder=folder)
    _, size, _, pixels = image.split(b"\n", 3)  # a portable pixmap
    width, height = (int(one) for one in size.split())
    red = [
        divmod(index // 3, width)
        for index in range(0, len(pixels) - 2, 3)
        if pixels[index] > 150 and pixels[index + 1] < 100
    ]
    assert red, "nothing red is seen"
    rows, columns = [one[0] for one in red], [one[1] for one in red]
    return min(columns) / width, min(rows) / height, max(columns) / width, max(rows) / height


def test_a_seal_says_who_for_which_unit_and_when_in_the_time_of_viet_nam(tmp_path: Path) -> None:
    content = sealed(Appearance(language="en"))
    assert verify_pdf(content, small_pki().trust(), now=LATER).holds
    text = poppler("pdftotext", content=content, folder=tmp_path).decode()
    assert "Signed by: Nguyễn Thị Ánh" in text
    assert "Unit: Phòng Văn thư, Sở Y tế tỉnh Mẫu" in text
    assert "Time of signing: 2026-11-01T15:00:00+07:00" in text


def test_the_seal_of_a_unit_does_not_say_its_name_twice() -> None:
    unit = small_pki().signatory("Sở Y tế tỉnh Mẫu", "unit", unit="")
    lines = Appearance(language="en").lines(unit, MOMENT)
    assert lines == ["Signed by: Sở Y tế tỉnh Mẫu", "Time of signing: 2026-11-01T15:00:00+07:00"]


def test_every_letter_of_vietnamese_is_embedded(tmp_path: Path) -> None:
    drawn = draw_seal([LETTERS], size=(400, 60))
    text = poppler("pdftotext", content=drawn, folder=tmp_path).decode()
    assert "".join(text.split()) == LETTERS
    path = tmp_path / "a.pdf"
    fonts = subprocess.run(["pdffonts", str(path)], capture_output=True, text=True, check=True).stdout
    rows = fonts.splitlines()[2:]
    assert rows
    assert all(row.split()[-5:-3] == ["yes", "yes"] for row in rows), fonts


def test_what_is_too_long_shrinks_and_what_looks_like_code_is_only_text(tmp_path: Path) -> None:
    words = '#set page(fill: red) "]$ \\ *bold* ' + "Ủy ban nhân dân " * 12
    drawn = draw_seal([words, "2026-11-01T15:00:00+07:00"], size=(200, 40))
    text = poppler("pdftotext", content=drawn, folder=tmp_path).decode()
    assert "#set page(fill: red)" in text
    assert "2026-11-01T15:00:00+07:00" in text


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_is_one_of_the_page_as_it_is_seen(turned: int, corner: Any, tmp_path: Path) -> None:
    objects = pages_of((b"", b""))
    objects[6] = objects[6].replace(b"/MediaBox [0 0", b"/Rotate %d /MediaBox [10 20" % turned)
    appearance = Appearance(Corner(corner, page=-1, width=80, height=60), picture=png(), words=False)
    content = sealed(appearance, classic_pdf(objects))
    left, top, right, bottom = red_box(content, tmp_path, page=2)
    vertical, _, horizontal = corner.partition("-")
    assert (bottom < 0.4) if vertical == "top" else (top > 0.6)
    assert (right < 0.5) if horizontal == "left" else (left > 0.5)


def test_a_seal_does_not_lie_on_another(tmp_path: Path) -> None:
    first = sealed(Appearance(language="en"))
    both = sealed(Appearance(Corner("top-right"), picture=png(), words=False), first)
    assert red_box(both, tmp_path)[1] > 54 / 842
    assert verify_pdf(both, small_pki().trust(), now=LATER).holds


@pytest.mark.parametrize(
    "place",
    [
        PageBox(1, 500, 0, 700, 50),
        PageBox(1, 10, 10, 15, 15),
        PageBox(1, 50, 50, 10, 10),
        PageBox(2, 0, 0, 99, 99),
        PageBox(-2, 0, 0, 99, 99),
        PageBox(0, 0, 0, 99, 99),
        Corner("middle"),  # type: ignore[arg-type]
        Corner("top-left", width=9999),
    ],
)
def test_a_place_that_is_on_no_page_is_refused(place: Any) -> None:
    with pytest.raises(SigningError):
        sealed(Appearance(place, language="en"))


def test_a_picture_is_a_png_of_a_bearable_size(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    assert read_picture(path) == png()
    huge = bytearray(png())
    huge[16:24] = struct.pack(">II", MOST_PIXELS, 2)
    for wrong in (b"", b"GIF89a" + bytes(40), png()[:20], bytes(huge)):
        path.write_bytes(wrong)
        with pytest.raises(SigningError):
            read_picture(path)
    path.write_bytes(bytes(LARGEST_PICTURE + 1))
    with pytest.raises(InputError):
        read_picture(path)
    with pytest.raises(SigningError, match="cannot be drawn"):
        draw_seal([], picture=png()[:60], size=(99, 99))
