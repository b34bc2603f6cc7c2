"""Sorting by time, with and without room."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.times import FIRST, LAST
from haidang.inquiry.sorting import TimeSorter
from haidang.limits import DEFAULT_LIMITS


@pytest.mark.parametrize("size", [1024, DEFAULT_LIMITS.sort_bytes])
def test_any_times_are_sorted_as_python_does(size: int) -> None:
    limits = replace(DEFAULT_LIMITS, sort_bytes=size)

    @given(st.lists(st.integers(FIRST, LAST) | st.integers(-5, 5), max_size=60))
    def check(times: list[int]) -> None:
        with closing(TimeSorter(limits)) as sorter:
            for number, time in enumerate(times):
                sorter.add(time, b"%d %d" % (time, number))
            expected = [
                b"%d %d" % (time, number) for time, number in sorted((t, n) for n, t in enumerate(times))
            ]
            assert list(sorter.items()) == expected

    check()
