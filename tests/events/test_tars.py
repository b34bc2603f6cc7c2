"""Tar archives are read as they come, damaged and hostile ones as well."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.tars import is_tar, pax_records, tar_members
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from haidang.limits import Limits

LONG = "a" * 80 + "/" + "b" * 120 + ".log"
FILES = {"one.log": b"1" * 700, LONG: b"long", "hồ sơ/hai.log": b"2" * 512, "empty": b""}


def packed(files: dict[str, bytes], layout: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=layout) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def unpacked(
    data: bytes, *, taking: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[dict[str, bytes], str]:
    """Return the first ``taking`` bytes of each file, and the kind of damage that ended it all."""
    source = BlockSource(data[start : start + 300] for start in range(0, len(data), 300))
    found: dict[str, bytes] = {}
    try:
        for member in tar_members(source, limits):
            size = member.size if taking is None else min(member.size, taking)
            found[member.name] = b"".join(source.exactly(size))
    except DamagedError as damage:
        return found, damage.kind
    return found, ""


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("taking", [None, 0, 3])
def test_files_come_out_with_long_names(layout: int, taking: int | None) -> None:
    data = packed(FILES, layout)
    assert is_tar(data)
    expected = {name: text if taking is None else text[:taking] for name, text in FILES.items()}
    assert unpacked(data, taking=taking) == (expected, "")


def test_only_files_are_looked_at() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("no")
            info.type = kind
            info.linkname = "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("yes")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert unpacked(file.getvalue()) == ({"yes": b"abc"}, "")


def test_a_sparse_file_is_named_as_such() -> None:
    data = bytearray(packed({"sparse": b"x" * 100}, tarfile.GNU_FORMAT))
    data[156] = tarfile.GNUTYPE_SPARSE[0]
    data[148:156] = b" " * 8
    data[148:155] = b"%06o\x00" % sum(data[:512])
    (member,) = tar_members(BlockSource(iter([bytes(data)])), DEFAULT_LIMITS)
    assert member.sparse


@pytest.mark.parametrize("cut", [300, 512, 900, 1500, 1800])
def test_an_archive_that_ends_too_early_is_truncated(cut: int) -> None:
    data = packed({"one": b"1" * 700, "two": b"2" * 700})
    found, kind = unpacked(data[:cut])
    if cut < 512:
        assert not found
    assert kind == "truncated"


def test_a_broken_header_is_corrupt_and_what_came_before_counts() -> None:
    data = bytearray(packed({"one": b"1" * 700, "two": b"2" * 700}))
    data[512 + 1024 + 100] ^= 1
    assert unpacked(bytes(data)) == ({"one": b"1" * 700}, "corrupt")


def test_a_header_of_more_than_line_bytes_is_not_held() -> None:
    data = packed({"a" * 5000: b""}, tarfile.GNU_FORMAT)
    assert unpacked(data)[1] == ""
    assert unpacked(data, limits=replace(DEFAULT_LIMITS, line_bytes=1000)) == ({}, "archive-limit")


@pytest.mark.parametrize("data", [b"", b"x" * 1000, bytes(1024), b"x" * 100])
def test_other_files_are_no_archive(data: bytes) -> None:
    assert not is_tar(data)


def test_broken_extended_headers_give_what_they_have() -> None:
    assert pax_records(b"11 path=ab\n9 size=1\nx") == {"path": "ab", "size": "1"}
    for data in (b"0 a=b\n", b"9999", b"-4 a=b\n", b"99999999999999999999999 a", b" ", b"\xff\xff"):
        assert not pax_records(data)


SAMPLE = packed(FILES)


@given(st.data())
def test_damaged_archives_end_and_give_no_other_error(data: st.DataObject) -> None:
    broken = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    unpacked(bytes(broken[: data.draw(st.integers(0, len(broken)))]))


@given(st.binary(max_size=1200))
def test_random_headers_end_and_give_no_other_error(rubbish: bytes) -> None:
    header = bytearray(rubbish.ljust(512, b"\x00")[:512])
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\x00" % sum(header)
    assert unpacked(bytes(header) + rubbish)[1] in {"", "truncated", "corrupt", "archive-limit"}
