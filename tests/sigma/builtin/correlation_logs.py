"""A log for each built-in correlation: of as many events, minutes or hours as it is asked for.

``CASES`` says how many are enough and how many are too few.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "Log", "fail", "succeed"]

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


def access(seconds: float, request: str, status: int) -> str:
    time = START + timedelta(seconds=seconds)
    return (
        f'198.51.100.9 - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{request} HTTP/1.1" {status} 162 "-" "Mozilla"'
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


def sshd_line(seconds: float, said: str) -> str:
    return f"{stamp(seconds)} hv-web01 sshd[900]: {said} for root from 198.51.100.7 port 4 ssh2"


def sshd_guessing(count: int) -> Log:
    return "auth.log", [sshd_line(10 * at, "Failed password") for at in range(count)]


def sshd_guessing_then_logon(count: int) -> Log:
    return "auth.log", [*sshd_guessing(count)[1], sshd_line(10 * count, "Accepted password")]


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


def web_probing(count: int) -> Log:
    return "access.log", [access(2 * at, f"GET /cu/{at}.php", 404) for at in range(count)]


def web_sign_in_guessing(count: int) -> Log:
    return "access.log", [access(3 * at, "POST /dang-nhap", 200) for at in range(count)]


def mailbox(seconds: float, user: str, said: str = "Disconnected (auth failed, 1 attempts in 2 secs)") -> str:
    return (
        f"{stamp(seconds)} hv-thu01 dovecot: imap-login: {said}: user=<{user}@haivan.example>, method=PLAIN, "
        "rip=198.51.100.9, lip=192.0.2.25, session=<z0>"
    )


def mail_guessing(count: int) -> Log:
    refused = "warning: unknown[198.51.100.9]: SASL LOGIN authentication failed: UGFz, sasl_username=hoa"
    send = [f"{stamp(20 * at)} hv-thu01 postfix/smtpd[9]: {refused}" for at in range(count - 5)]
    return "mail.log", [*send, *(mailbox(20 * at + 1, "hoa") for at in range(5))]


def mailbox_spraying(count: int) -> Log:
    return "mail.log", [mailbox(60 * at, f"nguoi{at}") for at in range(count)]


def mail_guessing_then_mailbox_opened(count: int) -> Log:
    return "mail.log", [
        *(mailbox(20 * at, "hoa") for at in range(count)),
        mailbox(20 * count, "hoa", "Login"),
    ]


def mass_mail_from_account(count: int) -> Log:
    lines = []
    for at in range(6):
        queue = f"3A1B2C4D5{at}"
        client = "client=unknown[198.51.100.9], sasl_method=LOGIN, sasl_username=vanthu"
        lines.append(f"{stamp(60 * at)} hv-thu01 postfix/smtpd[9]: {queue}: {client}")
        to = count // 6 + (at < count % 6)
        queued = f"from=<vanthu@haivan.example>, size=9, nrcpt={to} (queue active)"
        lines.append(f"{stamp(60 * at + 1)} hv-thu01 postfix/qmgr[8]: {queue}: {queued}")
    return "mail.log", lines


def blocked(seconds: float, source: str, target: str, port: int) -> str:
    return (
        f"{stamp(seconds)} hv-gw02 filterlog[9265]: 7,,,1000000102,igb0,match,block,in,4,0x0,,64,19008,0,DF,"
        f"6,tcp,60,{source},{target},42970,{port},0,S,523876198,,64240,,mss"
    )


def port_scan(count: int) -> Log:
    return "filter.log", [blocked(at, "203.0.113.9", "198.51.100.1", 20 + at) for at in range(count)]


def inside_host_sweep(count: int) -> Log:
    return "filter.log", [blocked(at, "10.84.12.37", f"10.84.10.{at}", 445) for at in range(count)]


def generated_names(count: int) -> Log:
    return "dns.json", [
        zeek(5 * at, "dns", query=f"q{at}zkfw.example", rcode_name="NXDOMAIN") for at in range(count)
    ]


def openvpn(seconds: float, said: str) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} 203.0.113.9:51240 {said}"


def vpn_guessing(count: int) -> Log:
    refused = "TLS Auth Error: Auth Username/Password verification failed for peer"
    return "openvpn.log", [openvpn(30 * at, refused) for at in range(count)]


def vpn_guessing_then_opened(count: int) -> Log:
    accepted = "TLS: Username/Password authentication succeeded for username 'hoa.nt'"
    return "openvpn.log", [*vpn_guessing(count)[1], openvpn(30 * count, accepted)]


def fortigate(seconds: float, action: str) -> str:
    time = START + timedelta(seconds=seconds)
    return (
        f'date={time:%Y-%m-%d} time={time:%H:%M:%S} devname="hv-fw01" devid="FGT00HAIVAN0001" '
        f'eventtime={int(time.timestamp())}000000000 tz="+0000" logid="0101039426" type="event" '
        f'subtype="vpn" level="alert" action="{action}" remip=203.0.113.9 user="hoa.nt" msg="SSL VPN"'
    )


def fortigate_vpn_guessing_then_opened(count: int) -> Log:
    return "fortigate.log", [
        *(fortigate(30 * at, "ssl-login-fail") for at in range(count)),
        fortigate(30 * count, "tunnel-up"),
    ]


def m365_mass_download(count: int) -> Log:
    who = {"Operation": "FileDownloaded", "Workload": "SharePoint", "UserId": "hoa@haivan.example"}
    return "m365.json", [
        json.dumps(who | {"CreationTime": stamp(at)[:19], "ObjectId": f"https://haivan.example/{at}.docx"})
        for at in range(count)
    ]


def cloudtrail(seconds: float, event: str, **fields: Any) -> str:
    source = {"awsRegion": "ap-southeast-1", "sourceIPAddress": "198.51.100.7", "eventTime": stamp(seconds)}
    return json.dumps(source | {"eventName": event, "eventSource": "iam.amazonaws.com"} | fields)


def aws_console_guessing(count: int) -> Log:
    failed = {"responseElements": {"ConsoleLogin": "Failure"}}
    return "aws.json", [cloudtrail(30 * at, "ConsoleLogin", **failed) for at in range(count)]


def aws_rights_probed(count: int) -> Log:
    who = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/a"}
    denied = {"errorCode": "AccessDenied", "userIdentity": who}
    return "aws.json", [cloudtrail(at, f"List{at}", **denied) for at in range(count)]


def sign_in(seconds: float, code: int, user: str = "hoa@haivan.example", country: str = "VN") -> str:
    return json.dumps(
        {
            "createdDateTime": stamp(seconds),
            "appDisplayName": "Office",
            "conditionalAccessStatus": "success",
            "userPrincipalName": user,
            "ipAddress": "198.51.100.8",
            "status": {"errorCode": code},
            "location": {"countryOrRegion": country},
        }
    )


def second_factor_wearing_down(count: int) -> Log:
    return "entra.json", [sign_in(60 * at, 500121) for at in range(count)]


def second_factor_given_in(count: int) -> Log:
    return "entra.json", [*second_factor_wearing_down(count)[1], sign_in(60 * count, 0)]


def entra_spraying(count: int) -> Log:
    return "entra.json", [sign_in(60 * at, 50126, f"nguoi{at}@haivan.example") for at in range(count)]


def impossible_travel(count: int) -> Log:
    return "entra.json", [sign_in(600 * at, 0, country=("VN", "ZZ")[at]) for at in range(count)]


def okta_wearing_down(count: int) -> Log:
    denied = {"eventType": "user.mfa.okta_verify.deny_push", "actor": {"alternateId": "hoa@haivan.example"}}
    return "okta.json", [json.dumps(denied | {"published": stamp(60 * at)}) for at in range(count)]


def kubernetes_probing(count: int) -> Log:
    refused = {"responseStatus": {"code": 403}}
    who = {"stage": "ResponseComplete", "verb": "list", "user": {"username": "vp"}} | refused
    return "audit.json", [
        json.dumps(
            who | {"auditID": f"{at}", "requestURI": f"/api/v1/{at}", "requestReceivedTimestamp": stamp(at)}
        )
        for at in range(count)
    ]


def mass_fetch_of_repositories(count: int) -> Log:
    return "github.json", [
        json.dumps(
            {
                "@timestamp": int((START.timestamp() + 30 * at) * 1000),
                "_document_id": f"{at}",
                "action": "git.clone",
                "actor": "mai",
                "org": "haivan",
                "repo": f"haivan/{at}",
            }
        )
        for at in range(count)
    ]


def mass_file_encryption(count: int) -> Log:
    return "a.json", [
        sysmon(at, 11, Image="C:\\a.exe", TargetFilename=f"D:\\HoSo\\{at}.docx.hvlock") for at in range(count)
    ]


def mass_rename_on_share(count: int) -> Log:
    return "smb_files.json", [
        zeek(at, "smb_files", action="SMB::FILE_RENAME", name=f"HoSo\\{at}.docx.hvlock")
        for at in range(count)
    ]


def log_cleared_then_silent(minutes: int) -> Log:
    return "a.json", [
        windows(0, 1102, Provider_Name="Microsoft-Windows-Eventlog"),
        windows(60 * minutes, 1100, Provider_Name="Microsoft-Windows-Eventlog"),
    ]


def log_cleared_after_administrator_added(hours: int) -> Log:
    return "a.json", [
        windows(0, 4732, TargetSid="S-1-5-32-544", TargetUserName="Administrators"),
        windows(3600 * hours, 1102, Provider_Name="Microsoft-Windows-Eventlog"),
    ]


def short_lived_account(hours: int) -> Log:
    return "a.json", [
        windows(0, 4720, TargetUserName="hotro"),
        windows(3600 * hours, 4726, TargetUserName="hotro"),
    ]


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
    (sshd_guessing, 10, 9),
    (sshd_guessing_then_logon, 8, 7),
    (dns_tunnel, 30, 29),
    (regular_callbacks, 20, 19),
    (large_outbound_volume, 4, 3),
    (web_probing, 30, 29),
    (web_sign_in_guessing, 20, 19),
    (mail_guessing, 15, 14),
    (mailbox_spraying, 8, 7),
    (mail_guessing_then_mailbox_opened, 8, 7),
    (mass_mail_from_account, 300, 299),
    (port_scan, 15, 14),
    (inside_host_sweep, 20, 19),
    (generated_names, 60, 59),
    (vpn_guessing, 12, 11),
    (vpn_guessing_then_opened, 8, 7),
    (fortigate_vpn_guessing_then_opened, 8, 7),
    (m365_mass_download, 100, 99),
    (aws_console_guessing, 8, 7),
    (aws_rights_probed, 10, 9),
    (second_factor_wearing_down, 5, 4),
    (second_factor_given_in, 4, 3),
    (entra_spraying, 10, 9),
    (impossible_travel, 2, 1),
    (okta_wearing_down, 4, 3),
    (kubernetes_probing, 15, 14),
    (mass_fetch_of_repositories, 20, 19),
    (mass_file_encryption, 50, 49),
    (mass_rename_on_share, 80, 79),
    (log_cleared_then_silent, 30, 90),
    (log_cleared_after_administrator_added, 2, 8),
    (short_lived_account, 5, 30),
]
