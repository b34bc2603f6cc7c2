"""Other engines on the same events and rules: what each costs and how much it finds."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import Cost, Failed, elsewhere, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["PEERS", "Peer", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """One peer on one file: its cost without and with events, and how many matches it reports."""

    cost: Cost
    start: Cost
    matches: int
    rules: int

    @property
    def cpu(self) -> float:
        """Processor seconds for the events alone, its start (loading rules) left out."""
        return max(self.cost.cpu - self.start.cpu, 1e-9)


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine that may be on PATH."""

    name: str
    measure: Callable[[str, Path, Path, Path], Result]

    def find(self, given: str | None) -> str | None:
        """Return the program: the given one, else the one on PATH."""
        return given or shutil.which(self.name)


def unpacked(rules: Path, work: Path) -> Path:
    """Return a folder with the rules of a zip, for engines that read no zip."""
    folder = work / "rules"
    if not folder.exists():
        with zipfile.ZipFile(rules) as source:
            source.extractall(folder.with_suffix(".part"))
        folder.with_suffix(".part").rename(folder)
    return folder


def _rsigma(program: str, rules: Path, events: Path, work: Path) -> Result:
    """Measure rsigma with its own pipeline for Sysmon and Windows, so that rules meet their own events."""
    empty = work / "empty.ndjson"
    empty.write_bytes(b"")
    out = work / "rsigma.ndjson"
    shell = 'exec "$0" engine eval -r "$1" -p sysmon -e "@$2" --output-format ndjson > "$3"'
    command = ["sh", "-c", shell, program, str(unpacked(rules, work))]
    start = run([*command, str(empty), str(out)])
    cost = run([*command, str(events), str(out)])
    matches, firing = elsewhere(_rsigma_found, out)
    return Result(cost, start, matches, firing)


def _rsigma_found(out: Path) -> tuple[int, int]:
    """Return how many matches of how many rules are in what rsigma wrote."""
    with out.open("rb") as stream:
        matches = [json.loads(line).get("rule_id") for line in stream]
    return len(matches), len(set(matches))


def _zircolite(program: str, rules: Path, events: Path, work: Path) -> Result:
    out = work / "zircolite.json"
    cost = run(
        [
            program,
            "--events",
            str(events),
            "--ruleset",
            str(unpacked(rules, work)),
            "--jsononly",
            "--outfile",
            str(out),
        ]
    )
    matches, firing = elsewhere(_zircolite_found, out) if out.exists() else (0, 0)
    return Result(cost, Cost(0, 0, 0), matches, firing)


def _zircolite_found(out: Path) -> tuple[int, int]:
    found = json.loads(out.read_text())
    return sum(len(rule.get("matches", [])) for rule in found), len(found)


def _evtx_only(name: str) -> Callable[[str, Path, Path, Path], Result]:
    def measure(_program: str, _rules: Path, _events: Path, _work: Path) -> Result:
        message = f"{name} reads EVTX only; name a folder of EVTX files with --evtx"
        raise Failed(message)

    return measure


PEERS = (
    Peer("rsigma", _rsigma),
    Peer("zircolite", _zircolite),
    Peer("hayabusa", _evtx_only("hayabusa")),
    Peer("chainsaw", _evtx_only("chainsaw")),
)
"""Those that are measured when they are found."""
