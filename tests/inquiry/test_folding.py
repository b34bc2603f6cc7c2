"""Lines for people on a narrow terminal: nothing that an analyst came for is cut away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from haidang.i18n import translator
from haidang.inquiry import Pattern, Question, search, timeline
from haidang.inquiry.folding import folded
from haidang.inquiry.search_outputs import write_lines as write_found
from haidang.inquiry.timeline_outputs import write_lines
from tests.inquiry.making import SYSMON, windows, write

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "powershell.exe -NoP -W Hidden -c " + "A" * 300 + " IEX evil"


def test_a_text_that_fits_is_one_line() -> None:
    assert folded("short", 10) == ["short"]
    assert folded("one two three " * 3, 24, below="  ") == ["one two three one two", "  three one two three"]


def log(tmp_path: Path) -> Question:
    path = tmp_path / "a.json"
    write(path, windows(SYSMON, 1, "08:01:00", CommandLine=COMMAND, User="HAIVAN\\mai.tt"))
    return Question((str(path),))


def test_an_entry_of_a_time_line_is_folded_to_the_terminal_and_whole_elsewhere(tmp_path: Path) -> None:
    for width in (40, 80, 120, 200):
        stream = io.BytesIO()
        write_lines(stream, timeline(log(tmp_path)), translator("en"), width=width, colour=False)
        lines = stream.getvalue().decode().splitlines()
        assert max(map(len, lines)) <= width
        assert "Process started" in lines[0] + lines[1]
        assert "mai.tt" in stream.getvalue().decode()
        assert "powershell.exe" in stream.getvalue().decode()
    stream = io.BytesIO()
    write_lines(stream, timeline(log(tmp_path)), translator("en"), width=None, colour=False)
    (line,) = stream.getvalue().decode().splitlines()
    assert "IEX evil" in line


def test_a_long_value_shows_where_the_pattern_is(tmp_path: Path) -> None:
    for pattern in (Pattern("EVIL", ignore_case=True), Pattern("ev[a-i]l", regex=True)):
        stream = io.BytesIO()
        write_found(stream, search(log(tmp_path), pattern), width=80, find=pattern.find)
        lines = stream.getvalue().decode().splitlines()
        assert max(map(len, lines)) <= 80
        assert "IEX evil" in stream.getvalue().decode()
        stream = io.BytesIO()
        write_found(stream, search(log(tmp_path), pattern), width=80, find=pattern.find, colour=True)
        assert "\x1b[1;31mevil\x1b[0m" in stream.getvalue().decode()
