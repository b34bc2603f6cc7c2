"""Whatever a collector writes to one file, each line goes to the product that wrote it, and none is lost."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.events.readers import readers, syslog
from haidang.events.readers._carried import carriers
from haidang.events.recognition import make_head, recognise
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import SAMPLES, feed, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)
# The own files of some are JSON, or what is not cut into events here; web servers' have no lines of syslog.
OTHERS = {"auditd", "json", "suricata", "webserver", "weberror", "windows"}
TEXT = sorted({one.origins[0].name for one in carriers()} - OTHERS)
OWN_SAMPLES = [path for name in TEXT for path in sorted((SAMPLES / name).iterdir())]

# What stands in each line of samples/syslog/collector.log.
# fmt: off
COLLECTOR = [
    "syslog", "cisco", "cisco", "cisco", "fortigate", "netfilter", "syslog", "filterlog", "paloalto", "cef",
    "leef", "bind", "syslog", "openvpn", "huawei", "juniper", "suricata", "squid", "dnsmasq", "fortigate",
    "mikrotik", "webserver", "weberror", "webserver", "json", "windowsdns",
    "unbound", "coredns", "sophos", "sonicwall", "checkpoint", "watchguard", "auditd", "exim", "windows",
]
# fmt: on


def test_each_line_of_a_collector_goes_to_the_product_that_wrote_it() -> None:
    seen = feed(syslog.READER, sample("syslog", "collector.log"))
    assert seen.report.complete
    got = dict(zip(seen.records, seen.origins, strict=True))
    assert [got[number] for number in sorted(got)] == COLLECTOR


def test_every_carrier_has_a_line_in_the_sample_of_a_collector() -> None:
    assert {carrier.origins[0].name for carrier in carriers()} <= set(COLLECTOR)


def test_a_batch_has_one_origin_and_keeps_the_order_of_the_file() -> None:
    data = sample("syslog", "collector.log") * 3
    for limits in (DEFAULT_LIMITS, SMALL):
        seen = feed(syslog.READER, data, limits=limits)
        assert sorted(seen.records) == list(range(1, len(COLLECTOR) * 3 + 1))
        for origin in set(COLLECTOR):
            own = [number for number, name in zip(seen.records, seen.origins, strict=True) if name == origin]
            assert own == sorted(own)


def test_lines_beside_audit_records_go_to_their_products_too() -> None:
    audit = b"Nov 11 21:58:57 hv-web01 audit[1]: type=USER_LOGIN msg=audit(1794409137.417:7): pid=1 uid=0"
    data = sample("syslog", "collector.log") + audit + b"\n"
    seen = feed(readers()["auditd"], data)
    assert sorted(seen.origins) == sorted([*COLLECTOR, "auditd"])
    assert recognise(make_head("log", data), readers()) is readers()["auditd"]


@pytest.mark.parametrize(
    "message",
    [
        "Invalid user %ASA-6-302013: from 203.0.113.9 port 1",
        "Failed password for CEF:0|a|b|c|d|e|f| from 203.0.113.9",
        "Invalid user IN= OUT= SRC=203.0.113.9 DST=1.1.1.1 from 203.0.113.9",
        "date=2026-11-11 devid=x logid=1",
        "1,2026/11/11 21:59:02,1,SYSTEM,x,",
        "%%01BGP/3/BGP_AUTH_FAILED(l): x",
        "client @0x1 203.0.113.9#1 (a): query: a IN A + (1.1.1.1)",
        "query[A] haivan.example from 203.0.113.9",
    ],
)
def test_what_a_visitor_of_sshd_types_does_not_take_its_line_away(message: str) -> None:
    seen = feed(syslog.READER, f"Nov 11 21:58:57 hv-gw01 sshd[4188]: {message}\n".encode())
    if message.startswith("date="):
        # What begins like a record of FortiGate is one, whatever the sender calls its program.
        assert seen.origins == ["fortigate"]
    else:
        assert seen.origins == ["syslog"]


PROGRAMS = {"bind": b"named[7]: ", "exim": b"exim[7]: ", "openvpn": b"openvpn[7]: ", "squid": b"squid[7]: "}


def collected(name: str, line: bytes) -> bytes:
    """Return a line of a product's own file as a collector writes it."""
    if line.startswith(b"Nov 11 2026 "):
        return b"Nov 11 21:58:57 hv-gw01 " + line[21:].lstrip(b" ")
    if line.startswith(b"Nov 11 "):
        return line[:15] + b" hv-gw01" + line[15:]
    return b"Nov 11 21:58:57 hv-gw01 " + PROGRAMS.get(name, b"") + line


@pytest.mark.parametrize("path", OWN_SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_records_are_the_same_alone_and_through_a_collector(path: Path) -> None:
    name = path.parent.name
    data = path.read_bytes()
    alone = feed(readers()[name], data)
    assert set(alone.origins) == {name}
    assert alone.report.complete
    together = feed(syslog.READER, b"\n".join(collected(name, line) for line in data.splitlines()))
    assert together.origins == alone.origins
    # The header differs, and may say the time that the record says.
    header = {"raw", "time", "timestamp", "hostname", "program", "pid"}
    for one, other in zip(alone.events, together.events, strict=True):
        assert {key: one[key] for key in one.keys() - header} == {
            key: other[key] for key in other.keys() - header
        }
        assert other["hostname"] == one.get("hostname", "hv-gw01")


@pytest.mark.parametrize("name", TEXT)
def test_what_is_no_record_is_kept_as_text_and_noted(name: str) -> None:
    data = (SAMPLES / name).joinpath(next(iter(sorted((SAMPLES / name).iterdir()))).name).read_bytes()
    count = len(data.splitlines())
    seen = feed(readers()[name], data + b"oops\n\n\tcontinued\n")
    assert seen.events[-2]["message"] == "oops"
    assert seen.problems == {"broken-line": (f"line {count + 1}", 1)}
    assert seen.report.skipped == 0
    assert len(seen.events) == count + 2


@pytest.mark.parametrize("path", OWN_SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
@settings(max_examples=80)
@given(data=st.data())
def test_whatever_is_cut_or_put_in_each_line_is_an_event(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    at, gone = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 60))
    put = data.draw(st.binary(max_size=30) | st.sampled_from([b"=", b'"', b"\\", b"|", b"%", b"\t", b"\x00"]))
    torn = whole[:at] + put + whole[at + gone :]
    filled = {
        n for n, line in enumerate(torn.split(b"\n"), 1)
        if line.decode("utf-8", "replace").strip("\x00 \t\r\n\x0b\x0c")
    }  # fmt: skip
    for reader in (readers()[path.parent.name], syslog.READER):
        seen = feed(reader, torn, limits=SMALL)
        assert filled <= set(seen.records)
        assert all(isinstance(event["raw"], str) for event in seen.events if "flow_id" not in event)
        assert 0 <= reader.recognises(head(torn)) <= 100


@pytest.mark.parametrize(
    ("name", "folder"), [("web-access", "web_access"), ("web-errors", "web_errors")], ids=lambda text: text
)
def test_lines_of_web_servers_are_the_same_alone_and_through_a_collector(name: str, folder: str) -> None:
    reader = readers()[name]
    for path in sorted((SAMPLES / folder).iterdir()):
        alone = feed(reader, path.read_bytes())
        lines = path.read_bytes().splitlines()
        for number, event in zip(alone.records, alone.events, strict=True):
            if "time" not in event:
                continue
            line = b"Nov 11 21:58:57 hv-web01 nginx[7]: " + lines[number - 1]
            together = feed(syslog.READER, line)
            assert together.origins == [reader.origins[0].name], line
            header = {"hostname": "hv-web01", "program": "nginx", "pid": "7", "raw": line.decode()}
            assert together.events == [{**header, **event}]


def test_a_line_of_a_web_server_without_a_program_is_one() -> None:
    line = b'203.0.113.9 - - [11/Nov/2026:21:58:58 +0700] "GET / HTTP/1.1" 200 1'
    for header in (b"", b"Nov 11 21:58:57 hv-web01 ", b"<134>"):
        assert feed(syslog.READER, header + line).origins == ["webserver"]
    assert feed(syslog.READER, b"Nov 11 21:58:57 hv-web01 sshd[1]: " + line).origins == ["syslog"]


DNSMASQ, FILTERLOG, RT_FLOW = (f"Nov 11 21:58:57 {name}: " for name in ("dnsmasq", "filterlog", "rt_flow"))
CEF, LEEF = "CEF:0|a|b|c|d|e|f|", "LEEF:1.0|a|b|c|d|"
PROXY = "1.1.1.1:1 [11/Nov/2026:21:58:59.113] a b/c 0/0/1/12/13 404 1 - - ---- 1/1/0/0/0 0/0 "
FORTIGATE, HUAWEI, OPENVPN = "date=1 devid=1 logid=1 ", "%%01A/1/B(l): ", "2026-11-11 21:58:57 "
UNBOUND, COREDNS = "[1794409137] unbound[812:0] info: ", '[INFO] 10.20.0.31:51234 - 29008 "'
SONICWALL, SOPHOS = "id=firewall sn=1 m=1 ", 'device="SFW" log_type="Firewall" '
EXIM = "2026-11-11 21:58:57 1r0abc-0001Xy-2z "
WATCHGUARD = '80DA00HAIVAN1 firewall: msg_id="3000-0148" '
WINDOWS_DNS = "11/11/2026 9:58:57 PM 0E70 PACKET  "
HOSTILE = {
    "bind": ["client @0x1 " + "a" * 100 + "#1 (" + "x" * 500_000, "a" * 500_000],
    "cef": ["CEF:0|" + "\\|" * 300_000, CEF + "k " * 300_000, CEF + "a=" * 300_000],
    "cisco": [
        "%ASA-6-302013: Built inbound TCP connection 1 for " + "a:" * 300_000,
        "%ASA-4-106023: Deny tcp src " + "1.1.1.1/" * 100_000,
        "%" + "A-" * 300_000,
        "%FTD-6-430003: " + "a: b, " * 100_000,
    ],
    "dnsmasq": [DNSMASQ + "a " * 300_000, DNSMASQ + "reply " + "a" * 600_000],
    "exim": [
        EXIM + "<= a H=" + "(" * 600_000,
        EXIM + "=> a " + "T=" * 300_000,
        EXIM + 'T="' + "\\" * 600_001,
        EXIM + "a authenticator failed for " * 20_000,
    ],
    "filterlog": [FILTERLOG + "," * 600_000],
    "fortigate": [FORTIGATE + 'a="\\' * 200_000, FORTIGATE + "a" * 600_000],
    "haproxy": [
        "1" * 600_000,
        PROXY + "a" * 600_000,
        PROXY + "{" * 300_000 + "}" * 300_000,
        PROXY + '"' + "\\" * 300_001,
    ],
    "huawei": [HUAWEI + "a" * 600_000, HUAWEI + "a=" * 300_000],
    "juniper": [RT_FLOW + "A_" * 300_000, RT_FLOW + "session created " + "1" * 600_000],
    "leef": [LEEF + "a " * 300_000, LEEF + "^" * 600_000],
    "mikrotik": [
        "firewall,info " + "a " * 300_000,
        "firewall" + ",ab" * 200_000,
        "firewall,info a: in:" + "b" * 600_000,
    ],
    "netfilter": ["IN= OUT= SRC=" + "A=" * 300_000, "[" * 600_000 + "IN= OUT= SRC="],
    "openvpn": [OPENVPN + "a/" * 300_000, OPENVPN + "TLS: username " + "'" * 600_000],
    "paloalto": ["1,2026/11/11 21:59:02,1,TRAFFIC," + ',"' * 300_000],
    "sonicwall": [
        SONICWALL + "src=" + ":" * 600_000,
        SONICWALL + 'a="\\' * 200_000,
        "sn=1 " + "m=" * 300_000,
    ],
    "sophos": [SOPHOS + 'a="\\' * 200_000, SOPHOS + "a" * 600_000, SOPHOS + "url=" + "/?" * 300_000],
    "squid": [
        "1794409137.417    123 a TCP_MISS/200 1 GET " + "http://" * 90_000 + " - A/b c",
        'a - - [t] "GET x H" 1 1 "' + "\\" * 600_000,
    ],
    "checkpoint": [
        '[action:"' + "\\" * 300_001,
        '[action:"Drop"; ' + 'a:"' * 200_000,
        '[action:"Drop"; ' + "a" * 600_000,
    ],
    "coredns": [COREDNS + "a" * 600_000, COREDNS + 'A IN a. udp 1 false 1" A ' + "a," * 300_000],
    "unbound": [UNBOUND + "a " * 300_000, UNBOUND + "1" * 600_000, UNBOUND + "a. inform 1.1.1.1@1 " * 30_000],
    "watchguard": [
        "a" * 600_000,
        WATCHGUARD + "Allow " + "1 " * 300_000,
        WATCHGUARD + "Deny " + "tcp 1.1.1.1 " * 60_000,
        WATCHGUARD + "Deny " + "(" * 600_000,
        "2026-11-11 21:58:57 Allow 1.1.1.1 2.2.2.2 a/tcp " + "a " * 300_000,
        WATCHGUARD + "Authentication of " + " user [" * 90_000,
        WATCHGUARD + 'a="\\' * 200_000,
    ],
    "windowsdns": [
        WINDOWS_DNS + " " * 600_000,
        WINDOWS_DNS + "UDP Rcv 10.20.0.31 5b47   Q [0001   D   NOERROR] A " + "(1)" * 200_000,
    ],
}


@pytest.mark.parametrize(
    ("name", "line"),
    [(name, line) for name in [*TEXT, "haproxy"] for line in HOSTILE[name]],
    ids=lambda text: text[:40],
)
def test_hostile_lines_take_linear_time(name: str, line: str) -> None:
    reader = readers()[name]
    data = line.encode() + b"\n"
    began = time.process_time()
    assert feed(reader, data).events
    assert feed(syslog.READER, data).events
    reader.recognises(head(data))
    assert time.process_time() - began < 3
