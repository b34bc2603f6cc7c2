"""A scan as a user runs it: rules and events of our own, and what it wrote."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from haidang.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMAND_LINE", "event", "records", "rule", "scan", "titles"]

COMMAND_LINE = [sys.executable, "-c", "import sys; from haidang.cli.main import main; sys.exit(main())"]

RULE = """title: {title}
id: {id}
status: {status}
level: {level}
tags: [attack.execution, {tag}]
logsource: {{product: windows, category: process_creation}}
detection:
    sel: {{Image|endswith: '{image}'}}
    condition: sel
"""


def rule(folder: Path, name: str, image: str, level: str, status: str, tag: str) -> None:
    text = RULE.format(
        title=f"Rule {name}",
        id=f"{ord(name):08d}-0000-4000-8000-000000000000",
        image=image,
        level=level,
        status=status,
        tag=tag,
    )
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def event(image: str, day: int, host: str = "WS01") -> str:
    return json.dumps(
        {
            "EventID": 1,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventTime": f"2026-03-0{day} 08:00:00",
            "@timestamp": f"2026-03-0{day}T08:00:00.000Z",
            "Hostname": host,
            "Image": f"C:\\Windows\\{image}",
            "CommandLine": f"{image} /x",
            "User": "lan",
        }
    )


def scan(*options: str) -> int:
    return main(["scan", "logs", "--rules", "rules", "--processes", "1", "--no-cache", *options])


def records(text: bytes | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def titles(text: bytes | str) -> list[str]:
    return [record["rule"]["title"] for record in records(text) if record["kind"] == "finding"]
