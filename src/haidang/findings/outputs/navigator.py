"""ATT&CK Navigator: a layer in which each technique that was found has its hits and the colour of its level.

Rules:

- The layer follows version 4.5 of the Navigator's layer format, domain Enterprise. No ATT&CK version is
  named, so that the Navigator shows it with the version that it has.
- The score of a technique is the number of findings of all its rules, the colour that of the highest level
  among them; its comment lists these rules, the ones with most hits first.
- Findings of rules that name no technique cannot be in a matrix; the description counts them.
- Memory grows with the number of rules that were satisfied, as in :mod:`haidang.findings.tally`.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.findings.outputs._json import encode
from haidang.findings.tally import RuleTally, Tally
from haidang.findings.words import LEVEL_WORDS, level_rank, techniques
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.findings.model import Finding, ScanSummary

__all__ = ["LEVEL_COLOURS", "OUTPUT", "NavigatorOutput", "NavigatorWriter"]

LEVEL_COLOURS = {
    "critical": "#b3001e",
    "high": "#e8590c",
    "medium": "#f5b301",
    "low": "#74c0fc",
    "informational": "#ced4da",
}
_UNKNOWN_COLOUR = "#ced4da"
_RULES_NAMED = 20
"""Rules named in the comment of one technique."""


class NavigatorWriter:
    """Counts the findings and writes the layer when the run is over."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self._tally = Tally()

    def write(self, finding: Finding) -> None:
        """Count one finding."""
        self._tally.add(finding)

    def close(self, summary: ScanSummary) -> None:
        """Write the layer."""
        self._stream.write(encode(_layer(self._tally.rules(), summary)) + b"\n")


class NavigatorOutput:
    """``--format navigator``."""

    name = "navigator"
    title = "ATT&CK Navigator layer 4.5: hits by technique, coloured by level"
    suffixes: tuple[str, ...] = (".navigator.json", ".layer.json")

    def open(self, stream: IO[bytes], *, lang: str) -> NavigatorWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return NavigatorWriter(stream)


OUTPUT = NavigatorOutput()


def _layer(tallies: Sequence[RuleTally], summary: ScanSummary) -> dict[str, Any]:
    by_technique: dict[str, list[RuleTally]] = {}
    outside = 0
    for tally in tallies:
        named = techniques(tally.rule.tags)
        outside += 0 if named else tally.hits
        for technique in named:
            by_technique.setdefault(technique, []).append(tally)
    drawn = [_technique(name, found) for name, found in sorted(by_technique.items())]
    total = sum(tally.hits for tally in tallies)
    description = (
        f"{total} findings in {summary.events} events; {outside} of them by rules that name no technique."
    )
    if summary.interrupted:
        description += " The run was stopped before its end."
    return {
        "name": "Hải Đăng: findings",
        "versions": {"navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": description,
        "sorting": 3,
        "layout": {
            "layout": "side",
            "showName": True,
            "showID": True,
            "showAggregateScores": True,
            "countUnscored": False,
            "aggregateFunction": "sum",
            "expandedSubtechniques": "annotated",
        },
        "hideDisabled": False,
        "techniques": drawn,
        "gradient": {
            "colors": ["#ffffff", "#e8590c"],
            "minValue": 0,
            "maxValue": max([1, *(technique["score"] for technique in drawn)]),
        },
        "legendItems": [{"label": level, "color": LEVEL_COLOURS[level]} for level in LEVEL_WORDS],
        "metadata": [
            {"name": "haidang", "value": __version__},
            {"name": "rules", "value": str(summary.rules)},
            {"name": "events", "value": str(summary.events)},
        ],
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _technique(name: str, tallies: list[RuleTally]) -> dict[str, Any]:
    highest = min((tally.rule.level for tally in tallies), key=level_rank)
    tallies = sorted(tallies, key=lambda tally: (-tally.hits, tally.rule.title))
    lines = [f"{t.hits} × {neutralise(t.rule.title)} ({t.rule.level})" for t in tallies[:_RULES_NAMED]]
    if len(tallies) > _RULES_NAMED:
        lines.append(f"and {len(tallies) - _RULES_NAMED} more rules")
    hosts = {host for tally in tallies for host in tally.hosts}
    more = "+" if any(tally.more_hosts for tally in tallies) else ""
    return {
        "techniqueID": name,
        "score": sum(tally.hits for tally in tallies),
        "color": LEVEL_COLOURS.get(highest, _UNKNOWN_COLOUR),
        "comment": "\n".join(lines),
        "enabled": True,
        "metadata": [
            {"name": "level", "value": highest},
            {"name": "hosts", "value": f"{len(hosts)}{more}"},
        ],
        "showSubtechniques": "." not in name,
    }
