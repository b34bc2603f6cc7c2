r"""Who and what a finding is about: the process, user, addresses, file and registry key of its event.

Origins name the same thing differently (``Image``, ``NewProcessName``, ``exe``). Outputs that speak the
language of others (OCSF, STIX, CEF) ask here, so that all of them see the same things in an event.

Rules:

- Of several names for one thing, the first that is present counts.
- An address is one that is an IP address; a placeholder such as ``-`` or ``::ffff:-`` is none.
- ``DOMAIN\user`` is taken apart.

Values come from logs and are untrusted; nothing here raises for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["THING_FIELDS", "Entities", "base_name", "entities"]

_NAMES = {
    "process": ("Image", "NewProcessName", "ProcessName", "Application", "exe", "process.executable"),
    "command_line": ("CommandLine", "ProcessCommandLine", "proctitle", "process.command_line"),
    "pid": ("NewProcessId", "ProcessId", "ProcessID", "pid", "process.pid"),
    "process_uid": ("ProcessGuid", "process.entity_id"),
    "parent_process": ("ParentImage", "ParentProcessName", "process.parent.executable"),
    "parent_command_line": ("ParentCommandLine", "process.parent.command_line"),
    "parent_pid": ("ParentProcessId", "ppid", "process.parent.pid"),
    "user": ("User", "TargetUserName", "SubjectUserName", "AccountName", "UID", "acct", "user", "user.name"),
    "user_domain": ("TargetDomainName", "SubjectDomainName", "user.domain"),
    "source_ip": ("SourceIp", "IpAddress", "SourceAddress", "id.orig_h", "src_ip", "c-ip", "addr"),
    "source_port": ("SourcePort", "IpPort", "id.orig_p", "src_port"),
    "destination_ip": ("DestinationIp", "DestAddress", "id.resp_h", "dst_ip", "dest_ip"),
    "destination_port": ("DestinationPort", "DestPort", "id.resp_p", "dst_port", "dest_port"),
    "destination_host": ("DestinationHostname", "host", "cs-host", "QueryName", "query"),
    "protocol": ("Protocol", "proto"),
    "url": ("url", "cs-uri", "c-uri"),
    "file": ("TargetFilename", "FileName", "file.path"),
    "registry_key": ("TargetObject", "ObjectName", "registry.path"),
    "script": ("ScriptBlockText",),
    "hashes": ("Hashes", "Hash"),
}
_PLACES: dict[str, list[tuple[str, int]]] = {}
"""Name of a field to the things that it may name, each with the name's place among that thing's names."""
for _thing, _names in _NAMES.items():
    for _rank, _name in enumerate(_names):
        _PLACES.setdefault(_name, []).append((_thing, _rank))
THING_FIELDS = tuple(_PLACES)
"""Fields of events that name a thing."""
_HASH = re.compile(
    r"(?:([A-Za-z0-9-]{1,20})=)?(?<![0-9A-Fa-f])"
    r"([0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})(?![0-9A-Fa-f])"
)
_HASH_NAMES = frozenset({"", "MD5", "SHA1", "SHA-1", "SHA256", "SHA-256"})
"""What may stand before the digits; the IMPHASH of Sysmon is as long as an MD5, and is none."""
_ALGORITHMS = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
_LONGEST_HASHES = 4096
_HIVES = ("HKLM", "HKU", "HKCU", "HKCR", "HKEY_", "\\REGISTRY")


@dataclass(frozen=True, slots=True)
class Entities:
    """The things in one event; "" (0 for numbers) where it does not speak of them."""

    process: str = ""
    command_line: str = ""
    pid: int = 0
    process_uid: str = ""
    parent_process: str = ""
    parent_command_line: str = ""
    parent_pid: int = 0
    user: str = ""
    user_domain: str = ""
    source_ip: str = ""
    source_port: int = 0
    destination_ip: str = ""
    destination_port: int = 0
    destination_host: str = ""
    protocol: str = ""
    url: str = ""
    file: str = ""
    registry_key: str = ""
    script: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    """Algorithm (MD5, SHA-1, SHA-256) and hex digits."""


def entities(event: Mapping[str, Any]) -> Entities:
    """Return what an event, or the part of it that a finding carries, speaks of."""
    found: dict[str, Any] = {thing: text for thing, (_, text) in _ranked(event).items()}
    if "NewProcessId" in event and "ProcessId" in event:
        # In Security 4688, ProcessId is that of the process which started the new one.
        found.setdefault("parent_pid", _text(event["ProcessId"]))
    for thing, bits in (("pid", 32), ("parent_pid", 32), ("source_port", 16), ("destination_port", 16)):
        if thing in found:
            found[thing] = _number(found[thing], bits)
    for thing in ("source_ip", "destination_ip"):
        if thing in found:
            found[thing] = _address(found[thing])
    user = found.get("user", "")
    if "\\" in user:
        found["user_domain"], _, found["user"] = user.partition("\\")
    if not found.get("registry_key", "").upper().startswith(_HIVES):
        found.pop("registry_key", None)
    if "hashes" in found:
        found["hashes"] = _hashes(found["hashes"])
    return Entities(**found)


def _ranked(event: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Return for each thing the rank and the value of the first of its names that is present."""
    ranked: dict[str, tuple[int, str]] = {}
    for name, value in event.items():
        places = _PLACES.get(name)
        text = _text(value) if places else ""
        if text:
            for thing, rank in places or ():
                if thing not in ranked or rank < ranked[thing][0]:
                    ranked[thing] = rank, text
    return ranked


def base_name(path: str) -> str:
    """Return the last part of a Windows or Unix path."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or path


def _text(value: Any) -> str:
    """Return a value as text, "" where it is a placeholder or no scalar; of a list, its first element."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return "" if value == "-" else value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -(10**20) < value < 10**20 else ""
    return ""


def _number(text: str, bits: int) -> int:
    """Read a decimal or 0x number of at most so many bits; 0 where it is none."""
    try:
        number = int(text, 16 if text[:2].lower() == "0x" else 10) if len(text) <= 12 else 0
    except ValueError:
        return 0
    return number if 0 < number < 1 << bits else 0


def _address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    # A zone ("fe80::1%eth0") says which interface, which nobody elsewhere has.
    return str(mapped or address).partition("%")[0]


def _hashes(text: str) -> tuple[tuple[str, str], ...]:
    named = _HASH.findall(text[:_LONGEST_HASHES])
    found = {_ALGORITHMS[len(digits)]: digits for name, digits in named if name.upper() in _HASH_NAMES}
    return tuple(sorted(found.items()))
