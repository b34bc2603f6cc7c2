"""SARIF 2.1.0: what checks of rules say, as code hosts and editors show it beside the line.

Rules:

- A kind of check has a stable id (``sigma/title-length``), what it looks for, and where it is explained; a
  result is one place where it found something.
- Levels are SARIF's: ``error``, ``warning``, ``note``.
- Paths are written as relative URIs with ``/``, as the user named them, so that a code host finds the file in
  its own checkout; lines count from 1, and 0 means that the place in the file is unknown.
- Each result has a fingerprint over its kind, file and message, which stays when lines above it change.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import orjson

from haidang._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SCHEMA", "CheckKind", "CheckResult", "write_sarif"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A kind of check."""

    id: str
    title: str
    """What it looks for, in one sentence."""
    help: str = ""
    """What to do about it."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that a check found."""

    kind: str
    """Id of the kind of check."""
    message: str
    path: str
    line: int = 0
    column: int = 0
    level: Literal["error", "warning", "note"] = "error"
    rule: str = ""
    """Title or id of the Sigma rule, where it is known."""


def write_sarif(
    stream: IO[bytes],
    results: Iterable[CheckResult],
    *,
    kinds: Iterable[CheckKind] = (),
    name: str = "haidang rules check",
) -> None:
    """Write the results as one SARIF log with one run; kinds that are not described have their id alone."""
    found = list(results)
    described = {kind.id: kind for kind in kinds}
    for result in found:
        described.setdefault(result.kind, CheckKind(result.kind, result.kind))
    places = {kind: index for index, kind in enumerate(described)}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": name,
                        "organization": "Hải Đăng",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_kind(kind) for kind in described.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, places[result.kind]) for result in found],
            }
        ],
    }
    stream.write(orjson.dumps(_unicode(log), option=orjson.OPT_INDENT_2) + b"\n")


def _kind(kind: CheckKind) -> dict[str, Any]:
    written: dict[str, Any] = {"id": kind.id, "shortDescription": {"text": kind.title}}
    if kind.help:
        written["help"] = {"text": kind.help}
    if kind.url:
        written["helpUri"] = kind.url
    return written


def _result(result: CheckResult, index: int) -> dict[str, Any]:
    uri = quote(result.path.replace("\\", "/").encode("utf-8", "surrogateescape"), safe="/!()*',;:@&=+$~")
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if result.line > 0:
        region = {"startLine": result.line}
        if result.column > 0:
            region["startColumn"] = result.column
        place["region"] = region
    identity = f"{result.kind}\0{result.path}\0{result.rule}\0{result.message}"
    fingerprint = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    written: dict[str, Any] = {
        "ruleId": result.kind,
        "ruleIndex": index,
        "level": result.level if result.level in _LEVELS else "error",
        "message": {"text": result.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"haidang/v1": fingerprint},
    }
    if result.rule:
        written["locations"][0]["logicalLocations"] = [{"name": result.rule, "kind": "object"}]
    return written


def _unicode(value: Any) -> Any:
    """Return ``value`` with the text that UTF-8 cannot carry written as escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _unicode(item) for key, item in value.items()}
    return [_unicode(item) for item in value] if isinstance(value, list) else value
