"""LAUREL's events have the fields that auditd's have, so that rules on the audit log find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from haidang.events.readers import auditd, collected, readers, syslog
from haidang.events.readers.laurel import READER
from haidang.events.recognition import make_head, recognise
from tests.events.readers.feeding import feed, feed_in_time, sample
from tests.events.readers.firing import fired, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

DATA = sample("laurel", "audit.log")
SEEN = feed(READER, DATA)
NATIVE = b"""\
node=hv-web01 type=SYSCALL msg=audit(1794409138.010:327311): arch=c000003e syscall=59 success=yes exit=0 \
ppid=4190 pid=4191 auid=1000 uid=0 comm="base64" exe="/usr/bin/base64" key="chay"
node=hv-web01 type=EXECVE msg=audit(1794409138.010:327311): argc=3 a0="base64" a1="-d" a2="/tmp/x"
node=hv-web01 type=PROCTITLE msg=audit(1794409138.010:327311): proctitle=626173653634002D64002F746D702F78
"""


def of(**members: Any) -> bytes:
    return orjson.dumps({"ID": "1794409138.010:327311", **members})


def test_an_event_is_what_auditd_says_of_it() -> None:
    (native,) = feed(auditd.READER, NATIVE).events
    parent = {"ParentImage": "/usr/bin/bash", "ParentCommandLine": "bash -c echo 100% > /tmp/x"}
    assert SEEN.events[1] == native | parent


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "a2": ["55c094dbf1b0", "echo 100% > /tmp/x"],
                "mode": "0100755",
                "ParentImage": "/usr/sbin/sshd",
            },
        ),
        (2, {"SYSCALL": "connect", "a0": "3", "saddr_fam": "inet", "laddr": "203.0.113.9", "lport": "443"}),
        (3, {"exit": "-111", "laddr": "2001:db8::9", "lport": "4444", "ParentCommandLine": "bash -i"}),
        (4, {"seresult": "denied", "seperms": "read open", "CONTAINER_INFO": {"id": "a1b2c3d4"}}),
        (5, {"type": "USER_LOGIN", "addr": "203.0.113.9", "res": "success"}),
    ],
)
def test_what_it_writes_otherwise_is_as_auditd_writes_it(at: int, expected: dict[str, Any]) -> None:
    assert expected.items() <= SEEN.events[at].items()
    assert SEEN.origins[at] == "auditd"


def test_the_time_is_that_of_the_event() -> None:
    assert SEEN.events[0]["timestamp"] == "2026-11-11T14:58:57.276Z"


def test_what_laurel_says_of_a_parent_counts_more_than_what_the_log_said_before() -> None:
    lines = [
        of(SYSCALL={"pid": 1, "ppid": 0, "exe": "/bin/a"}, EXECVE={"ARGV": ["a", "b"]}),
        of(SYSCALL={"pid": 2, "ppid": 1, "exe": "/bin/c"}),
        of(SYSCALL={"pid": 3, "ppid": 1, "exe": "/bin/c", "PPID": {"exe": "/bin/z"}}),
        of(SYSCALL={"pid": 4, "ppid": 1, "exe": "/bin/c", "PPID": {"exe": "/bin/a"}}),
    ]
    _, second, third, fourth = feed(READER, b"\n".join(lines)).events
    assert (second["ParentImage"], second["ParentCommandLine"]) == ("/bin/a", "a b")
    assert (third["ParentImage"], "ParentCommandLine" in third) == ("/bin/z", False)
    assert (fourth["ParentImage"], fourth["ParentCommandLine"]) == ("/bin/a", "a b")


@pytest.mark.parametrize(
    "header",
    [b"", b"@cee: ", b"\x00\x00", b"\xef\xbb\xbf"],
)
def test_a_file_of_it_is_recognised_whatever_is_before_each_object(header: bytes) -> None:
    data = b"".join(header + line + b"\n" for line in DATA.splitlines())
    assert recognise(make_head("log", data), readers()) is READER
    assert len(feed(READER, data).events) == 6


def test_the_host_is_the_one_that_a_shipper_names_where_the_object_names_none() -> None:
    for host in ({"host": {"name": "hv-web01"}}, {"hostname": "hv-web01"}):
        (event,) = feed(READER, of(SYSCALL={"comm": "x"}, **host)).events
        assert event["node"] == "hv-web01"


def test_a_line_of_syslog_holds_one_with_the_host_of_the_header() -> None:
    line = b"Nov 11 21:58:57 hv-web07 laurel: @cee: " + of(SYSCALL={"comm": "x"})
    seen = feed(syslog.READER, line)
    assert (seen.origins, seen.events[0]["node"]) == (["auditd"], "hv-web07")


def test_exports_that_wrap_one_and_arrays_of_them_are_opened() -> None:
    event = orjson.loads(DATA.splitlines()[1])
    other = {"_raw": "Nov 11 21:58:57 hv-web01 sshd[7]: x", "host": "hv-web01"}
    data = orjson.dumps([{"_index": "a", "_source": event}, event, other])
    assert [one["type"] for one in read_bytes(collected.READER, data).events if "type" in one] == [
        ["SYSCALL", "EXECVE", "PROCTITLE"]
    ] * 2


@pytest.mark.parametrize(
    "line",
    [
        b'{"ID":"x","SYSCALL":{}}',
        b'{"ID":"1794409138.010:327311"}',
        b'{"ID":"1794409138.010:327311","PARENT_INFO":{}}',
        b'{"ID":"1794409138.010:327311","syscall":{}}',
        b'{"ID":"1794409138.010:327311","SYSCALL":{"comm":"x"}',
        b'["ID"]',
        b"oops",
    ],
)
def test_what_is_no_such_object_is_noted_and_skipped(line: bytes) -> None:
    seen = feed(READER, DATA + line + b"\n")
    assert len(seen.events) == 6
    assert seen.problems == {"broken-line": ("line 7", 1)}
    assert seen.report.skipped == 1


def test_odd_values_stay_as_they_are() -> None:
    members = {"comm": 7, "exe": ["a"], "x": {"y": {"z": 1}}, "ok": True, "ARGV": "a b"}
    (event,) = feed(READER, of(SYSCALL=members, EXECVE=[{"ARGV": [1, None]}, "x"], PATH=[[]])).events
    assert event["comm"] == "7"
    assert (event["exe"], event["x.y"], event["ok"]) == ('["a"]', '{"z":1}', "true")
    assert (event["a0"], event["a1"], event["CommandLine"]) == ("1", "", "1 ")


@pytest.mark.parametrize(
    "members",
    [
        {"PATH": [{"name": "a"}] * 30_000},
        {"EXECVE": {"ARGV": ["%"] * 150_000}},
        {"PATH": {"name": "%41" * 200_000}},
        {"SOCKADDR": {"saddr": "%0" * 200_000}},
    ],
)
def test_hostile_objects_take_linear_time(members: dict[str, Any]) -> None:
    assert len(feed_in_time(READER, of(**members)).events) == 1


def test_rules_on_the_audit_log_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        decode=("product: linux, service: auditd", "{type: EXECVE, a0: base64, a1: '-d'}"),
        start=("product: linux, category: process_creation", "{Image|endswith: /base64}"),
        parent=(
            "product: linux, category: process_creation",
            "{ParentCommandLine|contains: bash -c, CommandLine|contains: '-d'}",
        ),
        out=("product: linux, category: network_connection", "{DestinationIp: 203.0.113.9}"),
    )
    expected = {("decode", "2"), ("start", "2"), ("parent", "2"), ("out", "3")}
    assert fired(tmp_path, DATA, rules) == expected
