"""STIX 2.1 (and 2.0) bundles and TAXII envelopes: indicators, with what relationships say of them.

- Indicators with a STIX pattern; another ``pattern_type``, a revoked one, or a pattern that cannot be used is
  refused by name with the reason.
- ``indicates`` relationships to attack patterns give technique tags, those to malware, tools, campaigns and
  actors their names; marking definitions give the TLP, 1 and 2 alike, ``confidence`` the level.
- The plain part of a pattern (equality) becomes look-ups; what is more stays a pattern, compiled when used.

Objects may refer to each other in any order, over the whole bundle. Input is not trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from haidang.errors import InputError
from haidang.intel.feeds._entries import add_pattern, cut, seconds, technique_tags, tlp_of
from haidang.intel.model import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.limits import Limits

__all__ = ["FEED", "read_objects"]

_TLP_IDS = {
    # The marking definitions that the specification fixes, TLP 1 (section 7.2.1.4) and TLP 2.
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "tlp:clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "tlp:green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "tlp:amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "tlp:red",
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "tlp:clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "tlp:green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "tlp:amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "tlp:amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "tlp:red",
}
_NAMED = frozenset({"malware", "tool", "campaign", "intrusion-set", "threat-actor", "infrastructure"})
_MOST_NAMES = 3


class _Stix:
    name = "stix"
    title = "STIX 2.1 bundle"

    def recognises(self, data: bytes) -> int:
        head = data[:65536].lstrip()
        if not head.startswith((b"{", b"[")):
            return 0
        has_id = b'"indicator--' in data or b'"bundle--' in head or b'"spec_version"' in head
        return 95 if has_id and (b'"pattern"' in data or b'"objects"' in head) else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        return read_objects(_objects(data), limits)


def _objects(data: bytes) -> Iterator[Any]:
    """Yield the objects of a bundle, an envelope, a list, or lines of any of them."""
    try:
        documents = [orjson.loads(data)]
    except orjson.JSONDecodeError as error:
        try:
            documents = [orjson.loads(line) for line in data.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise InputError(f"not valid JSON: {error.msg} at byte {error.pos}") from None
    for document in documents:
        for one in document if isinstance(document, list) else [document]:
            inner = (
                one.get("objects") if isinstance(one, dict) and one.get("type") in {"bundle", None} else None
            )
            yield from inner if isinstance(inner, list) else [one]


def read_objects(objects: Iterable[Any], limits: Limits) -> Reading:
    """Return the indicators among STIX objects; of several versions of one, the newest."""
    known: dict[str, dict[str, Any]] = {}
    indicates: dict[str, list[str]] = {}
    for one in objects:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            continue
        if one.get("type") == "relationship":
            if one.get("relationship_type") == "indicates" and not one.get("revoked"):
                indicates.setdefault(str(one.get("source_ref")), []).append(str(one.get("target_ref")))
            continue
        before = known.get(one["id"])
        if before is None or str(one.get("modified", "")) >= str(before.get("modified", "")):
            known[one["id"]] = one
    reading = Reading()
    for one in known.values():
        if one.get("type") == "indicator":
            related = [known[target] for target in indicates.get(one["id"], ()) if target in known]
            _add_indicator(reading, limits, one, related, known)
    return reading


def _add_indicator(
    reading: Reading,
    limits: Limits,
    one: dict[str, Any],
    related: list[dict[str, Any]],
    known: dict[str, dict[str, Any]],
) -> None:
    what = cut(one.get("name")) or one["id"]
    reason = _unusable(one)
    if one.get("revoked") is True:
        reading.withdrawn.append(one["id"])
    if reason:
        reading.refuse(what, reason)
        return
    confidence = one.get("confidence")
    described: dict[str, Any] = {
        "name": _named(one, related),
        "id": cut(one["id"]),
        "confidence": max(0, min(100, confidence)) if isinstance(confidence, int) else -1,
        "tlp": tlp_of(_markings(one, known)),
        "valid_from": seconds(one.get("valid_from")),
        "valid_until": seconds(one.get("valid_until")),
        "tags": technique_tags(_technique_names(one, related)),
    }
    add_pattern(reading, limits, what, str(one["pattern"]), **described)


def _unusable(one: dict[str, Any]) -> str:
    if one.get("revoked") is True:
        return "the feed has revoked it"
    language = str(one.get("pattern_type", "stix")).lower()
    if language != "stix":
        return f"its pattern is not STIX but {cut(language)}"
    return "" if isinstance(one.get("pattern"), str) and one["pattern"] else "it has no pattern"


def _named(one: dict[str, Any], related: list[dict[str, Any]]) -> str:
    names = [cut(other.get("name")) for other in related if other.get("type") in _NAMED]
    also = ", ".join(list(dict.fromkeys(filter(None, names)))[:_MOST_NAMES])
    name = cut(one.get("name")) or cut(one.get("description"))
    return f"{name} ({also})" if name and also and also not in name else name or also


def _markings(one: dict[str, Any], known: dict[str, dict[str, Any]]) -> Iterator[str]:
    for reference in _marking_ids(one):
        if reference in _TLP_IDS:
            yield _TLP_IDS[reference]
        marking = known.get(reference, {})
        definition = marking.get("definition")
        if isinstance(definition, dict):
            yield f"tlp:{definition.get('tlp', '')}"
        yield str(marking.get("name", ""))
        extensions = marking.get("extensions")
        for extension in extensions.values() if isinstance(extensions, dict) else ():
            if isinstance(extension, dict):
                yield f"tlp:{extension.get('tlp_2_0', '')}"
    labels = one.get("labels")
    yield from map(str, labels if isinstance(labels, list) else ())


def _marking_ids(one: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of what marks an object or, granularly, a part of it: who sees it sees the part."""
    references = one.get("object_marking_refs")
    yield from map(str, references if isinstance(references, list) else ())
    granular = one.get("granular_markings")
    for marking in granular if isinstance(granular, list) else ():
        if isinstance(marking, dict):
            yield str(marking.get("marking_ref", ""))


def _technique_names(one: dict[str, Any], related: list[dict[str, Any]]) -> Iterator[str]:
    for other in related:
        if other.get("type") == "attack-pattern":
            references = other.get("external_references")
            for reference in references if isinstance(references, list) else ():
                if isinstance(reference, dict) and "mitre" in str(reference.get("source_name", "")):
                    yield str(reference.get("external_id", ""))
    labels = one.get("labels")
    yield from map(str, labels if isinstance(labels, list) else ())


FEED = _Stix()
