"""What a scan finds, and how it is told: the finding itself, and one module for each output.

    from haidang.findings import Finding, ScanSummary
    from haidang.findings.outputs import outputs

    writer = outputs()["ndjson"].open(stream, lang="en")
    writer.write(finding)
    writer.close(ScanSummary(findings=1))

``tally`` counts findings as they come, ``account`` says in words what a run read and did not read,
``figures`` and ``words`` hold the numbers and words that people read in both languages.
"""

from __future__ import annotations

from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source

__all__ = ["Finding", "FindingRule", "Match", "ScanSummary", "Source"]
