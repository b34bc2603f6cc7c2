"""MISP events as JSON: one event, the answer of a search, or a list of events.

- Attributes count when they are meant for detection (``to_ids``) and are not deleted, inside objects too; a
  composite one (``filename|sha256``) gives the part that is looked up.
- The event's and the attribute's tags give TLP, techniques and confidence (that of the attribute before that
  of the event before its threat level); the event's ``info`` is the name, with whom its galaxies name.
- What the server's decaying models say has decayed does not count.
- Types that no log can show are refused by name and counted.

Input is not trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from haidang.errors import InputError
from haidang.intel.feeds._entries import add, add_pattern, cut, seconds, technique_tags, tlp_of
from haidang.intel.model import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["FEED", "TYPES", "add_attribute"]

TYPES: dict[str, str] = {
    "ip-src": "ip", "ip-dst": "ip", "ip-src|port": "ip|", "ip-dst|port": "ip|", "ip": "ip",
    "domain": "domain", "hostname": "domain", "hostname|port": "domain|", "domain|ip": "domain|ip",
    "url": "url", "uri": "url", "link": "url",
    "md5": "hash", "sha1": "hash", "sha256": "hash", "sha512": "hash", "imphash": "imphash",
    "filename|md5": "|hash", "filename|sha1": "|hash", "filename|sha256": "|hash", "filename|sha512": "|hash",
    "filename|imphash": "|imphash", "malware-sample": "|hash",
    "ja3-fingerprint-md5": "hash", "x509-fingerprint-md5": "hash", "x509-fingerprint-sha1": "hash",
    "x509-fingerprint-sha256": "hash",
    "email": "email", "email-src": "email", "email-dst": "email", "email-reply-to": "email",
    "filename": "file:name", "email-attachment": "file:name", "named pipe": "pipe",
    "stix2-pattern": "pattern",
    "regkey": "windows-registry-key:key",
    "regkey|value": "windows-registry-key:key|",
    "email-subject": "email-message:subject", "user-agent": "user-agent", "windows-service-name": "service",
}  # fmt: skip
"""Type of attribute to the kinds of its parts: "" for a part that is not looked up, or an object path."""

_PATTERNS = {
    "pipe": "[file:name = '{}']",
    "file:name": "[file:name = '{}']",
    "windows-registry-key:key": "[windows-registry-key:key = '{}']",
    "email-message:subject": "[email-message:subject = '{}']",
    "user-agent": "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = '{}']",
    "service": "[process:extensions.'windows-service-ext'.service_name = '{}']",
}
_THREAT_LEVELS = {"1": 85, "2": 60, "3": 40}


_CONFIDENCE = {
    **{f'misp:confidence-level="{word}"': value for word, value in (
        ("completely-confident", 100), ("usually-confident", 75), ("fairly-confident", 50),
        ("rarely-confident", 25), ("unconfident", 0),
    )},
    **{f'estimative-language:confidence-in-analytic-judgment="{word}"': value for word, value in (
        ("high", 85), ("moderate", 50), ("low", 15),
    )},
    # The scale of STIX 2.1, appendix A.
    **{f'admiralty-scale:information-credibility="{number}"': 110 - 20 * number for number in range(1, 6)},
}  # fmt: skip
"""Tag to the confidence that it says, 0 to 100."""
_WHO = re.compile(
    r"misp-galaxy:(?:threat-actor|ransomware|malpedia|tool|rat|botnet|stealer|backdoor|mitre-intrusion-set"
    r'|mitre-malware|mitre-tool)="([^"]{1,100}?)(?: - [GS]\d{4})?"'
)
_MOST_NAMES = 3


class _Misp:
    name = "misp"
    title = "MISP event JSON"

    def recognises(self, data: bytes) -> int:
        head = data[:65536].lstrip()
        if not head.startswith((b"{", b"[")):
            return 0
        has_event = b'"Event"' in head or b'"Attribute"' in data
        return 90 if has_event and (b'"Attribute"' in data or b'"Object"' in data) else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise InputError(f"not valid JSON: {error.msg} at byte {error.pos}") from None
        reading = Reading()
        for event in _events(document):
            _add_event(reading, limits, event)
        return reading


def _events(document: Any) -> Iterator[dict[str, Any]]:
    for one in document if isinstance(document, list) else [document]:
        if not isinstance(one, dict):
            continue
        if "response" in one:
            yield from _events(one["response"])
        elif isinstance(one.get("Event"), dict):
            yield one["Event"]
        elif "Attribute" in one or "Object" in one:
            yield one


def _tags(one: dict[str, Any]) -> list[str]:
    tags = one.get("Tag")
    return (
        [str(tag.get("name", "")) for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    )


def _attributes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for holder in (event, *_listed(event, "Object")):
        if not _is_set(holder, "deleted"):
            yield from _listed(holder, "Attribute")


def _listed(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = holder.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _add_event(reading: Reading, limits: Limits, event: dict[str, Any]) -> None:
    for attribute in _attributes(event):
        # What a search for attributes answers names the event inside each.
        own_event = attribute.get("Event")
        about = own_event if isinstance(own_event, dict) else event
        of_event = _tags(about)
        info = cut(about.get("info"))
        threat = _THREAT_LEVELS.get(str(about.get("threat_level_id", "")), -1)
        if not _is_set(attribute, "to_ids"):
            reading.refuse(cut(attribute.get("value")), "not meant for detection (to_ids)")
            continue
        if _is_set(attribute, "deleted"):
            reading.refuse(cut(attribute.get("value")), "the feed has deleted it")
            continue
        if _has_decayed(attribute):
            reading.refuse(cut(attribute.get("value")), "it has decayed, by the models of its server")
            continue
        own = _tags(attribute)
        tags = [*of_event, *own]
        comment = cut(attribute.get("comment"))
        described = {
            "name": _named(f"{info}: {comment}" if info and comment else info or comment, tags),
            "id": cut(attribute.get("uuid")),
            "confidence": _confidence(own, _confidence(of_event, threat)),
            "tlp": tlp_of(tags),
            "valid_from": seconds(attribute.get("first_seen")),
            "tags": technique_tags(tags),
        }
        add_attribute(reading, limits, attribute, described)


def _is_set(one: dict[str, Any], key: str) -> bool:
    """Return whether a flag is set, as versions of MISP write it: true, 1 or "1"."""
    return str(one.get(key)) in {"True", "1"}


def _has_decayed(attribute: dict[str, Any]) -> bool:
    """Return whether every decaying model that a search was asked for says that an attribute has."""
    scores = _listed(attribute, "decay_score")
    return bool(scores) and all(score.get("decayed") is True for score in scores)


def _confidence(tags: list[str], otherwise: int) -> int:
    return next((_CONFIDENCE[tag.lower()] for tag in tags if tag.lower() in _CONFIDENCE), otherwise)


def _named(name: str, tags: list[str]) -> str:
    """Return a name with the actors and malware that galaxies name, unless it names them."""
    found = dict.fromkeys(match[1] for tag in tags if (match := _WHO.match(tag)))
    also = ", ".join(one for one in list(found)[:_MOST_NAMES] if one.lower() not in name.lower())
    return f"{name} ({also})" if name and also else name or also


def add_attribute(
    reading: Reading, limits: Limits, attribute: dict[str, Any], described: dict[str, Any]
) -> None:
    """Add what an attribute (``type``, ``value``) names, or count why it cannot be used."""
    kinds = TYPES.get(str(attribute.get("type")))
    value = attribute.get("value")
    if kinds is None or not isinstance(value, str):
        reading.refuse(
            cut(value), f"attributes of the type {cut(attribute.get('type'))} cannot be looked for"
        )
        return
    if kinds == "pattern":
        add_pattern(reading, limits, cut(value), value, **described)
        return
    for kind, part in zip(kinds.split("|"), value.split("|") if "|" in kinds else [value], strict=False):
        if not kind:
            continue
        if kind in _PATTERNS:
            # A pipe is known by its name alone: ``\\\\.\\pipe\\name`` here, ``\\name`` there.
            part = part.rpartition("\\")[2] if kind == "pipe" else part  # noqa: PLW2901 - the same, spelled
            quoted = part.replace("\\", "\\\\").replace("'", "\\'")
            add(reading, limits, "pattern", _PATTERNS[kind].format(quoted), **described)
        elif kind == "imphash":
            add(reading, limits, "hash", f"imphash:{part}", **described)
        elif kind == "ip" and "/" in part:
            add(reading, limits, "network", part, **described)
        else:
            add(reading, limits, kind, part, **described)


FEED = _Misp()
