"""Questions see of an event the same origin that a scan gives it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from haidang.inquiry.questions import Question

if TYPE_CHECKING:
    from pathlib import Path

_SIGN_IN = {
    "time": "2026-05-11T03:14:15Z",
    "resourceId": "/tenants/t/providers/Microsoft.aadiam",
    "operationName": "Sign-in activity",
    "category": "SignInLogs",
    "correlationId": "c",
    "properties": {"appDisplayName": "Azure Portal", "conditionalAccessStatus": "notApplied"},
}


def _origins(path: Path) -> list[str]:
    return [event.origin for event in Question((str(path),)).events()]


def test_the_origin_that_says_more_counts(tmp_path: Path) -> None:
    # Sign-ins that diagnostic settings write have all that an Azure activity has, and more.
    file = tmp_path / "sign_ins.json"
    file.write_text(json.dumps({"records": [_SIGN_IN]}))
    assert _origins(file) == ["entrasignin"]


def test_a_row_of_a_table_is_unwrapped(tmp_path: Path) -> None:
    record = {"CreationTime": "2026-05-11T03:14:15", "Operation": "New-InboxRule", "Workload": "Exchange"}
    file = tmp_path / "audit.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["RecordId", "CreationDate", "Operation", "AuditData"])
        writer.writerow(["1", "2026-05-11T03:14:15Z", "New-InboxRule", json.dumps(record)])
    assert _origins(file) == ["m365"]
