"""Large files begin to be written before their end: each stretch once, in order; content stays as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.files import EarlyWriting

if TYPE_CHECKING:
    from pathlib import Path

STRETCH = 32 << 20


@pytest.mark.parametrize("step", [1 << 20, STRETCH - 1, STRETCH, 3 * STRETCH + 5])
def test_stretches_follow_each_other(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, begin, size, __: asked.append((begin, size)))
    early = EarlyWriting(-1)
    end = 0
    for _ in range(100):
        end += step
        early.grown(end)
    assert all(size >= STRETCH for _, size in asked)
    begins = [begin for begin, _ in asked]
    assert begins == [0, *(begin + size for begin, size in asked[:-1])]
    assert end - sum(size for _, size in asked) < STRETCH


def test_what_was_begun_stays_readable(tmp_path: Path) -> None:
    blocks = [os.urandom(STRETCH + 1), os.urandom(5), os.urandom(STRETCH)]
    with (tmp_path / "x").open("w+b", buffering=0) as stream:
        early, size = EarlyWriting(stream.fileno()), 0
        for block in blocks:
            size += stream.write(block)
            early.grown(size)
    assert (tmp_path / "x").read_bytes() == b"".join(blocks)


def test_where_nobody_takes_advice_nothing_fails() -> None:
    reading, writing = os.pipe()
    try:
        EarlyWriting(writing).grown(STRETCH)
    finally:
        os.close(reading)
        os.close(writing)
