"""The Security events around logons and shares, recorded on the host that is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.making.windows import Session, WindowsHost

if TYPE_CHECKING:
    from datetime import datetime

    from samples.making.cast import Person

__all__ = ["clears_log", "fails", "installs_service", "leaves", "logs_on", "opens_share", "writes_to_share"]

_SUCCESS = "0x8020000000000000"
_FAILURE = "0x8010000000000000"
_NOBODY = {
    "SubjectUserSid": "S-1-0-0",
    "SubjectUserName": "-",
    "SubjectDomainName": "-",
    "SubjectLogonId": "0x0",
}


def logs_on(
    recorder: WindowsHost,
    time: datetime,
    person: Person,
    address: str,
    *,
    kind: int = 3,
    station: str = "-",
    privileged: bool = False,
) -> Session:
    """Record 4624, and 4672 for an administrator; return the session."""
    session = Session(
        person.user, person.sid, recorder.chance.whole(0x200000, 0xFFFFFF), 1 if kind == 2 else 0
    )
    data = _NOBODY | {
        "TargetUserSid": person.sid,
        "TargetUserName": person.account,
        "TargetDomainName": "HAIVAN",
        "TargetLogonId": hex(session.logon_id),
        "LogonType": str(kind),
        "LogonProcessName": "NtLmSsp " if kind == 3 else "User32 ",
        "AuthenticationPackageName": "NTLM" if kind == 3 else "Negotiate",
        "WorkstationName": station,
        "LogonGuid": "{00000000-0000-0000-0000-000000000000}",
        "LmPackageName": "NTLM V2" if kind == 3 else "-",
        "KeyLength": "128" if kind == 3 else "0",
        "ProcessId": "0x0",
        "ProcessName": "-",
        "IpAddress": address,
        "IpPort": str(recorder.chance.whole(49700, 65200)) if address != "-" else "-",
        "ElevatedToken": "%%1842" if privileged else "%%1843",
    }
    recorder.log(time, "Security", 4624, data, task=12544, keywords=_SUCCESS, process=704)
    if privileged:
        rights = (
            "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\tSeDebugPrivilege"
        )
        data = _subject(session) | {"PrivilegeList": rights}
        recorder.log(time, "Security", 4672, data, task=12548, keywords=_SUCCESS, process=704)
    return session


def fails(recorder: WindowsHost, time: datetime, account: str, address: str, station: str) -> None:
    """Record 4625: a wrong password over the network."""
    data = _NOBODY | {
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": account,
        "TargetDomainName": "HAIVAN",
        "Status": "0xc000006d",
        "FailureReason": "%%2313",
        "SubStatus": "0xc000006a",
        "LogonType": "3",
        "LogonProcessName": "NtLmSsp ",
        "AuthenticationPackageName": "NTLM",
        "WorkstationName": station,
        "LmPackageName": "-",
        "KeyLength": "0",
        "ProcessId": "0x0",
        "ProcessName": "-",
        "IpAddress": address,
        "IpPort": str(recorder.chance.whole(49700, 65200)),
    }
    recorder.log(time, "Security", 4625, data, task=12544, keywords=_FAILURE, level=0, process=704)


def leaves(recorder: WindowsHost, time: datetime, session: Session, kind: int = 3) -> None:
    """Record 4634: the session ended."""
    data = {
        "TargetUserSid": session.sid,
        "TargetUserName": session.account,
        "TargetDomainName": session.domain,
        "TargetLogonId": hex(session.logon_id),
        "LogonType": str(kind),
    }
    recorder.log(time, "Security", 4634, data, task=12545, keywords=_SUCCESS, process=704)


def opens_share(recorder: WindowsHost, time: datetime, session: Session, address: str, share: str) -> None:
    """Record 5140: a share was reached."""
    data = (
        _subject(session)
        | _reached(recorder, address, share)
        | {"AccessMask": "0x1", "AccessList": "%%4416\n\t\t\t\t"}
    )
    recorder.log(time, "Security", 5140, data, task=12808, keywords=_SUCCESS)


def writes_to_share(
    recorder: WindowsHost, time: datetime, session: Session, address: str, share: str, name: str
) -> None:
    """Record 5145: a file on a share was opened for writing."""
    data = (
        _subject(session)
        | _reached(recorder, address, share)
        | {
            "RelativeTargetName": name,
            "AccessMask": "0x17019f",
            "AccessList": "%%1537\n\t\t\t\t%%1538\n\t\t\t\t%%4416\n\t\t\t\t%%4417\n\t\t\t\t%%4418\n\t\t\t\t",
            "AccessReason": "-",
        }
    )
    recorder.log(time, "Security", 5145, data, task=12811, keywords=_SUCCESS)


def installs_service(
    recorder: WindowsHost, time: datetime, name: str, path: str, sid: str = "S-1-5-18"
) -> None:
    """Record 7045: a service was installed."""
    data = {
        "ServiceName": name,
        "ImagePath": path,
        "ServiceType": "user mode service",
        "StartType": "demand start",
        "AccountName": "LocalSystem",
    }
    recorder.log(time, "Services", 7045, data, sid=sid, keywords="0x8080000000000000", process=672)


def clears_log(recorder: WindowsHost, time: datetime, session: Session) -> None:
    """Record 1102: the Security log was emptied; its fields are below UserData."""
    recorder.log(
        time,
        "Eventlog",
        1102,
        _subject(session),
        task=104,
        keywords="0x4020000000000000",
        under="LogFileCleared",
    )


def _subject(session: Session) -> dict[str, str]:
    return {
        "SubjectUserSid": session.sid,
        "SubjectUserName": session.account,
        "SubjectDomainName": session.domain,
        "SubjectLogonId": hex(session.logon_id),
    }


def _reached(recorder: WindowsHost, address: str, share: str) -> dict[str, str]:
    local = {"SYSVOL": "\\??\\C:\\Windows\\SYSVOL\\sysvol", "ADMIN$": "\\??\\C:\\Windows"}.get(
        share, f"\\??\\D:\\{share}"
    )
    return {
        "ObjectType": "File",
        "IpAddress": address,
        "IpPort": str(recorder.chance.whole(49700, 65200)),
        "ShareName": f"\\\\*\\{share}",
        "ShareLocalPath": local,
    }
