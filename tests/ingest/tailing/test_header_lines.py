"""Portions bring along the header lines without which they could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.ingest.tailing.following import Watch, write

if TYPE_CHECKING:
    from pathlib import Path

W3C = [
    b"#Software: Microsoft Internet Information Services 10.0",
    b"#Version: 1.0",
    b"#Fields: date cs-uri-stem",
]


def test_portions_of_a_w3c_log_bring_the_latest_header_lines_along(tmp_path: Path) -> None:
    log = tmp_path / "u_ex.log"
    write(log, *W3C, b"2026-11-30 /a")
    watch = Watch(log)
    watch.step()
    write(log, b"2026-11-30 /b")
    watch.step()
    write(log, b"#Fields: date time cs-uri-stem", b"2026-11-30 08:00 /c")
    watch.step()
    watch.restart()
    write(log, b"2026-11-30 09:00 /d")
    watch.step()
    assert [portion.split(b"\n") for portion in watch.portions] == [
        [*W3C, b"2026-11-30 /a"],
        [*W3C, b"2026-11-30 /b"],
        [*W3C, b"#Fields: date time cs-uri-stem", b"2026-11-30 08:00 /c"],
        [*W3C[:2], b"#Fields: date time cs-uri-stem", b"2026-11-30 09:00 /d"],
    ]
    assert watch.counted == 8


def test_portions_of_a_table_bring_its_header_row_along(tmp_path: Path) -> None:
    table = tmp_path / "users.csv"
    write(table, "name,age", "An,30")
    watch = Watch(table, form="csv")
    watch.step()
    write(table, "Bình,40")
    watch.step()
    assert watch.portions == [b"name,age\nAn,30", "name,age\nBình,40".encode()]


def test_a_log_with_comments_has_no_header_lines(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "# a comment", "one")
    watch = Watch(log)
    watch.step()
    write(log, "two")
    assert watch.step() == [b"two"]


def test_header_lines_are_brought_along_where_the_rest_was_left_out(tmp_path: Path) -> None:
    log = tmp_path / "u_ex.log"
    write(log, *W3C, b"2026-11-30 /a")
    watch = Watch(log, existing=False)
    assert watch.step() == []
    write(log, b"2026-11-30 /b")
    assert watch.step() == [*W3C, b"2026-11-30 /b"]
