"""Rules and logs that the tests of scanning share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from haidang.events import inputs
from haidang.scanning import _parallel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CHANNEL = "Microsoft-Windows-Sysmon/Operational"

RULES = """title: Tool
id: 00000000-0000-0000-0000-000000000001
name: tool
status: stable
level: high
tags: [attack.execution, attack.t1059]
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: '\\tool.exe'}, condition: s}
---
title: Shell
id: 00000000-0000-0000-0000-000000000002
name: shell
status: test
level: low
tags: [attack.discovery]
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine|contains: whoami}, condition: s}
---
title: Many tools [by user]
id: 00000000-0000-0000-0000-000000000003
status: stable
level: critical
correlation:
  type: event_count
  rules: [tool]
  generate: true
  group-by: [User]
  timespan: 5m
  condition: {gte: 3}
"""


def write_rules(folder: Path, text: str = RULES) -> Path:
    """Write rules into a folder and return their file."""
    path = folder / "rules.yml"
    path.write_text(text, "utf-8")
    return path


def event(number: int, **fields: Any) -> dict[str, Any]:
    """Return one process creation; its second is ``number``."""
    return {
        "Channel": CHANNEL,
        "EventID": 1,
        "Hostname": "h1",
        "UtcTime": f"2026-03-01 10:{number // 60 % 60:02}:{number % 60:02}.000",
        "@timestamp": f"2026-03-01T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "Image": "C:\\x\\tool.exe",
        "CommandLine": f"run {number}",
        "User": "lan",
        **fields,
    }


def write_log(path: Path, events: list[dict[str, Any]]) -> Path:
    """Write events as JSON lines and return their file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in events), "utf-8")
    return path


def split_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a few hundred kilobytes be split, as large ones are."""
    monkeypatch.setattr(_parallel, "_PART_BYTES", 100_000)
    monkeypatch.setattr(inputs, "_SMALLEST_PART", 50_000)
