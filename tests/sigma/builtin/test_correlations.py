"""Each built-in correlation fires on the events that it is meant for, and not when they fall short."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import haidang

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.scanning._ruleset import Ruleset

PACK = Path(__file__).resolve().parents[3] / "src" / "haidang" / "sigma" / "builtin"
CORRELATIONS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (PACK / "correlation").glob("*.yml")
    if not path.stem.endswith(".test")
}
START = datetime(2026, 11, 12, 1, 0, tzinfo=UTC)

Log = tuple[str, list[str]]
"""File name and lines."""


def stamp(seconds: float) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}Z"


def windows(seconds: float, number: int, channel: str = "Security", **fields: Any) -> str:
    system = {"Channel": channel, "EventID": number, "TimeCreated": stamp(seconds), "Computer": "HV-DC01"}
    return json.dumps(system | {"Provider_Name": "test"} | fields)


def sysmon(seconds: float, number: int, **fields: Any) -> str:
    return windows(seconds, number, "Microsoft-Windows-Sysmon/Operational", **fields)


def zeek(seconds: float, path: str, **fields: Any) -> str:
    ends = {"id.orig_h": "10.84.12.37", "id.resp_h": "203.0.113.66"}
    return json.dumps(
        {"_path": path, "ts": START.timestamp() + seconds, "uid": f"C{seconds}"} | ends | fields
    )


def audit(seconds: float, serial: int, result: str, address: str = "10.84.12.37") -> str:
    return (
        f"type=USER_LOGIN msg=audit({START.timestamp() + seconds:.3f}:{serial}): pid=9 uid=0 auid=4294967295 "
        f'ses=4294967295 msg=\'op=login acct="root" exe="/usr/sbin/sshd" hostname=? addr={address} '
        f"terminal=ssh res={result}'"
    )


def fail(seconds: float, account: str) -> str:
    return windows(seconds, 4625, LogonType=3, IpAddress="10.84.12.37", TargetUserName=account)


def succeed(seconds: float, account: str) -> str:
    return windows(seconds, 4624, LogonType=3, IpAddress="10.84.12.37", TargetUserName=account)


def many_failed_logons(count: int) -> Log:
    return "a.json", [fail(20 * at, "svc_saoluu") for at in range(count)]


def guessing_then_logon(count: int) -> Log:
    return "a.json", [
        *(fail(20 * at, "svc_saoluu") for at in range(count)),
        succeed(20 * count, "svc_saoluu"),
    ]


def password_spraying(count: int) -> Log:
    return "a.json", [fail(30 * at, f"nguoi{at}") for at in range(count)]


def tickets_for_many_services(count: int) -> Log:
    ticket = {"TicketEncryptionType": "0x17", "Status": "0x0", "TargetUserName": "mai.tt@HAIVAN.EXAMPLE"}
    return "a.json", [windows(at, 4769, ServiceName=f"svc{at}", **ticket) for at in range(count)]


def spraying_seen_by_controller(count: int) -> Log:
    who = {"Status": "0xc000006a", "Workstation": "VP-PC-017"}
    return "a.json", [windows(at, 4776, TargetUserName=f"nguoi{at}", **who) for at in range(count)]


def discovery_burst(count: int) -> Log:
    commands = ["/all", "/user", "/groups", "/priv", "/logonid", "/fo csv"]
    image = "C:\\Windows\\System32\\whoami.exe"
    return "a.json", [
        sysmon(30 * at, 1, Image=image, CommandLine=f"whoami {commands[at]}", User="HAIVAN\\mai.tt")
        for at in range(count)
    ]


def admin_share_sweep(count: int) -> Log:
    who = {"ShareName": "\\\\*\\ADMIN$", "IpAddress": "10.84.12.37", "SubjectUserName": "svc_saoluu"}
    return "a.json", [windows(60 * at, 5140, Computer=f"VP-PC-{at:03}", **who) for at in range(count)]


def share_then_service(minutes: int) -> Log:
    share = {"ShareName": "\\\\*\\ADMIN$", "RelativeTargetName": "HVUpdate.exe", "AccessList": "%%4417"}
    service = {"ImagePath": "%SystemRoot%\\HVUpdate.exe", "Provider_Name": "Service Control Manager"}
    return "a.json", [windows(0, 5145, **share), windows(60 * minutes, 7045, "System", **service)]


def document_to_credential_theft(hours: int) -> Log:
    office = {"ParentImage": "C:\\Office16\\WINWORD.EXE", "Image": "C:\\Windows\\System32\\cmd.exe"}
    access = {
        "TargetImage": "C:\\Windows\\system32\\lsass.exe",
        "GrantedAccess": "0x1010",
        "CallTrace": "UNKNOWN(0)",
    }
    return "a.json", [sysmon(0, 1, **office), sysmon(3600 * hours, 10, SourceImage="C:\\a.exe", **access)]


def ssh_guessing(count: int) -> Log:
    return "audit.log", [audit(10 * at, 100 + at, "failed") for at in range(count)]


def ssh_guessing_then_logon(count: int) -> Log:
    return "audit.log", [*ssh_guessing(count)[1], audit(10 * count, 300, "success")]


def sshd_refuses_many(count: int) -> Log:
    return "auth.log", [
        f"{stamp(10 * at)} hv-web01 sshd[900]: Failed password for root from 198.51.100.{at} port 4 ssh2"
        for at in range(count)
    ]


def dns_tunnel(count: int) -> Log:
    label = "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpi"
    return "dns.json", [
        zeek(5 * at, "dns", query=f"{at}.{label}.t.vanban-dientu.example") for at in range(count)
    ]


def regular_callbacks(count: int) -> Log:
    page = {"host": "cdn.vanban-dientu.example", "uri": "/dongbo/v2", "user_agent": "WindowsPowerShell/5.1"}
    return "http.json", [zeek(90 * at, "http", **page) for at in range(count)]


def large_outbound_volume(count: int) -> Log:
    return "conn.json", [zeek(300 * at, "conn", proto="tcp", orig_bytes=50_000_000) for at in range(count)]


CASES: list[tuple[Callable[[int], Log], int, int]] = [
    (many_failed_logons, 12, 11),
    (guessing_then_logon, 8, 7),
    (password_spraying, 8, 7),
    (tickets_for_many_services, 4, 3),
    (spraying_seen_by_controller, 6, 5),
    (discovery_burst, 5, 4),
    (admin_share_sweep, 5, 4),
    (share_then_service, 2, 20),
    (document_to_credential_theft, 1, 6),
    (ssh_guessing, 10, 9),
    (ssh_guessing_then_logon, 8, 7),
    (sshd_refuses_many, 10, 9),
    (dns_tunnel, 30, 29),
    (regular_callbacks, 20, 19),
    (large_outbound_volume, 4, 3),
]


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return haidang.load_rules(PACK, cache=False)


def found(ruleset: Ruleset, folder: Path, log: Log) -> set[str]:
    path = folder / log[0]
    path.write_text("".join(f"{line}\n" for line in log[1]), "utf-8")
    return {finding.rule.id for finding in haidang.scan(path, rules=ruleset)}


@pytest.mark.parametrize(("make", "enough", "_too_few"), CASES, ids=[case[0].__name__ for case in CASES])
def test_fires_on_enough(
    ruleset: Ruleset, tmp_path: Path, make: Callable[[int], Log], enough: int, _too_few: int
) -> None:
    assert CORRELATIONS[make.__name__]["id"] in found(ruleset, tmp_path, make(enough))


@pytest.mark.parametrize(("make", "_enough", "too_few"), CASES, ids=[case[0].__name__ for case in CASES])
def test_is_quiet_on_too_few(
    ruleset: Ruleset, tmp_path: Path, make: Callable[[int], Log], _enough: int, too_few: int
) -> None:
    assert CORRELATIONS[make.__name__]["id"] not in found(ruleset, tmp_path, make(too_few))


def test_logon_before_the_guessing_is_no_success(ruleset: Ruleset, tmp_path: Path) -> None:
    log = "a.json", [succeed(0, "svc_saoluu"), *(fail(60 + 20 * at, "svc_saoluu") for at in range(12))]
    assert CORRELATIONS["guessing_then_logon"]["id"] not in found(ruleset, tmp_path, log)


def test_logon_of_another_account_is_no_success(ruleset: Ruleset, tmp_path: Path) -> None:
    log = "a.json", [*(fail(20 * at, "svc_saoluu") for at in range(12)), succeed(400, "mai.tt")]
    assert CORRELATIONS["guessing_then_logon"]["id"] not in found(ruleset, tmp_path, log)


def test_every_reported_correlation_has_its_case() -> None:
    reported = {name for name, rule in CORRELATIONS.items() if rule["level"] != "informational"}
    assert {make.__name__ for make, _, _ in CASES} == reported
