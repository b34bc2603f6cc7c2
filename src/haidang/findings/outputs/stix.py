"""STIX 2.1: a bundle with an indicator for each rule, and a sighting of it for each finding.

Rules:

- An ``indicator`` is a rule: its pattern is the Sigma rule itself (``pattern_type: sigma``), read from where
  the run took it. Where that is gone, the pattern is a STIX pattern that names the rule's id.
- A hit of indicators that came with STIX ids is a sighting of each of these, by its own id: it is known where
  it came from, and is not in the bundle.
- What a rule's ``tlp.…`` tag says is the marking of its indicator, of sightings and observed data (TLP 2.0).
- A ``sighting`` is a finding: when, how often, by whom, at which host (an ``identity`` of class system), with
  an ``observed-data`` of the processes, accounts, addresses, files and registry keys that the finding
  carries (with ``--full-event`` it carries all).
- The same finding has the same ids in every export. They are version 5 UUIDs: those of observables by STIX
  2.1 section 2.9, the others from the ids of rules and findings. A process must have a version 4 UUID; it
  has one whose digits are a hash of the finding's id.
- Objects are written as findings come; indicators, which span all findings of a rule, come last. An object
  that was written is not written again, as far as ``Limits.stix_objects`` ids are remembered.

Values come from logs and are untrusted.
"""

from __future__ import annotations

import json
import re
import time
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID, uuid5

from haidang.events.times import format_time, parse_time
from haidang.findings.attack import technique_names
from haidang.findings.entities import Entities, base_name, entities
from haidang.findings.outputs._json import encode, unicode_only
from haidang.findings.words import tactics, techniques
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.findings.model import Finding, FindingRule, Match, ScanSummary

__all__ = ["OUTPUT", "StixOutput", "StixWriter"]

_OURS = UUID("5d7b7a4e-3c8e-4f0c-9a52-0f2f1a6f4c1d")
"""Namespace of the ids that STIX leaves to the producer."""
_OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of the ids of observables (STIX 2.1, section 2.9)."""
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
    r"(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
"""What STIX takes for a URL; logs have other things in such fields, too."""
_INDICATOR = re.compile(r"indicator--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TLP = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""The markings that OASIS defined for TLP 2.0."""
_TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_SERIOUS = frozenset({"critical", "high"})
_IDENTITY = {
    "type": "identity",
    "spec_version": "2.1",
    "id": f"identity--{uuid5(_OURS, 'identity:haidang')}",
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00.000Z",
    "name": "Hải Đăng",
    "description": "Found with Sigma rules by haidang.",
    "identity_class": "system",
}
_CREATOR = _IDENTITY["id"]


class StixWriter:
    """Writes the objects of each finding, and the indicators when the run is over."""

    def __init__(
        self, stream: IO[bytes], now: Callable[[], int] = time.time_ns, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """Begin the bundle; ``now`` is the present in nanoseconds since 1970."""
        self._stream = stream
        self._now = now
        self._limits = limits
        self._written: set[str] = set()
        self._spans: dict[FindingRule, tuple[str, str]] = {}
        self._digest = blake2b(digest_size=16)
        self._separator = b"\n"
        stream.write(b'{"type":"bundle","objects":[')
        self._add(_IDENTITY)

    def write(self, finding: Finding) -> None:
        """Write the sighting of one finding, and what it refers to."""
        moment = _timestamp(finding.time, self._now)
        marked = self._marked(finding.rule)
        sighting: dict[str, Any] = {
            "first_seen": moment,
            "last_seen": moment,
            "count": max(1, min(finding.count, 999_999_999)),
            **marked,
        }
        observables = _Observables(finding, self._limits)
        if observables.objects:
            for observable in observables.objects:
                self._add(observable)
            observed = _observed_data(finding, moment, [each["id"] for each in observables.objects])
            self._add({**observed, **marked})
            sighting["observed_data_refs"] = [observed["id"]]
        if finding.host:
            host = _host(finding.host)
            self._add(host)
            sighting["where_sighted_refs"] = [host["id"]]
        for indicator, matches in _by_indicator(finding).items():
            if not indicator:
                first, last = self._spans.get(finding.rule, (moment, moment))
                self._spans[finding.rule] = min(first, moment), max(last, moment)
            name = f"sighting:{finding.id}" + (f":{indicator}" if indicator else "")
            described = {
                **_domain_object("sighting", name, moment),
                "description": "; ".join(f"{m.field or 'keyword'} {m.test}" for m in matches),
                "sighting_of_ref": indicator or _indicator_id(finding.rule),
                **sighting,
            }
            self._add({key: value for key, value in described.items() if value})

    def close(self, summary: ScanSummary) -> None:  # noqa: ARG002 -- STIX has no place for it
        """Write the indicators and end the bundle."""
        for rule, (first, last) in self._spans.items():
            self._add({**_indicator(rule, first, last, self._limits), **self._marked(rule)})
        identifier = uuid5(_OURS, f"bundle:{self._digest.hexdigest()}")
        self._stream.write(b'\n],"id":"bundle--' + str(identifier).encode() + b'"}\n')

    def _marked(self, rule: FindingRule) -> dict[str, Any]:
        """Return what marks the objects of a rule, and see to it that the marking is there."""
        tlp = next((tag[4:].lower() for tag in rule.tags if tag.lower().startswith("tlp.")), "")
        identifier = _TLP.get(tlp.replace("white", "clear"))
        if identifier is None:
            return {}
        self._add(
            {
                "type": "marking-definition",
                "spec_version": "2.1",
                "id": identifier,
                "created": "2022-10-01T00:00:00.000Z",
                "name": f"TLP:{tlp.upper()}",
                "extensions": {
                    _TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp},
                },
            }
        )
        return {"object_marking_refs": [identifier]}

    def _add(self, each: dict[str, Any]) -> None:
        identifier = each["id"]
        if identifier in self._written:
            return
        if len(self._written) >= self._limits.stix_objects:
            self._written.clear()
        self._written.add(identifier)
        self._digest.update(identifier.encode())
        self._stream.write(self._separator + encode(each))
        self._separator = b",\n"


class StixOutput:
    """``--format stix``."""

    name = "stix"
    title = "STIX 2.1 bundle: indicators (rules) and their sightings (findings)"
    suffixes: tuple[str, ...] = (".stix", ".stix.json")
    things: bool = True
    """Findings should carry the fields that name process, user, addresses and the like."""

    def open(self, stream: IO[bytes], *, lang: str) -> StixWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return StixWriter(stream)


OUTPUT = StixOutput()


def _by_indicator(finding: Finding) -> dict[str, list[Match]]:
    """Return why by the STIX id of each indicator that was met; "" where there is none: the rule itself."""
    found: dict[str, list[Match]] = {}
    for match in finding.matched:
        found.setdefault(match.indicator if _INDICATOR.fullmatch(match.indicator) else "", []).append(match)
    return found or {"": []}


def _domain_object(kind: str, name: str, moment: str) -> dict[str, Any]:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid5(_OURS, unicode_only(name))}",
        "created_by_ref": _CREATOR,
        "created": moment,
        "modified": moment,
    }


def _timestamp(text: str | None, now: Callable[[], int]) -> str:
    """Return a time to the millisecond; of an event without one, the time of the export."""
    nanoseconds = parse_time(text) if text else None
    written = format_time((now() if nanoseconds is None else nanoseconds) // 1_000_000 * 1_000_000)
    whole, _, fraction = written.removesuffix("Z").partition(".")
    return f"{whole}.{fraction[:3].ljust(3, '0')}Z"


def _indicator_id(rule: FindingRule) -> str:
    return f"indicator--{uuid5(_OURS, unicode_only(f'rule:{rule.id}:{rule.title}'))}"


def _indicator(rule: FindingRule, first: str, last: str, limits: Limits) -> dict[str, Any]:
    pattern_type, pattern = _pattern(rule, limits)
    names = technique_names()
    references: list[dict[str, str]] = []
    if rule.id:
        references.append({"source_name": "sigma", "external_id": rule.id})
    for technique in techniques(rule.tags):
        url = f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/"
        described = {"description": names[technique]} if technique in names else {}
        references.append({"source_name": "mitre-attack", "external_id": technique, "url": url, **described})
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": tactic} for tactic in tactics(rule.tags)]
    indicator = {
        **_domain_object("indicator", f"rule:{rule.id}:{rule.title}", first),
        "modified": last,
        "name": rule.title,
        "description": rule.description,
        "indicator_types": ["malicious-activity" if rule.level in _SERIOUS else "anomalous-activity"],
        "pattern": pattern,
        "pattern_type": pattern_type,
        "valid_from": first,
        "kill_chain_phases": phases,
        "external_references": references,
        "labels": [f"level-{rule.level}"],
    }
    return {key: value for key, value in indicator.items() if value}


def _pattern(rule: FindingRule, limits: Limits) -> tuple[str, str]:
    from haidang.sigma.sources import read_rule_file

    text = read_rule_file(rule.path, limits).data.decode("utf-8", "replace") if rule.path else ""
    if text.strip():
        return "sigma", text
    name = (rule.id or rule.title).replace("\\", "\\\\").replace("'", "\\'")
    return "stix", f"[x-haidang-finding:rule = '{name}']"


def _host(name: str) -> dict[str, Any]:
    created = str(_IDENTITY["created"])
    return {**_domain_object("identity", f"host:{name}", created), "name": name, "identity_class": "system"}


def _observed_data(finding: Finding, moment: str, references: list[str]) -> dict[str, Any]:
    return {
        **_domain_object("observed-data", f"observed:{finding.id}", moment),
        "first_observed": moment,
        "last_observed": moment,
        "number_observed": max(1, min(finding.count, 999_999_999)),
        "object_refs": references,
    }


_HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKU": "HKEY_USERS",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "\\REGISTRY\\MACHINE": "HKEY_LOCAL_MACHINE",
    "\\REGISTRY\\USER": "HKEY_USERS",
}


def _whole_hive(key: str) -> str:
    """Return a key with its hive spelled out, as STIX 2.1 section 6.17 wants it."""
    for short, whole in _HIVES.items():
        if key.upper() == short or key.upper().startswith(f"{short}\\"):
            return whole + key[len(short) :]
    return key


class _Observables:
    """The observables of one finding."""

    def __init__(self, finding: Finding, limits: Limits) -> None:
        self.objects: list[dict[str, Any]] = []
        self._finding = finding.id
        self._longest = limits.value_chars
        things = entities(finding.event)
        user = self._account(things)
        self._process(things, user)
        self._traffic(things)
        if things.file:
            self._file(things.file)
        if things.registry_key:
            self._add("windows-registry-key", ("key",), key=_whole_hive(things.registry_key))
        if _URI.fullmatch(things.url):
            self._add("url", ("value",), value=things.url)

    def _account(self, things: Entities) -> str:
        if not things.user:
            return ""
        domain = f"{things.user_domain}\\" if things.user_domain else ""
        login = domain + things.user
        return self._add("user-account", ("account_login",), account_login=login, display_name=things.user)

    def _process(self, things: Entities, user: str) -> None:
        if not (things.process or things.command_line):
            return
        parent = ""
        if things.parent_process or things.parent_command_line:
            parent = self._one_process(
                "parent", things.parent_process, things.parent_command_line, things.parent_pid
            )
        self._one_process(
            "process",
            things.process,
            things.command_line,
            things.pid,
            hashes=dict(things.hashes),
            parent_ref=parent,
            creator_user_ref=user,
        )

    def _one_process(
        self,
        role: str,
        image: str,
        command_line: str,
        pid: int,
        *,
        hashes: dict[str, str] | None = None,
        **refs: str,
    ) -> str:
        # A process has no properties of its own that tell it apart; the finding and its role in it do.
        file = self._file(image, hashes or {}) if image else ""
        digits = blake2b(f"{role}:{self._finding}".encode(), digest_size=16).digest()
        identifier = f"process--{UUID(bytes=digits, version=4)}"
        return self._add(
            "process", (), identifier, command_line=command_line, pid=pid, image_ref=file, **refs
        )

    def _file(self, path: str, hashes: dict[str, str] | None = None) -> str:
        name = base_name(path)
        folder = path[: len(path) - len(name)].rstrip("\\/")
        directory = self._add("directory", ("path",), path=folder) if folder else ""
        contributing = ("hashes", "name", "parent_directory_ref")
        return self._add("file", contributing, hashes=hashes or {}, name=name, parent_directory_ref=directory)

    def _traffic(self, things: Entities) -> None:
        source, destination = self._address(things.source_ip), self._address(things.destination_ip)
        if not (source or destination):
            return
        protocol = things.protocol.lower()
        version = "ipv6" if ":" in (things.source_ip or things.destination_ip) else "ipv4"
        self._add(
            "network-traffic",
            ("src_ref", "dst_ref", "src_port", "dst_port", "protocols"),
            src_ref=source,
            dst_ref=destination,
            src_port=things.source_port,
            dst_port=things.destination_port,
            protocols=[version, protocol] if protocol in {"tcp", "udp", "icmp", "sctp"} else [version],
        )

    def _address(self, address: str) -> str:
        if not address:
            return ""
        return self._add("ipv6-addr" if ":" in address else "ipv4-addr", ("value",), value=address)

    def _add(self, kind: str, contributing: tuple[str, ...], identifier: str = "", **properties: Any) -> str:
        """Keep an observable with the properties that it has; return its id."""
        there = {
            name: unicode_only(value[: self._longest] if isinstance(value, str) else value)
            for name, value in properties.items()
            if value
        }
        if not identifier:
            parts = {name: there[name] for name in contributing if name in there}
            if "hashes" in parts:
                # One hash is enough to tell files apart: the first of these (STIX 2.1, section 6.7).
                best = next(name for name in ("MD5", "SHA-1", "SHA-256") if name in parts["hashes"])
                parts["hashes"] = {best: parts["hashes"][best]}
            canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            identifier = f"{kind}--{uuid5(_OBSERVABLES, canonical)}"
        self.objects.append({"type": kind, "spec_version": "2.1", "id": identifier, **there})
        return identifier
