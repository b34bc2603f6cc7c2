"""One object of LAUREL (JSON) to the event of the audit log that auditd would have written.

    {"ID":"1794409137.276:327308","SYSCALL":{"syscall":59,…},"EXECVE":{"argc":2,"ARGV":["id","-u"]},"PATH":[…]}

Rules of this module:

- Each member in capital letters that holds an object, or a list of them, is a record or several; they are put
  together by :func:`haidang.events.readers.auditd.merge`, so that the fields are those of auditd.
- Numbers are text as auditd writes them: ``0x`` of hex digits and the ``o`` of octal ones go, except in
  what is text.
- LAUREL writes bytes that are no text as ``%`` and two hex digits, and ``%`` itself so: that is undone.
- What LAUREL knows of the parent (``PPID`` of SYSCALL, ``PARENT_INFO`` of older versions) is ParentImage.
- What it adds to a record besides is text by its names and those inside (``PPID.comm``); what it adds to the
  event (``CONTAINER_INFO``, ``ENV``) stays as it is.
- Input is untrusted: what has none of these forms is left out of the event or stays as it is; nothing raises.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import orjson

from haidang.events.patterns import expression
from haidang.events.readers._audit_records import ENCODED, add_parts, socket_address
from haidang.events.readers.auditd import merge

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["is_laurel", "laurel_event"]

_IDENTIFIER = expression(r"(\d{1,12}\.\d{1,9}):(\d{1,20})\Z", re.ASCII)
_KIND = expression(r"[A-Z][A-Z0-9_]{1,40}\Z", re.ASCII)
_NUMBER = expression(r"0([xo])([0-9a-fA-F]+)\Z")
_ADDED = frozenset({"ID", "NODE", "PARENT_INFO", "CONTAINER_INFO", "ENV"})
_ADDRESS = {"family": "saddr_fam", "addr": "laddr", "port": "lport"}
"""What older versions call the parts of a socket address."""


def is_laurel(document: Fields) -> bool:
    """Return whether an object is an event of LAUREL: it names an audit event and has a record."""
    identifier = document.get("ID")
    return (
        isinstance(identifier, str)
        and _IDENTIFIER.match(identifier) is not None
        and any(isinstance(value, dict | list) and _is_record(name) for name, value in document.items())
    )


def laurel_event(document: Fields, host: str = "") -> Fields | None:
    """Return the event in an object, None where it is none of LAUREL.

    ``host`` is the host where the object names none.
    """
    if not is_laurel(document):
        return None
    time, _, serial = document["ID"].partition(":")
    records = [
        _fields(kind, record)
        for kind, value in document.items()
        if _is_record(kind)
        for record in (value if isinstance(value, list) else [value])
        if isinstance(record, dict)
    ]
    if not records:
        return None
    node = document.get("NODE")
    event = merge((node if isinstance(node, str) else host, time, serial), records)
    _add_parent(event, document)
    for name in ("CONTAINER_INFO", "ENV"):
        if name in document:
            event[name] = document[name]
    return event


def _is_record(kind: str) -> bool:
    return kind not in _ADDED and _KIND.match(kind) is not None


def _fields(kind: str, record: Fields) -> Fields:
    """Return the fields of one record as those of auditd."""
    fields: Fields = {"type": kind}
    for name, value in record.items():
        if name == "ARGV" and isinstance(value, list):
            _add_arguments(fields, kind, value)
        elif name == "ARGV_STR":
            # The list beside it tells more.
            if not isinstance(record.get("ARGV"), list):
                fields["proctitle"] = _text(value)
        elif name == "SADDR" and isinstance(value, dict):
            fields.update((_ADDRESS.get(str(part), str(part)), _text(one)) for part, one in value.items())
        elif name in {"denied", "granted"} and isinstance(value, list):
            fields |= {"seresult": name, "seperms": " ".join(map(_text, value))}
        elif isinstance(value, dict):
            # What records say must be text, for those of an event may differ.
            fields.update((f"{name}.{part}", _text(one)) for part, one in value.items())
        elif value is not None and name != "type":
            fields[name] = _text(value) if name in ENCODED else _number(value)
    if kind == "SOCKADDR":
        if digits := _digits(record.get("saddr")):
            fields["saddr"] = digits
        if "saddr_fam" not in fields:
            fields.update(socket_address(digits))
    else:
        add_parts(kind, fields, "")
    return fields


def _add_arguments(fields: Fields, kind: str, values: list[Any]) -> None:
    """Add the arguments of a program, or of a system call (numbers), or a process title."""
    if kind == "PROCTITLE":
        fields["proctitle"] = " ".join(map(_text, values))
    else:
        convert = _number if kind == "SYSCALL" else _text
        fields.update((f"a{at}", convert(value)) for at, value in enumerate(values))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return unquote(value, errors="replace") if "%" in value else value
    try:
        return "" if value is None else orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # Nested deeper than can be written again.
        return ""


def _number(value: Any) -> str:
    """Return a number by the digits that auditd writes, and what is none as text."""
    text = _text(value)
    match = _NUMBER.match(text)
    return text if match is None else match[2] if match[1] == "x" else f"0{match[2]}"


def _digits(value: Any) -> str:
    """Return the hex digits of a socket address that is not read yet, in capital letters."""
    if not isinstance(value, str):
        return ""
    if value.startswith("0x"):
        return value[2:].upper()
    return (unquote_to_bytes(value).hex() if "%" in value else value).upper()


def _add_parent(event: Fields, document: Fields) -> None:
    """Add what LAUREL remembers of the process that started this one."""
    older = document.get("PARENT_INFO")
    older = older if isinstance(older, dict) else {}
    image = event.get("PPID.exe") or _text(older.get("exe"))
    if image and isinstance(image, str):
        event["ParentImage"] = image
    if isinstance(arguments := older.get("ARGV"), list):
        event["ParentCommandLine"] = " ".join(map(_text, arguments))
