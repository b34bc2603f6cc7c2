"""The form of our own zips: no bit of one can be another, and of others' zips nothing is asked."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.containers import ContainerError, zip_fields, zip_headers, zip_walking
from haidang.crypto.containers.manifest import Reference, read_manifest, write_manifest
from haidang.crypto.containers.zip_form import ZipForm
from haidang.crypto.containers.zip_walking import walk
from haidang.crypto.containers.zip_writing import ZipWriter
from tests.crypto.small_pki import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

OLDER = MOMENT - dt.timedelta(days=900, seconds=7)
MANIFEST, SIGNATURE = "META-INF/m.xml", "META-INF/s.p7s"


def written(
    *, now: dt.datetime = MOMENT, between: Iterable[str] = (), tail: tuple[str, ...] = (MANIFEST, SIGNATURE)
) -> tuple[bytes, bytes]:
    """Return a zip with members of every kind, and what its manifest would say of it."""
    out = io.BytesIO()
    writer = ZipWriter(out)
    writer.add("mimetype", b"application/x", MOMENT, plain=True)
    writer.add("Thư mục/", b"", OLDER)
    writer.add("Thư mục/đã lưu.txt", b"stored", OLDER)
    writer.stream("streamed.txt", [b"in", b"pieces" * 3], OLDER)
    writer.stream("empty.txt", [], dt.datetime(1969, 1, 1, tzinfo=dt.UTC))
    for name in between:
        writer.add(name, b"", OLDER)
    listed = writer.listed()
    for name in tail:
        writer.add(name, b"<m/>", now)
    writer.close()
    return out.getvalue(), listed


def kept(content: bytes, listed: bytes) -> bool:
    form = ZipForm()
    for member in walk(io.BytesIO(content), form=form):
        for _ in member.chunks():
            pass
    return form.kept(MANIFEST, SIGNATURE, listed)


def accepted_flips(content: bytes, listed: bytes) -> list[int]:
    """Return where a flipped bit is accepted, of two or three bits of each byte."""
    found = []
    for bit in range(0, 8 * len(content), 3):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            if kept(bytes(changed), listed):
                found.append(bit // 8)
        except ContainerError:
            continue
    return found


def test_what_is_written_is_of_the_form_and_no_flipped_bit_leaves_it_so() -> None:
    content, listed = written()
    assert kept(content, listed)
    assert accepted_flips(content, listed) == []


def test_so_it_is_where_numbers_need_the_longer_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 200 were the largest number that fits, in place of 4 GiB."""
    for module in (zip_fields, zip_headers, zip_walking):
        monkeypatch.setattr(module, "_FULL", 200)
    content, listed = written()
    assert content[-98:-94] == b"PK\x06\x06"
    assert kept(content, listed)
    assert accepted_flips(content, listed) == []


def test_so_it_is_of_members_without_number() -> None:
    content, listed = written(between=map(str, range(0xFFFF)))
    assert content[-98:-94] == b"PK\x06\x06"
    assert kept(content, listed)


def test_a_zip_with_other_times_or_another_order_is_another() -> None:
    """Each is sound in itself, and all that stands twice agrees."""
    content, listed = written()
    assert kept(content, listed)
    assert not kept(*written(now=OLDER))
    assert not kept(*written(tail=(SIGNATURE, MANIFEST)))
    assert not kept(*written(tail=(MANIFEST, SIGNATURE, "META-INF/more.xml")))
    assert not kept(*written(tail=(MANIFEST, "more.txt", SIGNATURE)))
    assert not kept(*written(tail=(MANIFEST,)))
    other, _ = written(between=["more.txt"])
    assert not kept(other, listed)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_another_program_is_not_of_the_form_but_is_read(method: int) -> None:
    content, listed = written()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as was, zipfile.ZipFile(out, "w", method) as archive:
        for one in was.infolist():
            archive.writestr(zipfile.ZipInfo(one.filename, one.date_time), was.read(one), method)
    assert not kept(out.getvalue(), listed)


def with_times(local: int, central: int) -> bytes:
    """Return a zip that has an extended timestamp in front of its member, and another in the directory."""
    out = io.BytesIO()
    info = zipfile.ZipInfo("a.txt", (2026, 11, 30, 8, 0, 0))
    info.extra = b"UT\x05\x00\x01" + local.to_bytes(4, "little", signed=True)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, b"text")
        info.extra = b"UT\x05\x00\x01" + central.to_bytes(4, "little", signed=True)
    return out.getvalue()


def test_extended_timestamps_of_others_may_differ_and_lie_before_1970() -> None:
    """Programs that make zips reproducible set the one in the directory and leave the other."""
    for content in (with_times(1_600_000_000, 0), with_times(-5, -5)):
        assert not kept(content, bytes(32))


def test_a_member_whose_time_contradicts_the_directory_is_refused() -> None:
    content = bytearray(with_times(0, 0))
    content[content.rindex(b"PK\x01\x02") + 12] ^= 1
    with pytest.raises(ContainerError, match="contradict each other"):
        kept(bytes(content), bytes(32))


REFERENCES = [Reference("a.txt", bytes(32))]


def test_a_manifest_says_what_is_listed_before_it() -> None:
    listed = bytes(range(32))
    content = write_manifest("META-INF/s.p7s", REFERENCES, listed=listed)
    assert read_manifest(content, "m").listed == listed
    assert read_manifest(write_manifest("META-INF/s.p7s", REFERENCES), "m").listed is None


def test_extensions_stand_where_the_standard_has_them() -> None:
    """EN 319 162-1, annex A.4: behind all references, each said to be critical or not."""
    from lxml import etree

    root = etree.fromstring(write_manifest("META-INF/s.p7s", REFERENCES * 2, listed=bytes(32)))
    names = [etree.QName(one).localname for one in root]
    assert names == ["SigReference", *["DataObjectReference"] * 2, "ASiCManifestExtensions"]
    (extension,) = root[-1]
    assert etree.QName(extension).localname == "Extension"
    assert etree.QName(extension).namespace == etree.QName(root).namespace
    assert dict(extension.attrib) == {"Critical": "false"}


@pytest.mark.parametrize("value", ["", "00", "Z" * 64, "0" * 65, "A" * 64])
def test_a_manifest_that_says_no_digest_is_unsound(value: str) -> None:
    content = write_manifest("META-INF/s.p7s", REFERENCES, listed=bytes(32))
    with pytest.raises(ContainerError, match="not a sound"):
        read_manifest(content.replace(b"0" * 64, value.encode()), "m")


def test_a_manifest_says_it_once() -> None:
    content = write_manifest("META-INF/s.p7s", REFERENCES, listed=bytes(32))
    begin, end = content.index(b"<zip:Form"), content.index(b"</asic:Extension>")
    twice = content[:end] + content[begin:end] + content[end:]
    with pytest.raises(ContainerError, match="not a sound"):
        read_manifest(twice, "m")
