"""Issues of rules as SARIF 2.1.0, which code forges show beside the lines that they are about."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from haidang._version import __version__
from haidang.workshop.checks import ERROR, NOTE, WARNING, checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.workshop.checks import Issue

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {ERROR: "error", WARNING: "warning", NOTE: "note"}


def as_sarif(issues: Sequence[Issue]) -> dict[str, Any]:
    """Return the log of one run."""
    known = checks()
    codes = sorted({issue.code for issue in issues})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "haidang rules check",
                        "version": __version__,
                        "rules": [
                            {
                                "id": code,
                                "shortDescription": {"text": known[code].summary if code in known else code},
                            }
                            for code in codes
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(issue, codes.index(issue.code)) for issue in issues],
            }
        ],
    }


def _result(issue: Issue, index: int) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(issue.path)}}
    if issue.line:
        location["region"] = {"startLine": issue.line}
    text = f"{issue.rule}: {issue.message.text()}" if issue.rule else issue.message.text()
    return {
        "ruleId": issue.code,
        "ruleIndex": index,
        "level": _LEVELS[issue.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }


def _uri(path: str) -> str:
    """Return a path as a reference: relative as it is, absolute with its scheme."""
    pure = PurePath(path)
    text = quote(pure.as_posix(), safe="/!")
    return f"file://{text}" if pure.is_absolute() else text
