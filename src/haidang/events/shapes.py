"""The JSON shapes in which shippers wrap a Windows event, and how each becomes flat fields.

| shape | how it looks |
| --- | --- |
| ``event`` | ``{"Event": {"System": {…}, "EventData": {…} or "UserData": {…}}}``, as EVTX readers write it |
| ``winlogbeat`` | ``{"winlog": {"channel": …, "event_id": …, "event_data": {…}}, …}`` (Elastic's schema) |
| ``flat`` | ``{"Channel": …, "EventID": …, "Image": …}``, as NXLog and many converters write it |
| ``splunk`` | flat with ``EventCode`` and ``source``/``LogName`` in place of ``EventID`` and ``Channel`` |
| ``beats`` | ``{"log_name": …, "event_id": …, "event_data": {…}}``, as Winlogbeat wrote it up to 6 |
| ``record`` | ``{"LogName": …, "Id": …, "Message": …}``, as PowerShell's ``Get-WinEvent`` gives it |

Those of forensic tools and SIEMs are in :mod:`haidang.events.exported`.

A Sysmon event of which a shipper sent the rendered message alone gets its fields from there.

Any of them may be inside ``_source`` or ``fields`` (Elastic exports) or ``result`` (Splunk exports).
``recognise`` decides for one decoded object; anything else is not a Windows event. Events of other products
may also be inside ``detail`` (messages of AWS EventBridge), or as JSON text in ``AuditData`` (exports of
Microsoft 365) and ``CloudTrailEvent`` (answers of AWS), and where modules of Beats and Wazuh keep them
(``INNER``). In rows of Log Analytics, JSON text is decoded. All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events import exported
from haidang.events.model import Fields, Origin
from haidang.events.rendered import add_rendered
from haidang.events.rendered_messages import message_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = [
    "INNER",
    "INSIDE",
    "RESERVED",
    "WINDOWS",
    "WRAPPERS",
    "decoded_object",
    "event_id",
    "flatten",
    "may_be_wrapped",
    "paths",
    "recognise",
    "unwrap",
]

WINDOWS = Origin(
    "windows",
    time_fields=("TimeCreated", "@timestamp", "UtcTime", "EventTime", "_time", "timestamp", "TimeGenerated"),
    host_fields=("Computer", "Hostname", "ComputerName", "host", "MachineName"),
)

WRAPPERS = ("_source", "result", "auditData")
"""Keys under which exports keep the event itself."""
INNER = (
    ("o365", "audit"),
    ("kubernetes", "audit"),
    ("data", "aws"),
    ("data", "office365"),
    ("data", "gcp"),
    ("data", "github"),
)
"""Two keys, one in the other, under which modules of Beats and of Wazuh keep the event itself."""
_STREAMED = "AdvancedHunting-"
"""What the category of a row begins with that the streaming interface of Microsoft Defender sends."""
_OPENING = frozenset("{[")
_DEEPEST = 64
"""Levels of objects and lists in a text of an event that is looked into."""
_TEXTS = ("AuditData", "CloudTrailEvent", "log_s")
"""Keys under which exports keep the event itself as JSON text."""

_OUTER = frozenset(
    {*WRAPPERS, *_TEXTS, *(key for key, _ in INNER), "detail-type", "category", "TimeGenerated", "_index"}
)
"""Members without one of which an object is the event itself."""
INSIDE = {wrapper: WRAPPERS[:at] for at, wrapper in enumerate(WRAPPERS)} | {"": tuple(sorted(_OUTER))}
"""Wrapper ("" for none) to the members that lead elsewhere; without them the event is in the wrapper."""


def unwrap(document: Fields) -> tuple[str, Fields]:
    """Return the wrapper's key ("" for none) and the object inside it."""
    return ("", document) if document.keys().isdisjoint(_OUTER) else _unwrap(document)


def _unwrap(document: Fields) -> tuple[str, Fields]:
    """Do the same for an object that may have the event in it."""
    for key in WRAPPERS:
        inner = document.get(key)
        if isinstance(inner, dict):
            return key, inner
    for key in _TEXTS:
        text = document.get(key)
        if isinstance(text, str) and text.startswith("{") and (told := decoded_object(text)) is not None:
            return key, told
    if "detail-type" in document and isinstance(document.get("detail"), dict):
        return "detail", document["detail"]
    category, properties = document.get("category"), document.get("properties")
    if isinstance(category, str) and category.startswith(_STREAMED) and isinstance(properties, dict):
        return "properties", properties
    for key, name in INNER:
        outer = document.get(key)
        # What is called data may be anything; Wazuh names an agent beside it.
        if isinstance(outer, dict) and name in outer and (key != "data" or "agent" in document):
            inner = outer[name]
            if isinstance(inner, dict):
                return f"{key}.{name}", inner
    if "TimeGenerated" in document:
        return "", _with_objects(document)
    if "_index" in document and isinstance(document.get("fields"), dict):
        # Elastic gives a list for each field that was asked for.
        return "fields", {name: _alone(value) for name, value in document["fields"].items()}
    return "", document


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _with_objects(document: Fields) -> Fields:
    """Return a row of Log Analytics with its objects and lists decoded, which exports keep as JSON text."""
    texts = [
        name
        for name, value in document.items()
        if isinstance(value, str) and value[:1] in _OPENING and name != "EventData"
    ]
    if not texts:
        return document
    row = dict(document)
    for name in texts:
        if (value := _decoded(row[name])) is not None:
            row[name] = value
    return row


def decoded_object(text: str) -> Fields | None:
    """Return the object in a JSON text; None for what is none, so that the event stays as it is."""
    found = _decoded(text)
    return found if isinstance(found, dict) else None


def _decoded(text: str) -> Any:
    """Return what a JSON text says; None for what is no JSON, or nested deeper than any event."""
    import orjson

    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return None if text.count("{") + text.count("[") > _DEEPEST and _is_deep(found) else found


def _is_deep(found: Any) -> bool:
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def may_be_wrapped(names: Collection[str]) -> bool:
    """Return whether an object with these members may have the event itself inside one of them."""
    return any(name in names for name in (*WRAPPERS, *_TEXTS, "detail-type", "_index", "TimeGenerated"))


def recognise(document: Fields) -> str:
    """Return the name of the Windows shape that an unwrapped object has, "" for none."""
    if isinstance(document.get("Event"), dict) and isinstance(document["Event"].get("System"), dict):
        return "event"
    winlog = document.get("winlog")
    if isinstance(winlog, dict) and ("event_id" in winlog or "channel" in winlog):
        return "winlogbeat"
    if "EventID" in document and (
        "Channel" in document or "SourceName" in document or "Provider_Name" in document
    ):
        return "flat"
    if "EventCode" in document and ("LogName" in document or _splunk_channel(document)):
        return "splunk"
    if "log_name" in document and "event_id" in document:
        return "beats"
    if "LogName" in document and "Id" in document and "ProviderName" in document:
        return "record"
    return exported.recognise(document)


def flatten(shape: str, document: Fields) -> Fields:
    """Return the flat fields of an unwrapped object of that shape."""
    flatten = _FLATTEN.get(shape)
    if flatten is None:
        document = exported.rewrite(shape, document)
        flatten = _event if "Event" in document else _winlogbeat
    return add_rendered(flatten(document))


def event_id(value: Any) -> Any:
    """Return an EventID out of its object form ``{"#attributes": …, "#text": 7045}``."""
    return value.get("#text", value.get("Value")) if isinstance(value, dict) else value


RESERVED = frozenset({"Channel", "EventID", "Provider_Name", "Computer", "TimeCreated", "EventRecordID"})
"""Fields that always come from the system part, whatever the event's own data call themselves."""

_SYSTEM_ATTRIBUTES = {
    "Provider": {
        "Name": "Provider_Name",
        "Guid": "Provider_Guid",
        "EventSourceName": "Provider_EventSourceName",
    },
    "TimeCreated": {"SystemTime": "TimeCreated"},
    "Execution": {"ProcessID": "Execution_ProcessID", "ThreadID": "Execution_ThreadID"},
    "Security": {"UserID": "Security_UserID"},
    "Correlation": {"ActivityID": "Correlation_ActivityID"},
}


def _event(document: Fields) -> Fields:
    event = document["Event"]
    fields: Fields = {}
    for name, value in event["System"].items():
        if name in _SYSTEM_ATTRIBUTES and isinstance(value, dict):
            attributes = value.get("#attributes", value)
            attributes = attributes if isinstance(attributes, dict) else {}
            for attribute, flat in _SYSTEM_ATTRIBUTES[name].items():
                found = attributes.get(attribute, attributes.get(f"@{attribute}"))
                if found is not None:
                    fields[flat] = found
        elif name == "EventID":
            fields[name] = event_id(value)
        elif value is not None and not name.endswith("_attributes"):
            fields[name] = value
    data = event.get("EventData")
    if isinstance(data, dict):
        _add_data(fields, data)
    for section in ("UserData", "ProcessingErrorData", "RenderingInfo"):
        if isinstance(event.get(section), dict):
            _add_user_data(fields, event[section])
    return fields


def _add_data(fields: Fields, data: Fields) -> None:
    for name, value in data.items():
        if name == "#attributes" or name in RESERVED:
            continue
        if name == "Data" and isinstance(value, dict) and "#text" in value:
            value = value["#text"]  # noqa: PLW2901 - unnamed data carries its text in an object
        if value is not None:
            fields[name] = value


def _add_user_data(fields: Fields, data: Fields) -> None:
    """Add what providers nest one or two levels under UserData, by the innermost names."""
    for name, value in data.items():
        if name.startswith("#"):
            continue
        if isinstance(value, dict):
            inner = {key: item for key, item in value.items() if not key.startswith("#")}
            if inner:
                _add_user_data(fields, inner)
            elif value.get("#text") is not None:
                fields.setdefault(name, value["#text"])
        elif value is not None:
            fields.setdefault(name, value)


_WINLOG_NAMES = {
    "channel": "Channel",
    "computer_name": "Computer",
    "provider_name": "Provider_Name",
    "provider_guid": "Provider_Guid",
    "record_id": "EventRecordID",
    "task": "Task",
    "opcode": "Opcode",
    "keywords": "Keywords",
}


def _winlogbeat(document: Fields) -> Fields:
    winlog = document["winlog"]
    fields: Fields = {}
    for name, flat in _WINLOG_NAMES.items():
        if winlog.get(name) is not None:
            fields[flat] = winlog[name]
    identifier = winlog.get("event_id")
    event = document.get("event")
    if identifier is None and isinstance(event, dict):
        identifier = event.get("code")
    fields["EventID"] = event_id(identifier)
    for name in ("@timestamp", "message"):
        if document.get(name) is not None:
            fields["Message" if name == "message" else name] = document[name]
    for section in ("event_data", "user_data"):
        data = winlog.get(section)
        if isinstance(data, dict):
            fields.update(
                (key, value) for key, value in data.items() if value is not None and key not in RESERVED
            )
    return fields


def _flat(document: Fields) -> Fields:
    fields = {key: value for key, value in document.items() if value is not None}
    if "Provider_Name" not in fields and "SourceName" in fields:
        fields["Provider_Name"] = fields["SourceName"]
    if isinstance(fields.get("EventID"), dict):
        fields["EventID"] = event_id(fields["EventID"])
    if (data := fields.get("EventData")) is not None:
        _add_nested(fields, data)
    return fields


def _add_nested(fields: Fields, data: Any) -> None:
    """Add the data that are an object, or a text in XML or JSON, of their own in a flat event."""
    if isinstance(data, str):
        data = decoded_object(data) or exported.data_of_xml(data)
    if isinstance(data, dict):
        for name, value in data.items():
            if value is not None and name not in RESERVED:
                fields[name] = value


def _splunk_channel(document: Fields) -> str:
    source = document.get("source")
    if isinstance(source, str) and "WinEventLog:" in source:
        return source.partition("WinEventLog:")[2]
    return ""


def _splunk(document: Fields) -> Fields:
    fields = _flat(document)
    fields.setdefault("EventID", fields.get("EventCode"))
    fields.setdefault("Channel", fields.get("LogName") or _splunk_channel(fields))
    if "Provider_Name" not in fields and "SourceName" in fields:
        fields["Provider_Name"] = fields["SourceName"]
    return _with_message(fields)


_BEATS_NAMES = {
    "log_name": "Channel",
    "event_id": "EventID",
    "computer_name": "Computer",
    "source_name": "Provider_Name",
    "provider_guid": "Provider_Guid",
    "record_number": "EventRecordID",
    "@timestamp": "@timestamp",
    "message": "Message",
}
_RECORD_NAMES = {
    "LogName": "Channel",
    "Id": "EventID",
    "MachineName": "Computer",
    "ProviderName": "Provider_Name",
    "RecordId": "EventRecordID",
    "ProcessId": "Execution_ProcessID",
    "ThreadId": "Execution_ThreadID",
}


def _beats(document: Fields) -> Fields:
    fields = {flat: document[name] for name, flat in _BEATS_NAMES.items() if document.get(name) is not None}
    for section in ("event_data", "user_data"):
        data = document.get(section)
        if isinstance(data, dict):
            fields.update(
                (key, value) for key, value in data.items() if value is not None and key not in RESERVED
            )
    return fields


def _record(document: Fields) -> Fields:
    """Name what the object of PowerShell calls otherwise; its process is that of the provider."""
    return _with_message(
        {_RECORD_NAMES.get(key, key): value for key, value in document.items() if value is not None}
    )


def _with_message(fields: Fields) -> Fields:
    """Add what the message says of an event whose data are not kept otherwise."""
    if isinstance(message := fields.get("Message"), str):
        for name, value in message_fields(message).items():
            fields.setdefault(name, value)
    return fields


_FLATTEN: dict[str, Callable[[Fields], Fields]] = {
    "event": _event,
    "winlogbeat": _winlogbeat,
    "flat": _flat,
    "splunk": _splunk,
    "beats": _beats,
    "record": _record,
}


def paths(shape: str, name: str) -> tuple[tuple[str, ...], ...]:
    """Return where ``flatten`` takes a field from, in order of preference, as paths into the object.

    () means that the shape has no fixed places (the object must be flattened). What is under ``UserData``,
    ``ProcessingErrorData``, ``RenderingInfo`` or ``user_data`` is left out: an object that has any of these
    must be flattened too.
    """
    if shape == "flat":
        return ((name,), ("SourceName",)) if name == "Provider_Name" else ((name,),)
    if shape == "event":
        return _event_paths(name)
    return _winlog_paths(name) if shape == "winlogbeat" else ()


def _event_paths(name: str) -> tuple[tuple[str, ...], ...]:
    for element, attributes in _SYSTEM_ATTRIBUTES.items():
        for attribute, flat in attributes.items():
            if flat == name:
                system = ("Event", "System", element, "#attributes", attribute)
                return (system,) if name in RESERVED else (("Event", "EventData", name), system)
    if name in RESERVED:
        return (("Event", "System", name),)
    return (("Event", "EventData", name), ("Event", "System", name))


def _winlog_paths(name: str) -> tuple[tuple[str, ...], ...]:
    data = ("winlog", "event_data", name)
    if name == "EventID":
        return (("winlog", "event_id"), ("event", "code"))
    if name in {"@timestamp", "Message"}:
        return (data, (name if name == "@timestamp" else "message",))
    for key, flat in _WINLOG_NAMES.items():
        if flat == name:
            return (("winlog", key),) if name in RESERVED else (data, ("winlog", key))
    return (data,) if name not in RESERVED else ()
