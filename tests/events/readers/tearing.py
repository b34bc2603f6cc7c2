"""Logs that were torn: what the tests of many readers feed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.events.readers.feeding import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["filled_lines", "samples", "torn"]

BLANKS = "\x00 \t\r\n\x0b\x0c"


def samples(folder: str) -> bytes:
    """Return all of our own samples of one folder, one after the other."""
    return b"".join(path.read_bytes() for path in sorted((SAMPLES / folder).glob("*")))


def torn(whole: bytes, *others: st.SearchStrategy[bytes], most_cut: int = 40) -> st.SearchStrategy[bytes]:
    """Return any bytes, a log of which a piece is cut out and replaced, or one of the others."""
    cuts = st.tuples(st.integers(0, len(whole)), st.integers(0, most_cut), st.binary(max_size=20))
    return st.one_of(
        st.binary(max_size=400),
        cuts.map(lambda cut: whole[: cut[0]] + cut[2] + whole[cut[0] + cut[1] :]),
        *others,
    )


def filled_lines(data: bytes) -> AbstractSet[int]:
    """Return the numbers of the lines that hold anything."""
    lines = enumerate(data.split(b"\n"), 1)
    # A mark of the byte order alone is nothing.
    return {n for n, line in lines if line.decode("utf-8", "replace").removeprefix("\ufeff").strip(BLANKS)}
