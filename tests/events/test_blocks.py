"""What was looked at is not lost, and damage is met where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.blocks import BlockSource, DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator


def damaged() -> Iterator[bytes]:
    yield b"abc"
    yield b"def"
    raise DamagedError("corrupt", "Broken.")


def test_peeking_takes_nothing() -> None:
    source = BlockSource(iter([b"ab", b"cd", b"ef"]))
    assert source.peek(3) == b"abc"
    assert source.position == 0
    assert source.take(1) == b"a"
    assert b"".join(source.blocks()) == b"bcdef"
    assert source.position == 6
    assert source.peek(1) == source.take(1) == b""


def test_a_part_ends_where_it_should() -> None:
    source = BlockSource(iter([b"abcdef", b"gh"]))
    assert list(source.blocks(4)) == [b"abcd"]
    assert source.skip(2) == 2
    assert list(source.exactly(2)) == [b"gh"]


def test_a_part_that_is_too_short_is_truncated() -> None:
    with pytest.raises(DamagedError) as caught:
        list(BlockSource(iter([b"abc"])).exactly(4))
    assert caught.value.kind == "truncated"


def test_damage_comes_behind_the_last_byte_and_again() -> None:
    source = BlockSource(damaged())
    assert source.peek(100) == b"abcdef"
    assert source.take(4) == b"abcd"
    assert source.take(4) == b"ef"
    for _ in range(2):
        with pytest.raises(DamagedError):
            source.take(1)
        with pytest.raises(DamagedError):
            list(source.blocks())
