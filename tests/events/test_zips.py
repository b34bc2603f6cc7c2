"""Zip archives give what they hold, damaged and hostile ones as well."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pyzipper
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.blocks import DamagedError
from haidang.events.budget import Budget
from haidang.events.zips import Listing, is_zip, list_members, member_blocks
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from haidang.limits import Limits

TEXT = b"".join(b"%d: hello\n" % number for number in range(3000))
SMALL = replace(DEFAULT_LIMITS, read_bytes=1000)


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def sealed(members: dict[str, bytes], password: bytes, **options: int) -> bytes:
    file = io.BytesIO()
    with pyzipper.AESZipFile(file, "w", pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password)
        archive.setencryption(pyzipper.WZ_AES, **options)
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def listed(data: bytes, limits: Limits = SMALL) -> tuple[Listing, dict[str, str]]:
    """Return the listing and, for each problem of the archive as a whole, its first position."""
    listing = list_members(io.BytesIO(data), limits)
    return listing, {kind: where for kind, where, _ in reversed(listing.notes)}


def unpacked(
    data: bytes, password: bytes | None = None, limits: Limits = SMALL
) -> dict[str, tuple[bytes, str]]:
    """Return what came out of each member, and the kind of damage that ended it."""
    found: dict[str, tuple[bytes, str]] = {}
    for name, member in list_members(io.BytesIO(data), limits).members.items():
        plain = b""
        kind = ""
        try:
            for block in member_blocks(io.BytesIO(data), member, password, limits, Budget(limits)):
                plain += block
        except DamagedError as damage:
            assert damage.detail.endswith(".")
            kind = damage.kind
        found[name] = plain, kind
    return found


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_come_out_whatever_compressed_them(method: int) -> None:
    data = packed({"b.log": TEXT, "a/": b"", "a/x.log": b"short\n", "empty.log": b""}, method)
    assert is_zip(data)
    listing, problems = listed(data)
    assert list(listing.members) == ["a/x.log", "b.log", "empty.log"]
    assert not problems
    assert unpacked(data) == {"a/x.log": (b"short\n", ""), "b.log": (TEXT, ""), "empty.log": (b"", "")}


def test_an_archive_behind_other_bytes_is_read() -> None:
    data = packed({"a": TEXT})
    listing, problems = listed(b"#!/bin/sh\n" + data)
    assert not problems
    member = listing.members["a"]
    blocks = member_blocks(io.BytesIO(b"#!/bin/sh\n" + data), member, None, SMALL, Budget(SMALL))
    assert b"".join(blocks) == TEXT


def test_an_archive_that_was_written_to_a_pipe_is_read() -> None:
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        archive.writestr("b", b"short\n")
    whole = {"a": (TEXT, ""), "b": (b"short\n", "")}
    assert unpacked(pipe.data) == whole
    cut = pipe.data[: pipe.data.rindex(b"PK\x01\x02")]
    assert unpacked(cut[: cut.rindex(b"PK\x01\x02")]) == whole


def test_an_archive_without_its_directory_gives_what_it_has() -> None:
    data = packed({"a": TEXT, "b": TEXT * 2, "c": TEXT})
    cut = data[: data.index(b"PK\x03\x04", data.index(b"PK\x03\x04", 10) + 4) + 500]
    listing, problems = listed(cut)
    assert problems == {"truncated": "byte 0"}
    assert list(listing.members) == ["a", "b", "c"]
    found = unpacked(cut)
    assert found["a"] == (TEXT, "")
    assert found["b"] == (TEXT * 2, "")
    plain, kind = found["c"]
    assert kind == "truncated"
    assert TEXT.startswith(plain)


def test_a_member_with_a_wrong_checksum_is_corrupt() -> None:
    data = bytearray(packed({"a": TEXT, "b": b"short\n"}, zipfile.ZIP_STORED))
    data[100] ^= 1
    found = unpacked(bytes(data))
    assert found["a"][1] == "corrupt"
    assert found["b"] == (b"short\n", "")


def test_no_more_than_archive_members_are_listed() -> None:
    data = packed({f"{number:03}": b"x" for number in range(20)})
    listing, problems = listed(data, replace(SMALL, archive_members=5))
    assert list(listing.members) == ["000", "001", "002", "003", "004"]
    assert problems == {"archive-limit": "member 005"}
    headless = data[: data.index(b"PK\x01\x02")]
    listing, problems = listed(headless, replace(SMALL, archive_members=5))
    assert len(listing.members) == 5
    assert problems == {"truncated": "byte 0", "archive-limit": "member 005"}


def test_members_that_share_bytes_are_a_bomb() -> None:
    data = packed({"a": TEXT, "b": TEXT, "c": TEXT})
    directory = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", directory + 4)
    # The second entry of the directory points to where the first one does.
    broken = bytearray(data)
    broken[second + 42 : second + 46] = data[directory + 42 : directory + 46]
    listing, problems = listed(bytes(broken))
    assert problems == {"archive-limit": "member a"}
    assert list(listing.members) == ["b", "c"]


def test_a_name_that_occurs_again_gets_a_number() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"1")
        for data in (b"2", b"3"):
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("a", data)
    assert unpacked(file.getvalue()) == {"a": (b"1", ""), "a#2": (b"2", ""), "a#3": (b"3", "")}


@pytest.mark.parametrize("nbits", [128, 192, 256])
@pytest.mark.parametrize("version", [1, 2])
def test_aes_is_opened_by_its_password(nbits: int, version: int) -> None:
    data = sealed({"a": TEXT}, b"m\xe1\xba\xadt", nbits=nbits, force_wz_aes_version=version)
    assert unpacked(data, "mật".encode()) == {"a": (TEXT, "")}
    assert unpacked(data, b"wrong") == {"a": (b"", "encrypted")}
    assert unpacked(data) == {"a": (b"", "encrypted")}


def test_aes_whose_seal_is_broken_is_corrupt() -> None:
    data = bytearray(sealed({"a": random.Random(1).randbytes(3000)}, b"x"))
    data[1500] ^= 1
    assert unpacked(bytes(data), b"x")["a"][1] == "corrupt"


def zip_crypto(name: bytes, plain: bytes, password: bytes) -> bytes:
    """Encrypt a stored member by APPNOTE 6.1, for no library at hand writes this."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ 0xEDB88320 if value & 1 else value >> 1
        table.append(value)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 255]
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) % 2**32
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 255]

    for byte in password:
        update(byte)
    crc = zlib.crc32(plain)
    encrypted = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + plain:
        mask = keys[2] | 2
        encrypted.append(byte ^ (mask * (mask ^ 1)) >> 8 & 255)
        update(byte)
    numbers = (20, 1, 0, 0, 0x5A21, crc, len(encrypted), len(plain), len(name))
    local = b"PK\x03\x04" + struct.pack("<5H3I2H", *numbers, 0) + name + encrypted
    central = b"PK\x01\x02" + struct.pack("<6H3I5H2I", 20, *numbers, 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def test_zip_crypto_is_opened_by_its_password() -> None:
    data = zip_crypto(b"a.log", TEXT, b"infected")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("a.log", b"infected") == TEXT
    assert unpacked(data, b"infected") == {"a.log": (TEXT, "")}
    assert unpacked(data, b"wrong") == {"a.log": (b"", "encrypted")}
    assert unpacked(data) == {"a.log": (b"", "encrypted")}


def test_an_unknown_method_is_named() -> None:
    data = bytearray(packed({"a": TEXT}))
    data[data.index(b"PK\x01\x02") + 10] = 9
    assert unpacked(bytes(data)) == {"a": (b"", "unknown-format")}


def test_an_office_document_is_no_archive_of_logs() -> None:
    listing, problems = listed(packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}))
    assert not listing.members
    assert problems == {"unknown-format": "byte 0"}


def test_an_archive_of_nothing_is_empty() -> None:
    assert listed(packed({}))[1] == {"empty": "byte 0"}


SAMPLE = packed({"a.log": TEXT[:300], "b/c.log": b"short\n", "d": b""})
SEALED = sealed({"a.log": TEXT[:300]}, b"x")


@given(st.sampled_from([SAMPLE, SEALED]), st.data())
def test_damaged_archives_end_and_give_no_other_error(sample: bytes, data: st.DataObject) -> None:
    broken = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    unpacked(bytes(broken[: data.draw(st.integers(0, len(broken)))]), b"x")


@given(st.binary(max_size=200))
def test_random_bytes_end_and_give_no_other_error(rubbish: bytes) -> None:
    unpacked(b"PK\x03\x04" + rubbish)
    unpacked(rubbish + SAMPLE[-22:])
