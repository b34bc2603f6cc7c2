"""OTLP's JSON: protobuf's names in camel case, 64-bit numbers as texts, ids in hexadecimal.

All input is untrusted.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.ingest.http._log_records import LogRecord, Sorter, text_or_base64
from haidang.ingest.http._records import refuse_too_many
from haidang.ingest.http.exchange import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.ingest.model import BrokenLines, Portion
    from haidang.limits import Limits

__all__ = ["read_json"]


class _KeyValue(msgspec.Struct, omit_defaults=True):
    key: str = ""
    value: _AnyValue | None = None


class _Array(msgspec.Struct, omit_defaults=True):
    values: list[_AnyValue] = []


class _Pairs(msgspec.Struct, omit_defaults=True):
    values: list[_KeyValue] = []


class _AnyValue(msgspec.Struct, rename="camel", omit_defaults=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: _Array | None = None
    kvlist_value: _Pairs | None = None


class _Record(msgspec.Struct, rename="camel", omit_defaults=True):
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    severity_number: int | str = 0
    severity_text: str = ""
    body: _AnyValue | None = None
    attributes: list[_KeyValue] = []
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""


class _Scope(msgspec.Struct):
    name: str = ""


class _ScopeLogs(msgspec.Struct, rename="camel"):
    scope: _Scope | None = None
    log_records: list[_Record] = []


class _Resource(msgspec.Struct):
    attributes: list[_KeyValue] = []


class _ResourceLogs(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] = []


class _Export(msgspec.Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] = []


def read_json(body: bytes, format_: str, limits: Limits) -> tuple[list[Portion], BrokenLines]:
    """Return the records of a request in JSON.

    Raises:
        RequestError: It is none, or holds too many records.
    """
    refuse_too_many(body, limits)
    sorter = Sorter(format_, limits)
    try:
        export = msgspec.json.decode(body, type=_Export)
        for resource_logs in export.resource_logs:
            resource = _pairs(
                resource_logs.resource.attributes if resource_logs.resource else (), limits.json_depth
            )
            for scope_logs in resource_logs.scope_logs:
                scope = scope_logs.scope.name if scope_logs.scope else ""
                _add(sorter, resource, scope, scope_logs.log_records)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RequestError(400, f"the body is no OTLP request: {error}") from error
    return sorter.portions(), sorter.broken


def _add(sorter: Sorter, resource: dict[str, Any], scope: str, records: Iterable[_Record]) -> None:
    depth = sorter.limits.json_depth
    for record in records:
        try:
            found = LogRecord(
                _pairs(record.attributes, depth),
                _value(record.body, depth),
                time=_integer(record.time_unix_nano) or _integer(record.observed_time_unix_nano),
                severity_text=record.severity_text,
                severity_number=_integer(record.severity_number),
                event_name=record.event_name,
                trace_id=record.trace_id.lower(),
                span_id=record.span_id.lower(),
            )
        except RecursionError:
            sorter.refuse(msgspec.json.encode(record))
        else:
            sorter.add(resource, scope, found)


def _pairs(pairs: Iterable[_KeyValue], depth: int) -> dict[str, Any]:
    return {pair.key: _value(pair.value, depth) for pair in pairs}


def _value(value: _AnyValue | None, depth: int) -> Any:
    """Return a value of JSON; RecursionError where it is nested deeper than ``depth``."""
    if depth <= 0:
        raise RecursionError
    if value is None:
        return None
    if value.kvlist_value is not None:
        return _pairs(value.kvlist_value.values, depth - 1)
    if value.array_value is not None:
        return [_value(one, depth - 1) for one in value.array_value.values]
    return value.string_value if value.string_value is not None else _scalar(value)


def _scalar(value: _AnyValue) -> Any:
    """Return a value that is no text, as the type that it is said to be; as it stands where it is none."""
    try:
        if value.int_value is not None:
            return int(value.int_value)
        if value.double_value is not None:
            return float(value.double_value)
        if value.bytes_value is not None:
            return text_or_base64(base64.b64decode(value.bytes_value))
    except (ValueError, binascii.Error):
        return next(
            one for one in (value.int_value, value.double_value, value.bytes_value) if one is not None
        )
    return value.bool_value


def _integer(value: int | str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0
