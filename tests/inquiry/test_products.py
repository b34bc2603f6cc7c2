"""What time lines show of logs other than those of Windows and Linux hosts, on samples of their own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from haidang.inquiry import Entry, Question, timeline
from haidang.inquiry.notability import products
from haidang.scanning import ScanOptions
from tests.inquiry.making import write

TESTS = Path(__file__).parents[1]
READERS = TESTS / "events" / "readers" / "samples"
MAPS = TESTS / "sigma" / "logsources" / "samples"


def entries(*paths: str | Path, **options: Any) -> list[Entry]:
    users = options.pop("users", ())
    return list(timeline(Question(tuple(map(str, paths)), **options), users=users))


def shown(*paths: str | Path) -> set[tuple[str, str, str]]:
    return {(entry.kind, entry.host, entry.user) for entry in entries(*paths)}


SCHEMAS = [
    {
        "@timestamp": "2026-03-01T08:00:00Z",
        "ecs": {"version": "8.11"},
        "event": {"category": ["process"], "type": ["info", "start"]},
        "host": {"name": "web01"},
        "user": {"name": "ha", "domain": "HV"},
        "process": {"command_line": "id", "parent": {"executable": "/bin/sh"}},
    },
    {
        "@timestamp": "2026-03-01T08:01:00Z",
        "ecs": {"version": "8.11"},
        "event": {"category": ["authentication"], "outcome": "failure", "action": "ssh_login"},
        "host": {"name": "web01"},
        "user": {"name": "root"},
        "source": {"ip": "203.0.113.9"},
    },
    {
        "time": 1772352120000,
        "class_uid": 3002,
        "activity_id": 1,
        "status_id": 1,
        "metadata": {"version": "1.4.0", "product": {"name": "VPN"}},
        "device": {"hostname": "cong01"},
        "user": {"name": "ha"},
        "src_endpoint": {"ip": "203.0.113.9"},
    },
]


def test_events_in_a_schema_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *map(json.dumps, SCHEMAS))
    assert [(entry.kind, entry.host, entry.user, entry.text) for entry in entries(path)] == [
        ("process", "web01", "HV\\ha", "id ← /bin/sh"),
        ("logon-failed", "web01", "root", "ssh_login ← 203.0.113.9"),
        ("logon", "cong01", "ha", "VPN ← 203.0.113.9"),
    ]


def test_every_product_has_a_sample_of_which_something_is_notable(tmp_path: Path) -> None:
    seen: set[str] = set()
    schemas = write(tmp_path / "a.json", *map(json.dumps, SCHEMAS))
    for event in Question((str(READERS), str(MAPS), schemas)).events():
        product = products().get(event.origin)
        if product and any(entry.accept(event.fields) for entry in product.entries_for(event.fields)):
            seen.add(event.origin)
    assert set(products()) - seen == set()


@pytest.mark.parametrize(
    ("sample", "lines"),
    [
        (
            READERS / "fortigate",
            {
                ("configuration", "hv-fw01", "quantri"),
                ("web-blocked", "10.20.0.31", ""),
                ("malware", "10.20.0.31", ""),
                ("connection", "10.20.0.31", ""),
            },
        ),
        (READERS / "exim", {("mail-logon", "", "hoa"), ("logon-failed", "", "hoa@haivan.example")}),
        (
            READERS / "sonicwall",
            {
                ("connection", "10.20.0.31", ""),
                ("logon", "00HAIVAN0001", "quantri"),
                ("logon-failed", "00HAIVAN0001", "admin"),
                ("vpn-logon", "00HAIVAN0001", "hoa"),
                ("configuration", "00HAIVAN0001", "quantri"),
                ("attack", "10.20.0.8", ""),
                ("malware", "10.20.0.31", ""),
                ("blocked", "10.20.0.31", ""),
            },
        ),
        (
            READERS / "sophos",
            {
                ("connection", "10.20.0.31", ""),
                ("connection", "10.20.0.32", ""),
                ("logon", "XGS-HAIVAN", "quantri"),
                ("logon-failed", "XGS-HAIVAN", "admin"),
                ("configuration", "XGS-HAIVAN", "quantri"),
                ("vpn-logon", "XGS-HAIVAN", "hoa"),
                ("attack", "10.20.0.8", ""),
                ("malware", "10.20.0.31", "hoa"),
                ("malware", "10.20.0.31", ""),
                ("web-blocked", "10.20.0.31", "hoa"),
                ("blocked", "10.20.0.31", ""),
            },
        ),
        (
            READERS / "checkpoint",
            {
                ("connection", "10.20.0.31", ""),
                ("vpn-logon", "10.20.0.2", "hoa"),
                ("logon-failed", "10.20.0.2", "admin"),
                ("logon", "10.20.0.3", "quantri"),
                ("configuration", "10.20.0.3", "quantri"),
                ("attack", "10.20.0.8", ""),
                ("malware", "10.20.0.31", ""),
                ("web-blocked", "10.20.0.31", "hoa"),
                ("blocked", "10.20.0.31", ""),
            },
        ),
        (
            READERS / "watchguard",
            {
                ("logon", "80DA00HAIVAN1", "admin@Firebox-DB"),
                ("vpn-logon", "80DA00HAIVAN1", "hoa"),
                ("logon-failed", "80DA00HAIVAN1", "quantri@Firebox-DB"),
                ("malware", "10.20.0.31", ""),
                ("attack", "10.20.0.8", ""),
                ("blocked", "10.20.0.31", ""),
                ("connection", "10.20.0.31", "hoa@Firebox-DB"),
                ("connection", "10.20.0.31", ""),
            },
        ),
        (
            READERS / "cisco",
            {
                ("configuration", "", "quantri"),
                ("logon-failed", "", "quantri"),
                ("logon-failed", "", "hoa.nt"),
                ("command", "", "quantri"),
                ("attack", "", ""),
                ("connection", "10.20.0.31", ""),
            },
        ),
        (
            READERS / "paloalto",
            {
                ("connection", "10.20.0.31", r"haivan\hoa.nt"),
                ("malware", "10.20.0.31", ""),
                ("logon-failed", "001234567890", "hoa.nt"),
                ("configuration", "001234567890", "quantri"),
            },
        ),
        # What the Internet knocks at is no news.
        (READERS / "filterlog", {("connection", "10.20.0.31", "")}),
        (READERS / "suricata", {("alert", "10.20.0.8", "")}),
        (READERS / "opencanary", {("honeypot", "hv-moi-01", "quantri"), ("honeypot", "hv-moi-01", "")}),
        (READERS / "modsecurity", {("attack", "dvc.haivan.example", "")}),
        (
            READERS / "web_access",
            {
                ("upload", "", "van thu"),
                ("user-new-address", "", "hoa.nt"),
                ("admin-sign-in", "thu.haivan.example", "hoa.nt"),
            },
        ),
        (
            READERS / "powershell_transcript",
            {("script-start", "WS-07", r"HOAVANG\lan.tt"), ("script", "WS-07", r"HOAVANG\lan.tt")},
        ),
        (
            READERS / "mail" / "dovecot.log",
            {
                ("mail-logon", "hv-thu01", "hoa.nt@haivan.example"),
                ("logon-failed", "hv-thu01", "quantri@haivan.example"),
                ("logon-failed", "hv-thu01", "quantri"),
            },
        ),
        (
            READERS / "syslog" / "sysmon.log",
            {
                ("process", "web01", "www-data"),
                ("connection", "web01", "www-data"),
            },
        ),
        (
            MAPS / "cloudtrail.json",
            {
                ("audit-policy", "111122223333", "arn:aws:iam::111122223333:user/le.thu.ha"),
                ("logon", "111122223333", "Root"),
                ("removed", "111122223333", "IAMUser"),
            },
        ),
        (
            MAPS / "entra_sign_ins.json",
            {
                ("logon-failed", "", "ha@hoaiv.example"),
                ("logon-failed", "VP-PC-017", "minh@hoaiv.example"),
                ("logon", "198.51.100.9", "an@hoaiv.example"),
            },
        ),
        (
            MAPS / "kubernetes.json",
            {("workload", "kube-system", "ha"), ("secret", "vp", "ha")},
        ),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_what_is_shown_of_a_sample(sample: Path, lines: set[tuple[str, str, str]]) -> None:
    assert shown(sample) == lines


def test_whoever_came_by_vpn_has_a_session_until_they_leave() -> None:
    found = entries(READERS / "openvpn" / "server.log")
    assert [entry.kind for entry in found] == ["vpn-logon", "vpn-address", "logon-failed", "vpn-logoff"]
    assert [entry.session is not None for entry in found] == [True, True, False, True]
    assert found[1].text == "10.8.0.6 ← 203.0.113.77"
    assert found[3].session is not None
    assert (found[3].session.user, found[3].session.source) == ("hoa.nt", "203.0.113.77")


def test_a_vpn_of_cisco_joins_by_user_and_address(tmp_path: Path) -> None:
    who = "Group <VPN> User <hoa.nt> IP <203.0.113.77>"
    ended = "Username = hoa.nt, IP = 203.0.113.77, Session disconnected. Reason: User Requested"
    lines = [
        f"08:00:00: %ASA-6-113039: {who} AnyConnect parent session started.",
        f"08:00:01: %ASA-4-722051: {who} IPv4 Address <10.9.0.4> IPv6 address <::> assigned to session",
        "08:01:00: %ASA-6-611101: User authentication succeeded: IP address: 10.9.0.4, Uname: quantri",
        f"09:00:00: %ASA-4-113019: Group = VPN, {ended}",
    ]
    found = entries(write(tmp_path / "asa.log", *(f"Mar 01 2026 {line}" for line in lines)))
    assert [(entry.kind, entry.user) for entry in found] == [
        ("vpn-logon", "hoa.nt"),
        ("vpn-address", "hoa.nt"),
        ("logon", "quantri"),
        ("vpn-logoff", "hoa.nt"),
    ]
    assert found[1].text == "10.9.0.4 ← 203.0.113.77"
    assert found[2].text == "ASA ← 10.9.0.4"
    assert found[3].session is not None
    assert found[3].session.source == "203.0.113.77"


def aws(name: str, minute: int, key: str, **more: Any) -> dict[str, Any]:
    return {
        "eventSource": "iam.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "eventTime": f"2026-03-01T08:{minute:02}:00Z",
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": {"type": "IAMUser", "accessKeyId": key},
        **more,
    }


def test_what_is_done_with_keys_that_were_handed_out_is_of_whoever_took_them(tmp_path: Path) -> None:
    role = {"responseElements": {"credentials": {"accessKeyId": "ASIA9"}}, "recipientAccountId": "1"}
    taken = aws("AssumeRole", 1, "AKIA1", **role)
    taken["userIdentity"]["arn"] = "arn:aws:iam::1:user/ha"
    events = [
        taken,
        # The role is of another account: what holds a session of a cloud together is its id alone.
        aws("CreateUser", 2, "ASIA9", requestParameters={"userName": "moi"}, recipientAccountId="2"),
        aws("CreateUser", 3, "AKIA7", recipientAccountId="1"),
    ]
    path = write(tmp_path / "a.json", *map(json.dumps, events))
    _, inside, other = entries(path)
    assert inside.text == 'CreateUser {"userName":"moi"} ← 203.0.113.9'
    assert inside.session is not None
    assert inside.session.user == "arn:aws:iam::1:user/ha"
    assert other.session is None


def test_a_sign_in_to_entra_is_the_session_of_what_other_logs_of_that_cloud_tell(tmp_path: Path) -> None:
    sign_in = {
        "createdDateTime": "2026-03-01T08:00:00Z",
        "userPrincipalName": "ha@hoaiv.example",
        "appDisplayName": "Office",
        "ipAddress": "203.0.113.9",
        "conditionalAccessStatus": "success",
        "status": {"errorCode": 0},
        "sessionId": "s-1",
    }
    rule = {
        "CreationTime": "2026-03-01T08:05:00",
        "Operation": "New-InboxRule",
        "Workload": "Exchange",
        "UserId": "ha@hoaiv.example",
        "AppAccessContext": {"AADSessionId": "s-1"},
        "Parameters": [{"Name": "ForwardTo", "Value": "thu@ngoai.example"}],
    }
    first = write(tmp_path / "sign-ins.json", json.dumps(sign_in))
    second = write(tmp_path / "audit.json", json.dumps(rule))
    logon, inside = entries(second, first)
    assert (logon.kind, inside.kind) == ("logon", "mailbox-rule")
    assert inside.session == logon.session is not None
    assert inside.session is not None
    assert inside.session.source == "203.0.113.9"
    assert inside.text == "New-InboxRule thu@ngoai.example"


def test_interruptions_by_entra_are_no_failures(tmp_path: Path) -> None:
    event = {
        "createdDateTime": "2026-03-01T08:00:00Z",
        "userPrincipalName": "ha@hoaiv.example",
        "appDisplayName": "Office",
        "conditionalAccessStatus": "success",
    }
    codes = (50140, 50074, 50126, 53003)
    lines = [json.dumps({**event, "status": {"errorCode": code}}) for code in codes]
    found = entries(write(tmp_path / "a.json", *lines))
    assert [entry.kind for entry in found] == ["logon-failed", "logon-failed"]


def test_what_is_often_is_told_once(tmp_path: Path) -> None:
    line = (
        "2026-03-01T08:0{n}:00+00:00 thu dovecot: imap-login: Login: user=<{user}>, method=PLAIN, "
        "rip={ip}, lip=192.0.2.25, session=<s{n}>"
    )
    people = [("ha", "203.0.113.9"), ("ha", "203.0.113.9"), ("ha", "203.0.113.7"), ("an", "203.0.113.9")]
    lines = [line.format(n=n, user=user, ip=ip) for n, (user, ip) in enumerate(people)]
    found = entries(write(tmp_path / "mail.log", *lines))
    assert [(entry.user, entry.text) for entry in found] == [
        ("ha", "PLAIN ← 203.0.113.9"),
        ("ha", "PLAIN ← 203.0.113.7"),
        ("an", "PLAIN ← 203.0.113.9"),
    ]


def test_findings_speak_vietnamese_where_their_rules_do() -> None:
    path = str(MAPS / "cloudtrail.json")
    story = timeline(Question((path,)), scan=ScanOptions((path,), builtin=True, processes=1))
    found = [entry for entry in story if entry.kind == "finding"]
    assert found
    assert all(entry.title("vi") != entry.title("en") for entry in found)


def test_logs_of_many_products_that_others_wrote_have_their_logons_told(corpora: Path) -> None:
    found = entries(corpora / "logs")
    kinds = {entry.kind for entry in found}
    assert {"logon", "logon-failed", "attack", "blocked", "mail-logon", "admin-sign-in", "vpn-logon"} <= kinds
    failed = {(entry.user, entry.text) for entry in found if entry.kind == "logon-failed"}
    assert ("toto", "web ← 10.0.0.1") in failed
    assert ("root@pam", "pvedaemon ← 172.21.10.2") in failed
    assert ("dave", "smtp dovecot_plain ← 202.137.142.181") in failed


def test_a_recorded_attack_on_a_cloud_is_told(corpora: Path) -> None:
    found = entries(corpora / "mordor" / "ec2_proxy_s3_exfiltration.zip")
    # The keys of a machine turn up at the attacker's address.
    assert any(entry.kind == "new-address" and "assumed-role" in entry.user for entry in found)
    assert [entry.time for entry in found] == sorted(entry.time for entry in found)
