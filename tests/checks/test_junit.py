"""JUnit: what build servers read of rule tests."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from haidang.checks import TestResult, write_junit


def document(*results: TestResult) -> ET.Element:
    stream = io.BytesIO()
    write_junit(stream, results)
    return ET.fromstring(stream.getvalue())


def test_counts_and_reasons_stand_where_build_servers_look() -> None:
    root = document(
        TestResult("Rule A", "fires", seconds=0.25, path="rules/a.test.yml", line=3),
        TestResult("Rule B", "fires", failure="It did not fire.", details="Image: x\nno match"),
        TestResult("Rule A", "stays silent", error="The sample is missing."),
        TestResult("Rule A", "on Linux", skipped="no sample"),
    )
    counts = {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert root.attrib == {"name": "haidang rules test", **counts, "time": "0.250"}
    assert [suite.get("name") for suite in root] == ["Rule A", "Rule B"]
    first = root[0][0]
    assert first.attrib == {
        "classname": "Rule A", "name": "fires", "time": "0.250", "file": "rules/a.test.yml", "line": "3",
    }  # fmt: skip
    assert len(first) == 0
    failure = root[1][0][0]
    assert (failure.tag, failure.get("message"), failure.text) == (
        "failure",
        "It did not fire.",
        "Image: x\nno match",
    )
    assert [case[0].tag for case in root[0][1:]] == ["error", "skipped"]


def test_only_what_has_no_reason_passed() -> None:
    assert TestResult("a", "b").passed
    assert not TestResult("a", "b", skipped="x").passed


def test_no_results_are_a_document_too() -> None:
    assert document().get("tests") == "0"


@given(st.text(), st.text(min_size=1))
def test_any_text_is_well_formed_xml(name: str, reason: str) -> None:
    root = document(TestResult(name, name, failure=reason, path=name))
    assert len(root[0][0]) == 1
