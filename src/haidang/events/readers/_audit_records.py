"""One line of the Linux audit log to the fields of one record.

Rules of this module:

- A value is what stands between quotes, or up to the next blank; the keys inside the ``msg='…'`` of user
  records stand beside the others.
- The kernel writes text that holds blanks, quotes or control characters as upper-case hex digits without
  quotes. That is undone for the fields in which the kernel and auditd do it (``ENCODED`` and the
  arguments of EXECVE), and for no other: ``a0`` of a SYSCALL is a number, not text.
- Enriched logs put 0x1D before the names that auditd looked up (``UID="root"``); where a tool dropped
  that byte the names are found all the same.

Input is untrusted; each pattern runs in linear time.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers._syscalls import syscall_name

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = [
    "ENCODED",
    "add_parts",
    "arguments",
    "parse_body",
    "record_type",
    "socket_address",
    "undo_hex",
]

LONGEST_REMEMBERED = 512
"""Characters of a record that is worth remembering; with the number of records it bounds the memory."""
# fmt: off
ENCODED = frozenset({
    "acct", "cgroup", "cmd", "comm", "cwd", "data", "device", "dir", "exe", "file", "grp", "key", "name",
    "new-chardev", "new-disk", "new-fs", "new_group", "ocomm", "old-chardev", "old-disk", "old-fs", "path",
    "proctitle", "profile", "root_dir", "sw", "vm", "watch",
})
# fmt: on
# What the most frequent records hold of ENCODED; all others are looked through.
_ENCODED_OF = {
    "SYSCALL": ("comm", "exe", "key"),
    "PATH": ("name",),
    "CWD": ("cwd",),
    "PROCTITLE": ("proctitle",),
    "SOCKADDR": (),
}
_PARTED = frozenset({"AVC", "USER_AVC", "SECCOMP", "SOCKADDR", "SYSCALL"})
# A name begins where no other does, or a long run of letters would be looked through from each of them.
_PAIR = expression(r"""(?<![\w\[\]-])([\w\[\]-]+)="?((?<=")[^"]*|[^\s"]*)""")
_HEX = expression(r"(?:[0-9A-F]{2})+\Z")
_ARGUMENT = expression(r"a\d+(?:\[\d+\])?\Z", re.ASCII)
_GLUED = expression(r"""(?<=[^\sA-Z])(?=(?:ARCH|SYSCALL|[A-Z]{0,2}[UG]ID|ID|SADDR)=)""")
_AVC = expression(r"avc:\s{1,8}(\w{1,32})\s{1,8}\{ ([^}]{0,1024})\} for")
_NUMBERED = expression(r"(?:UNKNOWN\[)?(\d{4})\]?\Z", re.ASCII)
# The numbers of linux/audit.h: kernels that speak through syslog, and old daemons, write no names.
# fmt: off
_TYPES = {
    1006: "LOGIN", 1100: "USER_AUTH", 1101: "USER_ACCT", 1102: "USER_MGMT", 1103: "CRED_ACQ",
    1104: "CRED_DISP", 1105: "USER_START", 1106: "USER_END", 1107: "USER_AVC", 1108: "USER_CHAUTHTOK",
    1109: "USER_ERR", 1110: "CRED_REFR", 1111: "USYS_CONFIG", 1112: "USER_LOGIN", 1113: "USER_LOGOUT",
    1114: "ADD_USER", 1115: "DEL_USER", 1116: "ADD_GROUP", 1117: "DEL_GROUP", 1123: "USER_CMD",
    1124: "USER_TTY", 1127: "SYSTEM_BOOT", 1128: "SYSTEM_SHUTDOWN", 1129: "SYSTEM_RUNLEVEL",
    1130: "SERVICE_START", 1131: "SERVICE_STOP", 1200: "DAEMON_START", 1201: "DAEMON_END",
    1202: "DAEMON_ABORT", 1203: "DAEMON_CONFIG", 1300: "SYSCALL", 1302: "PATH", 1303: "IPC",
    1304: "SOCKETCALL", 1305: "CONFIG_CHANGE", 1306: "SOCKADDR", 1307: "CWD", 1309: "EXECVE",
    1311: "IPC_SET_PERM", 1312: "MQ_OPEN", 1313: "MQ_SENDRECV", 1314: "MQ_NOTIFY", 1315: "MQ_GETSETATTR",
    1316: "KERNEL_OTHER", 1317: "FD_PAIR", 1318: "OBJ_PID", 1319: "TTY", 1320: "EOE", 1321: "BPRM_FCAPS",
    1322: "CAPSET", 1323: "MMAP", 1324: "NETFILTER_PKT", 1325: "NETFILTER_CFG", 1326: "SECCOMP",
    1327: "PROCTITLE", 1328: "FEATURE_CHANGE", 1329: "REPLACE", 1330: "KERN_MODULE", 1331: "FANOTIFY",
    1334: "BPF", 1335: "EVENT_LISTENER", 1336: "URINGOP", 1337: "OPENAT2", 1400: "AVC",
    1401: "SELINUX_ERR", 1402: "AVC_PATH", 1403: "MAC_POLICY_LOAD", 1404: "MAC_STATUS",
    1405: "MAC_CONFIG_CHANGE", 1700: "ANOM_PROMISCUOUS", 1701: "ANOM_ABEND", 1702: "ANOM_LINK",
}
# fmt: on
_FAMILIES = {1: "local", 2: "inet", 10: "inet6", 16: "netlink", 17: "packet", 38: "alg", 40: "vsock"}


def record_type(written: str) -> str:
    """Return a record's type by its name: ``1327`` and ``UNKNOWN[1327]`` are PROCTITLE."""
    match = _NUMBERED.match(written)
    return _TYPES.get(int(match[1]), written) if match else written


def parse_body(kind: str, body: str) -> Fields:
    """Return the fields of one record, from what comes after ``msg=audit(…): ``; they are not to be changed.

    Paths, folders and command lines repeat themselves, so the last of them are remembered.
    """
    if kind != "SYSCALL" and len(body) < LONGEST_REMEMBERED and "[" not in body:
        return _remembered(kind, body)
    return _parse(kind, body)


def _parse(kind: str, body: str) -> Fields:
    if "msg='" in body:
        before, _, inner = body.partition("msg='")
        inner, _, after = inner.rpartition("'") if "'" in inner else (inner, "", "")
        body = f"{before}{inner} {after}"
    if "UID=" in body and "\x1d" not in body:
        body = _GLUED.sub(" ", body)
    fields: Fields = {"type": kind}
    if kind == "PROCTITLE" and body.startswith("proctitle=") and body[10:11] != '"':
        # Interpreted logs (ausearch -i) write the command line as it is, blanks and all.
        fields["proctitle"] = body[10:].strip()
    else:
        _add_pairs(fields, body)
        fields.pop("", None)
        fields["type"] = kind
    if kind == "EXECVE":
        _undo_arguments(fields, body)
        return fields
    names = _ENCODED_OF.get(kind)
    for name in fields.keys() & ENCODED if names is None else names:
        value = fields.get(name)
        if value and value[0] not in "/(" and _HEX.match(value) and f"{name}={value}" in body:
            fields[name] = undo_hex(value)
    if kind in _PARTED:
        add_parts(kind, fields, body)
    return fields


_remembered = lru_cache(maxsize=4096)(_parse)


def undo_hex(digits: str) -> str:
    """Return the text behind hex digits; what separates the arguments of a command line becomes a blank."""
    return bytes.fromhex(digits).rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")


def arguments(records: list[Fields]) -> dict[str, str]:
    """Return the arguments of the EXECVE records of one event, each joined where it was cut in chunks."""
    parts: dict[str, str] = {}
    cut = False
    for fields in records:
        if fields["type"] == "EXECVE":
            for name in [name for name in fields if _ARGUMENT.match(name)]:
                if "[" in name:
                    cut = True
                    whole = name.partition("[")[0]
                    parts[whole] = parts.get(whole, "") + fields.pop(name)
                    fields.pop(f"{whole}_len", None)
                else:
                    parts[name] = fields[name]
    if cut:
        # A character may have been cut in two: its bytes come together only now.
        parts = {name: _rejoin(text) for name, text in parts.items()}
    return parts


def _add_pairs(fields: Fields, body: str) -> None:
    """Add what stands on both sides of each ``=``; ``split`` is quick and fits nearly all records."""
    parts = body.split('"')
    if len(parts) % 2 and " " not in "".join(parts[1::2]):
        try:
            fields.update([pair.split("=", 1) for pair in "".join(parts).split()])  # type: ignore[misc]
        except ValueError:
            # Some word has no ``=``: read it again with care, over what is there already.
            fields.update(_PAIR.findall(body))
    else:
        fields.update(_PAIR.findall(body))


def _undo_arguments(fields: Fields, body: str) -> None:
    for name, value in fields.items():
        if name[:1] == "a" and _HEX.match(value) and f"{name}={value}" in body and name != "argc":
            fields[name] = (
                bytes.fromhex(value).decode("utf-8", "surrogateescape") if "[" in name else undo_hex(value)
            )


def _rejoin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def add_parts(kind: str, fields: Fields, body: str) -> None:
    """Add what auditd's own tools make of calls, addresses and SELinux decisions, by the same names."""
    if kind in {"SYSCALL", "SECCOMP"}:
        number = fields.get("syscall", "")
        # Interpreted logs (ausearch -i) have the name in the place of the number.
        name = syscall_name(fields.get("arch", ""), number) if number.isdecimal() else number
        if name:
            fields.setdefault("SYSCALL", name)
    elif kind == "SOCKADDR":
        fields.pop("SADDR", None)
        if "saddr_fam" not in fields:
            fields.update(socket_address(fields.get("saddr", "")))
    elif match := _AVC.search(body):
        fields["seresult"] = match[1]
        fields["seperms"] = match[2].strip()


def socket_address(digits: str) -> dict[str, str]:
    """Return the parts of a socket address (struct sockaddr, as hex digits), {} where it is none."""
    if len(digits) < 4 or not _HEX.match(digits):
        return {}
    data = bytes.fromhex(digits)
    family = int.from_bytes(data[:2], "little")
    parts = {"saddr_fam": _FAMILIES.get(family, str(family))}
    if family == 1:
        parts["path"] = data[2:].strip(b"\0").partition(b"\0")[0].decode("utf-8", "replace")
    elif family == 2 and len(data) >= 8:
        parts["laddr"] = str(ipaddress.IPv4Address(data[4:8]))
        parts["lport"] = str(int.from_bytes(data[2:4], "big"))
    elif family == 10 and len(data) >= 24:
        parts["laddr"] = str(ipaddress.IPv6Address(data[8:24]))
        parts["lport"] = str(int.from_bytes(data[2:4], "big"))
    return parts
