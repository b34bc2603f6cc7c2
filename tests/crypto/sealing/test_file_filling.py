"""Files filled past the page cache: whole at any size, on any file system; whoever is gone is noticed."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from haidang.crypto.sealing._age_process import Ring, RingReader, RingWriter
from haidang.crypto.sealing.file_filling import FileFilling

MEGABYTE = 1 << 20
FULL = Path("/dev/full")
SIZES = [0, 1, MEGABYTE, 2 * MEGABYTE, 2 * MEGABYTE + 1, 3 * MEGABYTE, 8 * MEGABYTE + 4097]


def filled(path: Path, content: bytes, step: int = 999_983) -> None:
    with path.open("wb") as stream:
        before = fcntl.fcntl(stream, fcntl.F_GETFL)
        with FileFilling(stream.fileno()) as filling:
            for begin in range(0, len(content), step):
                filling.write(content[begin : begin + step])
        assert fcntl.fcntl(stream, fcntl.F_GETFL) == before


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_what_was_written(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    filled(tmp_path / "x", content)
    assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize("where", ["fcntl.fcntl", "os.write"])
def test_a_file_system_that_takes_nothing_past_the_cache(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, control, refused = os.write, fcntl.fcntl, []

    def refusing_control(descriptor: int, command: int, argument: int = 0) -> int:
        if argument & os.O_DIRECT and where == "fcntl.fcntl":
            refused.append(command)
            raise OSError(errno.EINVAL, "no")
        return control(descriptor, command, argument)

    def refusing_write(descriptor: int, data: bytes | memoryview) -> int:
        if len(data) > 4 and control(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(len(data))
            raise OSError(errno.EINVAL, "no")
        return write(descriptor, data)

    monkeypatch.setattr("haidang.crypto.sealing.file_filling.fcntl.fcntl", refusing_control)
    monkeypatch.setattr("haidang.crypto.sealing.file_filling.os.write", refusing_write)
    content = os.urandom(SIZES[-1])
    with (tmp_path / "x").open("wb") as stream, FileFilling(stream.fileno()) as filling:
        filling.write(content)
    assert (tmp_path / "x").read_bytes() == content
    assert len(refused) == 1


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [5, MEGABYTE, SIZES[-1]])
def test_a_full_disk_is_an_error(size: int) -> None:
    with pytest.raises(OSError, match="No space left"):
        filled(FULL, bytes(4 * size), size)


def test_an_error_while_it_is_filled_comes_through(tmp_path: Path) -> None:
    with (
        (tmp_path / "x").open("wb") as stream,
        pytest.raises(ValueError, match="invalid literal"),
        FileFilling(stream.fileno()) as filling,
    ):
        filling.write(bytes(SIZES[-1]) * int("x"))


def test_whoever_left_too_early_is_missed() -> None:
    ring = Ring(4096, 2)
    writer, reader = RingWriter(ring.filling), RingReader(ring.emptying)
    writer.write(bytes(5000))
    writer.close()
    assert len(reader.take()) == 4096
    with pytest.raises(EOFError):
        reader.take()
    reader.close()

    ring = Ring(4096, 2)
    writer, reader = RingWriter(ring.filling), RingReader(ring.emptying)
    reader.close()
    with pytest.raises(EOFError):
        writer.write(bytes(20_000))
    writer.close()
