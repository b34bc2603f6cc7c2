"""What patterns become: each operator and each joint as look-ups, conditions and correlations."""

from __future__ import annotations

from typing import Any

import pytest

from haidang.intel.patterns import compile_pattern
from tests.intel.patterns._holding import holds

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
