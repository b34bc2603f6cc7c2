r"""The rendered message of an event of Windows' own logs to its fields, for exports that keep nothing else.

    A new process has been created.

    Creator Subject:
            Account Name:           lan
    Process Information:
            New Process Name:       C:\Windows\System32\whoami.exe

Rules of this module:

- A line that ends in a colon begins a section; ``Name: value`` in it is a field. What a name means depends on
  its section: the account of *Subject* did it, that of *New Logon* logged on.
- A line that is neither continues the value before it, for a command line may hold line ends. Of a name that
  comes twice in a section the first counts: nobody who chooses the end of a command line can undo it.
- Known are the messages in English of the events that rules ask for most: logons, accounts and groups,
  processes, services, tasks, shares, tickets, and PowerShell's script blocks.
- Input is untrusted; it takes linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["message_fields", "unfolded"]

_LINE = expression(r"([ \t]*)([A-Za-z][A-Za-z0-9 ()/\-]{0,48}):(?:[ \t]+(.*)|\Z)", re.ASCII | re.DOTALL)
_BLOCK = expression(r"Creating Scriptblock text \((\d+) of (\d+)\):\r?\n?(.*)\Z", re.DOTALL)
_BLOCK_END = expression(
    r"(.*?)\r?\n\r?\nScriptBlock ID: ([0-9a-fA-F-]+)\r?\nPath:[ ]?([^\r\n]*)\s*\Z", re.DOTALL
)
_FOLD = expression(
    r"(?<! ) {2,}+(?=[A-Z][A-Za-z0-9()/\-]{0,24}+(?: [A-Za-z0-9()/\-]{1,24}+){0,6}+:(?: |\Z))", re.ASCII
)
_PARAGRAPH = 4
"""Blanks in the place of two line ends; those of one and of a tab are three."""
_MOST = 200
"""Lines with a name that are looked at; the longest message has about sixty."""

_ACTOR = {
    "security id": "SubjectUserSid",
    "account name": "SubjectUserName",
    "account domain": "SubjectDomainName",
    "domain name": "SubjectDomainName",
    "logon id": "SubjectLogonId",
}
_TARGET = {
    "security id": "TargetUserSid",
    "account name": "TargetUserName",
    "account domain": "TargetDomainName",
    "logon id": "TargetLogonId",
    "logon guid": "LogonGuid",
}
_ACCOUNT = {**_TARGET, "security id": "TargetSid"}
_PROCESS = {
    "new process id": "NewProcessId",
    "new process name": "NewProcessName",
    "token elevation type": "TokenElevationType",
    "mandatory label": "MandatoryLabel",
    "creator process id": "ProcessId",
    "creator process name": "ParentProcessName",
    "process command line": "CommandLine",
    "process id": "ProcessId",
    "process name": "ProcessName",
    "caller process id": "ProcessId",
    "caller process name": "ProcessName",
}
_NETWORK = {
    "workstation name": "WorkstationName",
    "source network address": "IpAddress",
    "network address": "IpAddress",
    "client address": "IpAddress",
    "source address": "IpAddress",
    "source port": "IpPort",
    "client port": "IpPort",
    "port": "IpPort",
    "object type": "ObjectType",
}
_SECTIONS: dict[str, dict[str, str]] = {
    "subject": _ACTOR,
    "creator subject": _ACTOR,
    "target subject": _TARGET,
    "new logon": _TARGET,
    "account for which logon failed": _TARGET,
    "account whose credentials were used": _TARGET,
    "target account": _ACCOUNT,
    "new account": _ACCOUNT,
    "account that was locked out": _ACCOUNT,
    "group": {**_ACCOUNT, "group name": "TargetUserName", "group domain": "TargetDomainName"},
    "new group": {**_ACCOUNT, "group name": "TargetUserName", "group domain": "TargetDomainName"},
    "member": {"security id": "MemberSid", "account name": "MemberName"},
    "account information": {
        "account name": "TargetUserName",
        "account domain": "TargetDomainName",
        "supplied realm name": "TargetDomainName",
        "user id": "TargetSid",
        "security id": "TargetSid",
        "logon guid": "LogonGuid",
    },
    "logon information": {
        "logon type": "LogonType",
        "restricted admin mode": "RestrictedAdminMode",
        "elevated token": "ElevatedToken",
    },
    "process information": _PROCESS,
    "process": _PROCESS,
    "network information": _NETWORK,
    "target server": {"target server name": "TargetServerName", "additional information": "TargetInfo"},
    "failure information": {"failure reason": "FailureReason", "status": "Status", "sub status": "SubStatus"},
    "detailed authentication information": {
        "logon process": "LogonProcessName",
        "authentication package": "AuthenticationPackageName",
        "transited services": "TransmittedServices",
        "package name (ntlm only)": "LmPackageName",
        "key length": "KeyLength",
    },
    "service information": {
        "service name": "ServiceName",
        "service id": "ServiceSid",
        "service file name": "ServiceFileName",
        "service type": "ServiceType",
        "service start type": "ServiceStartType",
        "service account": "ServiceAccount",
    },
    "additional information": {
        "ticket options": "TicketOptions",
        "ticket encryption type": "TicketEncryptionType",
        "result code": "Status",
        "failure code": "Status",
        "pre-authentication type": "PreAuthType",
        "privileges": "PrivilegeList",
        "caller computer name": "TargetDomainName",
    },
    "share information": {
        "share name": "ShareName",
        "share path": "ShareLocalPath",
        "relative target name": "RelativeTargetName",
    },
    "access request information": {"access mask": "AccessMask", "accesses": "AccessList"},
    "object": {
        "object server": "ObjectServer",
        "object type": "ObjectType",
        "object name": "ObjectName",
        "handle id": "HandleId",
        "dn": "ObjectDN",
        "class": "ObjectClass",
    },
    "task information": {"task name": "TaskName", "task content": "TaskContent"},
    "audit policy change": {
        "category": "CategoryId",
        "subcategory": "SubcategoryId",
        "changes": "AuditPolicyChanges",
    },
}
_ALONE = {
    "logon type": "LogonType",
    "privileges": "PrivilegeList",
    "logon account": "TargetUserName",
    "source workstation": "Workstation",
    "error code": "Status",
    "authentication package": "PackageName",
    "service name": "ServiceName",
    "service file name": "ImagePath",
    "service type": "ServiceType",
    "service start type": "StartType",
    "service account": "AccountName",
}
"""What stands in no section."""


def message_fields(message: str) -> Fields:
    """Return the fields of a rendered message; none where it is none that is known."""
    block = _BLOCK.match(message.lstrip())
    if block is not None:
        return _script_block(block)
    fields: Fields = {}
    names: dict[str, str] = {}
    last = ""
    for line in message.split("\n")[:_MOST]:
        text = line.rstrip("\r")
        match = _LINE.match(text)
        if match is None:
            if last and text.strip():
                fields[last] = f"{fields[last]}\n{text}"
            elif not text.strip():
                last = ""
            continue
        indent, label, value = match[1], match[2].lower(), (match[3] or "").strip()
        if not value and not indent:
            names, last = _SECTIONS.get(label, {}), ""
            continue
        name = names.get(label) if indent else _ALONE.get(label)
        last = ""
        if name and name not in fields and (not name.endswith("Sid") or value.startswith("S-1-")):
            fields[name] = value
            last = name
    return fields


def unfolded(text: str) -> str:
    """Return a message of which each tab and line end was made a blank, with its lines again.

    A name that no value follows begins a section where it is one; others are of the section above, unless two
    line ends stood before.
    """
    lines: list[str] = []
    end = 0
    gap = _PARAGRAPH
    for match in _FOLD.finditer(text):
        lines.append(_line_of(text[end : match.start()], gap))
        end, gap = match.end(), match.end() - match.start()
    lines.append(_line_of(text[end:], gap))
    return "\n".join(lines)


def _line_of(text: str, gap: int) -> str:
    label, is_name, value = text.partition(":")
    begins = is_name and not value.strip() and label.lower() in _SECTIONS
    return f"\n{text.rstrip()}" if begins else text if gap >= _PARAGRAPH else f"\t{text}"


def _script_block(block: re.Match[str]) -> Fields:
    number, total, rest = block.groups()
    fields: Fields = {"MessageNumber": number, "MessageTotal": total, "ScriptBlockText": rest.rstrip()}
    end = _BLOCK_END.match(rest)
    if end is not None:
        fields["ScriptBlockText"], fields["ScriptBlockId"], path = end.groups()
        if path:
            fields["Path"] = path
    return fields
