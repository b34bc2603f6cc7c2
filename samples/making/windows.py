"""A Windows host that records what happens on it: Sysmon, Security, System and PowerShell events.

The recorder keeps the world consistent: a process has one GUID, id, user and logon id in every event that
speaks of it; record numbers follow time in each channel; a file has one hash. ``shapes.py`` writes the
events as shippers do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from samples.making.cast import Chance, Host, Person

__all__ = ["POWERSHELL", "SYSTEM32", "Event", "Process", "Session", "WindowsHost"]

SYSTEM32 = "C:\\Windows\\System32\\"
POWERSHELL = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"

_PROVIDERS = {
    "Sysmon": (
        "Microsoft-Windows-Sysmon/Operational",
        "Microsoft-Windows-Sysmon",
        "5770385f-c22a-43e0-bf4c-06f5698ffbd9",
    ),
    "Security": ("Security", "Microsoft-Windows-Security-Auditing", "54849625-5478-4994-a5ba-3e3b0328c30d"),
    "Eventlog": ("Security", "Microsoft-Windows-Eventlog", "fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148"),
    "Services": ("System", "Service Control Manager", "555908d1-a6d7-4695-8e1e-26931d2012f4"),
    "PowerShell": (
        "Microsoft-Windows-PowerShell/Operational",
        "Microsoft-Windows-PowerShell",
        "a0c1853b-5c40-4b15-8766-3cf1c58f985a",
    ),
}

_ORIGINAL_NAMES = {
    "cmd.exe": "Cmd.Exe",
    "powershell.exe": "PowerShell.EXE",
    "rundll32.exe": "RUNDLL32.EXE",
    "winword.exe": "WinWord.exe",
    "excel.exe": "Excel.exe",
    "outlook.exe": "Outlook.exe",
    "7za.exe": "7za.exe",
    "explorer.exe": "EXPLORER.EXE",
}


@dataclass(frozen=True, slots=True)
class Session:
    """One logon on the host."""

    user: str
    sid: str
    logon_id: int
    terminal: int = 0

    @property
    def domain(self) -> str:
        """The part of the user before the backslash."""
        return self.user.split("\\")[0]

    @property
    def account(self) -> str:
        """The part of the user after the backslash."""
        return self.user.split("\\")[1]


SYSTEM = Session("NT AUTHORITY\\SYSTEM", "S-1-5-18", 0x3E7)


@dataclass(frozen=True, slots=True)
class Process:
    """One running program."""

    image: str
    command: str
    number: int
    guid: str
    session: Session
    integrity: str


@dataclass(slots=True)
class Event:
    """One event before it has a record number and a shape."""

    time: datetime
    computer: str
    source: str
    number: int
    data: dict[str, str]
    task: int = 0
    sid: str = ""
    keywords: str = "0x8000000000000000"
    level: int = 4
    process: int = 4
    thread: int = 0
    under: str = ""
    """Name of the element below UserData, for the events that have no EventData."""
    record: int = 0

    @property
    def channel(self) -> str:
        """The channel that the event is written to."""
        return _PROVIDERS[self.source][0]

    @property
    def provider(self) -> tuple[str, str]:
        """Name and GUID of the provider."""
        return _PROVIDERS[self.source][1:]


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03}"


def _hashes(image: str) -> str:
    content = image.lower().encode()
    short = md5(content, usedforsecurity=False).hexdigest().upper()
    return f"MD5={short},SHA256={sha256(content).hexdigest().upper()}"


@dataclass(slots=True)
class WindowsHost:
    """Recorder of one host; ``sysmon`` says whether Sysmon is installed, ``audit`` whether 4688 is on."""

    host: Host
    machine: int
    chance: Chance
    sysmon: bool
    audit: bool
    events: list[Event] = field(default_factory=list)
    _sequence: int = 0x40

    def log(self, time: datetime, source: str, number: int, data: dict[str, str], **more: Any) -> None:
        """Record one event."""
        thread = self.chance.whole(300, 2400) * 4
        self.events.append(Event(time, self.host.full_name, source, number, data, thread=thread, **more))

    def _sysmon(self, time: datetime, number: int, data: dict[str, str]) -> None:
        if self.sysmon:
            head = {"RuleName": "-", "UtcTime": _stamp(time)}
            if number == 13:
                head = {"RuleName": "-", "EventType": "SetValue", "UtcTime": _stamp(time)}
            self.log(time, "Sysmon", number, head | data, task=number, sid="S-1-5-18", process=2988)

    def running(self, time: datetime, image: str, session: Session = SYSTEM, command: str = "") -> Process:
        """Return a process that was there before the log begins."""
        self._sequence += self.chance.whole(1, 9)
        seconds = int(time.timestamp())
        stamp = f"{seconds & 0xFFFF:04x}-{seconds >> 16:04x}"
        guid = f"{{{self.machine:08x}-{stamp}-{self._sequence:04x}-000000000b00}}"
        number = self.chance.whole(180, 3900) * 4
        integrity = "System" if session is SYSTEM else "High" if session.terminal else "Medium"
        return Process(image, command or image, number, guid, session, integrity)

    def start(
        self,
        time: datetime,
        parent: Process,
        image: str,
        command: str,
        session: Session | None = None,
        folder: str = "",
    ) -> Process:
        """Start a program: Sysmon 1 and Security 4688, as far as they are switched on."""
        child = self.running(time, image, session or parent.session, command)
        if self.sysmon:
            self._sysmon(time, 1, self._creation(child, parent, folder or SYSTEM32))
        if self.audit:
            self.log(
                time, "Security", 4688, _audited(child, parent), task=13312, keywords="0x8020000000000000"
            )
        return child

    def _creation(self, child: Process, parent: Process, folder: str) -> dict[str, str]:
        base = child.image.rsplit("\\", 1)[-1].lower()
        session = child.session
        low, high = session.logon_id & 0xFFFF, session.logon_id >> 16
        return {
            "ProcessGuid": child.guid,
            "ProcessId": str(child.number),
            "Image": child.image,
            "FileVersion": "10.0.19041.4522" if child.image.startswith("C:\\Windows") else "-",
            "OriginalFileName": _ORIGINAL_NAMES.get(base, base),
            "CommandLine": child.command,
            "CurrentDirectory": folder,
            "User": session.user,
            "LogonGuid": f"{{{self.machine:08x}-0000-0000-{low:04x}-{high:04x}00000000}}",
            "LogonId": hex(session.logon_id),
            "TerminalSessionId": str(session.terminal),
            "IntegrityLevel": child.integrity,
            "Hashes": _hashes(child.image),
            "ParentProcessGuid": parent.guid,
            "ParentProcessId": str(parent.number),
            "ParentImage": parent.image,
            "ParentCommandLine": parent.command,
            "ParentUser": parent.session.user,
        }

    def ends(self, time: datetime, process: Process) -> None:
        """Record that a process ended (Sysmon 5)."""
        self._sysmon(time, 5, _of(process) | {"User": process.session.user})

    def connects(self, time: datetime, process: Process, address: str, port: int, name: str = "-") -> int:
        """Record a connection (Sysmon 3) and return its source port."""
        source = self.chance.whole(49700, 65200)
        data = {
            "User": process.session.user,
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIsIpv6": "false",
            "SourceIp": self.host.address,
            "SourceHostname": self.host.full_name,
            "SourcePort": str(source),
            "SourcePortName": "-",
            "DestinationIsIpv6": "false",
            "DestinationIp": address,
            "DestinationHostname": name,
            "DestinationPort": str(port),
            "DestinationPortName": {80: "http", 443: "https", 445: "microsoft-ds"}.get(port, "-"),
        }
        self._sysmon(time, 3, _of(process) | data)
        return source

    def loads(
        self, time: datetime, process: Process, library: str, signature: str = "Microsoft Windows"
    ) -> None:
        """Record that a library was loaded (Sysmon 7)."""
        data = {
            "ImageLoaded": library,
            "OriginalFileName": library.rsplit("\\", 1)[-1],
            "Hashes": _hashes(library),
            "Signed": "true",
            "Signature": signature,
            "SignatureStatus": "Valid",
            "User": process.session.user,
        }
        self._sysmon(time, 7, _of(process) | data)

    def opens(self, time: datetime, source: Process, target: Process, access: str, trace: str) -> None:
        """Record that one process opened another (Sysmon 10)."""
        data = {
            "SourceProcessGUID": source.guid,
            "SourceProcessId": str(source.number),
            "SourceThreadId": str(self.chance.whole(300, 2400) * 4),
            "SourceImage": source.image,
            "TargetProcessGUID": target.guid,
            "TargetProcessId": str(target.number),
            "TargetImage": target.image,
            "GrantedAccess": access,
            "CallTrace": trace,
            "SourceUser": source.session.user,
            "TargetUser": target.session.user,
        }
        self._sysmon(time, 10, data)

    def writes(self, time: datetime, process: Process, path: str) -> None:
        """Record that a file was created (Sysmon 11)."""
        data = {"TargetFilename": path, "CreationUtcTime": _stamp(time), "User": process.session.user}
        self._sysmon(time, 11, _of(process) | data)

    def sets(self, time: datetime, process: Process, key: str, value: str) -> None:
        """Record that a registry value was set (Sysmon 13)."""
        self._sysmon(
            time, 13, _of(process) | {"TargetObject": key, "Details": value, "User": process.session.user}
        )

    def asks(self, time: datetime, process: Process, name: str, address: str) -> None:
        """Record a question to the name server (Sysmon 22)."""
        data = {"QueryName": name, "QueryStatus": "0", "QueryResults": f"::ffff:{address};"}
        self._sysmon(time, 22, _of(process) | data | {"User": process.session.user})

    def script(self, time: datetime, process: Process, text: str, path: str = "") -> None:
        """Record a script block (PowerShell 4104)."""
        data = {
            "MessageNumber": "1",
            "MessageTotal": "1",
            "ScriptBlockText": text,
            "ScriptBlockId": "-".join(self.chance.hex(digits) for digits in (8, 4, 4, 4, 12)),
            "Path": path,
        }
        session = process.session
        self.log(time, "PowerShell", 4104, data, task=2, sid=session.sid, level=5, process=process.number)

    def numbered(self) -> list[Event]:
        """Return all events in the order of time, with a record number for each channel."""
        last: dict[str, int] = {}
        self.events.sort(key=lambda event: event.time)
        for event in self.events:
            first = 1000 + self.machine % 90_000 + 7 * len(event.channel)
            event.record = last[event.channel] = last.get(event.channel, first) + 1
        return self.events


def _of(process: Process) -> dict[str, str]:
    return {"ProcessGuid": process.guid, "ProcessId": str(process.number), "Image": process.image}


def _audited(child: Process, parent: Process) -> dict[str, str]:
    label = {"System": "S-1-16-16384", "High": "S-1-16-12288", "Medium": "S-1-16-8192"}[child.integrity]
    session = child.session
    return {
        "SubjectUserSid": session.sid,
        "SubjectUserName": session.account,
        "SubjectDomainName": session.domain,
        "SubjectLogonId": hex(session.logon_id),
        "NewProcessId": hex(child.number),
        "NewProcessName": child.image,
        "TokenElevationType": "%%1936",
        "ProcessId": hex(parent.number),
        "CommandLine": child.command,
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": "-",
        "TargetDomainName": "-",
        "TargetLogonId": "0x0",
        "ParentProcessName": parent.image,
        "MandatoryLabel": label,
    }


def session_of(person: Person, logon_id: int, terminal: int = 0) -> Session:
    """Return a logon session of a person."""
    return Session(person.user, person.sid, logon_id, terminal)
