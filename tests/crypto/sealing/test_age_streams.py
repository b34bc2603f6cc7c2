"""age in its own process: what goes in comes out, at the sizes where its pieces end; cuts; full disks."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from haidang.crypto.sealing.age_streams import DecryptionFailedError, decrypting, encrypting
from haidang.crypto.sealing.keys import make_sealing_key
from haidang.errors import SealError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEY, OTHER, STRANGER = make_sealing_key(), make_sealing_key(), make_sealing_key()
PIECE = 1 << 16
MEGABYTE = 1 << 20
FULL = Path("/dev/full")


def encrypted(path: Path, pieces: Iterable[bytes]) -> bytes:
    with path.open("w+b") as target, encrypting(target, [OTHER.recipient, KEY.recipient]) as stream:
        for piece in pieces:
            stream.write(piece)
    return path.read_bytes()


def decrypted(path: Path, secret: str = "") -> bytes:
    out = io.BytesIO()
    with path.open("rb") as source, decrypting(source, [secret or KEY.reveal()]) as stream:
        while piece := stream.read(MEGABYTE):
            out.write(piece)
    return out.getvalue()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, MEGABYTE, 3 * MEGABYTE + 7])
def test_what_goes_in_comes_out(size: int, tmp_path: Path) -> None:
    plain = os.urandom(size)
    ours = encrypted(tmp_path / "x", [plain[begin : begin + 70_001] for begin in range(0, size, 70_001)])
    assert pyrage.decrypt(ours, [OTHER.identity]) == plain
    assert decrypted(tmp_path / "x") == plain


@pytest.mark.parametrize("size", [0, PIECE, 3 * MEGABYTE + 7])
def test_a_file_that_is_cut_or_goes_on_is_refused(size: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    whole = encrypted(path, [os.urandom(size)])
    for damaged in (whole[:-1], whole[:-17], whole[: -PIECE - 16], whole + b"\0", whole + whole[-16:]):
        path.write_bytes(damaged)
        with pytest.raises(DecryptionFailedError):
            decrypted(path)


def test_it_is_said_that_no_key_fits(tmp_path: Path) -> None:
    encrypted(tmp_path / "x", [b"x"])
    with pytest.raises(DecryptionFailedError, match="No matching keys"):
        decrypted(tmp_path / "x", STRANGER.reveal())


def test_a_process_that_somebody_ended_is_no_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypted(tmp_path / "x", [bytes(9 * MEGABYTE)])
    started: list[subprocess.Popen[bytes]] = []

    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            self.kill()
            started.append(self)

    monkeypatch.setattr("haidang.crypto.sealing.age_streams.subprocess.Popen", Ended)
    with pytest.raises(SealError, match="signal 9"):
        decrypted(tmp_path / "x")
    with pytest.raises(SealError, match="signal 9"):
        encrypted(tmp_path / "y", [bytes(MEGABYTE)] * 9)
    assert [one.returncode for one in started] == [-9, -9]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [0, 5, 9000, PIECE, 3 * MEGABYTE])
def test_a_full_disk_is_an_error_at_any_size(size: int) -> None:
    with (
        pytest.raises(OSError, match="No space left"),
        FULL.open("r+b", buffering=0) as target,
        encrypting(target, [KEY.recipient]) as stream,
    ):
        stream.write(bytes(size))


@pytest.mark.parametrize("most", [1, 4093, 70_000, MEGABYTE])
@pytest.mark.parametrize("lengths", [[5, 65535] * 16, [0, 3, 0, 300_000], [10], [], [200] * 1500])
def test_pieces_arrive_whole_where_the_system_takes_less(
    lengths: Sequence[int], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[bytes | memoryview] = [os.urandom(length) for length in lengths]
    write, calls = os.write, []

    def reluctant(descriptor: int, data: bytes | memoryview) -> int:
        if len(data) < 5:
            return write(descriptor, data)
        calls.append(len(data))
        # After the first bytes one at a time it gives in, so that the test ends.
        return write(descriptor, data[: most if len(calls) < 200 or most > 1 else MEGABYTE])

    # Slots so small that pieces are in several, and each is used many times.
    monkeypatch.setattr("haidang.crypto.sealing.age_streams._PLAIN", (1 << 13, 2))
    monkeypatch.setattr("haidang.crypto.sealing.age_streams._CIPHER", (1 << 14, 2))
    monkeypatch.setattr("haidang.crypto.sealing.file_filling.os.write", reluctant)
    with (tmp_path / "x").open("w+b") as target, encrypting(target, [KEY.recipient]) as stream:
        stream.write(b"<")
        stream.writelines(pieces)
        stream.write(b">")
    assert calls
    assert decrypted(tmp_path / "x") == b"<" + b"".join(pieces) + b">"
