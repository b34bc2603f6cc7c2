"""Indicators in the matcher: the same answer decoded and undecoded, and that of a plain twin."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.batches import BatchMatcher
from haidang.detect.indicators import Watch
from haidang.detect.matcher import Matcher
from haidang.events.model import DocumentBatch, FileReport
from haidang.intel.index import IndexBuilder
from haidang.intel.model import Indicator
from haidang.intel.observed import load_fields
from haidang.intel.patterns import compile_pattern
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.sigma.logsource import load_maps

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSMON = "Microsoft-Windows-Sysmon/Operational"
IPS = ["198.51.100.7", "198.51.100.8", "203.0.113.9", "2001:db8::7"]
NAMES = ["evil.example", "a.evil.example", "b.a.evil.example", "notevil.example", "other.example"]
HASHES = ["a" * 32, "b" * 40, "c" * 64]
INDICATORS = [
    *(("ip", value) for value in IPS),
    *(("network", value) for value in ("198.51.100.0/29", "203.0.113.0/24", "2001:db8::/64")),
    *(("domain", value) for value in NAMES),
    *(("hash", value) for value in HASHES),
]
sets = st.lists(st.sampled_from(INDICATORS), max_size=6, unique=True)
_ip = st.sampled_from([*IPS, "192.0.2.1", "-", "", "::ffff:198.51.100.7", None])
_name = st.sampled_from([*NAMES, "EVIL.example.", "example", "-", "", None])
_hashes = st.lists(st.sampled_from(HASHES), max_size=3).map(
    lambda found: ",".join(
        f"{ {32: 'MD5', 40: 'SHA1', 64: 'SHA256'}[len(one)] }={one.upper()}" for one in found
    )
)
_connection = st.fixed_dictionaries(
    {"EventID": st.just(3), "SourceIp": _ip, "DestinationIp": _ip, "DestinationHostname": _name}
)
_query = st.fixed_dictionaries({"EventID": st.just(22), "QueryName": _name})
_image = st.fixed_dictionaries({"EventID": st.just(7), "Hashes": _hashes})
_other = st.fixed_dictionaries({"EventID": st.just(255), "DestinationIp": _ip})
events = st.one_of(_connection, _query, _image, _other).map(lambda fields: {"Channel": SYSMON, **fields})


def watch(
    indicators: list[tuple[str, str]], patterns: Sequence[str] = (), limits: Limits = DEFAULT_LIMITS
) -> Watch:
    """Return a watch in which each indicator is a rule of its own, numbered from 0; then the patterns."""
    builder = IndexBuilder()
    for number, (kind, value) in enumerate(indicators):
        builder.add(Indicator(kind, value), f"s{number}")
    conditions = [
        (len(indicators) + number, condition)
        for number, pattern in enumerate(patterns)
        for condition in compile_pattern(pattern).conditions
    ]
    return Watch(builder.finish(), load_fields(), limits, first=0, patterns=conditions)


def matcher(*args: Any, **more: Any) -> Matcher:
    return Matcher({}, load_maps(), watch(*args, **more))


def undecoded(
    made: Matcher, found: list[dict[str, Any]], limits: Limits = DEFAULT_LIMITS
) -> list[tuple[int, ...]]:
    lines = [orjson.dumps(one) for one in found]
    report = FileReport("log")
    hits = {
        hit.record: tuple(hit.rules)
        for hit in BatchMatcher(made, limits, patience=0).match(
            DocumentBatch(report, lines, range(len(lines)))
        )
    }
    assert report.records == len(lines)
    return [hits.get(at, ()) for at in range(len(lines))]


def naive(indicators: list[tuple[str, str]], event: dict[str, Any]) -> tuple[int, ...]:
    """Return the indicators that an event meets, by what its fields are known to be."""
    if event["EventID"] == 255:
        return ()
    ips = []
    for field in ("SourceIp", "DestinationIp"):
        try:
            address: Any = ip_address(event.get(field) or "")
        except ValueError:
            continue
        ips.append(getattr(address, "ipv4_mapped", None) or address)
    names = [(event.get(field) or "").lower().rstrip(".") for field in ("DestinationHostname", "QueryName")]
    hashes = [part.partition("=")[2].lower() for part in event.get("Hashes", "").split(",")]
    found = []
    for number, (kind, value) in enumerate(indicators):
        if kind == "ip":
            met = ip_address(value) in ips
        elif kind == "network":
            met = any(one in ip_network(value) for one in ips)
        elif kind == "domain":
            met = any(name == value or name.endswith("." + value) for name in names)
        else:
            met = value in hashes
        if met:
            found.append(number)
    return tuple(found)


@given(sets, st.lists(events, min_size=1, max_size=12))
def test_lanes_the_plain_way_and_the_naive_twin_agree(
    indicators: list[tuple[str, str]], found: list[dict[str, Any]]
) -> None:
    wanted = [naive(indicators, event) for event in found]
    made = matcher(indicators)
    assert [tuple(made.match("windows", event)) for event in found] == wanted
    # Twice, so that the lanes that the first events made are taken.
    assert undecoded(made, found * 2) == wanted * 2


@given(sets, st.lists(events, min_size=1, max_size=12))
def test_little_memory_changes_no_answer(
    indicators: list[tuple[str, str]], found: list[dict[str, Any]]
) -> None:
    limits = Limits(memo_entries=1, memo_chars=100)
    made = matcher(indicators, limits=limits)
    answers = []
    for event in found:
        answers.append(tuple(made.match("windows", event)))
        made.trim()
    assert answers == [naive(indicators, event) for event in found]


PATTERNS = [
    "[ipv4-addr:value = '198.51.100.7' AND network-traffic:dst_port = 443]",
    "[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24' AND domain-name:value LIKE '%.evil.example']",
    "[domain-name:value != 'evil.example' AND EXISTS domain-name:value]",
    "[process:command_line LIKE '%evil%']",
]


@given(
    st.lists(
        events.flatmap(lambda event: st.sampled_from([event, {**event, "DestinationPort": 443}])),
        min_size=1,
        max_size=8,
    )
)
def test_patterns_hold_alike_decoded_and_undecoded(found: list[dict[str, Any]]) -> None:
    made = matcher([("ip", "198.51.100.7")], PATTERNS)
    wanted = [tuple(made.match("windows", event)) for event in found]
    assert undecoded(made, found * 2) == wanted * 2
    for event, held in zip(found, wanted, strict=True):
        connection = event["EventID"] == 3
        ips = {event.get("SourceIp"), event.get("DestinationIp")}
        is_first = connection and bool(ips & {"198.51.100.7", "::ffff:198.51.100.7"})
        assert (1 in held) is (is_first and event.get("DestinationPort") == 443)


def test_other_shapes_and_lists_are_looked_at() -> None:
    made = matcher([("ip", "198.51.100.7")])
    inner = {"DestinationIp": "198.51.100.7"}
    shaped = {"Event": {"System": {"Channel": SYSMON, "EventID": 3}, "EventData": inner}}
    beats = {"winlog": {"channel": SYSMON, "event_id": 3, "event_data": inner}}
    many = {"Channel": SYSMON, "EventID": 3, "DestinationIp": ["192.0.2.1", "198.51.100.7"]}
    for document in (shaped, beats, many):
        assert undecoded(made, [document] * 3) == [(0,)] * 3


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"source": {"ip": "198.51.100.7"}}, (0,)),
        ({"source.ip": "198.51.100.7"}, (0,)),
        ({"src_endpoint": {"ip": "198.51.100.7"}, "dst_endpoint": {"hostname": "x.evil.example"}}, (0, 1)),
        ({"dns": {"question": {"name": "evil.example"}}}, (1,)),
        ({"dns": {"answers": [{"data": "192.0.2.1"}, {"data": "198.51.100.7"}]}}, (0,)),
        ({"file": {"hash": {"md5": "A" * 32}}}, (2,)),
        ({"url": {"original": "http://evil.example/"}}, (1,)),
        ({"http": {"hostname": "evil.example", "url": "/a"}}, (1, 3)),
        ({"message": "from 198.51.100.7 port 22"}, (0,)),
        ({"MESSAGE": "from=<who@evil.example>"}, (1,)),
        ({"request": {"host": "evil.example:8443", "uri": "/b", "remote_ip": "198.51.100.7"}}, (0, 1)),
        ({"cs(Referer)": "http://evil.example/b"}, (1,)),
        ({"RemoteUrl": "https://evil.example/b", "InitiatingProcessMD5": "a" * 32}, (1, 2)),
        ({"RemoteUrl": "evil.example"}, (1,)),
        (
            {"MD5HashData": "a" * 32, "DomainName": "evil.example", "RemoteAddressIP4": "198.51.100.7"},
            (0, 1, 2),
        ),
        ({"src.process.image.md5": "a" * 32, "event.dns.request": "evil.example"}, (1, 2)),
        ({"src": "192.0.2.1", "dhost": "evil.example", "request": "http://evil.example/a"}, (1, 3)),
        ({"tls": {"ja3": {"hash": "a" * 32}, "fingerprint": ":".join(["aa"] * 20)}}, (2,)),
        ({"tls": {"fingerprint": ":".join(["AA"] * 16)}}, (2,)),
        ({"version": "198.51.100.7"}, ()),
        ({"source": "198.51.100.7", "deep": {"source": {"ip": "198.51.100.7"}}}, ()),
        ({"source": None, "url": {"x": 1}, "hash": 3, "answers": [None, {}]}, ()),
    ],
)
def test_logs_that_nobody_described_are_looked_at_by_the_names_of_schemas(
    event: dict[str, Any], found: tuple[int, ...]
) -> None:
    made = matcher(
        [("ip", "198.51.100.7"), ("domain", "evil.example"), ("hash", "a" * 32), ("url", "evil.example/a")]
    )
    assert tuple(made.match("json", event)) == found


@pytest.mark.parametrize(
    ("origin", "event", "found"),
    [
        ("zeek", {"_path": "conn", "id.resp_h": "198.51.100.7"}, (0,)),
        ("zeek", {"_path": "dns", "query": "a.evil.example", "answers": ["198.51.100.7"]}, (0, 1)),
        ("zeek", {"_path": "http", "host": "evil.example", "uri": "/a"}, (1, 3)),
        ("zeek", {"_path": "http", "host": "198.51.100.7", "id.resp_p": 8080, "uri": "/a"}, (0, 4)),
        ("zeek", {"_path": "http", "host": "evil.example", "id.resp_p": 80, "uri": "/a"}, (1, 3)),
        ("json", {"http": {"hostname": "198.51.100.7", "url": "/a"}, "dest_port": 8080}, (0, 4)),
        ("zeek", {"_path": "files", "md5": "a" * 32}, (2,)),
        ("zeek", {"_path": "ssl", "server_name": "evil.example"}, (1,)),
        ("zeek", {"_path": "ssl", "ja3": "a" * 32}, (2,)),
        ("zeek", {"_path": "smtp", "mailfrom": "<who@evil.example>"}, (1,)),
        ("cloudtrail", {"sourceIPAddress": "198.51.100.7"}, (0,)),
        ("syslog", {"message": "Failed password for root from 198.51.100.7 port 22"}, (0,)),
        ("auditd", {"addr": "198.51.100.7"}, (0,)),
        ("text", {"message": "GET http://evil.example/a HTTP/1.1"}, (1, 3)),
        ("windows", {"Channel": "Security", "EventID": 4624, "IpAddress": "::ffff:198.51.100.7"}, (0,)),
        ("windows", {"Channel": SYSMON, "EventID": 1, "CommandLine": "curl http://evil.example/a"}, (1, 3)),
        (
            "windows",
            {
                "Channel": SYSMON,
                "EventID": 22,
                "QueryName": "x",
                "QueryResults": "type:  5 evil.example;::ffff:198.51.100.7;",
            },
            (0, 1),
        ),
    ],
)
def test_native_logs_meet_indicators(origin: str, event: dict[str, Any], found: tuple[int, ...]) -> None:
    made = matcher(
        [
            ("ip", "198.51.100.7"),
            ("domain", "evil.example"),
            ("hash", "a" * 32),
            ("url", "evil.example/a"),
            ("url", "198.51.100.7:8080/a"),
        ]
    )
    assert tuple(made.match(origin, event)) == found


@pytest.mark.parametrize(
    ("key", "logged", "held"),
    [
        ("HKEY_CURRENT_USER\\\\Software\\\\Run\\\\x", "HKU\\S-1-5-21-1-2-3-1001\\Software\\Run\\x", True),
        ("HKCU\\\\Software\\\\Run", "HKU\\S-1-5-21-1-2-3-1001\\Software\\Run\\x", True),
        ("HKCU\\\\Software\\\\Run", "HKU\\S-1-5-18\\Software\\Run\\x", False),
        ("HKU\\\\.DEFAULT\\\\Run", "HKEY_USERS\\.DEFAULT\\Run\\x", True),
        ("HKLM\\\\Software\\\\Evil", "HKLM\\SOFTWARE\\Evil\\1", True),
        ("HKEY_LOCAL_MACHINE\\\\Software\\\\Evil", "\\REGISTRY\\MACHINE\\SOFTWARE\\Evil", True),
        ("HKLM\\\\Software\\\\Evil", "HKLM\\SOFTWARE\\Evil\\sub\\1", False),
    ],
)
def test_registry_keys_meet_however_their_hive_is_written(key: str, logged: str, held: bool) -> None:  # noqa: FBT001
    made = matcher([], patterns=[f"[windows-registry-key:key = '{key}']"])
    event = {"Channel": SYSMON, "EventID": 13, "TargetObject": logged}
    assert bool(tuple(made.match("windows", event))) is held


def test_a_named_pipe_is_known_by_its_name() -> None:
    made = matcher([], patterns=["[file:name = 'evil']"])
    assert tuple(made.match("windows", {"Channel": SYSMON, "EventID": 17, "PipeName": "\\evil"})) == (0,)
    assert not tuple(made.match("windows", {"Channel": SYSMON, "EventID": 18, "PipeName": "\\devil"}))


def test_a_deep_and_wide_event_is_bounded() -> None:
    wide: dict[str, Any] = {"dns": {"answers": [{"data": "192.0.2.1"}] * 100_000}}
    assert tuple(matcher([("ip", "198.51.100.7")]).match("json", wide)) == ()


def test_of_no_indicators_no_route_is_made() -> None:
    made = matcher([])
    assert made.route("windows", {"Channel": SYSMON, "EventID": 3}).idle
