"""What one event tells beside its rule: users, processes, moves, addresses."""

from __future__ import annotations

from typing import Any

import pytest

from haidang.findings.trails import About, about

GUID = "{5C1E7A42-1960-6AF5-037A-000000000B00}"


def told(origin: str, event: dict[str, Any], host: str = "DC01", time: int | None = 1_000) -> About:
    return about(origin, event, host=host, time=time)


def test_sysmon_start_is_a_process_with_its_parent() -> None:
    event = {
        "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": "1", "ProcessGuid": GUID,
        "ProcessId": 77,
        "ParentProcessGuid": GUID.replace("7A42", "7A43"), "ParentProcessId": "66", "Image": r"C:\a.exe",
        "CommandLine": "a", "User": r"X\u", "ParentImage": r"C:\p.exe", "ParentCommandLine": "p",
    }  # fmt: skip
    found = told("windows", event)
    guid = GUID.strip("{}").lower()
    assert found.start is not None
    assert found.start == ("DC01", 1_000, guid, "77", guid.replace("7a42", "7a43"), "66", r"C:\a.exe",
                           "a", r"X\u",
                           r"C:\p.exe", "p")  # fmt: skip
    assert found.process == guid
    assert found.users == (r"X\u",)


def test_security_start_goes_by_its_number_in_decimal() -> None:
    event = {
        "Channel": "Security", "EventID": 4688, "NewProcessId": "0x7b4", "ProcessId": "0x1074",
        "NewProcessName": r"C:\b.exe", "SubjectUserName": "u", "SubjectDomainName": "X",
        "TargetUserName": "-",
    }  # fmt: skip
    found = told("windows", event)
    assert found.start is not None
    assert (found.start.pid, found.start.parent_pid) == ("1972", "4212")
    assert found.process == "#1972"
    assert found.users == (r"X\u",)


def test_event_1_of_another_provider_is_no_start() -> None:
    assert (
        told("windows", {"Channel": "System", "EventID": 1, "Provider_Name": "Kernel-General"}).start is None
    )


def test_execve_is_a_start_and_a_failed_one_is_none() -> None:
    event = {"type": "SYSCALL", "SYSCALL": "execve", "pid": "9", "ppid": "8", "exe": "/bin/id",
             "auid": "1000",
             "uid": "0", "CommandLine": "id", "success": "yes"}  # fmt: skip
    found = told("auditd", event)
    assert found.start is not None
    assert found.start[2:8] == ("", "9", "", "8", "/bin/id", "id")
    assert found.users == ("uid 1000", "root")
    assert told("auditd", {**event, "success": "no"}).start is None
    assert told("auditd", {**event, "auid": "4294967295", "uid": "-1"}).users == ()


LOGON = {"EventID": 4624, "TargetDomainName": "X", "TargetUserName": "u", "IpAddress": "10.0.0.7"}


@pytest.mark.parametrize(
    ("origin", "event", "move"),
    [
        ("windows", {**LOGON, "LogonType": 3}, ("10.0.0.7", "DC01", "network", r"X\u")),
        (
            "windows",
            {**LOGON, "LogonType": "10", "IpAddress": "::ffff:10.0.0.7"},
            ("10.0.0.7", "DC01", "desktop", r"X\u"),
        ),
        ("windows", {**LOGON, "LogonType": 2}, None),
        ("windows", {**LOGON, "LogonType": 3, "IpAddress": "127.0.0.1"}, None),
        ("windows", {**LOGON, "LogonType": 3, "TargetUserName": "PC9$"}, None),
        ("windows", {**LOGON, "LogonType": 3, "TargetUserName": "ANONYMOUS LOGON"}, None),
        (
            "windows",
            {**LOGON, "LogonType": 3, "IpAddress": "-", "WorkstationName": "PC9"},
            ("PC9", "DC01", "network", r"X\u"),
        ),
        (
            "windows",
            {"EventID": 4648, "TargetServerName": "FS01", "TargetUserName": "a"},
            ("DC01", "FS01", "credentials", "a"),
        ),
        ("windows", {"EventID": 4648, "TargetServerName": "localhost", "TargetUserName": "a"}, None),
        (
            "windows",
            {
                "EventID": 5145,
                "IpAddress": "fe80:0:0:0:1:2:3:4",
                "ShareName": r"\\*\ADMIN$",
                "SubjectUserName": "a",
            },
            ("fe80::1:2:3:4", "DC01", "share", "a"),
        ),
        (
            "windows",
            {"EventID": 5145, "IpAddress": "10.0.0.7", "ShareName": r"\\*\IPC$", "SubjectUserName": "a"},
            None,
        ),
        (
            "windows",
            {
                "EventID": 3,
                "Initiated": "true",
                "DestinationIp": "10.0.0.8",
                "DestinationPort": 3389,
                "User": "a",
            },
            ("DC01", "10.0.0.8", "desktop", "a"),
        ),
        (
            "windows",
            {"EventID": 3, "Initiated": "true", "DestinationIp": "10.0.0.8", "DestinationPort": 443},
            None,
        ),
        (
            "windows",
            {"EventID": 3, "Initiated": "false", "DestinationIp": "10.0.0.8", "DestinationPort": 3389},
            None,
        ),
        (
            "syslog",
            {"program": "sshd", "message": "Accepted publickey for admin from 10.0.0.7 port 1 ssh2"},
            ("10.0.0.7", "DC01", "ssh", "admin"),
        ),
        (
            "syslog",
            {"program": "sshd", "message": "Failed password for invalid user admin from 10.0.0.7 port 1"},
            None,
        ),
        ("syslog", {"program": "cron", "message": "Accepted publickey for admin from 10.0.0.7 port 1"}, None),
        (
            "zeek",
            {"_path": "dce_rpc", "id.orig_h": "10.0.0.7", "id.resp_h": "10.0.0.5", "endpoint": "svcctl"},
            ("10.0.0.7", "10.0.0.5", "service", ""),
        ),
        (
            "zeek",
            {"_path": "smb_files", "id.orig_h": "10.0.0.7", "id.resp_h": "10.0.0.5", "path": r"\\fs01\IPC$"},
            None,
        ),
        ("zeek", {"_path": "conn", "id.orig_h": "10.0.0.7", "id.resp_h": "10.0.0.5"}, None),
    ],
)
def test_moves(origin: str, event: dict[str, Any], move: tuple[str, ...] | None) -> None:
    found = told(origin, event).move
    assert (found[:4] if found else None) == move


@pytest.mark.parametrize(
    ("origin", "event", "address"),
    [
        ("windows", {"EventID": 3, "Initiated": "true", "SourceIp": "10.0.0.7"}, ("10.0.0.7", "DC01")),
        ("windows", {"EventID": 3, "Initiated": "false", "SourceIp": "10.0.0.7"}, None),
        ("windows", {**LOGON, "LogonType": 3, "TargetUserName": "PC9$"}, ("10.0.0.7", "PC9")),
        ("windows", {**LOGON, "LogonType": 3}, None),
        (
            "zeek",
            {"_path": "smb_files", "id.resp_h": "10.0.0.5", "path": r"\\fs01\data"},
            ("10.0.0.5", "fs01"),
        ),
        ("zeek", {"_path": "smb_files", "id.resp_h": "10.0.0.5", "path": r"\\10.0.0.6\data"}, None),
    ],
)
def test_whose_an_address_is(origin: str, event: dict[str, Any], address: tuple[str, str] | None) -> None:
    assert told(origin, event).address == address


def test_users_are_named_once_and_nobody_is_none() -> None:
    event = {
        "EventID": 10,
        "User": r"X\u",
        "SubjectDomainName": "x",
        "SubjectUserName": "U",
        "TargetUserName": "-",
    }
    assert told("windows", event).users == (r"X\u",)
    assert told("json", {"userIdentity.arn": "arn:aws:iam::1:user/a"}).users == ("arn:aws:iam::1:user/a",)


@pytest.mark.parametrize("origin", ["windows", "auditd", "syslog", "zeek", "json", ""])
@pytest.mark.parametrize(
    "value", [None, [], [None], {}, {"a": 1}, "", "x" * 10_000, 1.5, True, "\ud800", ["a", {}]]
)
def test_absurd_values_raise_nothing_and_texts_are_cut(origin: str, value: object) -> None:
    names = (
        "EventID", "User", "ProcessGuid", "ProcessId", "NewProcessId", "IpAddress", "LogonType", "pid",
        "SYSCALL", "program", "message", "path", "endpoint", "_path", "id.orig_h", "id.resp_h", "Initiated",
        "Channel",
    )  # fmt: skip
    for number in ("1", "3", "4624", "4648", "4688", "5145"):
        found = about(
            origin, {**dict.fromkeys(names, value), "EventID": number}, host="h", time=None, longest=50
        )
        assert all(len(user) <= 101 for user in found.users)
        assert about(origin, dict.fromkeys(names, value), host="", time=None) is not None
