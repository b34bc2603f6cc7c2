"""Patterns that cannot be used are refused with a reason that can be read, however long or deep they are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.details import detail
from haidang.i18n import translator
from haidang.intel.patterns import REFUSALS, PatternError, compile_pattern, read_pattern
from haidang.limits import DEFAULT_LIMITS


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
