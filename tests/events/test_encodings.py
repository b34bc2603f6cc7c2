"""Text of Windows tools becomes UTF-8, however its bytes are cut."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.encodings import decode_head, encoding_of, to_utf8

TEXT = "Đăng nhập thất bại: hà.nv 🔒\r\n" * 5
MARKED = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
]


def converted(data: bytes, size: int, replaced: list[str] | None = None) -> bytes:
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    return b"".join(to_utf8(blocks, data[:64], (replaced if replaced is not None else []).append))


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("mark", "name"), MARKED)
def test_a_byte_order_mark_decides_and_goes(mark: bytes, name: str, size: int) -> None:
    data = mark + TEXT.encode(name)
    replaced: list[str] = []
    assert encoding_of(data) == (name, len(mark))
    assert converted(data, size, replaced) == TEXT.encode()
    assert not replaced
    assert decode_head(data) == TEXT


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_seen_by_its_nul_bytes(name: str) -> None:
    data = ("The log was cleared.\n" * 3).encode(name)
    assert encoding_of(data) == (name, 0)
    assert converted(data, 7) == b"The log was cleared.\n" * 3


@pytest.mark.parametrize("data", [b"", b"a", b"plain", bytes(100), b"text" + bytes(5000), TEXT.encode()])
def test_other_bytes_are_taken_for_utf_8(data: bytes) -> None:
    assert encoding_of(data) == ("utf-8", 0)
    assert converted(data, 3) == data


def test_half_a_character_is_replaced_and_said() -> None:
    replaced: list[str] = []
    assert converted(codecs.BOM_UTF16_LE + b"a\x00\x00\xd8", 100, replaced) == "a\ufffd".encode()
    assert replaced == ["utf-16-le"]


def test_a_character_cut_off_at_the_end_of_the_head_is_left_out() -> None:
    assert decode_head("hà".encode()[:-1]) == "h"


@given(st.binary(max_size=200), st.integers(1, 20), st.sampled_from([mark for mark, _ in MARKED]))
def test_any_bytes_become_utf_8_or_stay(data: bytes, size: int, mark: bytes) -> None:
    text = converted(mark + data, size)
    if mark == codecs.BOM_UTF8:
        assert text == data
    else:
        text.decode()
    decode_head(data)
