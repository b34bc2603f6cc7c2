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
    ],
)
def test_an_export_keeps_the_event_inside(document: dict[str, Any], key: str) -> None:
    assert unwrap(document) == (key, EVENT)


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
        {},
    ],
)
def test_what_is_no_wrapper_stays(document: dict[str, Any]) -> None:
    assert unwrap(document) == ("", document)
