"""The compact index answers as the plain list of indicators does."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.intel import index as index_module
from haidang.intel.index import IndexBuilder, IndicatorIndex, holds_between, naive_rows
from haidang.intel.model import Indicator, level_of

VALUES = {
    "ip": ["198.51.100.7", "198.51.100.8", "203.0.113.1", "2001:db8::1"],
    "network": ["198.51.100.0/24", "198.51.100.8/29", "203.0.113.0/31", "2001:db8::/32", "0.0.0.0/0"],
    "domain": ["evil.example", "a.evil.example", "other.example"],
    "url": ["evil.example/x", "evil.example/"],
    "hash": ["a" * 32, "b" * 64],
    "email": ["who@evil.example"],
}
KEYS = [
    *(f"i:{ip}" for ip in (*VALUES["ip"], "192.0.2.1", "2001:db8:1::2")),
    *(f"d:{name}" for name in (*VALUES["domain"], "none.example")),
    *(f"u:{url}" for url in VALUES["url"]),
    *(f"h:{digest}" for digest in VALUES["hash"]),
    "e:who@evil.example",
    "h:" + "c" * 32,
]
indicators = st.lists(
    st.sampled_from([(kind, value) for kind, values in VALUES.items() for value in values]).map(
        lambda pair: Indicator(*pair)
    ),
    max_size=20,
)


def built(found: list[Indicator]) -> IndicatorIndex:
    builder = IndexBuilder()
    for one in found:
        builder.add(one, "source")
    return builder.finish()


@given(indicators, st.lists(st.sampled_from(KEYS), max_size=4))
def test_the_index_finds_what_the_plain_list_holds(found: list[Indicator], keys: list[str]) -> None:
    assert built(found).rows_of(keys) == naive_rows(found, keys)


@given(indicators, st.lists(st.sampled_from(KEYS), max_size=4))
def test_an_index_is_the_same_from_its_bytes(found: list[Indicator], keys: list[str]) -> None:
    again = IndicatorIndex.decoded(memoryview(built(found).encoded()))
    assert again is not None
    assert again.rows_of(keys) == naive_rows(found, keys)
    assert [again.row(row).value for row in range(len(again))] == [one.value for one in found]


def test_keys_of_one_checksum_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "crc32", lambda data: crc32(data) & 1)
    found = [Indicator("domain", f"n{number}.example") for number in range(50)]
    made = built(found)
    assert [made.rows_of([f"d:n{number}.example"]) for number in range(51)] == [
        *((number,) for number in range(50)),
        (),
    ]


def test_a_row_tells_all_that_is_known() -> None:
    one = Indicator("ip", "198.51.100.7", "C2", "indicator--1", 80, "amber", 100, 200, ("attack.t1071",))
    row = built([Indicator("ip", "203.0.113.1"), one]).row(1)
    assert row[:7] == ("ip", "198.51.100.7", "C2", "indicator--1", 80, 100, 200)
    assert (row.of.level, row.of.tlp, row.of.tags, row.of.source) == (
        "high",
        "amber",
        ("attack.t1071",),
        "source",
    )
    assert built([Indicator("ip", "203.0.113.1")]).row(0)[4:7] == (-1, None, None)


def test_an_index_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    data = built([Indicator("ip", "203.0.113.1")]).encoded()
    monkeypatch.setattr(index_module, "INDEX_VERSION", -1)
    assert IndicatorIndex.decoded(memoryview(data)) is None


def test_classes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_MOST_CLASSES", 2)
    made = built([Indicator("ip", "203.0.113.1", tags=(f"attack.t{at:04}",)) for at in range(10)])
    assert len(made.classes) == 3
    assert made.row(9).of.tags == ()


@pytest.mark.parametrize(
    ("known", "seconds", "holds"),
    [
        ((None, None), 50, True),
        ((None, 100), 99, True),
        ((None, 100), 100, False),
        ((40, None), 30, True),  # the attack was before anyone knew
        ((1001, None), 30, False),  # the indicator is of the future
    ],
)
def test_an_indicator_counts_until_its_end_and_once_it_is_known(
    known: tuple[int | None, int | None],
    seconds: int,
    holds: bool,  # noqa: FBT001
) -> None:
    assert holds_between(*known, seconds=seconds, now=1000) is holds


def test_confidence_gives_the_level() -> None:
    assert [level_of(one) for one in (-1, 0, 29, 30, 69, 70, 100)] == [
        "medium", "low", "low", "medium", "medium", "high", "high",
    ]  # fmt: skip
