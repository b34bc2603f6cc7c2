r"""Sysmon events written again in the Elastic Common Schema and in OCSF, as a shipper would.

``as_ecs`` and ``as_ocsf`` take the flat fields of a Sysmon event and return the same facts in the words of
the schema, by its documentation; None for an event that the schema has no class for. What the schema has no
place for is left out.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["AS_ECS", "AS_OCSF", "as_ecs", "as_ocsf"]

Fields = dict[str, Any]

AS_ECS: dict[int, tuple[str, str]] = {
    1: ("process", "start"),
    3: ("network", "connection"),
    5: ("process", "end"),
    6: ("driver", "start"),
    7: ("library", "start"),
    11: ("file", "creation"),
    12: ("registry", "creation"),
    13: ("registry", "change"),
    17: ("file", "creation"),
    22: ("network", "protocol"),
    23: ("file", "deletion"),
}
"""Event id of Sysmon to event.category and event.type."""

AS_OCSF: dict[int, tuple[int, int]] = {
    1: (1007, 1),
    3: (4001, 1),
    5: (1007, 2),
    6: (1002, 1),
    7: (1005, 1),
    8: (1007, 4),
    10: (1007, 3),
    11: (1001, 1),
    12: (201001, 1),
    13: (201002, 2),
    22: (4003, 1),
    23: (1001, 4),
}
"""Event id of Sysmon to class_uid and activity_id."""

_DWORD = re.compile(r"DWORD \(0x([0-9a-fA-F]{8})\)")
_ALGORITHMS = {"MD5": 1, "SHA1": 2, "SHA256": 3}


def put(document: Fields, path: str, value: Any) -> None:
    """Set a nested field, unless there is no value."""
    if value is None or value == "":
        return
    *parents, last = path.split(".")
    for name in parents:
        document = document.setdefault(name, {})
    document[last] = value


def hashes(event: Fields) -> dict[str, str]:
    pairs = (part.partition("=") for part in str(event.get("Hashes") or event.get("Hash") or "").split(","))
    return {name: value for name, mark, value in pairs if mark}


def user(document: Fields, path: str, name: Any) -> None:
    domain, mark, account = str(name or "").rpartition("\\")
    put(document, f"{path}.name", account)
    put(document, f"{path}.domain", domain if mark else None)


def as_ecs(event: Fields) -> Fields | None:
    """Return an event in the Elastic Common Schema."""
    code = int(event["EventID"])
    if code not in AS_ECS:
        return None
    category, kind = AS_ECS[code]
    if code == 12 and str(event.get("EventType", "")).startswith("Delete"):
        kind = "deletion"
    document: Fields = {
        "@timestamp": "2026-11-11T01:02:03.000Z",
        "ecs": {"version": "8.17.0"},
        "event": {"category": [category], "type": [kind], "code": str(code), "kind": "event"},
        "host": {"hostname": event.get("Computer", "VP-PC-017"), "os": {"type": "windows"}},
    }
    put(document, "process.executable", event.get("Image"))
    put(document, "process.pid", event.get("ProcessId"))
    user(document, "user", event.get("User"))
    {
        1: ecs_process,
        3: ecs_network,
        5: nothing,
        6: ecs_library,
        7: ecs_library,
        11: ecs_file,
        12: ecs_registry,
        13: ecs_registry,
        17: ecs_pipe,
        22: ecs_dns,
        23: ecs_file,
    }[code](document, event)
    return document


def nothing(document: Fields, event: Fields) -> None:
    """Add nothing to what every event has."""


def ecs_pe(document: Fields, path: str, event: Fields) -> None:
    for name, field in (
        ("original_file_name", "OriginalFileName"),
        ("company", "Company"),
        ("description", "Description"),
        ("product", "Product"),
        ("file_version", "FileVersion"),
    ):
        put(document, f"{path}.pe.{name}", event.get(field))
    for name, value in hashes(event).items():
        put(
            document,
            f"{path}.pe.imphash" if name == "IMPHASH" else f"{path}.hash.{name.lower()}",
            value.lower(),
        )


def ecs_process(document: Fields, event: Fields) -> None:
    put(document, "process.command_line", event.get("CommandLine"))
    put(document, "process.working_directory", event.get("CurrentDirectory"))
    put(document, "process.parent.executable", event.get("ParentImage"))
    put(document, "process.parent.command_line", event.get("ParentCommandLine"))
    put(document, "process.parent.pid", event.get("ParentProcessId"))
    user(document, "process.parent.user", event.get("ParentUser"))
    put(document, "process.Ext.token.integrity_level_name", event.get("IntegrityLevel"))
    put(document, "process.Ext.authentication_id", event.get("LogonId"))
    ecs_pe(document, "process", event)


def ecs_network(document: Fields, event: Fields) -> None:
    put(document, "source.ip", event.get("SourceIp"))
    put(document, "source.port", event.get("SourcePort"))
    put(document, "source.domain", event.get("SourceHostname"))
    put(document, "destination.ip", event.get("DestinationIp"))
    put(document, "destination.port", event.get("DestinationPort"))
    put(document, "destination.domain", event.get("DestinationHostname"))
    put(document, "network.transport", event.get("Protocol"))
    put(document, "network.type", "ipv6" if ":" in str(event.get("SourceIp")) else "ipv4")
    outward = str(event.get("Initiated")).lower() == "true"
    put(document, "network.direction", "egress" if outward else "ingress")


def ecs_library(document: Fields, event: Fields) -> None:
    put(document, "dll.path", event.get("ImageLoaded"))
    ecs_pe(document, "dll", event)
    put(document, "dll.code_signature.exists", str(event.get("Signed")).lower() == "true")
    put(document, "dll.code_signature.subject_name", event.get("Signature"))
    status = event.get("SignatureStatus")
    put(document, "dll.code_signature.status", "trusted" if status == "Valid" else status)


def ecs_file(document: Fields, event: Fields) -> None:
    put(document, "file.path", event.get("TargetFilename"))
    ecs_pe(document, "file", event)


def ecs_pipe(document: Fields, event: Fields) -> None:
    put(document, "file.name", event.get("PipeName"))


def ecs_registry(document: Fields, event: Fields) -> None:
    put(document, "registry.path", event.get("TargetObject"))
    details = event.get("Details")
    if details and (match := _DWORD.fullmatch(str(details))):
        put(document, "registry.data", {"type": "REG_DWORD", "strings": [str(int(match[1], 16))]})
    elif details == "Binary Data":
        put(document, "registry.data", {"type": "REG_BINARY", "bytes": "AA=="})
    elif details:
        put(document, "registry.data", {"type": "REG_SZ", "strings": [details]})


def ecs_dns(document: Fields, event: Fields) -> None:
    put(document, "dns.question.name", event.get("QueryName"))
    results = [part for part in str(event.get("QueryResults") or "").split(";") if part]
    put(document, "dns.answers", [{"data": part} for part in results])


def as_ocsf(event: Fields) -> Fields | None:
    """Return an event in OCSF."""
    code = int(event["EventID"])
    if code not in AS_OCSF:
        return None
    class_uid, activity = AS_OCSF[code]
    if code == 12 and str(event.get("EventType", "")).startswith("Delete"):
        activity = 4
    if code == 12 and event.get("EventType") == "DeleteValue":
        class_uid = 201002
    document: Fields = {
        "class_uid": class_uid,
        "category_uid": class_uid // 1000 % 100,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "time": 1794358923000,
        "severity_id": 1,
        "metadata": {"version": "1.4.0", "product": {"name": "Sysmon", "vendor_name": "Microsoft"}},
        "device": {"hostname": event.get("Computer", "VP-PC-017"), "os": {"type_id": 100, "name": "Windows"}},
    }
    if code not in {1, 5}:
        put(document, "actor.process.file.path", event.get("Image") or event.get("SourceImage"))
        put(document, "actor.process.pid", event.get("ProcessId") or event.get("SourceProcessId"))
        user(document, "actor.user", event.get("User") or event.get("SourceUser"))
    {
        1: ocsf_process,
        3: ocsf_network,
        5: ocsf_process,
        6: ocsf_driver,
        7: ocsf_module,
        8: ocsf_target,
        10: ocsf_target,
        11: ocsf_file,
        12: ocsf_registry,
        13: ocsf_registry,
        22: ocsf_dns,
        23: ocsf_file,
    }[code](document, event)
    return document


def ocsf_file_object(document: Fields, path: str, event: Fields) -> None:
    put(document, f"{path}.internal_name", event.get("OriginalFileName"))
    put(document, f"{path}.company_name", event.get("Company"))
    put(document, f"{path}.desc", event.get("Description"))
    put(document, f"{path}.product.name", event.get("Product"))
    put(document, f"{path}.version", event.get("FileVersion"))
    prints = [
        {"algorithm_id": _ALGORITHMS.get(name, 99), "algorithm": name, "value": value}
        for name, value in hashes(event).items()
    ]
    put(document, f"{path}.hashes", prints or None)


def ocsf_process(document: Fields, event: Fields) -> None:
    put(document, "process.file.path", event.get("Image"))
    put(document, "process.pid", event.get("ProcessId"))
    put(document, "process.cmd_line", event.get("CommandLine"))
    put(document, "process.working_directory", event.get("CurrentDirectory"))
    put(document, "process.integrity", event.get("IntegrityLevel"))
    put(document, "process.session.uid", event.get("LogonId"))
    user(document, "process.user", event.get("User"))
    put(document, "process.parent_process.file.path", event.get("ParentImage"))
    put(document, "process.parent_process.cmd_line", event.get("ParentCommandLine"))
    put(document, "process.parent_process.pid", event.get("ParentProcessId"))
    user(document, "process.parent_process.user", event.get("ParentUser"))
    ocsf_file_object(document, "process.file", event)


def ocsf_network(document: Fields, event: Fields) -> None:
    for end, name in (("src_endpoint", "Source"), ("dst_endpoint", "Destination")):
        put(document, f"{end}.ip", event.get(f"{name}Ip"))
        put(document, f"{end}.port", event.get(f"{name}Port"))
        put(document, f"{end}.hostname", event.get(f"{name}Hostname"))
    put(document, "connection_info.protocol_name", event.get("Protocol"))
    put(document, "connection_info.protocol_ver_id", 6 if ":" in str(event.get("SourceIp")) else 4)
    outward = str(event.get("Initiated")).lower() == "true"
    put(document, "connection_info.direction_id", 2 if outward else 1)


def ocsf_signed(document: Fields, path: str, event: Fields) -> None:
    put(document, f"{path}.path", event.get("ImageLoaded"))
    ocsf_file_object(document, path, event)
    put(document, f"{path}.signature.certificate.subject", event.get("Signature"))
    put(document, f"{path}.signature.state", event.get("SignatureStatus"))
    put(document, "unmapped.Signed", event.get("Signed"))


def ocsf_driver(document: Fields, event: Fields) -> None:
    ocsf_signed(document, "driver.file", event)


def ocsf_module(document: Fields, event: Fields) -> None:
    ocsf_signed(document, "module.file", event)


def ocsf_target(document: Fields, event: Fields) -> None:
    put(document, "process.file.path", event.get("TargetImage"))
    put(document, "process.pid", event.get("TargetProcessId"))
    user(document, "process.user", event.get("TargetUser"))
    if event.get("GrantedAccess"):
        put(document, "actual_permissions", int(str(event["GrantedAccess"]), 16))
    put(document, "unmapped.CallTrace", event.get("CallTrace"))
    put(document, "module.file.path", event.get("StartModule"))
    put(document, "module.function_name", event.get("StartFunction"))
    put(document, "module.start_address", event.get("StartAddress"))


def ocsf_file(document: Fields, event: Fields) -> None:
    put(document, "file.path", event.get("TargetFilename"))
    ocsf_file_object(document, "file", event)


def ocsf_registry(document: Fields, event: Fields) -> None:
    path = str(event.get("TargetObject", ""))
    if document["class_uid"] == 201001:
        put(document, "reg_key.path", path)
        return
    key, _, name = path.rpartition("\\")
    put(document, "reg_value", {"path": key, "name": name})
    details = event.get("Details")
    if details and (match := _DWORD.fullmatch(str(details))):
        document["reg_value"].update(type="REG_DWORD", type_id=4, data=int(match[1], 16))
    elif details == "Binary Data":
        document["reg_value"].update(type="REG_BINARY", type_id=3, data="AA==")
    elif details:
        document["reg_value"].update(type="REG_SZ", type_id=8, data=details)


def ocsf_dns(document: Fields, event: Fields) -> None:
    put(document, "query.hostname", event.get("QueryName"))
    results = [part for part in str(event.get("QueryResults") or "").split(";") if part]
    put(document, "answers", [{"rdata": part} for part in results] or None)
