"""Bombs are stopped by what they unfold to, and by how much more that is than they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haidang.events.blocks import DamagedError
from haidang.events.budget import Budget
from haidang.limits import DEFAULT_LIMITS

LIMITS = replace(DEFAULT_LIMITS, expanded_bytes=1000, expansion_ratio=10, expansion_floor_bytes=100)


def unfold(budget: Budget, compressed: int, expanded: int) -> int:
    """Return how many bytes came out before the budget ended it; all of them if it did not."""
    list(budget.taking(iter([bytes(compressed)])))
    count = 0
    try:
        for block in budget.giving(bytes(10) for _ in range(expanded // 10)):
            count += len(block)
    except DamagedError as damage:
        assert damage.kind == "archive-limit"
    return count


def test_no_more_than_expanded_bytes_come_out() -> None:
    assert unfold(Budget(LIMITS), 1000, 1000) == 1000
    assert unfold(Budget(LIMITS), 1000, 2000) == 1000


def test_no_more_than_expansion_ratio_times_the_compressed_bytes_come_out() -> None:
    assert unfold(Budget(LIMITS), 50, 500) == 500
    assert unfold(Budget(LIMITS), 50, 900) == 500


def test_the_ratio_is_not_looked_at_below_expansion_floor_bytes() -> None:
    assert unfold(Budget(LIMITS), 1, 100) == 100
    assert unfold(Budget(LIMITS), 1, 200) == 100


def test_all_members_of_an_archive_share_expanded_bytes() -> None:
    outer = Budget(LIMITS)
    assert unfold(Budget(LIMITS, outer), 100, 600) == 600
    assert unfold(Budget(LIMITS, outer), 100, 600) == 400


def test_what_is_nested_counts_what_the_outermost_archive_holds() -> None:
    outer = Budget(LIMITS)
    assert outer.share == 1
    assert unfold(outer, 10, 100) == 100
    # These 50 bytes came out of 5.
    assert unfold(Budget(replace(LIMITS, expansion_floor_bytes=0), outer, outer.share), 50, 500) == 50


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_needs_no_budget(size: int) -> None:
    assert unfold(Budget(replace(LIMITS, expansion_floor_bytes=0)), size, 0) == 0
