"""OTLP's protobuf, by the messages that the standard publishes.

All input is untrusted; protobuf itself reads no more than a hundred levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.extras import needs
from haidang.ingest.http._log_records import LogRecord, Sorter, text_or_base64
from haidang.ingest.http.exchange import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.ingest.model import BrokenLines, Portion
    from haidang.limits import Limits

__all__ = ["read_protobuf"]


def read_protobuf(body: bytes, format_: str, limits: Limits) -> tuple[list[Portion], BrokenLines]:
    """Return the records of a request in protobuf.

    Raises:
        ConfigurationError: The extra ``[console]`` is missing.
        RequestError: It is none.
    """
    with needs("console"):
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    export = ExportLogsServiceRequest()
    try:
        export.ParseFromString(body)
    except DecodeError as error:
        raise RequestError(400, "the body is no OTLP request") from error
    sorter = Sorter(format_, limits)
    for resource_logs in export.resource_logs:
        resource = _pairs(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                sorter.add(resource, scope_logs.scope.name, _record(record))
    return sorter.portions(), sorter.broken


def _record(record: Any) -> LogRecord:
    return LogRecord(
        _pairs(record.attributes),
        _value(record.body),
        time=record.time_unix_nano or record.observed_time_unix_nano,
        severity_text=record.severity_text,
        severity_number=record.severity_number,
        event_name=record.event_name,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
    )


def _pairs(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "kvlist_value":
        return _pairs(found.values)
    if kind == "array_value":
        return [_value(one) for one in found.values]
    return text_or_base64(found) if kind == "bytes_value" else found
