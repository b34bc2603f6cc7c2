"""Working on rules: checking, testing, explaining, measuring, tuning and drafting them.

    from haidang.workshop.checking import check

    for finding in check(["rules/"]).issues:
        print(finding.path, finding.line, finding.message)

Everything here stands beside the record: it reads rules and logs as a scan does and changes nothing of what
a scan finds. Rules and logs are untrusted; the paths are the user's.
"""

from __future__ import annotations

__all__: list[str] = []
