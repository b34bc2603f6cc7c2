"""MISP warninglists hold back what is well known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from haidang.errors import InputError
from haidang.intel.model import Indicator
from haidang.intel.store import Source, compile_sources
from haidang.intel.warninglists import Warninglist, Warninglists, read_warninglist, recognises


def made(kind: str, values: list[str], **more: Any) -> bytes:
    return json.dumps({"name": "ours", "type": kind, "version": 1, "list": values, **more}).encode()


@pytest.mark.parametrize(
    ("kind", "values", "indicator", "held"),
    [
        ("string", ["198.51.100.7"], ("ip", "198.51.100.7"), True),
        ("string", ["198.51.100.7"], ("ip", "198.51.100.70"), False),
        ("string", ["https://good.example/"], ("url", "good.example/"), True),
        ("substring", ["good.exam"], ("url", "www.good.example/x"), True),
        ("string", ["http://good.example"], ("url", "good.example/"), True),
        ("string", ["http://good.example"], ("url", "good.example/x"), False),
        ("substring", ["good.exam"], ("domain", "evil.example"), False),
        ("substring", ["https://good.example/a"], ("url", "good.example/abc"), True),
        ("regex", [r"^https?://(www\.)?good\.example/"], ("url", "good.example/x"), True),
        ("regex", [r"^https?://(www\.)?good\.example/"], ("url", "evil.example/good.example/"), False),
        ("hostname", [".good.example"], ("domain", "www.good.example"), True),
        ("hostname", ["good.example"], ("domain", "notgood.example"), False),
        ("hostname", ["good.example"], ("url", "www.good.example:8080/x"), True),
        ("hostname", ["good.example"], ("email", "who@good.example"), True),
        ("hostname", ["zip"], ("domain", "a.zip"), True),
        ("cidr", ["198.51.100.0/24"], ("ip", "198.51.100.7"), True),
        ("cidr", ["198.51.100.0/24"], ("ip", "198.51.101.7"), False),
        ("cidr", ["198.51.100.0/24"], ("network", "198.51.100.128/25"), True),
        ("cidr", ["198.51.100.0/24"], ("network", "198.51.0.0/16"), False),
        ("cidr", ["198.51.100.0/24"], ("url", "198.51.100.7/x"), True),
        ("cidr", ["2001:db8::/32"], ("ip", "2001:db8::7"), True),
        ("cidr", ["198.51.100.7"], ("ip", "198.51.100.7"), True),
        ("regex", [r"\.good\.example$"], ("domain", "a.good.example"), True),
        ("regex", [r"/^GOOD/i"], ("domain", "good.example"), True),
        ("regex", [r"^good"], ("domain", "a.good.example"), False),
    ],
)
def test_each_type_holds_what_it_names(
    kind: str,
    values: list[str],
    indicator: tuple[str, str],
    held: bool,  # noqa: FBT001
) -> None:
    assert read_warninglist(made(kind, values), "x").holds(Indicator(*indicator)) is held


def test_a_list_speaks_only_of_the_types_that_it_names() -> None:
    one = read_warninglist(made("string", ["a.example"], matching_attributes=["url"]), "x")
    assert not one.holds(Indicator("domain", "a.example"))


def test_values_that_cannot_be_used_are_named() -> None:
    assert Warninglist("l", "cidr", ["nonsense", "198.51.100.0/24"]).refused == ["nonsense"]
    assert Warninglist("l", "regex", ["(?=a)b"]).refused == ["(?=a)b"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", made("other", []), b'{"list": 3}'])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_warninglist(data, "x")


def test_a_list_is_recognised() -> None:
    assert recognises(made("string", []))
    assert not recognises(b'{"type": "bundle"}')


def test_what_is_on_a_list_is_held_back_and_counted() -> None:
    indicators = [
        Indicator("domain", "good.example"),
        Indicator("domain", "evil.example"),
        Indicator("pattern", "good.example"),
    ]
    intel = compile_sources(
        [(Source("s", "list", ""), indicators)], [("l", made("hostname", ["good.example"]))]
    )
    assert intel.held_back == {"ours": 1}
    assert intel.index.rows_of(["d:good.example"]) == ()
    assert intel.index.rows_of(["d:evil.example"]) == (0,)
    assert len(intel.patterns) == 1


def test_no_list_holds_nothing_back() -> None:
    assert Warninglists([]).holding(Indicator("domain", "good.example")) == ""
