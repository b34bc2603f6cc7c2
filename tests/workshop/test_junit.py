"""JUnit XML is well-formed whatever rules are called, and counts what failed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from haidang.errors import RuleError
from haidang.workshop.junit import as_junit
from haidang.workshop.messages import Message
from haidang.workshop.testing import FAILED, PASSED, SKIPPED, Outcome, TestRun

STRANGE = 'a <b> & "c" \x00\x1b\ud800 đ'


def test_counts_and_names_what_failed() -> None:
    run = TestRun(
        [
            Outcome("R", "id", "a.test.yml", 3, "fires", PASSED),
            Outcome(STRANGE, "id", "a.test.yml", 4, STRANGE, FAILED, Message("no: {why}", {"why": STRANGE})),
            Outcome("R", "id", "b.test.yml", 1, "", SKIPPED, Message("not loaded")),
        ],
        refused=(RuleError("bad", path="c.yml", line=2, rule="C"),),
    )
    root = ET.fromstring(as_junit(run))
    assert (root.get("tests"), root.get("failures")) == ("4", "2")
    suites = {suite.get("name"): suite for suite in root}
    assert [suites["a.test.yml"].get(key) for key in ("tests", "failures", "skipped")] == ["2", "1", "0"]
    (failure,) = suites["a.test.yml"].iter("failure")
    assert "a.test.yml:4: no: a <b>" in str(failure.text)
    assert suites["b.test.yml"].find("testcase/skipped") is not None
    assert suites["c.yml"].find("testcase/failure") is not None
