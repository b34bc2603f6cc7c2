"""Outcomes of rule tests as JUnit XML, which the pages of continuous integration show.

One suite for each file of examples, one case for each example. Text that XML cannot carry is written as its
escape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from haidang.workshop.testing import FAILED, SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.testing import Outcome, TestRun

__all__ = ["as_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(run: TestRun) -> str:
    """Return the document."""
    suites: dict[str, list[Outcome]] = {}
    for outcome in run.outcomes:
        suites.setdefault(outcome.path, []).append(outcome)
    failed = run.count(FAILED) + len(run.refused)
    tests = len(run.outcomes) + len(run.refused)
    head = f'<testsuites name="haidang rules test" tests="{tests}" failures="{failed}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for path, outcomes in suites.items():
        lines += _suite(path, outcomes)
    for error in run.refused:
        lines += [
            f'  <testsuite name={_attribute(error.path)} tests="1" failures="1">',
            f'    <testcase classname={_attribute(error.rule)} name="loads">',
            f"      <failure message={_attribute(error.reason)}>{_text(error.message)}</failure>",
            "    </testcase>",
            "  </testsuite>",
        ]
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(path: str, outcomes: list[Outcome]) -> Iterator[str]:
    failed = sum(outcome.status == FAILED for outcome in outcomes)
    skipped = sum(outcome.status == SKIPPED for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    yield (
        f'  <testsuite name={_attribute(path)} tests="{len(outcomes)}" failures="{failed}" '
        f'skipped="{skipped}" time="{seconds:.3f}">'
    )
    for outcome in outcomes:
        name = f"{outcome.name or 'example'} (line {outcome.line})"
        case = (
            f"    <testcase classname={_attribute(outcome.rule or outcome.path)} name={_attribute(name)} "
            f'file={_attribute(path)} line="{outcome.line}" time="{outcome.seconds:.3f}"'
        )
        if outcome.message is None:
            yield f"{case}/>"
            continue
        text = outcome.message.text()
        yield f"{case}>"
        if outcome.status == SKIPPED:
            yield f"      <skipped message={_attribute(text)}/>"
        else:
            detail = _text(f"{path}:{outcome.line}: {text}")
            yield f"      <failure message={_attribute(text)}>{detail}</failure>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _text(text: str) -> str:
    return escape(_xml(text))


def _xml(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
