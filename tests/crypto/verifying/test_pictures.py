from __future__ import annotations

import datetime as dt
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.marking.labels import Label
from haidang.crypto.signing.pictures import picture_type, sign_picture
from haidang.crypto.trust import Trust
from haidang.crypto.verifying import verify
from haidang.errors import InputError, SigningError
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from pathlib import Path

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
