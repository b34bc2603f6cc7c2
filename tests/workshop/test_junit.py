"""JUnit XML is well-formed whatever rules are called, and counts what failed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from junitparser import Failure, JUnitXml, Skipped

from haidang.errors import RuleError
from haidang.workshop.junit import as_junit
from haidang.workshop.messages import Message
from haidang.workshop.testing import FAILED, PASSED, SKIPPED, Outcome, TestRun

STRANGE = 'a <b> & "c" \x00\x1b\ud800 đ'


RUN = TestRun(
    [
        Outcome("R", "id", "a.test.yml", 3, "fires", PASSED),
        Outcome(STRANGE, "id", "a.test.yml", 4, STRANGE, FAILED, Message("no: {why}", {"why": STRANGE})),
        Outcome("R", "id", "b.test.yml", 1, "", SKIPPED, Message("not loaded")),
    ],
    refused=(RuleError("bad", path="c.yml", line=2, rule="C"),),
)


def test_counts_and_names_what_failed() -> None:
    root = ET.fromstring(as_junit(RUN))
    assert (root.get("tests"), root.get("failures")) == ("4", "2")
    suites = {suite.get("name"): suite for suite in root}
    assert [suites["a.test.yml"].get(key) for key in ("tests", "failures", "skipped")] == ["2", "1", "0"]
    (failure,) = suites["a.test.yml"].iter("failure")
    assert "a.test.yml:4: no: a <b>" in str(failure.text)
    assert suites["b.test.yml"].find("testcase/skipped") is not None
    assert suites["c.yml"].find("testcase/failure") is not None


def test_an_independent_reader_counts_the_same() -> None:
    """There is no one schema of JUnit XML; what reads it for reports is the judge."""
    read = JUnitXml.fromstring(as_junit(RUN).encode())
    assert (read.name, read.tests, read.failures) == ("haidang rules test", 4, 2)
    suites = {suite.name: suite for suite in read}
    assert [(suite.tests, suite.failures, suite.skipped) for suite in suites.values()] == [
        (2, 1, 0), (1, 0, 1), (1, 1, 0),
    ]  # fmt: skip
    for suite in suites.values():
        said = (suite.tests, suite.failures, suite.skipped, suite.errors)
        suite.update_statistics()  # type: ignore[no-untyped-call]
        assert (suite.tests, suite.failures, suite.skipped, suite.errors) == said
    passed, failed = suites["a.test.yml"]
    assert passed.is_passed
    assert (passed.classname, passed.name, passed.time) == ("R", "fires (line 3)", 0.0)
    (reason,) = failed.result
    assert isinstance(reason, Failure)
    assert str(reason.message).startswith('no: a <b> & "c" ')
    (skipped,) = suites["b.test.yml"]
    assert isinstance(skipped.result[0], Skipped)
    assert skipped.result[0].message == "not loaded"
