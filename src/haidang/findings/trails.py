r"""What an event tells beside its rule: who acted, in which process, and who came from where.

Rules:

- ``about`` reads one event: the users that it names, the process that acted, the process that it says was
  started, and the move from one host to another that it tells of. What an event does not say is not guessed.
- Process starts are Sysmon 1 (of Linux as well), Security 4688, execve of the Linux audit log, and what ECS
  and OCSF call the start of one. Moves are
  logons over the network and by remote desktop (4624 types 3 and 10; 4778; 21, 25 and 1149 of Terminal
  Services), logons with other credentials (4648), shares that were opened (5140, 5145, Zeek), remote
  management (WinRM 6, DCE/RPC seen by Zeek), connections to ports of administration (Sysmon 3), what sshd
  accepted and the audit log says of it, and what :mod:`haidang.findings.arrivals` knows of VPNs, devices and
  clouds. Logons of machine accounts and anonymous ones are left out.
- A process goes by its GUID, where there is one, else by its number: ``#4711``, good for one host and time.
- ``Trails`` gathers this over a run within ``Limits.trail_starts`` and ``trail_moves``. When there is too
  much, what is related to findings stays, then what is latest; what went is counted.

Events are untrusted: their texts are cut to ``Limits.trail_chars``, and anything may be missing or absurd.

Example::

    told = about("windows", {"EventID": 4624, "LogonType": 3, …}, host="DC01", time=1_700_000_000_000)
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.semantics import lookup
from haidang.findings.arrivals import ARRIVALS, arrival
from haidang.findings.schemas import SCHEMAS, process_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ADMIN_PORTS", "WINDOWS_IDS", "About", "Move", "Start", "about"]


class Start(NamedTuple):
    """A process that was started; "" for what the event does not say."""

    host: str
    time: int | None
    """Milliseconds since 1970."""
    guid: str
    pid: str
    parent_guid: str
    parent_pid: str
    image: str
    command: str
    user: str
    parent_image: str
    parent_command: str


class Move(NamedTuple):
    """Somebody on one host reached another."""

    source: str
    target: str
    kind: str
    """network, desktop, credentials, share, service, task, remote, ssh, or a kind of an arrival: vpn,
    console, sign-in, role, command, web, probe."""
    user: str
    time: int | None


class About(NamedTuple):
    """What one event tells."""

    users: tuple[str, ...] = ()
    process: str = ""
    """The process that acted: its GUID, or ``#`` and its number."""
    start: Start | None = None
    move: Move | None = None
    address: tuple[str, str] | None = None
    """An address, and whose it is as the event says: a host's, or that of a client with another one."""


WINDOWS_IDS = frozenset({"1", "3", "6", "21", "25", "1149", "4624", "4648", "4688", "4778", "5140", "5145"})
"""Event ids of Windows that tell of starts and moves."""
ADMIN_PORTS = {
    "22": "ssh",
    "135": "service",
    "139": "share",
    "445": "share",
    "3389": "desktop",
    "5985": "remote",
    "5986": "remote",
}
"""Port to the kind of move that a connection to it is."""

_NOBODY = frozenset({"", "-", "n/a", "anonymous logon", "none", "(unknown user)", "unset", "4294967295"})
_HERE = frozenset({"", "-", "::1", "127.0.0.1", "localhost", "::", "0.0.0.0", "local"})  # noqa: S104
_USER_FIELDS = (
    "User", "SourceUser", "user", "username", "userName", "user.name", "UserName", "UserId",
    "userPrincipalName", "properties.userPrincipalName", "userIdentity.userName", "userIdentity.arn",
    "actor.user.name", "actor.process.user.name",
    "cs-username", "actor.alternateId", "actor", "src_user", "acct", "suser", "duser", "AccountName",
)  # fmt: skip
_EXEC_CALLS = frozenset({"execve", "execveat"})
_PIPES = {
    "svcctl": "service",
    "atsvc": "task",
    "itaskschedulerservice": "task",
    "iwbemservices": "remote",
    "winreg": "remote",
}
_ADDRESS = re.compile(r"[\d.]+|[\da-fA-F:]*:[\da-fA-F:.%]*")
_CONNECTION = re.compile(r"(?:https?://)?([^/:?\s]{1,255})")
_SSH = re.compile(r"(Accepted|Failed) \S{1,40} for (?:invalid user )?(\S{1,200}) from (\S{1,100})")


def about(origin: str, event: dict[str, Any], *, host: str, time: int | None, longest: int = 500) -> About:
    """Return what ``event`` tells; ``longest`` is the most characters of one of its texts that are kept."""

    def get(*names: str) -> str:
        for name in names:
            value = lookup(event, name)
            if isinstance(value, list):
                value = value[0] if value else None
            if value is not None and not isinstance(value, dict):
                return str(value)[:longest]
        return ""

    reader = _READERS.get(origin)
    if reader is not None:
        return reader(get, host, time)
    if origin in SCHEMAS:
        return _in_schema(origin, get, host, time)
    if origin in ARRIVALS:
        return _arrived(origin, get, host, time)
    return _windows(get, host, time) if "EventID" in event else About(_generic_users(get))


def _windows(get: Callable[..., str], host: str, time: int | None) -> About:
    number = get("EventID")
    subject = _account(get("SubjectDomainName"), get("SubjectUserName"))
    target = _account(get("TargetDomainName"), get("TargetUserName"))
    users = _distinct(get("User"), get("SourceUser"), subject, target, get("TargetUser"))
    sysmon = "sysmon" in (get("Channel") + get("Provider_Name")).lower() or bool(get("ProcessGuid"))
    start = None
    if number == "1" and sysmon:
        start = Start(
            host, time, _guid(get("ProcessGuid")), _pid(get("ProcessId")), _guid(get("ParentProcessGuid")),
            _pid(get("ParentProcessId")), get("Image"), get("CommandLine"), get("User"),
            get("ParentImage"), get("ParentCommandLine"),
        )  # fmt: skip
    elif number == "4688":
        start = Start(
            host, time, "", _pid(get("NewProcessId")), "", _pid(get("ProcessId")),
            get("NewProcessName", "Image"), get("CommandLine"), subject or target,
            get("ParentProcessName", "ParentImage"), "",
        )  # fmt: skip
    move = _windows_move(number, get, host, time, target or subject if number != "4624" else target)
    process = _windows_process(number, get, sysmon=sysmon)
    return About(users, process, start, move, _windows_address(number, get, host))


def _windows_address(number: str, get: Callable[..., str], host: str) -> tuple[str, str] | None:
    """Return an address whose owner the event tells: its own, or that of a machine account that logged on."""
    if number == "3" and get("Initiated").lower() == "true" and _place(get("SourceIp")):
        return _place(get("SourceIp")), host
    machine = get("TargetUserName")
    if number == "4624" and get("LogonType") == "3" and machine.endswith("$") and _place(get("IpAddress")):
        return _place(get("IpAddress")), machine[:-1]
    return None


def _windows_process(number: str, get: Callable[..., str], *, sysmon: bool) -> str:
    guid = _guid(get("ProcessGuid", "SourceProcessGUID", "SourceProcessGuid"))
    if guid:
        return guid
    if number == "4688":
        return _numbered(get("NewProcessId"))
    if "powershell" in get("Channel").lower():
        return _numbered(get("Execution_ProcessID"))
    return _numbered(get("ProcessId", "SourceProcessId") if sysmon or number.startswith("46") else "")


def _windows_move(
    number: str, get: Callable[..., str], host: str, time: int | None, user: str
) -> Move | None:
    if number == "4624" and user and get("LogonType") in {"3", "10"}:
        kind = "desktop" if get("LogonType") == "10" else "network"
        source = _place(get("IpAddress")) or _place(get("WorkstationName"))
        return _moved(source, host, kind, user, time)
    if number == "4648":
        target = _place(get("TargetServerName"))
        return _moved(host, target, "credentials", user, time)
    if number in {"5140", "5145"}:
        if get("ShareName").rstrip("\\").upper().endswith("IPC$"):
            return None
        return _moved(_place(get("IpAddress")), host, "share", user, time)
    if number == "3" and get("DestinationPort") in ADMIN_PORTS and get("Initiated").lower() == "true":
        # A name from reverse look-up is often nobody's; the address can be learned from other events.
        target = _place(get("DestinationIp")) or _place(get("DestinationHostname"))
        return _moved(host, target, ADMIN_PORTS[get("DestinationPort")], get("User"), time)
    return _windows_remote(number, get, host, time)


def _windows_remote(number: str, get: Callable[..., str], host: str, time: int | None) -> Move | None:
    """Return what Terminal Services and Windows Remote Management tell of."""
    channel = get("Channel")
    if number in {"21", "25", "1149"}:
        if "TerminalServices" not in channel:
            return None
        # 1149 names its parameters by number: user, domain, address.
        source = _place(get("Address", "Param3", "ClientAddress"))
        user = get("User") or _account(get("Param2"), get("Param1"))
        return _moved(source, host, "desktop", user, time)
    if number == "6":
        # "connection" is the address that was asked for: host/wsman?PSVersion=5.1.
        named = _CONNECTION.match(get("connection")) if "WinRM" in channel else None
        return _moved(host, _place(named[1]), "remote", get("User"), time) if named else None
    if number == "4778":
        source = _place(get("ClientAddress")) or _place(get("ClientName"))
        user = _account(get("AccountDomain"), get("AccountName"))
        return _moved(source, host, "desktop", user, time)
    return None


def _auditd(get: Callable[..., str], host: str, time: int | None) -> About:
    login = get("AUID") or _named_id(get("auid"))
    acting = get("UID", "acct") or _named_id(get("uid"))
    users = _distinct(login, acting) or _generic_users(get)
    pid = _pid(get("pid"))
    start = None
    if get("SYSCALL") in _EXEC_CALLS and get("success") != "no":
        start = Start(
            host, time, "", pid, "", _pid(get("ppid")), get("exe"), get("CommandLine", "proctitle"),
            next(iter(users), ""), "", "",
        )  # fmt: skip
    move = None
    if get("type") == "USER_LOGIN" and get("res", "result") in {"success", "1"}:
        user = get("ID", "acct") or _named_id(get("id")) or login
        move = _moved(_place(get("addr")), host, "ssh", user, time)
    return About(users, f"#{pid}" if pid else "", start, move)


def _named_id(number: str) -> str:
    if number.lower() in _NOBODY or number == "-1":
        return ""
    return "root" if number == "0" else f"uid {number}"


def _syslog(get: Callable[..., str], host: str, time: int | None) -> About:
    if get("program") not in {"sshd", "sshd-session"}:
        return _arrived("syslog", get, host, time)
    found = _SSH.search(get("message"))
    if found is None:
        return About(_generic_users(get))
    said, user, source = found.groups()
    move = _moved(_place(source), host, "ssh", user, time) if said == "Accepted" else None
    return About(_distinct(user), "", None, move)


def _in_schema(origin: str, get: Callable[..., str], host: str, time: int | None) -> About:
    """Return what an event in one of the schemas tells: of a process, or of an arrival."""
    told = _arrived(origin, get, host, time)
    found = process_of(origin, get)
    pid = _pid(found.pid)
    start = None
    if pid and found.starts:
        user = next(iter(told.users), "")
        start = Start(
            host, time, "", pid, "", _pid(found.parent_pid), found.image, found.command, user,
            found.parent_image, found.parent_command,
        )  # fmt: skip
    return told._replace(process=f"#{pid}" if pid else "", start=start)


def _arrived(origin: str, get: Callable[..., str], host: str, time: int | None) -> About:
    """Return what is said of an arrival: the move, and the address that the client was given."""
    found = arrival(origin, get, host)
    users = _generic_users(get)
    if found is None:
        return About(users)
    source = _place(found.source)
    move = _moved(source, _place(found.target), found.kind, found.user, time) if found.kind else None
    given = _place(found.given)
    return About(
        _distinct(found.user) or users, "", None, move, (given, source) if given and source else None
    )


def _zeek(get: Callable[..., str], host: str, time: int | None) -> About:
    source, target = get("id.orig_h", "id_orig_h", "src") or host, get("id.resp_h", "id_resp_h", "dst")
    log = get("_path")
    kind = ""
    if log.startswith("smb_"):
        share = get("path").rstrip("\\").upper()
        kind = "" if share.endswith("IPC$") else "share"
    elif get("endpoint"):
        kind = _PIPES.get(get("endpoint").lower(), "")
    elif log == "rdp":
        kind = "desktop"
    elif log == "ssh" and get("auth_success").lower() in {"true", "t"}:
        kind = "ssh"
    user = get("username", "user", "cookie") if kind else ""
    move = _moved(_place(source), _place(target), kind, user, time) if kind else None
    return About(_generic_users(get), "", None, move, _share_owner(get("path"), target))


def _share_owner(path: str, address: str) -> tuple[str, str] | None:
    r"""Return the address of the server that ``\\server\share`` names, unless it names an address itself."""
    server = path[2:].partition("\\")[0] if path.startswith("\\\\") else ""
    return (address, server) if address and server and not _ADDRESS.fullmatch(server) else None


_READERS = {"windows": _windows, "auditd": _auditd, "syslog": _syslog, "zeek": _zeek}


def _moved(source: str, target: str, kind: str, user: str, time: int | None) -> Move | None:
    if not source or not target or source.lower() == target.lower():
        return None
    if user.endswith("$") or user.lower().rpartition("\\")[2] in _NOBODY - {""}:
        return None
    return Move(source, target, kind, user, time)


def _generic_users(get: Callable[..., str]) -> tuple[str, ...]:
    return _distinct(get("User"), get("TargetUserName"), get("SubjectUserName"), get(*_USER_FIELDS))


def _distinct(*users: str) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for user in users:
        if user.rpartition("\\")[2].lower() not in _NOBODY:
            kept.setdefault(user.lower(), user)
    return tuple(kept.values())


def _account(domain: str, name: str) -> str:
    if name.lower() in _NOBODY:
        return ""
    return name if domain.lower() in _NOBODY or "@" in name else f"{domain}\\{name}"


def _guid(text: str) -> str:
    text = text.strip("{}").lower()
    return text if len(text) == 36 and text.strip("0-") else ""


def _pid(text: str) -> str:
    """Return a process number in decimal digits; "" for 0 and what is none."""
    text = text.strip().lower()
    try:
        number = int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        return ""
    return str(number) if 0 < number < 1 << 32 else ""


def _numbered(text: str) -> str:
    pid = _pid(text)
    return f"#{pid}" if pid else ""


def _place(text: str) -> str:
    """Return a host or an address; "" for one that means this host or none."""
    text = text.strip().lstrip("\\")
    if text.lower().startswith("::ffff:"):
        text = text[7:]
    elif ":" in text:
        # One address has many spellings: fe80:0:0:0:1 is fe80::1.
        with suppress(ValueError):
            text = str(ip_address(text.partition("%")[0]))
    return "" if text.lower() in _HERE else text
