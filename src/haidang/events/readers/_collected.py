r"""Log lines inside JSON objects: where collectors keep them, and what is told around them.

| who | line | around it |
| --- | --- | --- |
| Splunk (exports) | ``_raw`` | ``_time``, ``host`` |
| Filebeat, Logstash, Fluentd | ``message``, ``event.original``, ``log`` | ``@timestamp``, ``host`` |
| AWS CloudWatch | ``@message``, ``logEvents[].message``, ``message`` | ``@timestamp``, ``timestamp`` |
| Wazuh | ``full_log`` | ``timestamp``, ``agent.name`` |
| rsyslog, syslog-ng, Vector | ``message``, ``MESSAGE``, ``msg`` | the header of syslog, in parts |
| Graylog (GELF) | ``full_message``, ``short_message`` | the same |
| Azure (AKS) | ``properties.log``, ``log_s`` | ``time``, ``TimeGenerated`` |
| Loki, Falcon LogScale | ``line``, ``@rawstring`` | ``timestamp`` |

Input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.events import shapes
from haidang.events.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields

__all__ = ["Carried", "carried_lines", "host_of"]


class Carried(NamedTuple):
    """A line, and what the object around it says; "" and None where it says nothing."""

    text: str
    time: str = ""
    seconds: float | None = None
    """The same, in seconds since the epoch."""
    host: str = ""
    program: str = ""
    pid: str = ""
    exact: bool = False
    """Whether the time is the line's own, which the collector read with the zone that it was told."""


_LINES = ("_raw", "@message", "full_log", "@rawstring", "log_s", "message", "MESSAGE", "log", "line", "msg")
_LONG_LINES = ("full_message", "short_message")
_TIMES = (
    "_time", "@timestamp", "timestamp", "timereported", "ISODATE", "time", "date", "TimeGenerated",
    "timegenerated",
)  # fmt: skip
_HOSTS = ("logsource", "hostname", "HOST", "host", "fromhost", "Computer")
_PROGRAMS = (
    "program", "PROGRAM", "programname", "app-name", "appname", "ident", "syslog-tag", "syslogtag",
    "_application_name",
)  # fmt: skip
_PIDS = ("pid", "PID", "procid", "_process_id")


def carried_lines(document: Fields) -> Iterator[Carried]:
    """Yield the lines that an object carries, none where it is an event of its own."""
    _, inner = shapes.unwrap(document)
    if shapes.recognise(inner):
        return
    events = inner.get("logEvents")
    if isinstance(events, list):
        for one in events:
            if isinstance(one, dict) and isinstance(text := one.get("message"), str):
                yield Carried(text, *_time(one))
        return
    text = _line(inner)
    if text is not None:
        program, pid = _program(inner)
        yield Carried(text, *_time(inner), host_of(inner), program, pid, exact="_time" in inner)


def _line(document: Fields) -> str | None:
    event = document.get("event")
    original = event.get("original") if isinstance(event, dict) else document.get("event.original")
    if isinstance(original, str) and original.startswith("{"):
        # What a module of Beats took apart is told in full by the record itself.
        return original
    for name in _LINES:
        text = document.get(name)
        if isinstance(text, str) and text:
            return text
    if "short_message" in document:
        return next((text for name in _LONG_LINES if isinstance(text := document.get(name), str)), None)
    properties = document.get("properties")
    if isinstance(properties, dict) and isinstance(text := properties.get("log"), str):
        return text
    return None


def _time(document: Fields) -> tuple[str, float | None]:
    """Return the time that is told, as written and in seconds."""
    for name in _TIMES:
        value = document.get(name)
        if value is not None and (ns := parse_time(value)) is not None:
            return str(value), ns / 1e9
    return "", None


def host_of(document: Fields) -> str:
    """Return the host that an object names, "" where it names none."""
    agent = document.get("agent")
    if isinstance(agent, dict) and "full_log" in document:
        return _text(agent.get("name"))
    for name in _HOSTS:
        value = document.get(name)
        if isinstance(value, dict):
            value = value.get("name") or value.get("hostname")
        if isinstance(value, str) and value:
            return value
    return ""


def _program(document: Fields) -> tuple[str, str]:
    """Return the program and its process id where an object has the header of syslog in parts."""
    for name in _PROGRAMS:
        program = document.get(name)
        if isinstance(program, str) and program not in {"", "-"}:
            program, _, behind = program.rstrip(":").partition("[")
            pid = next(
                (_text(document[one]) for one in _PIDS if document.get(one) not in {None, "", "-"}), ""
            )
            return program, pid or behind.rstrip("]")
    process, event = document.get("process"), document.get("event")
    if (
        isinstance(process, dict)
        and isinstance(event, dict)
        and str(event.get("dataset")).startswith("system.")
    ):
        return _text(process.get("name")), _text(process.get("pid"))
    return "", ""


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""
