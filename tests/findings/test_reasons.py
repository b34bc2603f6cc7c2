"""Why there is a finding, in a line: tests that held, or what a correlation joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.findings.model import Match
from haidang.findings.reasons import reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.findings.model import Finding


def test_the_tests_that_held_are_named(make_finding: Callable[..., Finding]) -> None:
    matched = (Match("Image", "x", "equals 'x'"), Match("", "y", "contains 'y'"))
    assert reasons(make_finding(matched=matched)) == "Image equals 'x'; keyword contains 'y'"


def test_a_correlation_says_how_many_events_of_whom_and_when(make_finding: Callable[..., Finding]) -> None:
    event = {"first": "2026-11-12T02:03:12.000Z", "last": "2026-11-12T02:07:54.000Z"}
    group = {"Computer": "HV-DC01", "LogonType": 3}
    found = make_finding(origin="correlation", group=group, count=7, event=event)
    assert reasons(found) == (
        "7 events of Computer=HV-DC01, LogonType=3 from 2026-11-12T02:03:12.000Z to 2026-11-12T02:07:54.000Z"
    )
    assert reasons(make_finding(origin="correlation", group={}, count=2, event={})) == "2 events"
