"""Running the examples of rules: what must fire fires, what must not is quiet.

Rules of this module:

- Examples run against all rules that are loaded, as a scan would, filters and correlations with them; a
  rule that only feeds correlations is tested like any other.
- Single events are handed to the matcher, sequences to the matcher and the correlations in the time that they
  say, recorded logs to a whole scan.
- Nothing stops the run: a file that is wrong, a rule that is not there, a log that cannot be read: outcomes.

Example::

    for outcome in run_tests(["rules/"]).outcomes:
        print(outcome.rule, outcome.name, outcome.status)
"""

from __future__ import annotations

import time as clock
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from haidang.detect.correlation import Correlator, Hit
from haidang.detect.naive import evaluate
from haidang.errors import ConfigurationError
from haidang.events.readers import readers
from haidang.events.times import format_time, parse_time
from haidang.findings.model import ScanSummary
from haidang.i18n import N_
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import load_rules, scan
from haidang.scanning._evidence import UNKNOWN, EvidenceMaker, known_origins
from haidang.sigma.loading import BUILTIN_RULES
from haidang.sigma.translate import condition_fields
from haidang.workshop.examples import Examples, read_examples, test_file
from haidang.workshop.explaining import way_to, words
from haidang.workshop.messages import Message
from haidang.workshop.regression import read_regression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.detect.correlation import Correlated
    from haidang.errors import RuleError
    from haidang.events.model import Fields
    from haidang.limits import Limits
    from haidang.scanning import Ruleset
    from haidang.scanning._evidence import Evidence
    from haidang.sigma.ir import Condition, EventRule, RuleInfo
    from haidang.workshop.examples import LogExample, Single
    from haidang.workshop.examples import Sequence as EventSequence

__all__ = ["FAILED", "PASSED", "SKIPPED", "Outcome", "TestRun", "run_tests"]

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

_MOST_REASONS = 3
_START = parse_time("2026-01-05T08:00:00Z") or 0
"""When a sequence begins: a Monday morning, which any rule may know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one example."""

    rule: str
    """Title of the rule, "" where it is not known."""
    rule_id: str
    path: str
    """File of the example."""
    line: int
    name: str
    status: str
    message: Message | None = None
    """Why it failed or was skipped."""
    seconds: float = 0.0


@dataclass(slots=True)
class TestRun:
    """What came of all of them."""

    __test__ = False  # pytest must not take it for a test.

    outcomes: list[Outcome] = field(default_factory=list)
    untested: list[RuleInfo] = field(default_factory=list)
    """Rules without any example."""
    refused: tuple[RuleError, ...] = ()
    """Rules that cannot be loaded."""

    def count(self, status: str) -> int:
        """Return how many examples have a status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.refused or self.count(FAILED))


def run_tests(
    paths: Sequence[str],
    *,
    regression: Sequence[str] = (),
    pipelines: Sequence[str] = (),
    placeholders: Sequence[str] = (),
    logsource_maps: Sequence[str] = (),
    cache: bool = True,
    limits: Limits = DEFAULT_LIMITS,
) -> TestRun:
    """Run the examples beside the rules in ``paths`` (none: the built-in pack), and regression data.

    Args:
        paths: Rule files, folders or zips.
        regression: Folders in the layout of SigmaHQ's ``regression_data``.
        pipelines: pySigma processing pipelines to apply.
        placeholders: YAML files that give the values of placeholders.
        logsource_maps: Further logsource maps.
        cache: Whether compiled rules are kept.
        limits: Bounds.

    Raises:
        ConfigurationError: A path, pipeline, placeholder file or logsource map is wrong, or there is neither
            a rule nor an example.
    """
    ruleset = load_rules(
        *_rule_paths(paths),
        builtin=not paths,
        pipelines=pipelines,
        placeholders=placeholders,
        logsource_maps=logsource_maps,
        cache=cache,
        limits=limits,
    )
    bench = _Bench(ruleset.outspoken())
    run = TestRun(refused=ruleset.refused)
    tested: set[str] = set()
    for path, infos in _by_file(ruleset.infos).items():
        beside = None if "!" in path else test_file(path)
        if beside is not None:
            run.outcomes += bench.file(beside, infos, tested)
    run.outcomes += _orphans(paths)
    for folder in regression:
        for examples, faults in read_regression(Path(folder), limits):
            run.outcomes += [_faulty(fault) for fault in faults]
            run.outcomes += bench.examples(examples, ruleset.infos, tested)
    if not (ruleset.infos or run.refused or run.outcomes):
        raise ConfigurationError(
            f"{', '.join(map(str, paths))}: there is no rule",
            hint="Give a rule file, a folder or a zip of rules.",
        )
    run.untested = [info for info in ruleset.infos if info.key not in tested]
    return run


def _parts(condition: Condition) -> Iterator[Condition]:
    """Yield what must hold, each by itself."""
    if condition[0] == "and":
        for part in condition[1:]:
            yield from _parts(part)
    else:
        yield condition


def _said(condition: Condition) -> str:
    """Return a condition in words, the names of its fields before it."""
    if condition[0] == "not":
        return f"not ({_said(condition[1])})"
    fields = ", ".join(sorted(condition_fields(condition))) or "keyword"
    return f"{fields} {words(condition)}"


def _rule_paths(paths: Sequence[str]) -> list[str]:
    """Return the paths with each file of examples replaced by the rule beside it."""
    found: list[str] = []
    for path in paths:
        rule = _rule_beside(Path(path)) if path.endswith((".test.yml", ".test.yaml")) else None
        found.append(path if rule is None else str(rule))
    return list(dict.fromkeys(found))


def _rule_beside(path: Path) -> Path | None:
    stem = path.name.rpartition(".test.")[0]
    return next((rule for end in (".yml", ".yaml") if (rule := path.with_name(stem + end)).is_file()), None)


def _orphans(paths: Sequence[str]) -> Iterator[Outcome]:
    """Yield a failure for each file of examples that has no rule beside it."""
    for path in map(Path, paths or [str(BUILTIN_RULES)]):
        for file in sorted(path.rglob("*.test.y*ml")) if path.is_dir() else ():
            if _rule_beside(file) is None:
                message = Message(N_("there is no rule beside this file of examples"))
                yield Outcome("", "", str(file), 1, file.name, FAILED, message)


def _by_file(infos: Iterable[RuleInfo]) -> dict[str, list[RuleInfo]]:
    found: dict[str, list[RuleInfo]] = {}
    for info in infos:
        found.setdefault(info.path, []).append(info)
    return found


def _faulty(fault: RuleError) -> Outcome:
    message = Message("{reason}", {"reason": fault.reason})
    return Outcome("", "", fault.path, fault.line, "", FAILED, message)


class _Bench:
    """Rules that are loaded once, and run over the examples of each."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._maker = EvidenceMaker(ruleset)
        self._origins = known_origins(ruleset.maps)

    def file(self, path: Path, infos: Sequence[RuleInfo], tested: set[str]) -> Iterator[Outcome]:
        """Yield the outcomes of a file of examples beside the rules ``infos``."""
        found, faults = read_examples(path, self._ruleset.limits)
        yield from map(_faulty, faults)
        for examples in found:
            yield from self.examples(examples, infos, tested)

    def examples(self, examples: Examples, infos: Sequence[RuleInfo], tested: set[str]) -> Iterator[Outcome]:
        """Yield the outcomes of the examples of one rule, which is among ``infos``."""
        named = examples.rule.lower()
        meant = [info for info in infos if not named or named in _names(info)]
        if len(meant) != 1:
            message = (
                Message(N_("the rule {rule} is not loaded"), {"rule": repr(examples.rule)})
                if not meant
                else Message(N_("several rules are meant; name one with 'rule'"))
            )
            status = SKIPPED if not meant and examples.optional else FAILED
            yield Outcome("", examples.rule, examples.path, examples.line, "", status, message)
            return
        (info,) = meant
        tested.add(info.key)
        for single in examples.singles:
            yield self._timed(info, examples, single.line, _word(single), self._single, single)
        for sequence in examples.sequences:
            yield self._timed(info, examples, sequence.line, sequence.name, self._sequence, sequence)
        for log in examples.logs:
            yield self._timed(info, examples, log.line, log.name, self._log, log)

    def _timed(
        self, info: RuleInfo, examples: Examples, line: int, name: str, run: object, one: object
    ) -> Outcome:
        began = clock.perf_counter()
        message: Message | None = run(info, one, examples.origin)  # type: ignore[operator]
        return Outcome(
            info.title,
            info.id,
            examples.path,
            line,
            name,
            PASSED if message is None else FAILED,
            message,
            clock.perf_counter() - began,
        )

    def _single(self, info: RuleInfo, single: Single, origin: str) -> Message | None:
        evidence = {
            self._ruleset.infos[one.rule].key: one for one in self._maker.of_event(dict(single.event), origin)
        }
        if (info.key in evidence) is single.fires:
            return None
        if single.fires:
            return self._why_not(info, dict(single.event), origin)
        why = "; ".join(f"{name or 'keyword'} {test}" for name, _, test, _ in evidence[info.key].matched)
        return Message(N_("the rule fires on this event, and should not: {why}"), {"why": why})

    def _why_not(self, info: RuleInfo, event: Fields, origin: str) -> Message:
        """Return that a rule does not fire, with the first reason: not looked at, or what does not hold."""
        rule = self._rules.get(info.key)
        if rule is None:
            return Message(N_("the rule does not fire on this event, and should"))
        way = way_to(rule.logsource, origin, event, self._ruleset.maps)
        get = partial(way.binding.get, event)
        failed = [_said(part) for part in _parts(rule.condition) if not evaluate(part, get, event)]
        why: Message | str = "; ".join(failed[:_MOST_REASONS]) if way.reached else way.message
        return Message(N_("the rule does not fire on this event, and should: {why}"), {"why": why})

    @cached_property
    def _rules(self) -> dict[str, EventRule]:
        return {rule.info.key: rule for rule in self._ruleset.event_rules()}

    def _sequence(self, info: RuleInfo, sequence: EventSequence, origin: str) -> Message | None:
        fired = self._fired(sequence, origin)
        if (info.key in fired) is sequence.fires:
            return None
        if sequence.fires:
            seen = sorted(one.title for one in self._ruleset.infos if one.key in fired)
            return Message(
                N_("the rule does not fire on these events, and should (rules that do: {rules})"),
                {"rules": ", ".join(seen) or "–"},
            )
        return Message(N_("the rule fires on these events, and should not"))

    def _fired(self, sequence: EventSequence, origin: str) -> set[str]:
        """Return the keys of the rules and correlations that fire on a sequence."""
        infos = self._ruleset.infos
        correlator = Correlator(self._ruleset.correlations, self._ruleset.limits)
        fired: set[str] = set()
        found: list[Correlated] = []
        for position, step in enumerate(sequence.steps, 1):
            named = step.origin or origin
            event = self._at(step.event, named, _START + step.at)
            for evidence in self._maker.of_event(event, named):
                key = infos[evidence.rule].key
                fired.add(key)
                if evidence.values is not None:
                    found += correlator.feed(_hit(key, evidence, position))
        found += correlator.finish()
        return fired | {one.rule.info.key for one in found}

    def _at(self, event: Fields, origin: str, time: int) -> Fields:
        """Return the event with its time, where it has none of its own."""
        names = self._origins.get(origin, UNKNOWN).time_fields or UNKNOWN.time_fields
        if any(event.get(name) is not None for name in names):
            return dict(event)
        return {**event, names[0]: format_time(time)}

    def _log(self, info: RuleInfo, log: LogExample, _origin: str) -> Message | None:
        if not log.text and not log.path.exists():
            return Message(N_("there is no log {path}"), {"path": str(log.path)})
        if log.format and log.format not in readers():
            return Message(N_("there is no format {name}"), {"name": repr(log.format)})
        summary = ScanSummary()
        with _on_disk(log) as path:
            found = sum(
                (finding.rule.id, finding.rule.title) == (info.id, info.title)
                for finding in scan(
                    path, rules=self._ruleset, summary=summary, input_format=log.format or None
                )
            )
        if log.fires and found >= log.fires:
            return None
        problems = [problem for report in summary.files for problem in report.problems.values()]
        if not log.fires and not found and not problems:
            return None
        values = {"found": found, "wanted": log.fires or "0"}
        if problems:
            detail = "; ".join(f"{one.kind} ({one.where})" for one in problems)
            return Message(
                N_("{found} findings, {wanted} wanted; not all of the log could be read: {detail}"),
                {**values, "detail": detail},
            )
        return Message(N_("{found} findings, {wanted} wanted"), values)


@contextmanager
def _on_disk(log: LogExample) -> Iterator[Path]:
    """Give the path of a log, which for one that is written in the examples is a file that is then gone."""
    if not log.text:
        yield log.path
        return
    with TemporaryDirectory(prefix="haidang-") as folder:
        path = Path(folder) / "example.log"
        end = "" if log.text.endswith("\n") else "\n"
        path.write_text(log.text + end, encoding="utf-8", errors="surrogatepass")
        yield path


def _hit(key: str, evidence: Evidence, position: int) -> Hit:
    return Hit(key, evidence.time, position, evidence.values or {}, ("", evidence.host, "", position))


def _names(info: RuleInfo) -> set[str]:
    return {name.lower() for name in (info.id, info.name, info.title) if name}


def _word(single: Single) -> str:
    return "fires" if single.fires else "quiet"
