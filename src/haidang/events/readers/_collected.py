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
| Google Cloud (Log Router) | ``textPayload``, ``jsonPayload.message`` | ``timestamp``, ``labels`` |
| Google Pub/Sub | ``message.data``, ``receivedMessages[].message.data`` (Base64) | ``publishTime`` |
| Splunk HEC (Dataflow and others) | ``event`` beside ``sourcetype`` | ``time``, ``host`` |
| Okta event hooks | ``data.events[]``, an object each | |

Input is untrusted.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

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


_LINES = (
    "_raw",
    "@message",
    "full_log",
    "@rawstring",
    "log_s",
    "message",
    "MESSAGE",
    "log",
    "line",
    "msg",
    "textPayload",
)
_NESTED = (("properties", "log"), ("jsonPayload", "message"))
_PUBLISHED = frozenset({"messageId", "message_id", "publishTime", "publish_time"})
"""What messages of Pub/Sub have beside their data."""
_LONG_LINES = ("full_message", "short_message")
_TIMES = (
    "_time", "@timestamp", "timestamp", "timereported", "ISODATE", "time", "date", "TimeGenerated",
    "timegenerated", "publishTime", "publish_time",
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
    if wrapped := [*_published(inner), *_hooked(inner)]:
        yield from wrapped
        return
    text = _line(inner)
    if text is not None:
        program, pid = _program(inner)
        yield Carried(text, *_time(inner), host_of(inner), program, pid, exact="_time" in inner)


def _published(document: Fields) -> Iterator[Carried]:
    """Yield what messages of Google Pub/Sub hold: one that is pushed, several that were pulled, one alone."""
    pulled = document.get("receivedMessages")
    for outer in pulled if isinstance(pulled, list) else [document]:
        message = outer.get("message") if isinstance(outer, dict) else None
        if not isinstance(message, dict):
            message = outer
        if not isinstance(message, dict) or message.keys().isdisjoint(_PUBLISHED):
            continue
        if isinstance(data := message.get("data"), str):
            try:
                text = b64decode(data, validate=True).decode("utf-8", "replace")
            except (Base64Error, ValueError):
                continue
            yield Carried(text, *_time(message))


def _hooked(document: Fields) -> Iterator[Carried]:
    """Yield the events that Okta sends to a hook, or what is sent to Splunk's collector, as JSON text."""
    data, event = document.get("data"), document.get("event")
    if document.get("eventType") == "com.okta.event_hook" and isinstance(data, dict):
        events = data.get("events")
        texts = [_json(one) for one in (events if isinstance(events, list) else ()) if isinstance(one, dict)]
        # One that cannot be written by itself must not be lost: then the whole stays as it is.
        if all(texts):
            yield from map(Carried, texts)
    elif isinstance(event, dict | str) and event and "sourcetype" in document:
        if isinstance(event, str):
            text = event
        else:
            # What an event does not say itself is around it.
            around = {"_time": document.get("time"), "host": document.get("host")}
            text = _json({name: value for name, value in around.items() if value is not None} | event)
        yield Carried(text, *_time(document), host_of(document))


def _json(document: Fields) -> str:
    """Return an object as text again, "" where it is nested deeper than can be written."""
    try:
        return orjson.dumps(document).decode()
    except orjson.JSONEncodeError:
        return ""


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
    for name, inside in _NESTED:
        outer = document.get(name)
        if isinstance(outer, dict) and isinstance(text := outer.get(inside), str):
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
    return _machine(document)


def _machine(document: Fields) -> str:
    """Return the machine or pod that Google Cloud names, "" where it names none."""
    labels, resource = document.get("labels"), document.get("resource")
    if isinstance(labels, dict) and isinstance(
        name := labels.get("compute.googleapis.com/resource_name"), str
    ):
        return name
    labels = resource.get("labels") if isinstance(resource, dict) else None
    if isinstance(labels, dict):
        return next(
            (name for one in ("pod_name", "instance_id") if isinstance(name := labels.get(one), str)), ""
        )
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
