"""What wraps an event is taken off; what only looks like it stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from haidang.events.shapes import unwrap

EVENT: dict[str, Any] = {"Operation": "x", "list": [1]}


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"_source": EVENT}, "_source"),
        ({"result": EVENT, "lastrow": True}, "result"),
        ({"RecordId": "1", "AuditData": json.dumps(EVENT)}, "AuditData"),
        ({"EventId": "1", "CloudTrailEvent": json.dumps(EVENT)}, "CloudTrailEvent"),
        ({"detail-type": "AWS API Call via CloudTrail", "detail": EVENT}, "detail"),
        ({"TimeGenerated": "2026-05-11", "log_s": json.dumps(EVENT)}, "log_s"),
        ({"@timestamp": "2026-05-11", "o365": {"audit": EVENT}}, "o365.audit"),
        ({"@timestamp": "2026-05-11", "kubernetes": {"audit": EVENT}}, "kubernetes.audit"),
        ({"agent": {"id": "000"}, "data": {"aws": EVENT, "integration": "aws"}}, "data.aws"),
        ({"agent": {"id": "000"}, "data": {"office365": EVENT}}, "data.office365"),
        ({"_index": "x", "fields": {"Operation": ["x"], "list": [1, 2]}}, "fields"),
    ],
)
def test_an_export_keeps_the_event_inside(document: dict[str, Any], key: str) -> None:
    found, inner = unwrap(document)
    assert (found, inner["Operation"]) == (key, "x")
    assert inner == (EVENT if key != "fields" else {"Operation": "x", "list": [1, 2]})


@pytest.mark.parametrize(
    "document",
    [
        EVENT,
        {"result": "success"},
        {"detail": EVENT},
        {"AuditData": "{broken"},
        {"AuditData": "[1]"},
        {"AuditData": "text"},
        {"AuditData": EVENT},
        {"CloudTrailEvent": "{" * 5000},
        {"AuditData": '{"a":' * 70 + "1" + "}" * 70},
        {"data": {"aws": EVENT}},
        {"agent": {}, "data": {"aws": "text"}},
        {"fields": EVENT},
        {"TimeGenerated": "2026-05-11", "Type": "x"},
        {"TimeGenerated": "2026-05-11", "Status": "{broken", "Tags": "[deep" + "[" * 200},
        {},
    ],
)
def test_what_is_no_wrapper_stays(document: dict[str, Any]) -> None:
    assert unwrap(document) == ("", document)


def test_objects_that_a_row_of_log_analytics_has_as_text_are_objects() -> None:
    row = {"TimeGenerated": "t", "Status": '{"errorCode": 50126}', "Target": '[{"id": 1}]', "Name": "[x"}
    expected = {"TimeGenerated": "t", "Status": {"errorCode": 50126}, "Target": [{"id": 1}], "Name": "[x"}
    assert unwrap(row) == ("", expected)
