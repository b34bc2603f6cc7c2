"""Why there is a finding, in one line of data: the tests that held, or what a correlation joined.

Data speaks English. Fields and values come from logs and rules and are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.findings.values import as_text

if TYPE_CHECKING:
    from haidang.findings.model import Finding

__all__ = ["reasons"]


def reasons(finding: Finding) -> str:
    """Return the tests that held; of a correlation, how many events of whom it joins, and when they were.

    Example::

        CommandLine contains 'whoami'; Image endswith 'cmd.exe'
        7 events of Computer=HV-DC01, User=lan from 2026-11-12T02:03:12Z to 2026-11-12T02:07:54Z
    """
    if finding.group is None:
        return "; ".join(f"{match.field or 'keyword'} {match.test}" for match in finding.matched)
    said = f"{finding.count} events"
    if finding.group:
        said += " of " + ", ".join(f"{name}={as_text(value)}" for name, value in finding.group.items())
    first, last = finding.event.get("first"), finding.event.get("last")
    return f"{said} from {first} to {last}" if first and last else said
