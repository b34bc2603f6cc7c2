"""How two shippers write a Windows event as JSON: Winlogbeat (ECS), and an EVTX library (Event.System)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samples.making.windows import Event

__all__ = ["as_event", "as_winlogbeat"]

_LEVELS = {0: "information", 4: "information", 5: "verbose"}


def as_winlogbeat(event: Event) -> str:
    """Return the line that Winlogbeat would send."""
    name, guid = event.provider
    stamp = f"{event.time:%Y-%m-%dT%H:%M:%S}.{event.time.microsecond // 1000:03}Z"
    winlog: dict[str, Any] = {
        "channel": event.channel,
        "computer_name": event.computer,
        "event_id": str(event.number),
        "provider_name": name,
        "provider_guid": f"{{{guid}}}",
        "record_id": event.record,
        "task": str(event.task),
        "opcode": "Info",
        "process": {"pid": event.process, "thread": {"id": event.thread}},
        ("user_data" if event.under else "event_data"): event.data,
    }
    if event.sid:
        winlog["user"] = {"identifier": event.sid}
    document = {
        "@timestamp": stamp,
        "winlog": winlog,
        "event": {"code": str(event.number), "kind": "event", "provider": name},
        "host": {"name": event.computer},
        "log": {"level": _LEVELS[event.level]},
        "agent": {"type": "winlogbeat", "version": "8.15.3"},
        "ecs": {"version": "8.0.0"},
    }
    return _line(document)


def as_event(event: Event) -> str:
    """Return the line that a reader of EVTX files would write."""
    name, guid = event.provider
    system = {
        "Provider": {"#attributes": {"Name": name, "Guid": f"{{{guid}}}"}},
        "EventID": event.number,
        "Version": 0,
        "Level": event.level,
        "Task": event.task,
        "Opcode": 0,
        "Keywords": event.keywords,
        "TimeCreated": {
            "#attributes": {"SystemTime": f"{event.time:%Y-%m-%dT%H:%M:%S}.{event.time.microsecond:06}Z"}
        },
        "EventRecordID": event.record,
        "Correlation": None,
        "Execution": {"#attributes": {"ProcessID": event.process, "ThreadID": event.thread}},
        "Channel": event.channel,
        "Computer": event.computer,
        "Security": {"#attributes": {"UserID": event.sid}} if event.sid else None,
    }
    body = {"UserData": {event.under: event.data}} if event.under else {"EventData": event.data}
    return _line({"Event": {"System": system, **body}})


def _line(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
