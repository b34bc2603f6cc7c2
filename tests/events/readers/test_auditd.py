"""Audit records of one event become one event, decoded where the audit system encodes and nowhere else."""

from __future__ import annotations

import random
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.events.readers._audit_records import arguments, parse_body, record_type
from haidang.events.readers.auditd import READER
from haidang.events.recognition import make_head, recognise
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, head, sample
from tests.events.readers.firing import fired, take_rules
from tests.events.readers.tearing import torn

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)
AUDIT = sample("auditd", "audit.log")


def record(time: float, serial: int, body: str, *, kind: str = "SYSCALL", node: str = "") -> str:
    """Return one line of an audit log."""
    return f"{f'node={node} ' if node else ''}type={kind} msg=audit({time:.3f}:{serial}): {body}"


def lines(*texts: str) -> bytes:
    return "\n".join([*texts, ""]).encode()


def test_joins_the_records_of_one_event() -> None:
    seen = feed(READER, AUDIT, limits=SMALL)
    assert seen.report.complete
    assert [event["serial"] for event in seen.events] == [str(n) for n in range(7001, 7008)]
    assert seen.records == [1, 7, 8, 14, 15, 16, 18]
    event = seen.events[0]
    assert event["type"] == ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"]
    assert event["exe"] == "/usr/bin/curl"
    assert event["key"] == "thuc-thi"
    assert event["name"] == ["/usr/bin/curl", "/lib64/ld-linux-x86-64.so.2"]
    assert event["item"] == ["0", "1"]
    assert event["nametype"] == "NORMAL"
    assert event["timestamp"] == "2026-11-11T06:59:01.204Z"


def test_reads_the_names_that_auditd_looked_up_in_enriched_logs() -> None:
    data = lines(
        record(
            1.0,
            7,
            'arch=c000003e syscall=59 auid=1000 uid=0 exe="/bin/x"\x1dARCH=x86_64 SYSCALL=execve UID="root"',
        ),
        record(
            9.0,
            8,
            "pid=9 uid=0 msg='op=login exe=\"/usr/sbin/sshd\" res=success'"
            '\x1dUID="root" AUID="unset" ID="lan tt"',
            kind="USER_LOGIN",
        ),
    )
    started, login = feed(READER, data).events
    assert (started["exe"], started["ARCH"], started["SYSCALL"]) == ("/bin/x", "x86_64", "execve")
    assert (started["uid"], started["UID"]) == ("0", "root")
    assert (login["exe"], login["res"], login["AUID"], login["ID"]) == (
        "/usr/sbin/sshd",
        "success",
        "unset",
        "lan tt",
    )


def start(
    time: float, serial: int, pid: int, ppid: int, *arguments: str, success: str = "yes", node: str = ""
) -> str:
    """Return the two records of a program that is started."""
    call = f'syscall=59 arch=c000003e success={success} ppid={ppid} pid={pid} exe="{arguments[0]}"'
    given = " ".join(f'a{at}="{text}"' for at, text in enumerate(arguments))
    return (
        record(time, serial, call, node=node) + "\n" + record(time, serial, given, kind="EXECVE", node=node)
    )


def test_joins_what_the_parent_runs_where_the_log_has_said_it() -> None:
    data = lines(
        start(1, 1, 100, 1, "/usr/sbin/apache2", "-k", "start"),
        start(10, 2, 200, 100, "/bin/sh", "-c", "whoami"),
        start(20, 3, 300, 200, "/usr/bin/whoami"),
        start(30, 4, 400, 200, "/bin/sh", "-x", success="no"),
        start(40, 5, 200, 100, "/usr/bin/id"),
        start(50, 6, 500, 200, "/bin/ls"),
        start(60, 7, 600, 999, "/bin/ls"),
        start(70, 8, 700, 400, "/bin/ls"),
        start(80, 9, 800, 100, "/bin/ls", node="other"),
    )
    parents = [(one.get("ParentImage"), one.get("ParentCommandLine")) for one in feed(READER, data).events]
    assert parents == [
        (None, None),
        ("/usr/sbin/apache2", "/usr/sbin/apache2 -k start"),
        ("/bin/sh", "/bin/sh -c whoami"),
        ("/bin/sh", "/bin/sh -c whoami"),
        ("/usr/sbin/apache2", "/usr/sbin/apache2 -k start"),
        ("/usr/bin/id", "/usr/bin/id"),
        (None, None),
        ("/bin/sh", None),
        (None, None),
    ]


def test_no_more_parents_are_remembered_than_the_limit_says() -> None:
    data = lines(
        *(start(at * 10, at, at, 1, f"/bin/{at}") for at in range(1, 9)), start(99, 99, 900, 1, "/bin/x")
    )
    for ppid, known in ((3, False), (8, True)):
        more = lines(start(200, 100, 1000, ppid, "/bin/y"))
        event = feed(READER, data + more, limits=replace(DEFAULT_LIMITS, audit_records=4)).events[-1]
        assert ("ParentImage" in event) is known


def test_rules_of_sigmahq_on_parents_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(corpora, tmp_path / "rules", "proc_creation_lnx_webshell_detection.yml")
    data = lines(
        start(1, 1, 100, 1, "/usr/sbin/apache2", "-k", "start"),
        start(10, 2, 200, 100, "/usr/bin/whoami"),
        start(20, 3, 300, 1, "/usr/bin/whoami"),
    )
    assert {record for _, record in fired(tmp_path, data, rules)} == {"3"}


def test_undoes_hex_in_arguments_paths_and_titles() -> None:
    event = feed(READER, AUDIT).events[0]
    assert event["cwd"] == "/home/hoa nt"
    assert event["proctitle"] == "curl -o /tmp/báo cáo.sh"
    assert event["a2"] == ["55d110", "/tmp/báo cáo.sh"]
    assert event["a3"] == ["8", "http://203.0.113.9/a=b"]
    assert event["CommandLine"] == "curl -o /tmp/báo cáo.sh http://203.0.113.9/a=b"


def test_keeps_numbers_that_merely_look_like_hex() -> None:
    event = feed(READER, AUDIT).events[1]
    assert event["a0"] == ["55d0c1", "bash"]
    assert parse_body("SYSCALL", "a0=61 a1=6162 pid=3132 exit=00")["a1"] == "6162"
    assert parse_body("EXECVE", 'argc=2 a0="61" a1=6162') == {
        "type": "EXECVE",
        "argc": "2",
        "a0": "61",
        "a1": "ab",
    }
    assert parse_body("PATH", 'name="6162"')["name"] == "6162"


def test_separates_interleaved_events() -> None:
    events = feed(READER, AUDIT).events
    assert [events[1]["CommandLine"], events[2]["CommandLine"]] == ["bash /tmp/a.sh", "id"]
    assert events[1]["type"] == ["SYSCALL", "EXECVE", "PROCTITLE"]


def test_a_record_with_several_keys_has_a_list_of_them() -> None:
    events = feed(READER, AUDIT).events
    assert events[2]["key"] == ["thuc-thi", "trinh-sat"]
    assert events[1]["key"] == "(null)"


def test_flattens_what_user_records_say_inside_their_message() -> None:
    login, command = feed(READER, AUDIT).events[3:5]
    assert login["type"] == "USER_LOGIN"
    assert (login["acct"], login["addr"], login["res"]) == ("kẻ lạ", "203.0.113.77", "failed")
    assert "msg" not in login
    assert (command["cmd"], command["res"], command["cwd"]) == ("cat /etc/shadow", "success", "/home/hoa")
    assert (command["UID"], command["uid"]) == ("hoa", "1001")


def test_reads_socket_addresses_as_auditd_itself_does() -> None:
    event = feed(READER, AUDIT).events[5]
    assert (event["saddr_fam"], event["laddr"], event["lport"]) == ("inet", "203.0.113.9", "443")
    assert (event["SYSCALL"], event["AUID"], event["key"]) == ("connect", "hoa", "ra-ngoai")
    local = parse_body("SOCKADDR", "saddr=01002F72756E2F782E736F636B00")
    assert (local["saddr_fam"], local["path"]) == ("local", "/run/x.sock")
    six = parse_body("SOCKADDR", "saddr=0A0001BB00000000" + "20010DB8000000000000000000000001" + "00000000")
    assert (six["saddr_fam"], six["laddr"], six["lport"]) == ("inet6", "2001:db8::1", "443")
    enriched = parse_body("SOCKADDR", "saddr=0200\x1dSADDR={ saddr_fam=inet laddr=192.0.2.1 lport=53 }")
    assert (enriched["laddr"], enriched["lport"]) == ("192.0.2.1", "53")
    assert "SADDR" not in enriched


def test_names_system_calls_where_the_log_has_only_their_numbers() -> None:
    assert feed(READER, AUDIT).events[0]["SYSCALL"] == "execve"
    assert parse_body("SYSCALL", "arch=c00000b7 syscall=221")["SYSCALL"] == "execve"
    assert parse_body("SYSCALL", "arch=40000003 syscall=11")["SYSCALL"] == "execve"
    assert parse_body("SYSCALL", "arch=x86_64 syscall=openat")["SYSCALL"] == "openat"
    assert parse_body("SYSCALL", "arch=c000003e syscall=59\x1dSYSCALL=as-written")["SYSCALL"] == "as-written"
    assert "SYSCALL" not in parse_body("SYSCALL", "arch=c000003e syscall=99999")
    assert "SYSCALL" not in parse_body("SYSCALL", "pid=1")


def test_reads_the_decision_of_selinux() -> None:
    event = feed(READER, AUDIT).events[6]
    assert (event["seresult"], event["seperms"], event["tclass"]) == ("denied", "read open", "file")


def test_finds_looked_up_names_whose_separator_a_tool_dropped() -> None:
    fields = parse_body("SYSCALL", 'uid=0 key="k"ARCH=x86_64 SYSCALL=execve AUID="hoa" UID="root"')
    assert (fields["key"], fields["ARCH"], fields["UID"]) == ("k", "x86_64", "root")
    fields = parse_body("PATH", 'cap_frootid=0OUID="root" OGID="root"')
    assert (fields["cap_frootid"], fields["OUID"], fields["OGID"]) == ("0", "root", "root")


def test_reads_values_with_blanks_and_equals_signs() -> None:
    fields = parse_body("USER_CMD", 'pid=1 cmd="ls -l a=b" op=x=y terminal=? empty="" res=success')
    assert fields["cmd"] == "ls -l a=b"
    assert (fields["op"], fields["empty"], fields["res"]) == ("x=y", "", "success")


def test_joins_long_arguments_also_over_several_records() -> None:
    whole = "đường dẫn " * 40
    digits = whole.encode().hex().upper()
    # The cut goes through the middle of a character.
    parts = [digits[:6], digits[6:402], digits[402:]]
    texts = [
        record(1794380341.5, 5, f'argc=3 a0="echo" a1_len={len(digits)} a1[0]={parts[0]}', kind="EXECVE"),
        record(1794380341.5, 5, f"a1[1]={parts[1]}", kind="EXECVE"),
        record(1794380341.5, 5, f'a1[2]={parts[2]} a2="end"', kind="EXECVE"),
    ]
    (event,) = feed(READER, lines(*texts)).events
    assert event["CommandLine"] == f"echo {whole} end"
    assert event["a2"] == "end"
    assert not [name for name in event if "[" in name or name.endswith("_len")]
    assert arguments([{"type": "PATH", "a0": "x"}]) == {}


def test_names_the_record_types_that_come_as_numbers() -> None:
    assert record_type("1327") == "PROCTITLE"
    assert record_type("UNKNOWN[1337]") == "OPENAT2"
    assert record_type("UNKNOWN[9999]") == "UNKNOWN[9999]"
    assert record_type("USER_LOGIN") == "USER_LOGIN"


def test_reads_records_that_went_through_syslog_and_the_syslog_around_them() -> None:
    data = sample("auditd", "through-syslog.log")
    seen = feed(READER, data)
    assert seen.report.complete
    by_origin = {
        origin: [event for event, o in zip(seen.events, seen.origins, strict=True) if o == origin]
        for origin in ("auditd", "syslog")
    }
    assert [event["program"] for event in by_origin["syslog"]] == ["sshd", "cron"]
    netcat, denied = by_origin["auditd"]
    assert (netcat["CommandLine"], netcat["node"], netcat["key"]) == ("nc -lvp 4444", "hv-app01", "mang")
    assert (denied["type"], denied["name"], denied["node"]) == ("AVC", "/etc/shadow", "hv-app01")
    assert denied["apparmor"] == "DENIED"


def test_reads_what_ausearch_prints() -> None:
    seen = feed(READER, sample("auditd", "ausearch.txt"))
    assert seen.report.complete
    first, second = seen.events
    assert first["CommandLine"] == "curl -o /tmp/a.sh"
    assert (first["exe"], first["uid"], first["timestamp"]) == (
        "/usr/bin/curl",
        "root",
        "2026-11-11T06:59:01.204Z",
    )
    assert second["op"] == "remove_rule"


def test_the_same_serial_on_two_nodes_is_two_events() -> None:
    data = lines(
        record(1794380341.5, 5, "pid=1", node="a"),
        record(1794380341.5, 5, "pid=2", node="b"),
        record(1794380341.5, 5, "cwd=x", kind="CWD", node="a"),
    )
    seen = feed(READER, data)
    assert [(event["node"], event["pid"]) for event in seen.events] == [("a", "1"), ("b", "2")]
    assert seen.events[0]["cwd"] == "x"


def test_any_interleaving_of_close_events_gives_the_same_events() -> None:
    texts = [record(1794380000 + n / 100, n, f"f{part}={n}") for n in range(40) for part in range(4)]
    expected = feed(READER, lines(*texts)).events
    assert len(expected) == 40
    shuffler = random.Random(5)
    for _ in range(20):
        shuffler.shuffle(texts)
        seen = feed(READER, lines(*texts), limits=SMALL)
        assert sorted(seen.events, key=lambda event: int(event["serial"])) == [
            {name: event[name] for name in event} for event in expected
        ]
        assert seen.records == sorted(seen.records)


def test_an_event_is_finished_when_a_much_younger_one_begins() -> None:
    texts = [record(1794380000 + 10 * n, n, f"pid={n}") for n in range(10)]
    seen = feed(READER, lines(*texts, record(1794380000, 0, "late=1")))
    assert [event["serial"] for event in seen.events] == [str(n) for n in range(10)] + ["0"]
    assert "late" not in seen.events[0]


def test_holds_no_more_records_than_the_limit_and_says_when_that_split_an_event() -> None:
    limits = replace(DEFAULT_LIMITS, audit_records=4)
    texts = [record(1794380000, n, f"pid={n}") for n in range(10)]
    seen = feed(READER, lines(*texts, record(1794380000, 5, "late=1")), limits=limits)
    assert [event["serial"] for event in seen.events] == [str(n) for n in range(10)] + ["5"]
    assert seen.problems == {"split-event": ("line 11", 1)}


def test_holds_no_more_bytes_than_the_limit() -> None:
    limits = replace(DEFAULT_LIMITS, audit_bytes=1000)
    texts = [record(1794380000, 7, f"name{n}={'x' * 600}", kind="PATH") for n in range(5)]
    seen = feed(READER, lines(*texts), limits=limits)
    assert len(seen.events) == 3
    assert seen.problems == {"split-event": ("line 3", 2)}


def test_skips_and_counts_a_record_that_is_too_long() -> None:
    limits = replace(DEFAULT_LIMITS, value_chars=100)
    seen = feed(READER, lines(record(1, 1, "a=" + "x" * 200), record(1, 2, "b=1")), limits=limits)
    assert [event["serial"] for event in seen.events] == ["2"]
    assert seen.problems == {"oversized-line": ("line 1", 1)}
    assert seen.report.skipped == 1


def test_skips_and_counts_lines_that_are_no_records() -> None:
    data = lines(record(1794380000, 1, "pid=1"), "rubbish", "", "type=SYSCALL msg=audit(", "\x00\xff")
    seen = feed(READER, data)
    assert len(seen.events) == 1
    assert seen.problems == {"broken-line": ("line 2", 3)}
    assert seen.report.skipped == 3


@given(
    torn(
        AUDIT,
        st.lists(
            st.text("abUIDmsg='\"\x1d[]0123456789AF{} ", max_size=60).map(
                lambda body: record(1, 1, body).encode()
            )
        ).map(b"\n".join),
        most_cut=60,
    )
)
def test_whatever_it_is_fed_it_ends_without_raising(data: bytes) -> None:
    seen = feed(READER, data, limits=SMALL)
    for event, origin in zip(seen.events, seen.origins, strict=True):
        assert origin == "syslog" or {"type", "serial"} <= event.keys()
        assert all(isinstance(value, str | list) for value in event.values()) or origin == "syslog"
    READER.recognises(head(data))


@pytest.mark.parametrize(
    "body",
    [
        "a=" * 300_000,
        'a="' * 200_000,
        "x" * 900_000,
        "=" * 900_000,
        " " * 900_000 + "x",
        "UID=" * 200_000,
        "msg='" * 100_000,
        "avc:  denied  { " * 50_000,
    ],
)
@pytest.mark.parametrize("kind", ["SYSCALL", "AVC", "EXECVE", "SOCKADDR"])
def test_hostile_records_take_linear_time(body: str, kind: str) -> None:
    began = time.process_time()
    feed(READER, lines(record(1, 1, body, kind=kind)))
    feed(READER, lines("audit(" + body))
    feed(READER, lines(f"type={body[:1000]} audit(" * 100))
    assert time.process_time() - began < 3


def test_many_values_of_one_field_take_linear_time() -> None:
    texts = [record(1, 1, f"name=n{n}", kind="PATH") for n in range(9_000)]
    began = time.process_time()
    (event,) = feed(READER, lines(*texts)).events
    assert len(event["name"]) == 9_000
    assert time.process_time() - began < 2


def test_reads_the_audit_logs_of_the_corpora(corpora: Path) -> None:
    counts = {path.name: 0 for path in (corpora / "logs").glob("auditd*.log")}
    assert len(counts) == 5
    for name in counts:
        data = (corpora / "logs" / name).read_bytes()
        assert READER.recognises(head(data, name)) == 95
        seen = feed(READER, data)
        assert seen.report.complete, name
        counts[name] = len(seen.events)
    assert counts["auditd-suid-crash__auditd-suid-crash.log"] == 3
    assert counts["auditd-postexploit-rm__auditd-postexploit-rm.log"] == 10


def test_reads_the_recorded_attack_of_the_corpora(corpora: Path) -> None:
    with zipfile.ZipFile(corpora / "mordor" / "sh_arp_cache.zip") as archive:
        data = archive.read(archive.namelist()[0])
    assert READER.recognises(head(data)) == 95
    seen = feed(READER, data)
    assert seen.report.complete
    assert [event["CommandLine"] for event in seen.events] == ["arp -a", "grep -v ^?"]
    assert {event["cwd"] for event in seen.events} == {"/home/wardog"}


@pytest.mark.parametrize(
    ("around", "name"),
    [
        ("2026 Nov 11 21:58:57 (hv-web01) any->/var/log/audit/audit.log {}", "wazuh"),
        ("2026-11-11T14:58:57.417Z stdout F {}", "containers"),
        ("Nov 11 21:58:57 hv-web01 audit[1]: {}", "auditd"),
        ("[   12.345678] audit: {}", "auditd"),
    ],
)
def test_records_in_what_others_put_around_them_are_theirs_to_read(around: str, name: str) -> None:
    lines = [
        'type=SYSCALL msg=audit(1794409138.010:12): pid=2 exe="/usr/bin/nc" key="k"',
        'type=EXECVE msg=audit(1794409138.010:12): argc=2 a0="nc" a1="-l"',
    ]
    data = "".join(f"{around.format(line)}\n" for line in lines).encode()
    reader = recognise(make_head("log", data), readers())
    assert reader is readers()[name]
    (event,) = feed(reader, data).events
    assert (event["type"], event["exe"], event["CommandLine"]) == (
        ["SYSCALL", "EXECVE"],
        "/usr/bin/nc",
        "nc -l",
    )
    assert event.get("node", "hv-web01") == "hv-web01"
