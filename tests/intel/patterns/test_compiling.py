"""STIX patterns: each operator, each joint, each reason to refuse; and a plain twin over random ones."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.binding import Gathered
from haidang.detect.facets import spellings
from haidang.detect.naive import evaluate
from haidang.findings.details import detail
from haidang.i18n import translator
from haidang.intel.patterns import REFUSALS, PatternError, compile_pattern, read_pattern
from haidang.limits import DEFAULT_LIMITS

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("pattern", "lookups"),
    [
        ("[ipv4-addr:value = '198.51.100.7']", [("ip", "198.51.100.7")]),
        ("[ipv4-addr:value == '198.51.100.7/32']", [("ip", "198.51.100.7")]),
        ("[ipv6-addr:value = '2001:DB8::1']", [("ip", "2001:db8::1")]),
        ("[ipv4-addr:value = '198.51.100.0/24']", [("network", "198.51.100.0/24")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [("network", "198.51.100.0/24")]),
        (
            "[domain-name:value IN ('a.example', 'b.example')]",
            [("domain", "a.example"), ("domain", "b.example")],
        ),
        ("[hostname:value = 'a.example']", [("domain", "a.example")]),
        ("[domain-name:value = '*.a.example']", [("domain", "a.example")]),
        (f"[x509-certificate:hashes.'SHA-1' = '{'a' * 40}']", [("hash", "a" * 40)]),
        (f"[file:hashes.IMPHASH = '{'A' * 32}']", [("hash", f"imphash:{'a' * 32}")]),
        ("[url:value = 'https://evil.example/a?b']", [("url", "evil.example/a?b")]),
        ("[email-addr:value = 'Who@evil.example']", [("email", "who@evil.example")]),
        (f"[file:hashes.'SHA-256' = '{SHA256.upper()}']", [("hash", SHA256)]),
        (f"[file:hashes.MD5 = '{'a' * 32}']", [("hash", "a" * 32)]),
        (f"[file:hashes.SHA-1 = '{'a' * 40}']", [("hash", "a" * 40)]),
        (
            "[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value = 'a.example']",
            [("ip", "198.51.100.7"), ("domain", "a.example")],
        ),
        (
            "[(ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'a.example')]",
            [("ip", "198.51.100.7"), ("domain", "a.example")],
        ),
        ("[domain-name:value = 'a.example'] WITHIN 5 SECONDS", [("domain", "a.example")]),
        (
            "([url:value = 'http://a.example/x'] OR [domain-name:value = 'a.example']) WITHIN 5 SECONDS",
            [("url", "a.example/x"), ("domain", "a.example")],
        ),
        ("/* why */ [domain-name:value = 'a.example'] // end", [("domain", "a.example")]),
    ],
)
def test_equality_becomes_look_ups(pattern: str, lookups: list[tuple[str, str]]) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.lookups == lookups
    assert not compiled.conditions
    assert not compiled.sequences


def holds(pattern: str, event: dict[str, Any]) -> bool:
    """Return whether a pattern of one observation holds; ``event`` has facets as fields."""
    if "file" in event:
        event = {**event, "folder": event["file"]}
    compiled = compile_pattern(pattern)
    assert not compiled.lookups
    assert not compiled.sequences

    def get(facet: str) -> Any:
        return Gathered((facet,), spellings(facet)).get(event)

    return any(evaluate(condition, get, {}) for condition in compiled.conditions)


IMAGE = r"C:\Temp\Tool.exe"


@pytest.mark.parametrize(
    ("pattern", "event", "wanted"),
    [
        ("[file:name = 'tool.exe']", {"file": IMAGE}, True),
        ("[file:name = 'other.exe']", {"file": IMAGE}, False),
        ("[file:name != 'other.exe']", {"file": IMAGE}, True),
        ("[file:name != 'other.exe']", {}, False),
        ("[file:name != 'tool.exe']", {"file": IMAGE}, False),
        ("[file:name NOT = 'tool.exe']", {"file": "tool.exe"}, False),
        ("[file:name NOT LIKE 't%']", {"file": IMAGE}, False),
        ("[file:name NOT LIKE 't%']", {"file": "other.exe"}, True),
        ("[file:name NOT LIKE 't%']", {"process": "other.exe"}, False),
        ("[file:name NOT IN ('a.exe', 'tool.exe')]", {"file": IMAGE}, False),
        (f"[file:hashes.'SHA-256' != '{SHA256}']", {"hash": f"MD5={'a' * 32},SHA256={SHA256}"}, False),
        (f"[file:hashes.'SHA-256' != '{SHA256}']", {"hash": f"MD5={'a' * 32}"}, False),
        (f"[file:hashes.'SHA-256' != '{SHA256}']", {"hash": f"SHA256={'cd' * 32}"}, True),
        ("[file:name = 'tool.exe' AND file:parent_directory_ref.path = 'C:\\\\Temp']", {"file": IMAGE}, True),
        ("[file:parent_directory_ref.path = 'C:\\\\Temp\\\\']", {"file": IMAGE}, True),
        ("[file:parent_directory_ref.path = 'C:\\\\']", {"file": IMAGE}, False),
        ("[file:parent_directory_ref.path = '/usr/bin']", {"file": "/usr/bin/id"}, True),
        ("[file:parent_directory_ref.path != 'C:\\\\Temp']", {"file": IMAGE}, False),
        ("[EXISTS file:parent_directory_ref.path]", {"file": "tool.exe"}, False),
        ("[network-traffic:dst_ref.value = '203.0.113.33/32']", {"dst_ip": "203.0.113.33"}, True),
        ("[network-traffic:dst_ref.value = '203.0.113.0/24']", {"dst_ip": "203.0.113.33"}, True),
        ("[network-traffic:dst_ref.type = 'ipv4-addr']", {"dst_ip": "2001:db8::1"}, False),
        ("[network-traffic:dst_ref.type = 'ipv6-addr']", {"dst_ip": "2001:db8::1"}, True),
        ("[network-traffic:dst_ref.type = 'domain-name']", {"dst_ip": "203.0.113.33"}, False),
        ("[network-traffic:dst_ref.type IN ('domain-name', 'ipv6-addr')]", {"domain": "a.example"}, True),
        ("[file:name NOT != 'tool.exe']", {"file": "tool.exe"}, True),
        ("[file:name LIKE 'to_l.%']", {"file": IMAGE}, True),
        ("[file:name NOT LIKE 't%']", {"file": "tool.exe"}, False),
        ("[file:name MATCHES '^T[a-z]+\\\\.exe$']", {"file": IMAGE}, True),
        ("[file:name MATCHES '^tool']", {"file": IMAGE}, False),
        ("[file:name IN ('a.exe', 'tool.exe')]", {"file": IMAGE}, True),
        ("[file:name NOT IN ('a.exe', 'tool.exe')]", {"file": "tool.exe"}, False),
        ("[file:name NOT IN ('a.exe', 'b.exe')]", {"file": "tool.exe"}, True),
        ("[EXISTS file:name]", {"file": IMAGE}, True),
        ("[EXISTS file:name]", {"process": IMAGE}, False),
        (
            "[network-traffic:dst_port > 1000 AND network-traffic:dst_port <= 4444]",
            {"dst_port": "4444"},
            True,
        ),
        ("[network-traffic:dst_port < 1000]", {"dst_port": 4444}, False),
        ("[network-traffic:dst_port >= 4444]", {"dst_port": 4444}, True),
        ("[network-traffic:dst_port = 443]", {"dst_port": "443"}, True),
        ("[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']", {"src_ip": "198.51.100.9"}, True),
        ("[network-traffic:src_ref.value NOT ISSUBSET '198.51.100.0/24']", {"src_ip": "198.51.100.9"}, False),
        ("[network-traffic:src_ref.value NOT ISSUBSET '198.51.100.0/24']", {"src_ip": "203.0.113.1"}, True),
        ("[network-traffic:dst_ref.value ISSUPERSET '198.51.100.7/32']", {"dst_ip": "198.51.100.7"}, True),
        ("[network-traffic:dst_ref.value ISSUPERSET '198.51.100.0/24']", {"dst_ip": "198.51.100.7"}, False),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
            {"dst_ip": "198.51.100.7"},
            True,
        ),
        (
            "[ipv4-addr:value = '198.51.100.7' AND process:command_line LIKE '%-enc%']",
            {"dst_ip": "198.51.100.7", "command_line": "x -ENC y"},
            True,
        ),
        (
            "[ipv4-addr:value = '198.51.100.7' AND process:command_line LIKE '%-enc%']",
            {"dst_ip": "198.51.100.7", "command_line": "x"},
            False,
        ),
        (
            "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Run']",
            {"registry": "HKLM\\Software\\Run\\evil"},
            True,
        ),
        ("[windows-registry-key:values[*].name = 'evil']", {"registry": "HKLM\\Software\\Run\\evil"}, True),
        ("[windows-registry-key:values[0].data = 'x']", {"registry_data": "X"}, True),
        (
            "[process:image_ref.name = 'tool.exe' AND process:parent_ref.image_ref.name = 'winword.exe']",
            {"process": IMAGE, "parent_process": "c:\\winword.exe"},
            True,
        ),
        (
            "[email-message:from_ref.value = 'who@evil.example' AND email-message:subject LIKE 'Pay%']",
            {"mail_from": "Who <who@evil.example>", "subject": "Payment"},
            True,
        ),
        (
            f"[file:hashes.'SHA-256' = '{SHA256}' AND file:name = 'tool.exe']",
            {"hash": f"SHA256={SHA256}", "file": IMAGE},
            True,
        ),
        (
            "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.0/24']",
            {"domain": "a.example", "ip": "198.51.100.7"},
            True,
        ),
        (
            "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
            {"domain": "a.example", "ip": "198.51.100.8"},
            False,
        ),
        ("[user-agent:value = 'Evil/1.0']", {"user_agent": "Evil/1.0"}, True),
        (
            f"[file:name = 'a.exe' AND file:hashes.IMPHASH = '{'a' * 32}']",
            {"file": "C:\\a.exe", "hash": f"IMPHASH={'A' * 32}"},
            True,
        ),
        (
            f"[file:name = 'a.exe' AND file:hashes.IMPHASH = '{'a' * 32}']",
            {"file": "C:\\a.exe", "hash": f"MD5={'A' * 32}"},
            False,
        ),
        ("[domain-name:value LIKE '%.evil.example']", {"domain": "a.evil.example"}, True),
        ("[file:name = 'a' OR file:name = 'tool.exe' AND EXISTS process:pid]", {"file": "a"}, True),
        ("[(file:name = 'a' OR file:name = 'tool.exe') AND EXISTS process:pid]", {"file": "a"}, False),
        ("[file:name = 'it\\'s']", {"file": "it's"}, True),
    ],
)
def test_what_is_more_than_equality_becomes_a_condition(
    pattern: str,
    event: dict[str, Any],
    wanted: bool,  # noqa: FBT001
) -> None:
    assert holds(pattern, event) is wanted


@pytest.mark.parametrize(
    ("pattern", "kind", "parts", "seconds", "least"),
    [
        (
            "([file:name = 'a'] FOLLOWEDBY [file:name = 'b']) WITHIN 300 SECONDS",
            "temporal_ordered",
            2,
            300,
            0,
        ),
        (
            "([file:name = 'a'] AND [file:name = 'b'] AND [file:name = 'c']) WITHIN 1.5 SECONDS",
            "temporal",
            3,
            1.5,
            0,
        ),
        ("[file:name = 'a'] REPEATS 5 TIMES WITHIN 60 SECONDS", "event_count", 1, 60, 5),
        (
            "[file:name = 'a'] WITHIN 5 SECONDS FOLLOWEDBY ([file:name = 'b'] OR [file:name = 'c'])",
            "temporal_ordered",
            2,
            10 * 366 * 86400,
            0,
        ),
    ],
)
def test_several_observations_become_a_correlation(
    pattern: str, kind: str, parts: int, seconds: float, least: int
) -> None:
    (found,) = compile_pattern(pattern).sequences
    assert (found.type, len(found.parts), found.timespan_ns, found.at_least) == (
        kind,
        parts,
        int(seconds * 1_000_000_000),
        least,
    )


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "'['"),
        ("[", "object path"),
        ("[file:name = ]", "constant"),
        ("[file:name = 'a'", "']'"),
        ("[file:name = 'a'] [file:name = 'b']", "not expected"),
        ("[file:name ~ 'a']", "no part of a pattern"),
        ("[file:name 'a']", "operator"),
        ("[mutex:name = 'm']", "mutex:name"),
        ("[file:size = 3]", "file:size"),
        ("[file:hashes.SSDEEP = 'x']", "SSDEEP"),
        ("[ipv4-addr:value = 'nonsense']", "is not an address"),
        ("[ipv4-addr:value = 3]", "holds texts"),
        ("[file:name > 'a']", "compares numbers"),
        ("[file:name LIKE 3]", "needs a text"),
        ("[file:name MATCHES '(']", "cannot be run"),
        ("[network-traffic:src_ref.value ISSUBSET 'x']", "needs an address"),
        ("[file:name = h'ff']", "binary"),
        ("[file:name = h'f']", "a hexadecimal constant is not written"),
        ("[file:name = b'A']", "a binary constant is not written"),
        ("[file:name = t'2026-13-01T00:00:00Z']", "a time is not written"),
        ("[file:name = 'C:\\Temp']", "not doubled"),
        ("[file:name = 'a']['", "has no end"),
        (f"[process:pid = {'9' * 5000}]", "more than 300 digits"),
        (f"[file:hashes.MD5 = '{'a' * 40}']", "is not a hash of that kind"),
        ("[network-traffic:dst_ref.type = 'mac-addr']", "is not a type of address"),
        ("[network-traffic:dst_ref.type != 'ipv4-addr']", "network-traffic:dst_ref.type"),
        ("[file:name IN ('a', h'ff')]", "binary"),
        ("[network-traffic:dst_port > true]", "have none"),
        ("[file:name = 'a'] WITHIN 1 SECONDS WITHIN 2 SECONDS", "said twice"),
        ("[file:name = 'a'] WITHIN 0 SECONDS AND [file:name = 'b']", "above 0"),
        ("[file:name = 'a'] START '2026' STOP '2027'", "START needs a time"),
        ("[file:name = 'a'] within 5 SECONDS", "not expected"),
        ("[file:name[1.5] = 'a']", "no list index"),
        ("[file:name = 'a'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'", "START"),
        ("[file:name = 'a'] REPEATS 0 TIMES", "above 0"),
        ("[file:name = 'a'] REPEATS 100001 TIMES", "up to 100000"),
        ("[file:name = 'a'] REPEATS 2.5 TIMES", "whole number"),
        ("([file:name = 'a'] AND [file:name = 'b']) FOLLOWEDBY [file:name = 'c']", "inside one another"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[file:name = 'a.exe' OR file:hashes.SSDEEP = '3:a:b']",
        "[file:hashes.SSDEEP = '3:a:b'] OR [file:name = 'a.exe']",
        "([file:name = 'a.exe'] OR [file:hashes.SSDEEP = '3:a:b']) WITHIN 5 SECONDS",
    ],
)
def test_an_alternative_that_no_log_can_answer_leaves_the_others(pattern: str) -> None:
    found = compile_pattern(pattern)
    assert found.conditions == compile_pattern("[file:name = 'a.exe']").conditions
    assert found.left_out == ["no log that is read here holds a SSDEEP hash"]
    with pytest.raises(PatternError, match="SSDEEP"):
        compile_pattern("[file:hashes.SSDEEP = '3:a:b' OR mutex:name = 'm']")
    with pytest.raises(PatternError, match="SSDEEP"):
        compile_pattern("[file:name = 'a' AND (file:name = 'b' OR file:hashes.SSDEEP = '3:a:b')]")


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_what_is_not_supported_is_a_pattern_and_is_refused_with_its_reason(code: str) -> None:
    _, example, reason = REFUSALS[code]
    read_pattern(example)
    said = re.escape(re.sub(r"\{[^}]*\}", "…", reason)).replace("…", ".+")
    with pytest.raises(PatternError, match=f"^{said}$"):
        compile_pattern(example)


@pytest.mark.parametrize(
    "pattern",
    [
        f"[a:{'b' * 9000} = 1]",
        f"[file:name = 'a'] '{'b' * 9000}'",
        f"[file:name MATCHES '({'b' * 9000}']",
        f"[file:hashes.'{'b' * 9000}' = 'a']",
    ],
)
def test_a_reason_that_quotes_the_pattern_stays_readable(pattern: str) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(pattern)
    assert len(str(raised.value)) <= 300
    assert "…" in str(raised.value)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_reason_is_told_in_vietnamese(code: str) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(REFUSALS[code].example)
    reason = str(raised.value)
    said = detail(f"pattern: {reason}", translator("vi"))
    assert said == f"mẫu STIX: {detail(reason, translator('vi'))}"
    assert reason not in said


def test_what_stands_in_a_reason_is_told_in_vietnamese_too() -> None:
    vietnamese = translator("vi")
    said = {
        "[ipv4-addr:value = 'x']": "giá trị 'x' không phải địa chỉ",
        "[file:name = h'f']": "hằng số thập lục phân không được viết như \"h'f']\"",
        "[file:name LIKE 3]": "LIKE cần có chuỗi văn bản; 3 không phải như vậy",
        "[file:name = 'a'": "cần có ']' ở vị trí của chỗ kết thúc mẫu",
        f"[file:name MATCHES '({'b' * 900}']": "không chạy được biểu thức chính quy '(bbb",
    }
    for pattern, expected in said.items():
        with pytest.raises(PatternError) as raised:
            compile_pattern(pattern)
        assert detail(str(raised.value), vietnamese).startswith(expected)


def test_length_and_depth_are_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, intel_pattern_chars=40, intel_pattern_depth=3)
    with pytest.raises(PatternError, match="longer than 40"):
        compile_pattern("[file:name = '" + "a" * 40 + "']", limits)
    with pytest.raises(PatternError, match="deeper than 3"):
        compile_pattern("[((((file:name = 'a'))))]", limits)
    with pytest.raises(PatternError, match="deeper"):
        compile_pattern("(" * 20_000)


@given(st.text(alphabet="[]()'=:. aANDORfile\\t<>!*,", max_size=60))
def test_no_text_raises_anything_but_a_reason(text: str) -> None:
    try:
        compile_pattern(text)
    except PatternError as error:
        assert str(error)


# Facets whose values are looked at as they are written.
FACET = {
    "process:command_line": "command_line",
    "user-account:user_id": "user",
    "email-message:subject": "subject",
}
VALUES = ["a", "b", "ab", "198.51.100.7", "203.0.113.9"]
_operators = st.sampled_from(["=", "!=", "LIKE", "IN", "ISSUBSET", "ISSUPERSET", "EXISTS"])
_comparisons = st.tuples(
    _operators,
    st.sampled_from(sorted(FACET)),
    st.booleans(),
    st.sampled_from(VALUES),
)


def written(tree: Any) -> str:
    if tree[0] in {"AND", "OR"}:
        return "(" + f" {tree[0]} ".join(map(written, tree[1])) + ")"
    operator, path, negated, value = tree
    if operator == "EXISTS":
        return f"EXISTS {path}"
    constant = (
        f"('{value}', 'zz')" if operator == "IN" else f"'{value}%'" if operator == "LIKE" else f"'{value}'"
    )
    return f"{path} {'NOT ' if negated else ''}{operator} {constant}"


def one_holds(operator: str, value: str, found: str) -> bool:
    if operator in {"=", "!="}:
        return (found == value) is (operator == "=")
    if operator == "IN":
        return found in {value, "zz"}
    if operator == "LIKE":
        return found.startswith(value)
    try:
        inner, outer = (found, value) if operator == "ISSUBSET" else (value, found)
        return ip_address(inner) in ip_network(outer)
    except ValueError:
        return False


def naive(tree: Any, event: dict[str, list[str]]) -> bool:
    """Return what the specification says: some value of the path for which the comparison holds."""
    if tree[0] in {"AND", "OR"}:
        each = [naive(part, event) for part in tree[1]]
        return all(each) if tree[0] == "AND" else any(each)
    operator, path, negated, value = tree
    found = event.get(FACET[path], [])
    if operator == "EXISTS":
        return bool(found)
    return any(one_holds(operator, value, one) is not negated for one in found)


trees = st.recursive(
    _comparisons,
    lambda inner: st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=6,
)


def readable(tree: Any) -> bool:
    """Return whether no comparison asks for a network where the value is none."""
    if tree[0] in {"AND", "OR"}:
        return all(map(readable, tree[1]))
    return not tree[0].startswith("ISS") or tree[3][0].isdigit()


@given(
    trees.filter(readable),
    st.dictionaries(
        st.sampled_from(sorted(FACET.values())), st.lists(st.sampled_from(VALUES), min_size=1, max_size=3)
    ),
)
def test_conditions_mean_what_the_pattern_says(tree: Any, event: dict[str, list[str]]) -> None:
    assert holds(f"[{written(tree)}]", event) is naive(tree, event)
