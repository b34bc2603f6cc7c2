"""The surest reader takes a file, and a file that none takes is described."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from haidang.events.readers import readers
from haidang.events.recognition import HEAD_BYTES, describe, make_head, recognise

if TYPE_CHECKING:
    from haidang.events.readers import Reader


def reader(confidence: int, **more: Any) -> Reader:
    return cast("Reader", SimpleNamespace(recognises=lambda _: confidence, **more))


def test_the_surest_reader_wins_and_of_equals_the_first_by_name() -> None:
    candidates = {"c": reader(50), "b": reader(80), "d": reader(80), "a": reader(0)}
    assert recognise(make_head("x", b"x"), candidates) is candidates["b"]


def test_no_reader_wins_where_none_is_sure() -> None:
    assert recognise(make_head("x", b"x"), {"a": reader(0)}) is None
    assert recognise(make_head("x", b"x"), {}) is None


def test_a_signature_decides_before_anybody_is_asked() -> None:
    candidates = {"a": reader(99), "b": reader(0, signature=b"MARK")}
    assert recognise(make_head("x", b"MARK..."), candidates) is candidates["b"]
    assert recognise(make_head("x", b"mark..."), candidates) is candidates["a"]


def test_a_head_has_whole_lines_and_a_plain_name() -> None:
    head = make_head("/logs/x.zip!in/Auth.LOG.gz", b"one\r\n\r\n  \ntwo")
    assert (head.name, head.lines) == ("auth.log", ["one", "two"])
    assert make_head("C:\\logs\\A.log", b"").name == "a.log"
    cut = make_head("x", (b"line\n" * HEAD_BYTES)[:HEAD_BYTES])
    assert set(cut.lines) == {"line"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00\x05\x16\x07" + bytes(50), "AppleDouble"),
        (b"7z\xbc\xaf\x27\x1c", "unpack it first"),
        (b"LPKSHHRH", "journalctl"),
        (b"\x0a\x0d\x0d\x0a", "Zeek"),
        (bytes(100), "nothing but NUL"),
        (b"\x01\x02\x03", "no text"),
    ],
)
def test_a_file_of_an_unknown_format_is_described(data: bytes, words: str) -> None:
    assert words in describe(data)
    assert describe(data).endswith(".")
    assert recognise(make_head("x", data), readers()) is None
