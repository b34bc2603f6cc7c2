from __future__ import annotations

import datetime as dt
import itertools
import re
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.marking.labels import Label
from haidang.crypto.signing.pictures import picture_type, sign_picture
from haidang.crypto.trust import Trust
from haidang.crypto.verifying import verify
from haidang.crypto.verifying._manifest_store import unsound_store
from haidang.errors import InputError, SigningError
from tests.crypto.small_bmff import boxed_picture
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.crypto.verdicts import SignatureVerdict

# c2pa judges validity by the system's clock, and the certificates begin at the moment of the small PKI.
NOW = max(dt.datetime.now(dt.UTC), dt.datetime(2026, 11, 2, tzinfo=dt.UTC))


def png() -> bytes:
    rows = b"".join(
        b"\0" + bytes((x * 8, y * 8, 99)[i] for x in range(16) for i in range(3)) for y in range(16)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    source = tmp_path / "photo.png"
    source.write_bytes(png())
    target = tmp_path / "photo.signed.png"
    sign_picture(
        source, target, small_pki(now=PKI_MOMENT).signatory(), now=NOW, labels=[Label("tlp", "GREEN")]
    )
    return target


PKI_MOMENT = dt.datetime(2026, 11, 1, 8, 0, tzinfo=dt.UTC)


def verdict(path: Path, trust: Trust | None = None) -> SignatureVerdict:
    (found,) = verify(path, trust or small_pki().trust(), now=NOW).signatures
    return found


def test_a_signed_picture_says_who_signed_and_how_it_is_marked(signed: Path) -> None:
    found = verify(signed, small_pki().trust(), now=NOW)
    assert found.holds, found.to_json()
    assert found.signatures[0].signer is not None
    assert found.signatures[0].signer.name == "Nguyễn Thị Ánh"
    assert found.marking == {"labels": "TLP:GREEN"}


def test_a_changed_pixel_is_found(signed: Path) -> None:
    content = bytearray(signed.read_bytes())
    content[content.rindex(b"IDAT") + 20] ^= 1
    signed.write_bytes(content)
    assert (verdict(signed).indication, verdict(signed).subindication) == ("TOTAL-FAILED", "HASH_FAILURE")


def test_a_stranger_is_not_believed(signed: Path) -> None:
    for trust in (Trust(), small_pki("rsa-3072").trust()):
        found = verdict(signed, trust)
        assert (found.indication, found.subindication) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")


def test_a_revoked_signer_is_not_believed(tmp_path: Path) -> None:
    person = small_pki().signatory()
    (tmp_path / "a.png").write_bytes(png())
    sign_picture(tmp_path / "a.png", tmp_path / "b.png", person, now=NOW)
    found = verdict(tmp_path / "b.png", small_pki().trust([person.certificate]))
    assert (found.indication, found.subindication) == ("INDETERMINATE", "REVOKED_NO_POE")


def test_a_picture_without_credentials_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    found = verify(tmp_path / "a.png", small_pki().trust(), now=NOW)
    assert [reason.code for reason in found.reasons] == ["unsigned"]


def test_what_cannot_be_signed_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "b.txt").write_bytes(b"text")
    for name, error in (("a.png", SigningError), ("b.txt", InputError), ("none.png", InputError)):
        with pytest.raises(error):
            sign_picture(tmp_path / name, tmp_path / "out", small_pki().signatory(), now=NOW)
    rsa = small_pki("rsa-3072").signatory()
    (tmp_path / "c.png").write_bytes(png())
    with pytest.raises(SigningError, match="rsa-3072"):
        sign_picture(tmp_path / "c.png", tmp_path / "out", rsa, now=NOW)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.png", "b.txt", "c.png"]


def test_pictures_are_told_by_their_first_bytes() -> None:
    assert picture_type(png()) == "image/png"
    assert picture_type(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert picture_type(b"%PDF-1.7") == ""


def jpeg() -> bytes:
    table = bytes([1] * 64)
    codes = bytes([1, *[0] * 15, 0])
    return b"".join(
        (
            b"\xff\xd8\xff\xdb\x00\x43\x00",
            table,
            b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00",
            b"\xff\xc4\x00\x14\x00" + codes,
            b"\xff\xc4\x00\x14\x10" + codes,
            b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x7f\xff\xd9",
        )
    )


def webp() -> bytes:
    picture = bytes.fromhex("2f0000001007101111888888fe0700")
    chunk = b"VP8L" + struct.pack("<I", len(picture)) + picture + b"\0"
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def tiff() -> bytes:
    tags = ((256, 3, 1), (257, 3, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 1))
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in (*tags, (279, 4, 1)))
    return b"II*\0" + struct.pack("<I", 10) + b"\x80\0" + struct.pack("<H", 8) + entries + bytes(4)


PICTURES: dict[str, Callable[[], bytes]] = {
    "png": png,
    "jpg": jpeg,
    "webp": webp,
    "tiff": tiff,
    "avif": lambda: boxed_picture(b"avif"),
    "heic": lambda: boxed_picture(b"heic"),
    "heif": lambda: boxed_picture(b"mif1"),
}


def signed_as(kind: str, folder: Path) -> Path:
    (folder / f"a.{kind}").write_bytes(PICTURES[kind]())
    sign_picture(folder / f"a.{kind}", folder / f"b.{kind}", small_pki().signatory(), now=NOW)
    return folder / f"b.{kind}"


@pytest.mark.parametrize("kind", PICTURES)
def test_no_bit_of_a_signed_picture_can_be_flipped(kind: str, tmp_path: Path) -> None:
    """Nor of the boxes and padding beside what is signed."""
    path = signed_as(kind, tmp_path)
    whole = path.read_bytes()
    assert verify(path, small_pki().trust(), now=NOW).holds
    padding = whole.index(bytes(2000))
    accepted = []
    for number, at in enumerate((*range(0, padding, 17), *range(padding, len(whole), 211))):
        changed = bytearray(whole)
        changed[at] ^= 1 << number % 8
        path.write_bytes(changed)
        try:
            if verify(path, small_pki().trust(), now=NOW).holds:
                accepted.append(at)
        except InputError:  # no longer a picture, for a start
            continue
    assert accepted == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "what"),
    [
        ("png", bytes(5000), bytes(4999) + b"\1", "chunk"),
        ("webp", bytes(5000), bytes(4999) + b"\1", "padding"),
        ("jpg", b"\xff\xeb", b"\xff\xeb", ""),  # as it was signed
        ("jpg", b"JP\x02\x11", b"JP\x02\x10", "segments"),
        ("jpg", b"\0\0\0\1\0\0", b"\0\0\0\2\0\0", "segments"),
        ("jpg", b"\x13c2pa.hash.data", b"\x93c2pa.hash.data", "name of a box"),
        ("jpg", b"c2cs\0", b"c2ct\0", "kind of a box"),
        ("jpg", b"\x03c2pa.signature", b"\x13c2pa.signature", "name of a box"),
        ("jpg", b"\x03c2pa.signature", b"\x03c2pa.signatura", "name of a box"),
        ("jpg", b"\xd2\x84", b"\xd3\x84", "signature"),
        ("jpg", b"cpadY", b"cpaeY", "padding"),
        ("jpg", b"cpadY", b"cpady", "CBOR"),
    ],
)
def test_what_lies_beside_the_signed_parts_is_what_the_standard_says(
    kind: str, old: bytes, new: bytes, what: str, tmp_path: Path
) -> None:
    content = signed_as(kind, tmp_path).read_bytes()
    assert old in content
    found = re.search(rb"urn:c2pa:[0-9a-f-]{36}", content)
    assert found is not None
    said = unsound_store(content.replace(old, new, 1), picture_type(content), found[0].decode(), ours=True)
    assert said == what


@pytest.mark.parametrize(("old", "new"), [(b"JP\x02\x11", b"JP\x00\x01"), (b"cpadY", b"cnewY")])
def test_others_may_write_credentials_otherwise(old: bytes, new: bytes, tmp_path: Path) -> None:
    content = signed_as("jpg", tmp_path).read_bytes()
    found = re.search(rb"urn:c2pa:[0-9a-f-]{36}", content)
    assert found is not None
    assert not unsound_store(content.replace(old, new, 1), "image/jpeg", found[0].decode(), ours=False)


def test_a_picture_that_was_made_of_signed_ones_holds(tmp_path: Path) -> None:
    """Also where its credentials need several segments of a JPEG."""
    names = [tmp_path / f"{number}.jpg" for number in range(7)]
    names[0].write_bytes(jpeg())
    for source, target in itertools.pairwise(names):
        sign_picture(source, target, small_pki().signatory(), now=NOW)
    content = bytearray(names[-1].read_bytes())
    assert content.count(b"JP\x02\x11") > 1
    assert verdict(names[-1]).holds
    content[content.rindex(b"JP\x02\x11") + 7] ^= 1
    names[-1].write_bytes(content)
    assert not verdict(names[-1]).holds


def test_a_name_in_a_certificate_that_cannot_be_read_is_a_verdict(signed: Path) -> None:
    content = signed.read_bytes()
    country = b"\x06\x03U\x04\x06"
    assert country + b"\x13" in content
    signed.write_bytes(content.replace(country + b"\x13", country + b"\x03"))
    assert verdict(signed).indication == "TOTAL-FAILED"


@cache
def boxes() -> tuple[bytes, str]:
    with tempfile.TemporaryDirectory() as folder:
        content = signed_as("jpg", Path(folder)).read_bytes()
    found = re.search(rb"urn:c2pa:[0-9a-f-]{36}", content)
    assert found is not None
    return content, found[0].decode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 3500), st.integers(0, 60), st.sampled_from(sorted(PICTURES)))
def test_no_boxes_make_it_crash(noise: bytes, begin: int, length: int, kind: str) -> None:
    content, active = boxes()
    changed = content[:begin] + noise + content[begin + length :]
    mime = picture_type(PICTURES[kind]())
    for ours in (True, False):
        assert isinstance(unsound_store(changed, mime, active, ours=ours), str)
