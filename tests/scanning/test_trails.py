"""Trails of a scan: gathered where asked for, also where no rule holds, whatever processes and formats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import ScanOptions, run

from .material import CHANNEL, write_log, write_rules

if TYPE_CHECKING:
    from haidang.findings.gathering import Trails
    from haidang.findings.model import Finding

SECOND = 1_000_000_000
BEGIN = 1_767_225_600
"""2026-01-01T00:00:00Z, seconds."""


def start(pid: int, parent: int, image: str, second: int = 0) -> dict[str, Any]:
    return {
        "Channel": CHANNEL,
        "EventID": 1,
        "Computer": "pc.example",
        "UtcTime": f"2026-01-01 00:00:{second:02}.000",
        "ProcessId": pid,
        "ParentProcessId": parent,
        "Image": image,
        "CommandLine": f"{image} /x",
        "User": "X\\u",
    }


def logon(second: int, **fields: Any) -> dict[str, Any]:
    return {
        "Channel": "Security", "EventID": 4624, "Computer": "srv.example", "LogonType": 3,
        "TimeCreated": f"2026-01-01T00:00:{second:02}Z", "IpAddress": "10.0.0.7",
        "TargetDomainName": "X", "TargetUserName": "u", **fields,
    }  # fmt: skip


EVENTS = [
    start(10, 1, r"C:\explorer.exe", 1),
    start(20, 10, r"C:\tool.exe", 2),
    start(30, 20, r"C:\child.exe", 3),
    start(99, 98, r"C:\other.exe", 4),
    logon(5),
    logon(6, LogonType=2),
    logon(7, TargetUserName="PC$", LogonType="3"),
]


def shaped(event: dict[str, Any], shape: str) -> dict[str, Any]:
    """Return an event as one of the shippers writes it."""
    if shape == "flat":
        return event
    rest = {key: value for key, value in event.items() if key not in {"Channel", "EventID", "Computer"}}
    if shape == "winlogbeat":
        time = rest.get("TimeCreated") or rest["UtcTime"].replace(" ", "T") + "Z"
        data = {key: value for key, value in rest.items() if key != "TimeCreated"}
        return {
            "@timestamp": time,
            "winlog": {
                "channel": event["Channel"],
                "event_id": str(event["EventID"]),
                "computer_name": event["Computer"],
                "event_data": data,
            },
        }
    time = rest.pop("TimeCreated", None) or rest["UtcTime"].replace(" ", "T") + "Z"
    system = {
        "EventID": {"#attributes": {"Qualifiers": 1}, "#text": event["EventID"]},
        "Channel": event["Channel"],
        "Computer": event["Computer"],
        "TimeCreated": {"#attributes": {"SystemTime": time}},
    }
    return {"Event": {"System": system, "EventData": rest}}


def scanned(tmp_path: Path, log: Path, **options: Any) -> tuple[list[Finding], Trails | None]:
    found: list[Finding] = []
    made = ScanOptions((str(log),), rules=(str(write_rules(tmp_path)),), cache=False, **options)
    return found, run(made, found.append).trails


def moves(trails: Trails) -> list[tuple[Any, ...]]:
    return sorted((m.source, m.target, m.kind, m.user, m.count, m.first, m.last) for m in trails.moves)


@pytest.mark.parametrize("shape", ["flat", "winlogbeat", "event"])
def test_starts_and_moves_are_gathered_from_events_that_no_rule_is_about(tmp_path: Path, shape: str) -> None:
    log = tmp_path / "log.ndjson"
    write_log(log, [shaped(event, shape) for event in EVENTS])
    found, trails = scanned(tmp_path, log, trails=True)
    assert [finding.rule.title for finding in found] == ["Tool"]
    assert found[0].about is not None
    assert found[0].about.process == "#20"
    assert trails is not None
    assert {one.image for one in trails.related()} == {r"C:\explorer.exe", r"C:\tool.exe", r"C:\child.exe"}
    when = (BEGIN + 5) * 1_000
    assert moves(trails) == [("10.0.0.7", "srv.example", "network", r"X\u", 1, when, when)]
    assert trails.addresses == {"10.0.0.7": "PC"}


def test_nothing_is_gathered_unless_it_is_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    write_log(log, EVENTS)
    found, trails = scanned(tmp_path, log)
    assert trails is None
    assert [finding.about for finding in found] == [None]


def test_events_outside_the_wanted_time_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    write_log(log, EVENTS)
    _, trails = scanned(tmp_path, log, trails=True, since=(BEGIN + 2) * SECOND, until=(BEGIN + 4) * SECOND)
    assert trails is not None
    assert {one.image for one in trails.related()} == {r"C:\tool.exe", r"C:\child.exe"}
    assert moves(trails) == []


def test_trails_are_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for number, half in enumerate((EVENTS[:3], EVENTS[3:], EVENTS)):
        write_log(folder / f"{number}.ndjson", half)
    (_, alone), (_, together) = (scanned(tmp_path, folder, trails=True, processes=n) for n in (1, 3))
    assert alone is not None
    assert together is not None
    assert alone.related() == together.related() != []
    assert moves(alone) == moves(together)
    assert moves(alone)[0][4] == 2


def test_limit_trail_chars_cuts_texts(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    write_log(log, [{**EVENTS[1], "CommandLine": "y" * 5_000}])
    limits = dataclasses.replace(DEFAULT_LIMITS, trail_chars=40)
    _, trails = scanned(tmp_path, log, trails=True, limits=limits)
    assert trails is not None
    assert [len(one.command) for one in trails.related()] == [40]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    bad = [
        '{"EventID":1,"broken',
        '["EventID":1]',
        '["EventID", {"EventID":1}]',
        '{"EventID":4688,"Channel":[]}',
    ]
    log.write_text("\n".join([json.dumps(EVENTS[1]), *bad, json.dumps(EVENTS[2])]))
    found, trails = scanned(tmp_path, log, trails=True)
    assert len(found) == 1
    assert trails is not None
    assert len(trails.related()) == 2


def test_linux_logs_tell_of_starts_and_of_logons(tmp_path: Path) -> None:
    record = (
        "type=SYSCALL msg=audit(1767225601.000:{n}): arch=c000003e syscall=59 success=yes exit=0 ppid={p} "
        'pid={c} auid=1000 uid=0 comm="sh" exe="/bin/{name}" key="exec"\n'
    )
    audit = tmp_path / "logs" / "audit.log"
    audit.parent.mkdir()
    audit.write_text("".join(record.format(n=n, p=n - 1, c=n, name=f"p{n}") for n in range(10, 14)))
    (tmp_path / "logs" / "auth.log").write_text(
        "2026-01-01T00:00:05+00:00 web sshd[9]: Accepted password for quantri from 10.0.0.9 port 5 ssh2\n" * 2
    )
    rules = tmp_path / "linux.yml"
    rules.write_text(
        "title: Twelve\nid: 00000000-0000-0000-0000-00000000000c\nstatus: test\nlevel: high\n"
        "logsource: {product: linux, service: auditd}\ndetection: {s: {exe: /bin/p12}, condition: s}\n"
    )
    found: list[Finding] = []
    options = ScanOptions((str(audit.parent),), rules=(str(rules),), cache=False, trails=True)
    trails = run(options, found.append).trails
    assert len(found) == 1
    assert trails is not None
    assert [one.image for one in sorted(trails.related(), key=lambda one: one.pid)] == [
        "/bin/p10", "/bin/p11", "/bin/p12", "/bin/p13",
    ]  # fmt: skip
    assert [move[:5] for move in moves(trails)] == [("10.0.0.9", "web", "ssh", "quantri", 2)]


CLOUD: list[dict[str, Any]] = [
    {
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:01Z",
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "203.0.113.9",
        "responseElements": {"ConsoleLogin": "Success"},
        "userIdentity": {"type": "Root"},
    },
    {
        "createdDateTime": "2026-01-01T00:00:02Z",
        "appDisplayName": "Office",
        "conditionalAccessStatus": "success",
        "userPrincipalName": "ha@hoaiv.example",
        "ipAddress": "203.0.113.9",
        "status": {"errorCode": 0},
    },
    {"createdDateTime": "2026-01-01T00:00:02Z", "appDisplayName": "Office", "conditionalAccessStatus": "x"},
    {"note": "ConsoleLogin, but of no cloud"},
]
WAYS = {
    ("203.0.113.9", "111122223333", "sign-in", "Root"),
    ("203.0.113.9", "Entra ID hoaiv.example", "sign-in", "ha@hoaiv.example"),
}


def ways(trails: Trails | None) -> set[tuple[str, str, str, str]]:
    assert trails is not None
    return {(one.source, one.target, one.kind, one.user) for one in trails.moves}


@pytest.mark.parametrize("name", ["cloud.ndjson", "cloud.json", "cloud.parquet"])
def test_clouds_tell_of_sign_ins_whatever_their_events_come_in(tmp_path: Path, name: str) -> None:
    log = tmp_path / name
    if name.endswith("ndjson"):
        write_log(log, CLOUD)
    elif name.endswith("json"):
        log.write_text(json.dumps(CLOUD, indent=1))
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = dict.fromkeys(name for event in CLOUD for name in event)
        pq.write_table(pa.Table.from_pylist([{**dict.fromkeys(names), **event} for event in CLOUD]), log)
    _, trails = scanned(tmp_path, log, trails=True)
    assert ways(trails) == WAYS


def test_the_samples_of_readers_tell_who_came_from_where(tmp_path: Path) -> None:
    samples = Path(__file__).parents[1] / "events" / "readers" / "samples"
    folders = ("openvpn", "web_access", "w3c", "journald", "opencanary", "mikrotik", "syslog")
    found: set[tuple[str, str, str, str]] = set()
    for folder in folders:
        _, trails = scanned(tmp_path, samples / folder, trails=True)
        assert ways(trails), folder
        found |= ways(trails)
    assert {
        ("203.0.113.77", "OpenVPN", "vpn", "hoa.nt"),
        ("203.0.113.77", "web01", "ssh", "hoa.nt"),
        ("192.0.2.31", "hv-moi-01", "probe", "quantri"),
        ("10.20.0.5", "RouterOS", "console", "quantri"),
        ("203.0.113.20", "10.20.0.8", "web", "HOAVANG\\lan.tt"),
    } <= found


def test_sysmon_for_linux_tells_of_starts(tmp_path: Path) -> None:
    rules = tmp_path / "linux.yml"
    rules.write_text(
        "title: Fetches\nid: 00000000-0000-0000-0000-00000000000d\nstatus: test\nlevel: high\n"
        "logsource: {product: linux, category: process_creation}\n"
        "detection: {s: {Image|endswith: /curl}, condition: s}\n"
    )
    samples = Path(__file__).parents[1] / "events" / "readers" / "samples"
    found: list[Finding] = []
    options = ScanOptions(
        (str(samples / "syslog" / "sysmon.log"),), rules=(str(rules),), cache=False, trails=True
    )
    trails = run(options, found.append).trails
    assert trails is not None
    assert [finding.rule.title for finding in found] == ["Fetches"]
    (start,) = trails.related()
    assert (start.host, start.image, start.parent_image) == ("web01", "/usr/bin/curl", "/usr/bin/php8.2")
