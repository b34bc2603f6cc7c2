"""OCSF: a Detection Finding (class 2004) for each finding, one JSON object a line.

Rules:

- Events follow version 1.8.0 of the Open Cybersecurity Schema Framework (https://schema.ocsf.io/1.8.0/), with
  no profile: what every consumer of OCSF reads. Tests validate them against that schema.
- ``finding_info.uid`` and ``metadata.uid`` are the finding's own stable id. ``time`` is the time of the event
  in milliseconds; for an event without one it is the time of the export, as the schema allows.
- Process, user, addresses, file and registry key stand in ``evidences`` where the finding carries them (with
  ``--full-event`` it carries all); what matched, and the fields, stand in ``evidences[0].data`` in any case.
- What has no place in the schema (the rule's tags, status, file) is in ``unmapped``.
- There is no room for the account of the run; the command line says it on standard error.
"""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.events.times import parse_time
from haidang.findings.attack import TACTIC_IDS, tactic_name, technique_names
from haidang.findings.entities import Entities, base_name, entities
from haidang.findings.outputs._json import encode
from haidang.findings.words import tactics, techniques

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.findings.model import Finding, FindingRule, ScanSummary

__all__ = ["OUTPUT", "SCHEMA_VERSION", "OcsfOutput", "OcsfWriter", "detection_finding"]

SCHEMA_VERSION = "1.8.0"

_SEVERITIES = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_UNKNOWN = (0, "Unknown")
_PRODUCT = {"name": "Hải Đăng", "uid": "haidang", "vendor_name": "Hải Đăng", "version": __version__}
# Numbers of the schema's observable types.
_HOSTNAME, _IP, _USER, _URL, _HASH, _PROCESS, _COMMAND_LINE, _SCRIPT, _FILE, _KEY = (
    1,
    2,
    4,
    6,
    8,
    9,
    13,
    36,
    45,
    28,
)
_HASH_ALGORITHMS = {"MD5": 1, "SHA-1": 2, "SHA-256": 3}


class OcsfWriter:
    """Writes an event for each finding."""

    def __init__(self, stream: IO[bytes], now: Callable[[], int] = time.time_ns) -> None:
        """Write to ``stream``; ``now`` is the present in nanoseconds since 1970."""
        self._write = stream.write
        self._now = now
        self._rules: dict[FindingRule, dict[str, Any]] = {}

    def write(self, finding: Finding) -> None:
        """Write one finding."""
        rule = self._rules.get(finding.rule)
        if rule is None:
            rule = self._rules[finding.rule] = _of_rule(finding.rule)
        self._write(encode(_event(finding, rule, self._now)) + b"\n")

    def close(self, summary: ScanSummary) -> None:
        """Write nothing more: see the module's rules."""


class OcsfOutput:
    """``--format ocsf``."""

    name = "ocsf"
    title = f"OCSF {SCHEMA_VERSION} Detection Findings, one JSON object a line"
    suffixes: tuple[str, ...] = (".ocsf", ".ocsf.json", ".ocsf.jsonl", ".ocsf.ndjson")
    things: bool = True
    """Findings should carry the fields that name process, user, addresses and the like."""

    def open(self, stream: IO[bytes], *, lang: str) -> OcsfWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return OcsfWriter(stream)


OUTPUT = OcsfOutput()


def detection_finding(finding: Finding, now: Callable[[], int] = time.time_ns) -> dict[str, Any]:
    """Return a finding as the attributes of an OCSF Detection Finding."""
    return _event(finding, _of_rule(finding.rule), now)


def _of_rule(rule: FindingRule) -> dict[str, Any]:
    """Return what is the same for all findings of a rule."""
    severity_id, severity = _SEVERITIES.get(rule.level, _UNKNOWN)
    information: dict[str, Any] = {
        "title": rule.title,
        "analytic": {
            "uid": rule.id or rule.title,
            "name": rule.title,
            "type_id": 1,
            "type": "Rule",
            "category": "Sigma",
        },
        "types": ["Sigma"],
    }
    if rule.description:
        information["desc"] = rule.description
    attacks = list(_attacks(rule))
    if attacks:
        information["attacks"] = attacks
    unmapped = {"rule_status": rule.status, "rule_tags": list(rule.tags), "rule_author": rule.author}
    return {
        "severity_id": severity_id,
        "severity": severity,
        "is_alert": severity_id >= _SEVERITIES["high"][0],
        "finding_info": information,
        "unmapped": {key: value for key, value in unmapped.items() if value},
    }


def _attacks(rule: FindingRule) -> Iterator[dict[str, Any]]:
    for tactic in tactics(rule.tags):
        named = {"name": tactic_name(tactic)}
        yield {"tactic": {"uid": TACTIC_IDS[tactic], **named} if tactic in TACTIC_IDS else named}
    names = technique_names()
    for technique in techniques(rule.tags):
        parent, _, sub = technique.partition(".")
        attack = {"technique": _technique(parent, names)}
        if sub:
            attack["sub_technique"] = _technique(technique, names)
        yield attack


def _technique(uid: str, names: dict[str, str]) -> dict[str, str]:
    return {"uid": uid, "name": names[uid]} if uid in names else {"uid": uid}


def _event(finding: Finding, rule: dict[str, Any], now: Callable[[], int]) -> dict[str, Any]:
    nanoseconds = parse_time(finding.time) if finding.time else None
    moment = (now() if nanoseconds is None else nanoseconds) // 1_000_000
    information: dict[str, Any] = {
        "uid": finding.id,
        **rule["finding_info"],
        "data_sources": [finding.source.path],
    }
    event: dict[str, Any] = {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": moment,
        "severity_id": rule["severity_id"],
        "severity": rule["severity"],
        "status_id": 1,
        "status": "New",
        "is_alert": rule["is_alert"],
        "message": finding.rule.title,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": _PRODUCT,
            "uid": finding.id,
            "log_name": finding.origin,
        },
        "finding_info": information,
    }
    if nanoseconds is not None:
        information["first_seen_time"] = information["last_seen_time"] = moment
    if finding.count > 1:
        event["count"] = finding.count
    if finding.members:
        information["related_events"] = [{"uid": member} for member in finding.members]
        information["related_events_count"] = max(finding.count, len(finding.members))
    if finding.host:
        event["device"] = {"hostname": finding.host, "type_id": 0}
    things = entities(finding.event)
    event["evidences"] = [_evidence(finding, things)]
    observables = list(_observables(finding, things))
    if observables:
        event["observables"] = observables
    event["unmapped"] = {
        **rule["unmapped"],
        "source_path": finding.source.path,
        "source_record": finding.source.record,
    }
    return event


def _evidence(finding: Finding, things: Entities) -> dict[str, Any]:
    matched = [{"field": m.field, "value": m.value, "test": m.test} for m in finding.matched]
    data: dict[str, Any] = {"event": finding.event, "matched": matched}
    if finding.group:
        data["group"] = finding.group
    evidence: dict[str, Any] = {
        "data": data,
        "process": _process(things),
        "user": _named(name=things.user, domain=things.user_domain) if things.user else None,
        "src_endpoint": _named(ip=things.source_ip, port=things.source_port) if things.source_ip else None,
        "dst_endpoint": _destination(things),
        "file": _file(things.file) if things.file else None,
        "reg_key": {"path": things.registry_key} if things.registry_key else None,
        "script": {"script_content": {"value": things.script}, "type_id": 0} if things.script else None,
        "url": {"url_string": things.url} if things.url else None,
    }
    return {name: value for name, value in evidence.items() if value}


def _process(things: Entities) -> dict[str, Any] | None:
    """Return the process; the schema wants one to be told apart by more than its name."""
    if not (things.pid or things.process_uid):
        return None
    process = _named(pid=things.pid, uid=things.process_uid, cmd_line=things.command_line)
    if things.process:
        process |= {"name": base_name(things.process), "file": _file(things.process, things.hashes)}
    if things.parent_pid:
        parent = _named(pid=things.parent_pid, cmd_line=things.parent_command_line)
        if things.parent_process:
            parent |= {"name": base_name(things.parent_process), "file": _file(things.parent_process)}
        process["parent_process"] = parent
    return process


def _file(path: str, hashes: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    file: dict[str, Any] = {"name": base_name(path), "path": path, "type_id": 1}
    if hashes:
        file["hashes"] = [
            {"algorithm_id": _HASH_ALGORITHMS[name], "algorithm": name, "value": digits}
            for name, digits in hashes
        ]
    return file


def _destination(things: Entities) -> dict[str, Any] | None:
    if not (things.destination_ip or things.destination_host):
        return None
    return _named(ip=things.destination_ip, hostname=things.destination_host, port=things.destination_port)


def _named(**attributes: str | int) -> dict[str, Any]:
    """Return the attributes that are there."""
    return {name: value for name, value in attributes.items() if value}


def _observables(finding: Finding, things: Entities) -> Iterator[dict[str, Any]]:
    """Yield what analysts pivot on; the same process or address is named once."""
    field = "evidences[0].data.event"
    found = (
        ("device.hostname", _HOSTNAME, finding.host),
        (field, _PROCESS, base_name(things.process)),
        (field, _COMMAND_LINE, things.command_line),
        (field, _USER, things.user),
        (field, _IP, things.source_ip),
        (field, _IP, things.destination_ip),
        (field, _HOSTNAME, things.destination_host),
        (field, _URL, things.url),
        (field, _FILE, things.file),
        (field, _KEY, things.registry_key),
        (field, _SCRIPT, things.script),
        *((field, _HASH, digits) for _, digits in things.hashes),
    )
    for name, type_id, value in dict.fromkeys(found):
        if value:
            yield {"name": name, "type_id": type_id, "value": value}
