"""JUnit XML: results of rule tests as build servers (Jenkins, GitLab, GitHub actions, Azure) show them.

Rules:

- A suite is what a test belongs to, normally a rule; suites come in the order of their first test.
- A test passed unless it says otherwise: ``failure`` (the rule did not do what the test wants), ``error``
  (the test could not be run) or ``skipped``, each with a sentence.
- Characters that XML cannot carry become U+FFFD: titles and messages may quote logs, which are untrusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TestResult", "write_junit"]

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class TestResult:
    """What one test came to."""

    __test__ = False  # pytest takes what begins with "Test" for its own.

    suite: str
    """What it belongs to: the title of the rule."""
    name: str
    """What it tests, e.g. ``fires on event 2``."""
    seconds: float = 0.0
    path: str = ""
    """File of the test, and the line in it (0: unknown)."""
    line: int = 0
    failure: str = ""
    """Why it failed, "" where it did not."""
    error: str = ""
    """Why it could not be run."""
    skipped: str = ""
    """Why it was left out."""
    details: str = ""
    """More lines for who looks into it."""

    @property
    def passed(self) -> bool:
        """Whether it was run and did not fail."""
        return not (self.failure or self.error or self.skipped)


def write_junit(
    stream: IO[bytes], results: Iterable[TestResult], *, name: str = "haidang rules test"
) -> None:
    """Write the results as one JUnit document, in UTF-8."""
    suites: dict[str, list[TestResult]] = {}
    for result in results:
        suites.setdefault(result.suite, []).append(result)
    every = [result for suite in suites.values() for result in suite]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_attributes(name, every)}>"]
    for suite, tests in suites.items():
        lines.append(f"  <testsuite{_attributes(suite, tests)}>")
        for test in tests:
            lines += _case(test)
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    stream.write(("\n".join(lines) + "\n").encode())


def _attributes(name: str, tests: list[TestResult]) -> str:
    counts = {
        "tests": len(tests),
        "failures": sum(1 for test in tests if test.failure),
        "errors": sum(1 for test in tests if test.error and not test.failure),
        "skipped": sum(1 for test in tests if test.skipped and not (test.failure or test.error)),
    }
    texts = "".join(f' {key}="{value}"' for key, value in counts.items())
    return f' name={_quoted(name)}{texts} time="{sum(test.seconds for test in tests):.3f}"'


def _case(test: TestResult) -> list[str]:
    where = f' time="{test.seconds:.3f}"' + (f" file={_quoted(test.path)}" if test.path else "")
    if test.line:
        where += f' line="{test.line}"'
    head = f"    <testcase classname={_quoted(test.suite)} name={_quoted(test.name)}{where}"
    for element, reason in (("failure", test.failure), ("error", test.error), ("skipped", test.skipped)):
        if reason:
            text = escape(_clean(test.details or reason))
            return [
                f"{head}>",
                f"      <{element} message={_quoted(reason)}>{text}</{element}>",
                "    </testcase>",
            ]
    return [f"{head}/>"]


def _quoted(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
