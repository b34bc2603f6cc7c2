"""Names of one machine count as one; names that may be two machines do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.hosts import machines


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ({}, {}),
        ({"DC01": 2, "dc01": 1}, {"DC01": 3}),
        ({"dc01": 2, "DC01.haivan.example": 5, "dc01.haivan.example.": 1}, {"DC01.haivan.example": 8}),
        ({"dc": 1, "dc.a.example": 1, "dc.b.example": 1}, {"dc": 1, "dc.a.example": 1, "dc.b.example": 1}),
        ({"dc01.a.example": 1, "DC01.A.example": 2}, {"DC01.A.example": 3}),
        ({"dc01": 1, "dc011.a.example": 1}, {"dc01": 1, "dc011.a.example": 1}),
        ({"10.0.0.1": 1, "10": 1, "10.0.0.2": 1}, {"10.0.0.1": 1, "10": 1, "10.0.0.2": 1}),
        ({"FE80::1": 1, "fe80::1": 1, "::ffff:10.0.0.1": 1}, {"FE80::1": 2, "::ffff:10.0.0.1": 1}),
        ({"a": 1, "b.example": 1}, {"a": 1, "b.example": 1}),
    ],
)  # fmt: skip
def test_names_of_one_machine_are_one(names: dict[str, int], meant: dict[str, int]) -> None:
    assert machines(names) == meant


@given(st.dictionaries(st.text("aA1.:", max_size=5), st.integers(1, 9), max_size=8))
def test_no_finding_is_lost_and_no_name_made_up(names: dict[str, int]) -> None:
    meant = machines(names)
    assert sum(meant.values()) == sum(names.values())
    assert meant.keys() <= names.keys()
