"""NDJSON is a contract: it is held against the published schemas."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs.ndjson import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


@cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    content = json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def lines(*findings: Finding, summary: ScanSummary | None = None) -> list[dict[str, Any]]:
    stream = BytesIO()
    writer = OUTPUT.open(stream, lang="vi")
    for finding in findings:
        writer.write(finding)
    writer.close(summary or ScanSummary())
    text = stream.getvalue().decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_finding_on_an_event_says_what_the_contract_says(make_finding: Callable[..., Finding]) -> None:
    found, _summary = lines(make_finding())
    assert found == {
        "kind": "finding",
        "id": "0123456789abcdef0123456789abcdef",
        "time": "2026-03-01T08:12:45.5Z",
        "rule": {
            "id": "11111111-2222-4333-8444-555555555555",
            "title": "Encoded PowerShell",
            "level": "high",
            "status": "test",
            "tags": ["attack.execution", "attack.t1059.001"],
            "author": "",
        },
        "host": "WS01",
        "origin": "windows",
        "source": {"path": "logs/ws01.json", "record": 17},
        "matched": [
            {
                "field": "Image",
                "value": "C:\\Windows\\powershell.exe",
                "test": "endswith '\\powershell.exe'",
            }
        ],
        "event": {"Image": "C:\\Windows\\powershell.exe", "EventID": 1},
    }
    schema("finding").validate(found)


def test_finding_on_a_group_names_its_members(make_finding: Callable[..., Finding]) -> None:
    member = "f" * 32
    found, _summary = lines(
        make_finding(origin="correlation", members=(member,), group={"User": "lan"}, count=12, time=None)
    )
    assert (found["members"], found["group"], found["count"]) == ([member], {"User": "lan"}, 12)
    assert found["time"] is None
    schema("finding").validate(found)


def test_summary_comes_last_and_accounts_for_every_file_and_rule(
    make_finding: Callable[..., Finding], troubled_summary: ScanSummary
) -> None:
    *_findings, last = lines(make_finding(), summary=troubled_summary)
    schema("summary").validate(last)
    assert last["kind"] == "summary"
    assert last["complete"] is False
    assert last["files"]["total"] == 3
    assert [file["path"] for file in last["files"]["incomplete"]] == [
        "logs/dc01.evtx",
        "backup.zip!x\x1b]0;owned\x07.json",
    ]
    assert last["files"]["incomplete"][0]["problems"][1] == {
        "kind": "broken-line",
        "where": "line 1234567",
        "detail": "It is not JSON.",
        "count": 12,
    }
    assert last["rules"]["refused"] == [
        {
            "rule": "Odd rule",
            "path": "rules/odd.yml",
            "line": 12,
            "reason": "back-references are not supported",
        }
    ]


def test_run_that_was_stopped_is_not_complete() -> None:
    (last,) = lines(summary=ScanSummary(interrupted=True))
    assert (last["complete"], last["interrupted"]) == (False, True)
    (last,) = lines(summary=ScanSummary())
    assert (last["complete"], last["interrupted"]) == (True, False)


@pytest.mark.parametrize("name", ["finding", "summary"])
def test_schemas_refuse_a_line_that_lacks_anything(
    name: str, make_finding: Callable[..., Finding], troubled_summary: ScanSummary
) -> None:
    found, last = lines(make_finding(), summary=troubled_summary)
    whole = found if name == "finding" else last
    for key in whole:
        part = {other: value for other, value in whole.items() if other != key}
        with pytest.raises(jsonschema.ValidationError):
            schema(name).validate(part)
    with pytest.raises(jsonschema.ValidationError):
        schema(name).validate({**whole, "kind": "other"})


def test_text_that_is_not_unicode_does_not_lose_the_finding(make_finding: Callable[..., Finding]) -> None:
    found, _summary = lines(
        make_finding(
            host="h\udcff", event={"a": ["\ud800"]}, source=Source("b\udc80", 1), rule_title="t\udc81"
        )
    )
    assert found["host"] == "h\\udcff"
    assert found["event"] == {"a": ["\\ud800"]}
    assert found["source"]["path"] == "b\\udc80"
    assert found["rule"]["title"] == "t\\udc81"


def test_rules_of_the_same_id_and_other_titles_are_not_mixed_up(make_finding: Callable[..., Finding]) -> None:
    one, other, _summary = lines(make_finding(), make_finding(rule_title="Another"))
    assert (one["rule"]["title"], other["rule"]["title"]) == ("Encoded PowerShell", "Another")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(event=st.dictionaries(st.text(), JSON, max_size=4), text=st.text())
def test_whatever_an_event_holds_comes_back_from_one_line(event: dict[str, Any], text: str) -> None:
    rule = FindingRule("", text, "low", "test", ())
    finding = Finding("0" * 32, rule, None, text, Source(text, 1), event, (Match("", text, text),), "json")
    found, _summary = lines(finding)
    assert found["event"] == event
    assert found["rule"]["title"] == found["host"] == found["matched"][0]["value"] == text
    schema("finding").validate(found)


@pytest.mark.parametrize("name", ["finding", "summary"])
def test_reference_explains_every_key_of_the_schemas(name: str) -> None:
    reference = (REFERENCE / "findings.md").read_text(encoding="utf-8")

    def keys(part: dict[str, Any]) -> list[str]:
        inner = [*part.get("properties", {}).values(), *([part["items"]] if "items" in part else [])]
        return [*part.get("properties", {}), *(key for item in inner for key in keys(item))]

    found = keys(json.loads((REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8")))
    assert len(found) > 10
    assert not [key for key in found if f"`{key}`" not in reference]
