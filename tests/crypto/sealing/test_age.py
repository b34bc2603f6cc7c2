"""The age format against pyrage (rage) in both directions, at the sizes where pieces end; bounds; cuts."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pyrage
import pytest

from haidang.crypto.sealing import age_header
from haidang.crypto.sealing.age_streams import (
    DecryptionFailedError,
    NoKeyFitsError,
    decrypting,
    encrypting,
)
from haidang.crypto.sealing.keys import key_bytes, make_sealing_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY, OTHER, STRANGER = make_sealing_key(), make_sealing_key(), make_sealing_key()
PIECE = 1 << 16
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 16 * PIECE - 1, 16 * PIECE, 16 * PIECE + 1, 33 * PIECE + 7]


def encrypted(path: Path, pieces: Iterable[bytes]) -> bytes:
    with path.open("w+b") as target, encrypting(target, [OTHER.recipient, KEY.recipient]) as stream:
        for piece in pieces:
            stream.write(piece)
    return path.read_bytes()


def decrypted(content: bytes, secret: str = "") -> bytes:
    out = io.BytesIO()
    with decrypting(io.BufferedReader(io.BytesIO(content)), [secret or KEY.reveal()]) as stream:
        while piece := stream.read(1 << 20):
            out.write(piece)
    return out.getvalue()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("at_once", [1 << 20, 70_001])
def test_pyrage_reads_what_we_write_and_we_read_what_it_writes(
    size: int, at_once: int, tmp_path: Path
) -> None:
    plain = os.urandom(size)
    pieces = [plain[begin : begin + at_once] for begin in range(0, size, at_once)]
    ours = encrypted(tmp_path / "x", pieces)
    for key in (KEY, OTHER):
        assert pyrage.decrypt(ours, [key.identity]) == plain
        assert decrypted(ours, key.reveal()) == plain
    assert decrypted(pyrage.encrypt(plain, [KEY.identity.to_public()])) == plain


@pytest.mark.parametrize("size", SIZES)
def test_a_file_that_is_cut_or_goes_on_is_refused(size: int, tmp_path: Path) -> None:
    whole = encrypted(tmp_path / "x", [os.urandom(size)])
    sealed_piece = PIECE + 16
    lengths = {len(whole) - 1, len(whole) - 16, len(whole) - 17, len(whole) - sealed_piece}
    for length in lengths:
        with pytest.raises(DecryptionFailedError):
            decrypted(whole[: max(length, 0)])
    for more in (b"\0", bytes(16), bytes(sealed_piece), whole[-16:], whole[-sealed_piece:]):
        with pytest.raises(DecryptionFailedError):
            decrypted(whole + more)


def test_pieces_that_change_places_are_refused(tmp_path: Path) -> None:
    whole = encrypted(tmp_path / "x", [os.urandom(3 * PIECE)])
    sealed_piece = PIECE + 16
    head, pieces = whole[: -3 * sealed_piece], whole[-3 * sealed_piece :]
    first, second, third = (
        pieces[begin : begin + sealed_piece] for begin in range(0, len(pieces), sealed_piece)
    )
    assert decrypted(head + first + second + third)
    for order in ((second, first, third), (first, third), (first, first, second, third)):
        with pytest.raises(DecryptionFailedError):
            decrypted(head + b"".join(order))


def test_it_is_said_whether_no_key_fits(tmp_path: Path) -> None:
    with pytest.raises(NoKeyFitsError):
        decrypted(encrypted(tmp_path / "x", [b"x"]), STRANGER.reveal())


def test_an_error_while_writing_marks_no_last_piece(tmp_path: Path) -> None:
    def breaking() -> Iterable[bytes]:
        yield os.urandom(2 << 20)
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        encrypted(tmp_path / "x", breaking())
    with pytest.raises(DecryptionFailedError):
        decrypted((tmp_path / "x").read_bytes())


def test_the_size_of_a_header_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = encrypted(tmp_path / "x", [b"x"])
    header = whole.index(b"\n", whole.index(b"\n---") + 1) + 1
    monkeypatch.setattr(age_header, "LARGEST_HEADER", header)
    assert decrypted(whole) == b"x"
    monkeypatch.setattr(age_header, "LARGEST_HEADER", header - 1)
    with pytest.raises(DecryptionFailedError, match="too large"):
        decrypted(whole)


def test_the_bytes_of_a_key_are_those_that_x25519_knows() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    for _ in range(50):
        key = make_sealing_key()
        private = X25519PrivateKey.from_private_bytes(key_bytes(key.reveal()))
        assert private.public_key().public_bytes_raw() == key_bytes(key.recipient)
