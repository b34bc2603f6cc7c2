r"""Windows events as forensic tools and SIEMs write them, put back into the form in which Windows has them.

| shape | how it looks | who writes it |
| --- | --- | --- |
| ``system`` | ``{"System": {…}, "EventData": {…}}`` | Velociraptor |
| ``wazuh`` | ``{"data": {"win": {"system": {…}, "eventdata": {…}}}, …}`` | alerts and archives of Wazuh |
| ``evtxecmd`` | ``{"EventId": …, "Channel": …, "Payload": "{…}", …}`` | EvtxECmd (KAPE), JSON and CSV |
| ``dotted`` | ``{"winlog.channel": …, "winlog.event_id": …}`` | tables and field lists out of Elastic |
| ``graylog`` | ``{"winlogbeat_winlog_channel": …, …}`` | Graylog, of what Winlogbeat sends |
| ``monitor`` | ``{"EventLog": …, "EventID": …, "EventData": "<…>"}`` | the table Event of Azure Monitor |

Rules of this module:

- ``recognise`` decides for one decoded object, ``rewrite`` gives it as ``{"Event": …}`` or, of ``dotted`` and
  ``graylog``, as ``{"winlog": …}``.
- Wazuh begins names with a small letter, and escapes backslashes and quotes once more than JSON does; both
  are undone. A value in which a backslash stands alone was not escaped.
- Input is untrusted; data that cannot be read stay in the event as text, nothing here raises.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["data_of_xml", "recognise", "rewrite"]

_ESCAPED = expression(r"[^\\\"]*+(?:\\[\\\"][^\\\"]*+)*+\Z", re.DOTALL)
_ESCAPE = expression(r"\\([\\\"])")
_GRAYLOG = {
    "winlogbeat_winlog_event_id": "winlogbeat_winlog_",
    "winlog_event_id": "winlog_",
    "winlogbeat_event_id": "winlogbeat_",
}
"""The number of an event, and how all its names begin; Winlogbeat up to 6 had no ``winlog``."""
_OLDER_NAMES = {"log_name": "channel", "source_name": "provider_name", "record_number": "record_id"}
_WAZUH_NAMES = {"providerName": "Name", "providerGuid": "Guid", "eventSourceName": "EventSourceName"}
_WAZUH_SYSTEM = {
    "eventID": "EventID",
    "channel": "Channel",
    "computer": "Computer",
    "eventRecordID": "EventRecordID",
    "level": "Level",
    "task": "Task",
    "opcode": "Opcode",
    "keywords": "Keywords",
    "version": "Version",
    "message": "Message",
}
_DEEPEST = 32
"""Levels of objects in a payload that are looked into; the deepest that a provider writes are four."""
_MOST_XML = 1 << 20
"""Characters of event data in XML that are read; Windows writes at most 64 KiB."""


def recognise(document: Fields) -> str:
    """Return the name of the shape that an unwrapped object has, "" for none."""
    system = document.get("System")
    if type(system) is dict and ("EventID" in system or "Channel" in system):
        return "system"
    if "EventId" in document and "Channel" in document and "Payload" in document:
        return "evtxecmd"
    if "winlog.event_id" in document or "winlog.channel" in document:
        return "dotted"
    if "EventLog" in document and "EventID" in document and "Source" in document:
        return "monitor"
    if any(name in document for name in _GRAYLOG):
        return "graylog"
    return "wazuh" if _win(document) else ""


def _win(document: Fields) -> Fields:
    """Return what Wazuh has of a Windows event; {} where there is none."""
    data = document.get("data")
    # In the text of archives.log, it stands alone.
    win = data.get("win") if type(data) is dict else document.get("win")
    return win if type(win) is dict and type(win.get("system")) is dict else {}


def rewrite(shape: str, document: Fields) -> Fields:
    """Return an object of that shape as Windows (``Event``) or Winlogbeat (``winlog``) would write it."""
    return _REWRITE[shape](document)


def _system(document: Fields) -> Fields:
    event = {
        name: document[name] for name in ("System", "EventData", "UserData") if document.get(name) is not None
    }
    return {"Event": event}


def _wazuh(document: Fields) -> Fields:
    win = _win(document)
    given = {name: _unescaped(value) for name, value in win["system"].items()}
    system: Fields = {
        "Provider": {flat: given[name] for name, flat in _WAZUH_NAMES.items() if name in given},
        "TimeCreated": {"SystemTime": given.get("systemTime") or document.get("timestamp")},
        "Execution": {"ProcessID": given.get("processID"), "ThreadID": given.get("threadID")},
    }
    system.update((flat, given[name]) for name, flat in _WAZUH_SYSTEM.items() if name in given)
    if type(message := system.get("Message")) is str:
        system["Message"] = message.strip('"')
    user_data = {name: value for name, value in win.items() if name not in {"system", "eventdata"}}
    return {
        "Event": {"System": system, "EventData": _named(win.get("eventdata")), "UserData": _named(user_data)}
    }


def _named(data: Any) -> Fields:
    """Return the data that Wazuh gives, by the names of Windows."""
    if type(data) is not dict:
        return {}
    return {
        name[:1].upper() + name[1:]: _named(value) if type(value) is dict else _unescaped(value)
        for name, value in data.items()
    }


def _unescaped(value: Any) -> Any:
    if type(value) is str and "\\" in value and _ESCAPED.match(value):
        return _ESCAPE.sub(r"\1", value) if '\\"' in value else value.replace("\\\\", "\\")
    return value


def _evtxecmd(document: Fields) -> Fields:
    payload = _json(document["Payload"])
    event: Fields = {
        "System": {
            "Provider": {"Name": document.get("Provider")},
            "EventID": document["EventId"],
            "TimeCreated": {"SystemTime": document.get("TimeCreated")},
            "EventRecordID": document.get("EventRecordId"),
            "Execution": {"ProcessID": document.get("ProcessId"), "ThreadID": document.get("ThreadId")},
            "Channel": document["Channel"],
            "Computer": document.get("Computer"),
            "Security": {"UserID": document.get("UserId")},
        }
    }
    for section in ("EventData", "UserData"):
        if type(data := payload.get(section)) is dict:
            event[section] = _of_attributes(data)
    if not payload and (text := document["Payload"]) and text != "{}":
        # Cut short or no object: what it says is searched as it is.
        event["EventData"] = {"Payload": text}
    return {"Event": event}


def _json(text: Any) -> Fields:
    import orjson

    if type(text) is not str:
        return text if type(text) is dict else {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if type(found) is dict else {}


def _of_attributes(data: Fields, depth: int = 0) -> Fields:
    """Return data of which XML was made JSON, ``{"Data": [{"@Name": …, "#text": …}]}``, by their names."""
    fields: Fields = {}
    if depth > _DEEPEST:
        return fields
    for name, value in data.items():
        items = value if type(value) is list else [value]
        rest = []
        for item in items:
            if type(item) is dict and type(key := item.get("@Name")) is str:
                _add(fields, key, item.get("#text"))
            elif type(item) is dict:
                rest.append(item["#text"] if "#text" in item else _of_attributes(item, depth + 1))
            elif not name.startswith("@"):
                rest.append(item)
        if rest:
            fields[name] = rest if len(rest) > 1 else rest[0]
    return fields


def _add(fields: Fields, name: str, value: Any) -> None:
    if name not in fields:
        fields[name] = value
    elif type(fields[name]) is list:
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _dotted(document: Fields) -> Fields:
    winlog: Fields = {}
    for section in ("event_data", "user_data"):
        prefix = f"winlog.{section}."
        data = {
            name[len(prefix) :]: _alone(value) for name, value in document.items() if name.startswith(prefix)
        }
        if data:
            winlog[section] = data
    for name, value in document.items():
        if name.startswith("winlog.") and not name.startswith(("winlog.event_data.", "winlog.user_data.")):
            winlog[name[7:]] = _alone(value)
    rewritten = {name: _alone(value) for name, value in document.items() if not name.startswith("winlog.")}
    if "computer_name" not in winlog and (host := rewritten.get("host.name")) is not None:
        winlog["computer_name"] = host
    if " @ " in str(rewritten.get("@timestamp")):
        # Kibana shows local times: the time in UTC that an event of Sysmon has comes first.
        rewritten["EventTime"] = rewritten.pop("@timestamp")
    if (code := rewritten.get("event.code")) is not None:
        rewritten["event"] = {"code": code}
    if (time := rewritten.get("EventTime")) is not None:
        winlog["event_data"] = {"EventTime": time, **winlog.get("event_data", {})}
    return {**rewritten, "winlog": winlog}


def _graylog(document: Fields) -> Fields:
    """Return a message of Graylog, which joins the names of objects in one another by underscores."""
    prefix = next(prefix for name, prefix in _GRAYLOG.items() if name in document)
    winlog: Fields = {"event_data": {}, "user_data": {}}
    for name, value in document.items():
        if name.startswith(prefix):
            key = name[len(prefix) :]
            section, _, inner = key.partition("_data_")
            if inner and f"{section}_data" in winlog:
                winlog[f"{section}_data"][inner] = value
            else:
                winlog[_OLDER_NAMES.get(key, key)] = value
    winlog.setdefault("computer_name", document.get("source"))
    time = document.get("winlogbeat_@timestamp") or document.get("timestamp")
    return {"winlog": winlog, "@timestamp": time, "message": document.get("message")}


def _alone(value: Any) -> Any:
    """Return the one value of a list of one, which field lists give for every field."""
    return value[0] if type(value) is list and len(value) == 1 else value


def _monitor(document: Fields) -> Fields:
    data = document.get("EventData")
    if type(data) is str:
        data = data_of_xml(data) or {"EventData": data}
    return {
        "Event": {
            "System": {
                "Provider": {"Name": document["Source"]},
                "EventID": document["EventID"],
                "TimeCreated": {"SystemTime": document.get("TimeGenerated")},
                "Channel": document["EventLog"],
                "Computer": document.get("Computer"),
                "Message": document.get("RenderedDescription"),
            },
            "EventData": data,
        }
    }


def data_of_xml(text: str) -> Fields:
    """Return event data in XML by their names; {} where a text is none."""
    from xml.etree.ElementTree import ParseError, fromstring

    # No document type: no entities of its own.
    if "<Data" not in text or "<!" in text or len(text) > _MOST_XML:
        return {}
    try:
        root = fromstring(text)  # noqa: S314 - see above
    except (ParseError, ValueError):
        return {}
    fields: Fields = {}
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "Data":
            _add(fields, element.attrib.get("Name") or "Data", element.text or "")
    return fields


_REWRITE = {
    "system": _system,
    "wazuh": _wazuh,
    "evtxecmd": _evtxecmd,
    "dotted": _dotted,
    "graylog": _graylog,
    "monitor": _monitor,
}
