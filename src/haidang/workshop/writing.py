"""Rules as people write them: four spaces, lists set in, texts of a detection in single quotes, no folding.

PyYAML's own form (lists flush left, long values folded, some texts quoted) is right, and nothing that the
repositories of rules would take: the published ones are all written like this.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml

__all__ = ["as_yaml"]

_QUOTED_SECTIONS = ("detection", "filter")
_NEVER_QUOTED = ("condition", "rules")


class _Quoted(str):
    """A text that is written in single quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        del indentless
        super().increase_indent(flow, False)  # noqa: FBT003


_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="'")
)


def as_yaml(document: dict[str, Any]) -> str:
    """Return a rule, a filter or a file of examples as YAML."""
    written = dict(document)
    for section in _QUOTED_SECTIONS:
        if isinstance(written.get(section), dict):
            written[section] = {
                name: part if name in _NEVER_QUOTED else _quoted(part)
                for name, part in written[section].items()
            }
    if isinstance(written.get("date"), str):
        # A text that looks like a date would be quoted; a date is written bare.
        written["date"] = date.fromisoformat(written["date"])
    return str(
        yaml.dump(written, Dumper=_Dumper, sort_keys=False, allow_unicode=True, indent=4, width=float("inf"))
    )


def _quoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quoted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_quoted(part) for part in value]
    # What is no printable line keeps the form in which YAML can escape it.
    return _Quoted(value) if isinstance(value, str) and value.isprintable() else value
