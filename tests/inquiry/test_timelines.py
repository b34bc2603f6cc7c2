"""The time line: order, sessions, what is new, findings, and bounds."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haidang.events.times import parse_time
from haidang.inquiry import Entry, Question, timeline, timelines
from haidang.inquiry.notability import products, windows_sieve
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import ScanOptions
from tests.inquiry.making import SECURITY, SYSMON, windows, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def logon(time: str, identifier: str = "0x5a3f1", user: str = "mai.tt") -> str:
    fields: dict[str, Any] = {
        "TargetUserName": user,
        "TargetDomainName": "HAIVAN",
        "TargetLogonId": identifier,
        "LogonType": 3,
    }
    return windows(SECURITY, 4624, time, **fields, IpAddress="10.0.0.9")


def process(time: str, command: str, identifier: str = "0x5A3F1", **more: Any) -> str:
    return windows(SYSMON, 1, time, Image="C:\\x.exe", CommandLine=command, LogonId=identifier, **more)


def entries(*paths: str, **options: Any) -> list[Entry]:
    users = options.pop("users", ())
    return list(timeline(Question(paths, **options), users=users))


def test_events_of_all_files_are_in_the_order_of_time(tmp_path: Path) -> None:
    rng = random.Random(7)
    times = [f"{hour:02}:{minute:02}:00" for hour in range(10) for minute in range(0, 60, 7)]
    shuffled = rng.sample(times, len(times))
    half = len(times) // 2
    first = write(tmp_path / "a.json", *(process(time, f"at {time}") for time in shuffled[:half]))
    second = write(tmp_path / "b.json", *(process(time, f"at {time}") for time in shuffled[half:]))
    assert [entry.text for entry in entries(first, second)] == [f"at {time}" for time in times]


def test_events_of_one_moment_keep_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *(process("08:00:00", f"{n}") for n in range(3000)))
    assert [entry.text for entry in entries(path)] == [f"{n}" for n in range(3000)]


def test_an_event_in_a_session_has_its_user_and_where_they_came_from(tmp_path: Path) -> None:
    # The file has the process first: what counts is the time.
    path = write(tmp_path / "a.json", process("08:05:00", "whoami"), logon("08:00:00"))
    opened, inside = entries(path)
    assert (opened.kind, opened.user) == ("logon", "HAIVAN\\mai.tt")
    assert inside.session is not None
    assert inside.session.id == "0x5a3f1"
    assert inside.session.source == "10.0.0.9"
    assert inside.session.opened == "2026-03-01T08:00:00.000Z"
    assert inside.user == "HAIVAN\\mai.tt"


def test_a_session_ends_with_its_logoff_and_its_id_may_come_again(tmp_path: Path) -> None:
    off = windows(SECURITY, 4634, "09:00:00", TargetUserName="mai.tt", TargetLogonId="0x5a3f1")
    path = write(
        tmp_path / "a.json",
        logon("08:00:00"),
        off,
        process("09:10:00", "nobody's"),
        logon("10:00:00", user="lan"),
        process("10:01:00", "lan's"),
    )
    found = entries(path)
    assert [entry.kind for entry in found] == ["logon", "logoff", "process", "logon", "process"]
    assert found[1].session is not None
    assert found[2].session is None
    assert found[4].user == "HAIVAN\\lan"


def test_a_session_is_of_one_host(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", logon("08:00:00"), process("08:01:00", "x", Hostname="OTHER"))
    assert entries(path)[1].session is None


def test_the_sessions_of_the_system_are_nobodys(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        logon("08:00:00", "0x3e7"),
        process("08:01:00", "x", "0x3e7", User="NT AUTHORITY\\SYSTEM"),
    )
    opened, inside = entries(path)
    assert opened.session is None
    assert inside.session is None
    assert inside.user == "NT AUTHORITY\\SYSTEM"


def test_a_logon_may_come_late_by_two_seconds(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        process("07:59:57", "too early"),
        process("07:59:58", "in time"),
        process("07:59:59", "elsewhere", Hostname="OTHER"),
        process("07:59:59", "another's", "0x999"),
        logon("08:00:00"),
    )
    found = {entry.text: entry.session is not None for entry in entries(path) if entry.kind == "process"}
    assert found == {"too early": False, "in time": True, "elsewhere": False, "another's": False}


def test_lines_that_wait_are_bounded_by_timeline_held(tmp_path: Path) -> None:
    lines = [*(process("08:00:00", f"{n}") for n in range(9)), logon("08:00:01")]
    path = write(tmp_path / "a.json", *lines)
    found = entries(path, limits=replace(DEFAULT_LIMITS, timeline_held=3))
    assert [entry.text for entry in found[:9]] == [f"{n}" for n in range(9)]
    assert [entry.session is not None for entry in found[:9]] == [False] * 7 + [True] * 2


def test_open_sessions_are_bounded_by_timeline_sessions(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        logon("08:00:00", "0x111"),
        logon("08:00:01", "0x222"),
        logon("08:00:02", "0x333"),
        process("08:01:00", "first", "0x111"),
        process("08:01:01", "last", "0x333"),
    )
    limits = replace(DEFAULT_LIMITS, timeline_sessions=2)
    found = {entry.text: entry.session for entry in entries(path, limits=limits)}
    assert found["first"] is None
    assert found["last"] is not None


def connection(time: str, address: str, image: str = "C:\\a.exe") -> str:
    fields = {"DestinationIp": address, "DestinationPort": "443", "Initiated": "true"}
    return windows(SYSMON, 3, time, Image=image, **fields)


def test_only_the_first_connection_to_a_place_is_notable(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        connection("08:02:00", "192.0.2.1"),
        connection("08:01:00", "192.0.2.1"),
        connection("08:03:00", "192.0.2.2"),
        connection("08:04:00", "192.0.2.1", "C:\\b.exe"),
    )
    assert [entry.time[11:16] for entry in entries(path)] == ["08:01", "08:03", "08:04"]


def test_known_places_are_bounded_by_timeline_places(tmp_path: Path) -> None:
    lines = [
        connection("08:01:00", "192.0.2.1"),
        connection("08:02:00", "192.0.2.2"),
        connection("08:03:00", "192.0.2.1"),
    ]
    path = write(tmp_path / "a.json", *lines)
    assert len(entries(path)) == 2
    assert len(entries(path, limits=replace(DEFAULT_LIMITS, timeline_places=1))) == 3


def moment(time: str) -> int:
    found = parse_time(f"2026-03-01T{time}Z")
    assert found is not None
    return found


def test_what_came_before_since_is_known_and_not_shown(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        logon("07:00:00"),
        connection("07:30:00", "192.0.2.1"),
        process("07:40:00", "early"),
        process("08:10:00", "inside"),
        connection("08:20:00", "192.0.2.1"),
        process("09:10:00", "late"),
    )
    (only,) = entries(path, since=moment("08:00:00"), until=moment("09:00:00"))
    assert only.text == "inside"
    assert only.session is not None


def test_hosts_are_asked_for_with_or_without_their_domain(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", process("08:00:00", "x"), process("08:00:00", "y", Hostname="WS02"))
    for name in ("ws01", "WS01.haivan.example"):
        assert [entry.text for entry in entries(path, hosts=(name,))] == ["x"]
    assert entries(path, hosts=("WS0",)) == []


def test_a_user_is_found_by_name_and_through_their_session(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        logon("08:00:00"),
        process("08:01:00", "whoami", User="NT AUTHORITY\\SYSTEM"),
        process("08:02:00", "other", "0x999", User="HAIVAN\\lan"),
    )
    for name in ("mai.tt", "HAIVAN\\MAI.TT"):
        assert [entry.kind for entry in entries(path, users=(name,))] == ["logon", "process"]


def test_events_without_a_time_are_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json", windows(SYSMON, 1, "08:00:00", CommandLine="x").replace("2026-03-01T", "no")
    )
    story = timeline(Question((path,)))
    assert list(story) == []
    assert story.untimed == 1


def test_long_texts_are_cut_at_timeline_text(tmp_path: Path) -> None:
    script = windows(
        "Microsoft-Windows-PowerShell/Operational", 4104, "08:00:00", ScriptBlockText="x" * 10_000
    )
    path = write(tmp_path / "a.json", script)
    assert len(entries(path)[0].text) == DEFAULT_LIMITS.timeline_text
    assert len(entries(path, limits=replace(DEFAULT_LIMITS, timeline_text=10))[0].text) == 10


def test_sorting_beyond_sort_bytes_gives_the_same_order(tmp_path: Path) -> None:
    rng = random.Random(3)
    lines = [
        process(f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}", f"{n} " + "x" * 500)
        for n in range(4000)
    ]
    path = write(tmp_path / "a.json", *lines)
    small = entries(path, limits=replace(DEFAULT_LIMITS, sort_bytes=64 << 10))
    assert small == entries(path)
    assert [entry.time for entry in small] == sorted(entry.time for entry in small)


RULE = """title: Somebody asks who they are
id: 00000000-0000-4000-8000-000000000001
level: medium
logsource: {product: windows, category: process_creation}
detection: {sel: {CommandLine|contains: whoami}, condition: sel}
"""


def test_findings_stand_after_their_events_in_the_session_of_these(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json", logon("08:00:00"), process("08:01:00", "whoami"), process("08:02:00", "dir")
    )
    (tmp_path / "rule.yml").write_text(RULE, encoding="utf-8")
    scan = ScanOptions((path,), rules=(str(tmp_path / "rule.yml"),), cache=False)
    found = list(timeline(Question((path,)), scan=scan))
    assert [entry.kind for entry in found] == ["logon", "process", "finding", "process"]
    finding = found[2]
    assert (finding.level, finding.title("vi")) == ("medium", "Somebody asks who they are")
    assert finding.session == found[1].session
    assert len(finding.finding) == 32


def test_ssh_and_sudo_and_accounts_of_a_linux_host(tmp_path: Path) -> None:
    head = "2026-03-01T08:0{}:00+00:00 web01 {}: {}"
    path = write(
        tmp_path / "auth.log",
        head.format(0, "sshd[711]", "Failed password for invalid user admin from 203.0.113.5 port 4001 ssh2"),
        head.format(0, "sshd[711]", "Invalid user test from 203.0.113.5 port 4001"),
        head.format(
            0, "sshd[711]", "User root from 203.0.113.5 not allowed because not listed in AllowUsers"
        ),
        head.format(
            0, "sshd[711]", "Connection closed by authenticating user lan 203.0.113.5 port 4001 [preauth]"
        ),
        head.format(1, "sshd[712]", "Accepted publickey for lan from 203.0.113.5 port 4002 ssh2: ED25519 x"),
        head.format(
            2, "sudo", "     lan : TTY=pts/0 ; PWD=/home/lan ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow"
        ),
        head.format(3, "useradd[800]", "new user: name=khach, UID=1001, GID=1001, home=/home/khach"),
        head.format(4, "sshd[712]", "pam_unix(sshd:session): session closed for user lan"),
        head.format(5, "CRON[900]", "(root) CMD (true)"),
    )
    found = entries(path)
    assert [entry.user for entry in found[:4]] == ["admin", "test", "root", "lan"]
    assert {entry.kind for entry in found[:4]} == {"logon-failed"}
    assert found[2].text == "ssh ← 203.0.113.5 not allowed because not listed in AllowUsers"
    assert [entry.kind for entry in found[4:]] == ["logon", "sudo", "account", "logoff"]
    assert found[4].session is not None
    assert found[5].text == "→ root: /usr/bin/cat /etc/shadow (/home/lan)"
    assert found[7].session == found[4].session


def test_the_audit_log_joins_by_ses(tmp_path: Path) -> None:
    audit = "type={} msg=audit(1772352{}.000:{}): pid=9 uid=0 auid=1000 ses={} {}"
    path = write(
        tmp_path / "audit.log",
        audit.format(
            "USER_LOGIN",
            "000",
            1,
            5,
            "msg='op=login id=1000 exe=\"/usr/sbin/sshd\" addr=203.0.113.5 res=success'",
        ),
        audit.format("SYSCALL", "010", 2, 5, 'syscall=59 success=yes exe="/usr/bin/id" comm="id"'),
        'type=EXECVE msg=audit(1772352010.000:2): argc=1 a0="id"',
        audit.replace("auid=1000", "auid=4294967295").format(
            "SYSCALL", "020", 3, 4294967295, 'syscall=59 success=yes exe="/bin/true" comm="true"'
        ),
        'type=EXECVE msg=audit(1772352020.000:3): argc=1 a0="true"',
        audit.format(
            "ADD_USER", "030", 4, 5, 'msg=\'op=add-user acct="khach" exe="/usr/sbin/useradd" res=success\''
        ),
    )
    found = entries(path)
    assert [entry.kind for entry in found] == ["logon", "process", "process", "account"]
    assert found[1].text == "id"
    assert found[1].session is not None
    assert found[1].session.source == "203.0.113.5"
    assert found[2].session is None
    assert found[3].session == found[0].session
    # Numbers of accounts are told as such, and that of nobody (auid of a daemon) is none.
    assert [entry.user for entry in found] == ["uid 1000", "uid 1000", "root", "uid 1000"]


def test_a_recorded_attack_has_a_time_line_in_order(corpora: Path) -> None:
    (recording,) = (corpora / "mordor").glob("*covenant_psremoting_grunt.zip")
    found = entries(str(recording))
    times = [parse_time(entry.time) or 0 for entry in found]
    assert len(times) > 100
    assert times == sorted(times)
    kinds = {entry.kind for entry in found}
    assert {"process", "logon", "privileges", "connection", "task", "script"} <= kinds
    assert all(entry.session for entry in found if entry.kind == "privileges")


def test_ruling_documents_out_changes_nothing(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = tuple(map(str, sorted((corpora / "mordor").glob("*covenant*.zip"))))
    assert len(recordings) == 3
    quick = entries(*recordings)
    monkeypatch.setattr(timelines, "windows_sieve", lambda _: None)
    assert entries(*recordings) == quick


def ruled_out(document: str) -> bool:
    sieve = windows_sieve(products())
    assert sieve is not None
    return not sieve.document(document.encode())


def test_only_documents_that_are_surely_not_notable_are_ruled_out() -> None:
    assert ruled_out('{"Channel":"Security","EventID":4656}')
    assert ruled_out('{"Channel":"Security","EventID":"4656"}')
    assert (
        ruled_out('{"Event":{"System":{"EventID":{"#attributes":{},"#text":4656},"Channel":"Security"}}}')
        is False
    )
    assert ruled_out('{"Event":{"System":{"EventID":{"#text":4656},"Channel":"Security"}}}')
    assert ruled_out('{"winlog":{"channel":"Security","event_id":4656},"event":{"code":"4656"}}')
    for kept in (
        '{"Channel":"Security","EventID":4624}',
        '{"winlog":{"channel":"Security"},"event":{"code":"4624"}}',
        '{"Inner":{"EventID":4656},"Event\\u0049D":4624,"Channel":"Security"}',
        '{"Inner":{"EventID":4656},"Channel":"Security","EventID":{"#attributes":{},"#text":4624}}',
        '{"Inner":{"EventID":4656},"Channel":"Security","EventID":4624}',
        '{"event_id":4656,"_path":"notice"}',
        '{"Channel":"Security","EventID":null}',
    ):
        assert not ruled_out(kept), kept
