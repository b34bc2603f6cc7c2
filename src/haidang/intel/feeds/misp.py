"""MISP events as JSON: one event, the answer of a search, or a list of events.

- Attributes count when they are meant for detection (``to_ids``) and are not deleted, inside objects too; a
  composite one (``filename|sha256``) gives the part that is looked up.
- The event's and the attribute's tags give TLP and techniques; the event's ``info`` is the name.
- Types that no log can show are refused by name and counted.

Input is not trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from haidang.errors import InputError
from haidang.intel.feeds._entries import add, cut, seconds, technique_tags, tlp_of
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
    "filename|imphash": "|imphash", "x509-fingerprint-md5": "hash", "x509-fingerprint-sha1": "hash",
    "x509-fingerprint-sha256": "hash",
    "email": "email", "email-src": "email", "email-dst": "email", "email-reply-to": "email",
    "filename": "file:name", "regkey": "windows-registry-key:key",
    "regkey|value": "windows-registry-key:key|",
    "email-subject": "email-message:subject", "user-agent": "user-agent", "windows-service-name": "service",
}  # fmt: skip
"""Type of attribute to the kinds of its parts: "" for a part that is not looked up, or an object path."""

_PATTERNS = {
    "file:name": "[file:name = '{}']",
    "windows-registry-key:key": "[windows-registry-key:key = '{}']",
    "email-message:subject": "[email-message:subject = '{}']",
    "user-agent": "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = '{}']",
    "service": "[process:extensions.'windows-service-ext'.service_name = '{}']",
}
_THREAT_LEVELS = {"1": 85, "2": 60, "3": 40}


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
        if str(holder.get("deleted", "")) not in {"True", "1"}:
            yield from _listed(holder, "Attribute")


def _listed(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = holder.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _add_event(reading: Reading, limits: Limits, event: dict[str, Any]) -> None:
    of_event = _tags(event)
    info = cut(event.get("info"))
    confidence = _THREAT_LEVELS.get(str(event.get("threat_level_id", "")), -1)
    for attribute in _attributes(event):
        if attribute.get("to_ids") not in {True, "1"}:
            reading.refuse(cut(attribute.get("value")), "not meant for detection (to_ids)")
            continue
        if attribute.get("deleted") in {True, "1"}:
            reading.refuse(cut(attribute.get("value")), "the feed has deleted it")
            continue
        tags = [*of_event, *_tags(attribute)]
        comment = cut(attribute.get("comment"))
        described = {
            "name": f"{info}: {comment}" if info and comment else info or comment,
            "id": cut(attribute.get("uuid")),
            "confidence": confidence,
            "tlp": tlp_of(tags),
            "valid_from": seconds(attribute.get("first_seen")),
            "tags": technique_tags(tags),
        }
        add_attribute(reading, limits, attribute, described)


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
    for kind, part in zip(kinds.split("|"), value.split("|") if "|" in kinds else [value], strict=False):
        if not kind:
            continue
        if kind in _PATTERNS:
            quoted = part.replace("\\", "\\\\").replace("'", "\\'")
            add(reading, limits, "pattern", _PATTERNS[kind].format(quoted), **described)
        elif kind == "imphash":
            add(reading, limits, "hash", f"imphash:{part}", **described)
        elif kind == "ip" and "/" in part:
            add(reading, limits, "network", part, **described)
        else:
            add(reading, limits, kind, part, **described)


FEED = _Misp()
