"""``python -m benchmarks``: measure this machine and print ratios."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.measure import Cost, Failed, alternate, elsewhere, run
from benchmarks.peers import PEERS
from haidang.native import library

PYTHON = sys.executable
HAIDANG = [PYTHON, "-m", "haidang"]
REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> int:
    """Measure what was asked for."""
    options = _parse()
    corpora: Path = options.corpora
    if not corpora.is_dir():
        print(f"No corpora at {corpora}: name them with --corpora.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(corpora, work, options.runs, dict(pair.split("=", 1) for pair in options.peer))
        bench.machine()
        for name in options.only or Bench.PARTS:
            getattr(bench, name)()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--corpora", type=Path, default=REPOSITORY.parent / "shared" / "corpora")
    parser.add_argument("--work", type=Path, help="keep the inputs here for the next run")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each command")
    parser.add_argument("--only", action="append", choices=Bench.PARTS, help="only this part (repeatable)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PROGRAM", help="where a peer is")
    return parser.parse_args()


class Bench:
    """The measurements, each a method that prints its lines."""

    PARTS = ("start", "ndjson", "parquet", "evtx", "processes", "memory", "more_rules", "indicators", "peers")

    def __init__(self, corpora: Path, work: Path, runs: int, peers: dict[str, str]) -> None:
        self._corpora = corpora
        self._work = work
        self._runs = runs
        self._peers = peers
        self._rules = corpora / "sigma_all_rules.zip"
        self._env = {
            "XDG_CACHE_HOME": str(work / "cache"),
            "XDG_DATA_HOME": str(work / "no-indicators"),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def machine(self) -> None:
        """Say where this is measured."""
        print(f"machine    {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(f"native     {'in use' if library() is not None else 'not built, or left out'}")
        print(
            f"load       {os.getloadavg()[0]:.1f} in the minute before; figures are CPU seconds unless said"
        )

    def start(self) -> None:
        """Starting: version, import, loading rules without and with the cache."""
        empty = self._work / "empty.ndjson"
        empty.write_bytes(b"\n")
        scan = self._scan(empty)
        cold = [run([*scan, "--no-cache"], env=self._env).cpu for _ in range(2)]
        costs = alternate(
            {
                "python": [PYTHON, "-c", "pass"],
                "version": [*HAIDANG, "--version"],
                "import": [PYTHON, "-c", "import haidang"],
                "cached": scan,
            },
            self._runs + 2,
            env=self._env,
        )
        python = costs["python"]
        print(
            f"start      python alone {python.cpu:.3f} s; haidang --version {costs['version'].wall:.3f} s wall (bar 0.15)"
        )
        print(
            f"start      import haidang {costs['import'].wall - python.wall:.3f} s wall beyond python's own (bar 0.1)"
        )
        print(
            f"load       3,780 rules cold {min(cold):.2f} s (bar 6), from the cache {costs['cached'].cpu:.2f} s (bar 0.5), whole process"
        )

    def ndjson(self) -> None:
        """The main bar: whole scans against the floor, once and ten times over."""
        for times in (1, 10):
            path = self._recorded(times)
            self._against_floor("json", path, f"ndjson x{times}", bar=1.5)

    def parquet(self) -> None:
        """Parquet against NDJSON of the same events, starting left out of both; keywords need every column."""
        empty = self._work / "empty.ndjson"
        empty.write_bytes(b"\n")
        builtin = REPOSITORY / "src" / "haidang" / "sigma" / "builtin"
        for name, rules, most in (("built-in pack", builtin, 10), ("SigmaHQ", self._rules, 4)):
            run(self._scan(empty, rules), env=self._env)
            start = min(run(self._scan(empty, rules), env=self._env).cpu for _ in range(3))
            for times in (1, most):
                ndjson, parquet = elsewhere(data.windows_parquet, self._corpora, self._work, times)
                cost: dict[str, list[Cost]] = {"ndjson": [], "parquet": []}
                accounts: set[str] = set()
                for turn in range(self._runs + 1):
                    for kind, path in (("ndjson", ndjson), ("parquet", parquet)):
                        one = run(self._scan(path, rules), env=self._env)
                        accounts.add(self._account(one))
                        if turn:
                            cost[kind].append(one)
                # The least of each: what else the machine does only ever adds to a figure.
                by_line, by_column = (min(one.cpu for one in found) for found in cost.values())
                print(
                    f"parquet x{times} {(by_line - start) / (by_column - start):.2f} x as fast as NDJSON of the same events (bar 3), {name};"
                    f" {by_line:.2f} s and {by_column:.2f} s in all, start {start:.2f} s,"
                    f" peak {max(cost['parquet'], key=lambda one: one.peak).memory}, {' / '.join(accounts)}"
                )

    def evtx(self) -> None:
        """EVTX against the library's own iteration."""
        folder = elsewhere(data.evtx_folder, self._corpora, self._work, 40)
        self._against_floor("evtx", folder, "evtx x40", bar=1.6)

    def _against_floor(self, kind: str, path: Path, name: str, *, bar: float) -> None:
        floor = [PYTHON, "-m", "benchmarks.floors", kind, str(path)]
        costs = {"floor": 0.0, "scan": 0.0}
        ratios: list[float] = []
        found = ""
        for turn in range(self._runs + 1):
            seconds = float(run(floor).output.split()[0])
            scan = run(self._scan(path), env=self._env)
            if turn:
                ratios.append(scan.cpu / seconds)
                costs = {"floor": seconds, "scan": scan.cpu}
                found = self._account(scan)
        ratio = sorted(ratios)[len(ratios) // 2]
        each = " ".join(f"{one:.2f}" for one in ratios)
        print(
            f"{name:10} {ratio:.2f} x the floor (bar {bar}; runs {each}); floor {costs['floor']:.2f} s, scan {costs['scan']:.2f} s, {found}"
        )

    def processes(self) -> None:
        """Wall time of two processes against one."""
        path = self._recorded(10)
        costs = alternate({"1": self._scan(path), "2": self._scan(path, processes=2)}, 1, env=self._env)
        print(
            f"processes  two are {costs['1'].wall / costs['2'].wall:.2f} x one (bar 1.8; wall {costs['1'].wall:.1f} s and {costs['2'].wall:.1f} s)"
        )

    def memory(self) -> None:
        """Peak resident memory, once and ten times the input."""
        peaks = [run(self._scan(self._recorded(times)), env=self._env).memory for times in (1, 10)]
        print(f"memory     peak {peaks[0]} once, {peaks[1]} ten times over (bar 400)")

    def more_rules(self) -> None:
        """Ten times the rules: what an event costs more, loading left out."""
        path = self._recorded(10)
        empty = self._work / "empty.ndjson"
        empty.write_bytes(b"\n")
        each: dict[int, float] = {}
        for times in (1, 10):
            rules = elsewhere(data.more_rules, self._rules, self._work, times)
            # A copy that finds something costs what its findings cost: only the others show the price of a rule.
            run(self._scan(self._recorded(1), rules), env=self._env)
            elsewhere(data.drop_rules, rules, self._found() - elsewhere(data.rule_ids, self._rules))
            run(self._scan(empty, rules), env=self._env)
            start = min(run(self._scan(empty, rules), env=self._env).cpu for _ in range(3))
            whole = run(self._scan(path, rules), env=self._env)
            each[times] = whole.cpu - start
            print(
                f"rules x{times:<3} start {start:.2f} s, events {each[times]:.2f} s, peak {whole.memory}, {self._account(whole)}"
            )
        print(f"rules      ten times the rules cost {each[10] / each[1]:.2f} x per event (bar 1.3)")

    def indicators(self) -> None:
        """A million indicators: what an event costs more, starting left out, and how much memory."""
        made = elsewhere(data.made_indicators, self._work, 1_000_000)
        env = {**self._env, "XDG_DATA_HOME": str(self._work / "indicators")}
        # Removed and added anew, so that adding is measured with a store that holds nothing else.
        run([*HAIDANG, "intel", "remove", "made"], env=env, accept=(0, 2))
        added = run([*HAIDANG, "intel", "add", str(made), "--name", "made"], env=env)
        path = self._recorded(1)
        empty = self._work / "empty.ndjson"
        empty.write_bytes(b"\n")
        where = {"without": self._env, "with": env}
        starts: dict[str, list[float]] = {name: [] for name in where}
        wholes: dict[str, list[float]] = {name: [] for name in where}
        scans: list[Cost] = []
        # In turns, and the least of each: what else the machine does only ever adds to a figure.
        for _ in range(self._runs + 1):
            for name, environ in where.items():
                starts[name].append(run(self._scan(empty), env=environ).cpu)
                whole = run(self._scan(path), env=environ)
                wholes[name].append(whole.cpu)
                if name == "with":
                    scans.append(whole)
        each = {name: min(wholes[name]) - min(starts[name]) for name in where}
        print(
            f"indicators a million cost {each['with'] / each['without']:.2f} x per event (bar 1.2; {each['without']:.2f} s and {each['with']:.2f} s, least of {self._runs + 1}),"
            f" {min(starts['with']) - min(starts['without']):.2f} s to start, scan peak {max(scans, key=lambda one: one.peak).memory} (bar 500); to add them {added.cpu:.1f} s, peak {added.memory}"
        )

    def peers(self) -> None:
        """Every peer that is found, on a tenth of the events if it needs more than a minute."""
        path = self._recorded(1)
        empty = self._work / "empty.ndjson"
        empty.write_bytes(b"\n")
        start = min(run(self._scan(empty), env=self._env).cpu for _ in range(3))
        ours = run(self._scan(path), env=self._env)
        cpu = ours.cpu - start
        print(
            f"peers      haidang: {cpu:.2f} s for the events, {ours.cpu:.2f} s in all, {self._account(ours)}"
        )
        for peer in PEERS:
            program = peer.find(self._peers.get(peer.name))
            if program is None:
                print(f"peers      {peer.name}: not found")
                continue
            try:
                result = peer.measure(program, self._rules, path, self._work)
            except Failed as error:
                print(f"peers      {peer.name}: not measured: {error}")
                continue
            print(
                f"peers      {peer.name}: {result.cpu:.2f} s for the events, {result.cost.cpu:.2f} s in all,"
                f" {result.matches:,} matches of {result.rules} rules; haidang is {result.cpu / cpu:.1f} x as fast per core"
            )

    def _recorded(self, times: int) -> Path:
        return elsewhere(data.windows_ndjson, self._corpora, self._work, times)

    def _scan(self, path: Path, rules: Path | None = None, *, processes: int = 1) -> list[str]:
        out = str(self._work / "findings.ndjson")
        return [
            *HAIDANG, "scan", str(path), "--rules", str(rules or self._rules), "--processes", str(processes),
            "--quiet", "--format", "ndjson", "--output", out,
        ]  # fmt: skip

    def _found(self) -> set[str]:
        """Return the ids of the rules that the last scan found something for."""
        with (self._work / "findings.ndjson").open("rb") as stream:
            records = map(json.loads, stream)
            return {record["rule"]["id"] for record in records if record["kind"] == "finding"}

    def _account(self, cost: Cost) -> str:
        """Return events, matches and rules of the last scan, from its own account."""
        del cost
        rules: set[str] = set()
        findings = 0
        with (self._work / "findings.ndjson").open("rb") as stream:
            for line in stream:
                record = json.loads(line)
                if record["kind"] == "finding":
                    findings += 1
                    rules.add(record["rule"]["id"])
        return f"{findings:,} matches of {len(rules)} rules"


if __name__ == "__main__":
    sys.exit(main())
