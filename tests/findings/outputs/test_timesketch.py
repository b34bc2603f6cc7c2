"""Timesketch: lines that its importer takes."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from haidang.findings.model import Finding, ScanSummary
from haidang.findings.outputs.timesketch import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable


def written(*findings: Finding) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    writer = OUTPUT.open(stream, lang="vi")
    for finding in findings:
        writer.write(finding)
    writer.close(ScanSummary())
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_has_what_the_importer_requires(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding())
    assert event["message"] == "[high] Encoded PowerShell on WS01: Image endswith '\\powershell.exe'"
    moment = datetime.fromisoformat(event["datetime"])
    assert moment.utcoffset() is not None
    assert moment.timestamp() * 1_000_000 == event["timestamp"]
    assert event["timestamp_desc"] == "Event time (Sigma finding)"


def test_fields_of_the_event_keep_their_names_and_are_flat(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding(event={"CommandLine": "x", "Data": ["a", {"b": 1}], "EventID": 1}))
    assert event["CommandLine"] == "x"
    assert event["Data"] == '["a",{"b":1}]'
    assert event["EventID"] == 1
    assert not [key for key, value in event.items() if isinstance(value, dict)]


def test_a_field_of_the_log_never_takes_the_place_of_one_of_ours(
    make_finding: Callable[..., Finding],
) -> None:
    forged = {"message": "fine", "datetime": "1999", "haidang_level": "low", "__ts_emojis": ["x"], "tag": "y"}
    (event,) = written(make_finding(event=forged))
    assert event["message"].startswith("[high]")
    assert event["haidang_level"] == "high"
    assert event["event_message"] == "fine"
    assert event["event_datetime"] == "1999"
    assert "__ts_emojis" not in event


def test_level_tactics_and_techniques_are_tags(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding())
    assert event["tag"] == ["high", "execution", "T1059.001"]


def test_an_event_without_a_time_says_so(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding(time=None))
    assert event["timestamp"] == 0
    assert "unknown" in event["timestamp_desc"]
