"""Content credentials in AVIF, HEIC and HEIF, of whose boxes the standard's hash leaves some out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import c2pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.outer_boxes import read_outer_boxes, store_in_box
from haidang.crypto.signing.pictures import MAKER, _signer, sign_picture
from haidang.crypto.verifying import verify
from haidang.crypto.verifying._manifest_store import unsound_store
from haidang.errors import InputError, SigningError
from tests.crypto.small_bmff import box, boxed_picture, outer_boxes, with_all_boxes
from tests.crypto.small_pki import small_pki
from tests.crypto.verifying.test_pictures import NOW

if TYPE_CHECKING:
    from pathlib import Path


def signed(picture: bytes, folder: Path) -> Path:
    (folder / "a.avif").write_bytes(picture)
    sign_picture(folder / "a.avif", folder / "b.avif", small_pki().signatory(), now=NOW)
    return folder / "b.avif"


def signed_elsewhere(picture: bytes, folder: Path, maker: str = "Another") -> Path:
    """Have c2pa sign as any program would, with no assertion of ours."""
    builder = c2pa.Builder({"title": "a", "claim_generator_info": [{"name": maker}], "assertions": []})
    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    target = io.BytesIO()
    builder.sign(_signer(small_pki().signatory()), "image/avif", io.BytesIO(picture), target)
    (folder / "other.avif").write_bytes(target.getvalue())
    return folder / "other.avif"


def holds(path: Path) -> bool:
    return verify(path, small_pki().trust(), now=NOW).holds


def said(path: Path) -> str:
    """Return what is said to be altered beside the signature."""
    (verdict,) = verify(path, small_pki().trust(), now=NOW).signatures
    return str(verdict.reasons[0].message)


def test_no_byte_of_the_outer_boxes_can_be_altered(tmp_path: Path) -> None:
    """Whether the hash of the standard covers them or not; of the credentials, what is in front."""
    path = signed(with_all_boxes(), tmp_path)
    whole = path.read_bytes()
    assert holds(path)
    places = {
        at
        for kind, place in outer_boxes(whole)
        for at in range(place.start, min(place.stop, place.start + (64 if kind == b"uuid" else 200)))
    }
    accepted = []
    for at in sorted(places):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        try:
            if holds(path):
                accepted.append(at)
        except InputError:  # no longer a picture, for a start
            continue
    assert accepted == []


def test_boxes_can_be_neither_added_nor_taken_away_nor_moved(tmp_path: Path) -> None:
    path = signed(with_all_boxes(), tmp_path)
    whole = path.read_bytes()
    places = outer_boxes(whole)
    assert [kind for kind, _ in places] == [
        b"ftyp", b"uuid", b"free", b"meta", b"mdat", b"skip", b"uuid", b"free", b"mfra"
    ]  # fmt: skip
    credentials, free, last = whole[places[1][1]], whole[places[2][1]], whole[places[-1][1]]
    kind = whole[places[0][1]]
    for changed in (
        whole + box(b"free", b"hidden"),
        whole + box(b"mfra", b""),
        whole[: -len(last)],
        kind + free + credentials + whole[places[3][1].start :],
    ):
        path.write_bytes(changed)
        assert not holds(path)
        assert "outer boxes" in said(path)


def test_a_picture_that_was_signed_before_can_be_signed_again(tmp_path: Path) -> None:
    """The box of the earlier credentials gives way to one with both."""
    (tmp_path / "again").mkdir()
    again = signed(signed(with_all_boxes(), tmp_path).read_bytes(), tmp_path / "again")
    assert holds(again)
    again.write_bytes(again.read_bytes() + box(b"free", b""))
    assert not holds(again)


@pytest.mark.parametrize("maker", ["Another", MAKER])
def test_nothing_is_asked_of_pictures_whose_claim_states_no_boxes(maker: str, tmp_path: Path) -> None:
    """Those of other programs, and those that were made here before it was stated."""
    path = signed_elsewhere(with_all_boxes(), tmp_path, maker)
    assert holds(path)
    path.write_bytes(path.read_bytes() + box(b"free", b""))
    assert holds(path)


def test_what_would_be_left_free_is_not_signed(tmp_path: Path) -> None:
    other = signed_elsewhere(boxed_picture(), tmp_path).read_bytes()
    kind, credentials = (other[place] for _, place in outer_boxes(other)[:2])
    moved = kind + other[len(kind + credentials) :] + credentials
    (tmp_path / "other.avif").unlink()
    for picture in (boxed_picture(behind=b"\0\0\0"), moved):
        with pytest.raises(SigningError, match="boxes are damaged"):
            signed(picture, tmp_path)
        assert [one.name for one in tmp_path.iterdir()] == ["a.avif"]


def test_the_outer_boxes_are_bounded_and_must_fill_the_picture() -> None:
    small = box(b"free", b"")
    assert read_outer_boxes(io.BytesIO(small * 10_000)) is not None
    for damaged in (small * 10_001, small[:7], small + b"\0\0\0\x09free", b"\0\0\0\1free", b"\0\0\0\7free"):
        assert read_outer_boxes(io.BytesIO(damaged)) is None


def test_a_last_box_may_be_open_but_is_part_of_the_digest() -> None:
    digests = set()
    for last in (box(b"free", b"a"), box(b"free", b"b"), bytes(4) + b"freea", bytes(4) + b"freeb"):
        found = read_outer_boxes(io.BytesIO(box(b"ftyp", b"avif") + last))
        assert found is not None
        digests.add(found.digest)
    assert len(digests) == 4


def test_the_box_of_the_credentials_has_one_form(tmp_path: Path) -> None:
    whole = signed(boxed_picture(), tmp_path).read_bytes()
    credentials = whole[outer_boxes(whole)[1][1]]
    store = store_in_box(credentials)
    assert store is not None
    assert credentials.endswith(store)
    assert store[4:8] == b"jumb"
    for changed in (credentials + b"\0", credentials[:-1], credentials[:40], b""):
        assert store_in_box(changed) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 300), st.integers(0, 60))
def test_no_outer_boxes_make_it_crash(noise: bytes, begin: int, length: int) -> None:
    picture = with_all_boxes()
    changed = picture[:begin] + noise + picture[begin + length :]
    assert unsound_store(changed, "image/avif", "urn:c2pa:1", ours=True, outer_boxes="00") == "outer boxes"
