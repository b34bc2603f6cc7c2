"""Findings counted as they come: by rule, level and tactic, without keeping any of them.

Memory grows with the number of rules that were satisfied, not with the number of findings; the host
names of one rule are bounded by ``Limits.summary_hosts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from haidang.findings.words import TACTIC_WORDS, level_rank, tactics
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from haidang.findings.model import Finding, FindingRule

__all__ = ["RuleTally", "Tally"]


@dataclass(slots=True)
class RuleTally:
    """What one rule found."""

    rule: FindingRule
    hits: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    """Host, as events name it, to hits, at most ``Limits.summary_hosts`` of them."""
    more_hosts: bool = False
    """Whether there were hosts that are not in ``hosts``."""
    first: str | None = None
    """Earliest event time, None where no event had one."""
    last: str | None = None

    def add(self, finding: Finding, limit: int) -> None:
        """Count one finding, remembering at most ``limit`` hosts."""
        self.hits += 1
        host = finding.host
        if host:
            if host in self.hosts or len(self.hosts) < limit:
                self.hosts[host] = self.hosts.get(host, 0) + 1
            else:
                self.more_hosts = True
        time = finding.time
        if time is not None:
            # Without the Z, texts of different precision compare as their times do.
            if self.first is None or time[:-1] < self.first[:-1]:
                self.first = time
            if self.last is None or time[:-1] > self.last[:-1]:
                self.last = time


class Tally:
    """What all rules found."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Begin with nothing."""
        self._hosts = limits.summary_hosts
        self._rules: dict[tuple[str, str], RuleTally] = {}

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        rule = finding.rule
        tally = self._rules.get((rule.id, rule.title))
        if tally is None:
            tally = self._rules[rule.id, rule.title] = RuleTally(rule)
        tally.add(finding, self._hosts)

    @property
    def total(self) -> int:
        """Return the number of findings."""
        return sum(tally.hits for tally in self._rules.values())

    def rules(self) -> list[RuleTally]:
        """Return what each rule found: the most severe first, then the most hits, then by title."""
        return sorted(
            self._rules.values(), key=lambda t: (level_rank(t.rule.level), -t.hits, t.rule.title, t.rule.id)
        )

    def levels(self) -> dict[str, int]:
        """Return the number of findings of each level that occurred, the most severe first."""
        counts: dict[str, int] = {}
        for tally in self.rules():
            counts[tally.rule.level] = counts.get(tally.rule.level, 0) + tally.hits
        return counts

    def tactics(self) -> dict[str, int]:
        """Return the number of findings of each ATT&CK tactic that occurred, in the matrix's order."""
        counts = dict.fromkeys(TACTIC_WORDS, 0)
        for tally in self._rules.values():
            for tactic in tactics(tally.rule.tags):
                counts[tactic] += tally.hits
        return {tactic: count for tactic, count in counts.items() if count}
