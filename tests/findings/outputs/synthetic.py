"""Made-up findings of a fictional province, for tests and measurements of outputs; the same on every run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from haidang.errors import RuleError
from haidang.events.model import FileReport
from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["findings", "rules", "summary"]

BEGIN = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
HOSTS = (
    "VP-UBND-01.lamson.example",
    "STTTT-WS07.lamson.example",
    "DC01.lamson.example",
    "BV-DAKHOA-12",
    "web-congdan",
    "fs-luutru",
    "SOTC-KT03",
    "vpn-gw",
    "TTYT-NT-05",
)


@dataclass(frozen=True)
class Kind:
    """One sort of finding: the rule, and how its event looks."""

    title: str
    level: str
    tags: tuple[str, ...]
    field: str
    values: tuple[str, ...]
    test: str
    description: str
    origin: str = "windows"
    weight: int = 10


KINDS = (
    Kind(
        "Encoded PowerShell Started by an Office Program",
        "high",
        ("attack.execution", "attack.t1059.001", "attack.initial-access", "attack.t1566.001"),
        "CommandLine",
        (
            r"powershell.exe -NoP -W Hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUA",
            r'"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" -nop -EncodedCommand JABzAD0ATgBl',
        ),
        "contains '-enc'",
        "A word processor started PowerShell with an encoded command, as phishing documents do.",
        weight=6,
    ),
    Kind(
        "Memory of the Logon Process Read",
        "critical",
        ("attack.credential-access", "attack.t1003.001"),
        "TargetImage",
        (r"C:\Windows\System32\lsass.exe",),
        r"endswith '\\lsass.exe'",
        "A process opened lsass.exe with rights that only credential theft needs.",
        weight=1,
    ),
    Kind(
        "Service Installed from a Temporary Folder",
        "high",
        ("attack.persistence", "attack.privilege-escalation", "attack.t1543.003"),
        "ServiceFileName",
        (r"C:\Windows\Temp\up{n}.exe -k netsvcs", r"C:\Users\Public\svc{n}.exe"),
        r"startswith 'C:\\Windows\\Temp\\'",
        "",
        weight=5,
    ),
    Kind(
        "Remote Logon with a Local Account",
        "medium",
        ("attack.lateral-movement", "attack.t1021.002", "attack.stealth"),
        "IpAddress",
        ("10.20.{n}.17", "10.20.4.{n}"),
        "cidr '10.20.0.0/16'",
        "A local account logged on over the network.",
        weight=30,
    ),
    Kind(
        "Discovery Commands in a Row",
        "low",
        ("attack.discovery", "attack.t1033", "attack.t1087.002"),
        "CommandLine",
        ("whoami /all", 'net group "Domain Admins" /domain', "nltest /dclist:", "quser", "ipconfig /all"),
        "re '^(whoami|net group|nltest|quser)'",
        "Commands that people seldom type, and intruders always do.",
        weight=60,
    ),
    Kind(
        "Shadow Copies Deleted",
        "critical",
        ("attack.impact", "attack.t1490"),
        "CommandLine",
        ("vssadmin.exe delete shadows /all /quiet",),
        "contains '*delete*shadows*'",
        "Shadow copies were deleted, as before encryption by ransomware.",
        weight=1,
    ),
    Kind(
        "Web Shell Path Requested",
        "high",
        ("attack.persistence", "attack.t1505.003"),
        "uri",
        ("/upload/anh-the/cmd.aspx?c=whoami&n={n}", "/wp-content/uploads/2026/11/x.php?id={n}"),
        "contains 'cmd.aspx'",
        "",
        origin="zeek",
        weight=8,
    ),
    Kind(
        "Shell History Cleared",
        "medium",
        ("attack.defense-evasion", "attack.t1070.003"),
        "proctitle",
        ("history -c", "rm -f /root/.bash_history"),
        "contains 'history'",
        "",
        origin="auditd",
        weight=12,
    ),
    Kind(
        "Failed SSH Logon",
        "informational",
        ("attack.credential-access", "attack.t1110"),
        "message",
        ("Failed password for invalid user oracle from 203.0.113.{n} port 5{n} ssh2",),
        "contains 'Failed password'",
        "",
        origin="syslog",
        weight=120,
    ),
    Kind(
        "Large Upload to an Unknown Address",
        "high",
        ("attack.exfiltration", "attack.t1048"),
        "query",
        ("sao-luu.kho-du-lieu.example", "cdn{n}.tai-len.example"),
        "endswith '.example'",
        "More than a gigabyte left for an address that no other host spoke to.",
        origin="zeek",
        weight=3,
    ),
    Kind(
        "Rule without Tags or Level",
        "",
        (),
        "Image",
        (r"C:\ProgramData\tien-ich\chay-ngam-{n}.exe",),
        r"endswith '.exe'",
        "",
        weight=4,
    ),
)
_PATHS = {
    "windows": ("may-tram/Security.evtx", "may-tram/Sysmon.evtx", "thu-thap.zip!DC01/Security.evtx"),
    "zeek": ("mang/http.log", "mang/dns.log.gz"),
    "auditd": ("may-chu/audit.log",),
    "syslog": ("may-chu/auth.log",),
}


def rules() -> list[FindingRule]:
    """Return one rule for each kind."""
    return [
        FindingRule(
            id=str(_uuid(kind.title)),
            title=kind.title,
            level=kind.level,
            status="test" if kind.weight < 50 else "stable",
            tags=kind.tags,
            description=kind.description,
            path=f"rules/{kind.origin}/{kind.field.lower()}_{number}.yml",
        )
        for number, kind in enumerate(KINDS)
    ]


def findings(count: int, *, seed: int = 7, days: float = 2.0) -> Iterator[Finding]:
    """Yield ``count`` findings in the order of time; about one in 200 is a correlation of earlier ones."""
    dice = random.Random(seed)
    ruleset = rules()
    correlation = FindingRule(
        id=str(_uuid("correlation")),
        title="Credential Theft, then a Logon Elsewhere",
        level="critical",
        status="experimental",
        tags=("attack.credential-access", "attack.lateral-movement", "attack.t1003", "attack.t1021"),
        description="The same account was seen in credential theft and, within the hour, on another host.",
        path="rules/correlations/theft_then_logon.yml",
    )
    latest: list[str] = []
    weights = [kind.weight for kind in KINDS]
    for number, hours in enumerate(sorted(_hours(dice, days) for _ in range(count))):
        when = BEGIN + timedelta(hours=hours)
        if number % 200 == 150:
            yield _correlation(number, correlation, when, tuple(latest[-5:]), dice)
            continue
        place = dice.choices(range(len(KINDS)), weights)[0]
        made = _single(number, KINDS[place], ruleset[place], when, dice)
        latest.append(made.id)
        del latest[:-50]
        yield made


def _hours(dice: random.Random, days: float) -> float:
    """Draw hours since the beginning: steady noise, and the waves that an intrusion comes in."""
    centre, width = dice.choices(((0, 0), (0.14, 0.012), (0.31, 0.03), (0.78, 0.02)), (5, 2, 3, 2))[0]
    share = dice.gauss(centre, width) if width else dice.random()
    return days * 24 * min(1.0, max(0.0, share))


def _single(number: int, kind: Kind, rule: FindingRule, when: datetime, dice: random.Random) -> Finding:
    value = dice.choice(kind.values).replace("{n}", str(dice.randrange(1, 250)))
    host = HOSTS[min(int(dice.expovariate(0.5)), len(HOSTS) - 1)]
    image = r"C:\Windows\System32\cmd.exe"
    event = {
        "EventID": 4688,
        kind.field: value,
        "ParentImage": dice.choice(
            (r"C:\Program Files\Microsoft Office\WINWORD.EXE", r"C:\Windows\explorer.exe")
        ),
        "User": dice.choice(("LAMSON\\nv.hanh", "LAMSON\\tt.binh", "NT AUTHORITY\\SYSTEM", "LAMSON\\qtri")),
        "LogonId": hex(dice.randrange(1 << 32)),
        "IntegrityLevel": "High",
        "Hashes": "SHA256=" + hashlib.sha256(value.encode()).hexdigest(),
    }
    event.setdefault("Image", image)
    return Finding(
        id=_uuid(f"{number}"),
        rule=rule,
        time=None if number % 997 == 996 else when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        host=host,
        source=Source(dice.choice(_PATHS[kind.origin]), number + 1),
        event=event,
        matched=(Match(kind.field, value, kind.test), Match("EventID", 4688, "equals 4688")),
        origin=kind.origin,
    )


def _correlation(
    number: int, rule: FindingRule, when: datetime, members: tuple[str, ...], dice: random.Random
) -> Finding:
    user = dice.choice(("LAMSON\\nv.hanh", "LAMSON\\qtri"))
    return Finding(
        id=_uuid(f"{number}"),
        rule=rule,
        time=when.isoformat().replace("+00:00", "Z"),
        host=HOSTS[2],
        source=Source(_PATHS["windows"][0], number + 1),
        event={},
        matched=(),
        origin="correlation",
        members=members,
        group={"User": user},
        count=len(members),
    )


def summary(count: int, *, broken: bool = True) -> ScanSummary:
    """Return the account of a run with ``count`` findings, with or without things that were not read."""
    files = [
        FileReport(f"thu-thap/{path}", format=origin, size=180_000_000, records=210_000)
        for origin, paths in _PATHS.items()
        for path in paths
    ]
    refused = []
    notices = []
    if broken:
        files[1].note("truncated", "byte 73400320", "the file ends in the middle of a chunk", skipped=12)
        files.append(FileReport("thu-thap/ghi-chu.docx", size=48_211))
        files[-1].note("unknown-format", "byte 0", "the content is of no known log format")
        files[-2].note(
            "broken-line", "line 1841", "the line is no RFC 3164 or 5424 message", skipped=3, count=3
        )
        refused.append(
            RuleError(
                "the modifier 'nearby' is not part of Sigma", path="rules/web/x.yml", line=17, rule="Web X"
            )
        )
        notices.append("The regular expression of rule 'Odd User Agent' hit its time limit on 2 values.")
    return ScanSummary(
        files=files,
        refused=refused,
        notices=notices,
        rules=3_780,
        events=sum(file.records for file in files),
        size=sum(file.size for file in files),
        findings=count,
        elapsed=17.4,
        cpu=31.2,
        processes=2,
    )


def _uuid(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
