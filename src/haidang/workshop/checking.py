"""Checking rules: every check on every rule, all that is wrong at once, with file and line.

found = check(["rules/"])
for issue in found.issues:
    print(f"{issue.path}:{issue.line}: {issue.message.text()}")
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.condition import resolve
from haidang.sigma.loading import BUILTIN_RULES
from haidang.sigma.logsource import load_maps
from haidang.sigma.outline import outline
from haidang.sigma.translate import Refusal
from haidang.sigma.written import read_written
from haidang.workshop.checks import SEVERITIES, Issue, NotRun, Pack, Subject, runners
from haidang.workshop.regression import read_regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, EventRule
    from haidang.sigma.outline import Outline
    from haidang.sigma.written import Written, WrittenRule

__all__ = ["Checked", "check"]


@dataclass(slots=True)
class Checked:
    """What was found in a set of rules."""

    rules: int
    """How many there are, those that cannot be loaded included."""
    issues: list[Issue] = field(default_factory=list)
    """By file and line."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Path to content of each file."""
    not_run: dict[str, NotRun] = field(default_factory=dict)
    """Code of a check that failed to what it could not say."""

    def at_least(self, severity: str) -> bool:
        """Return whether an issue is at least so severe."""
        lowest = SEVERITIES.index(severity)
        return any(SEVERITIES.index(issue.severity) >= lowest for issue in self.issues)


def check(
    paths: Sequence[str],
    *,
    regression: Sequence[str] = (),
    plugins: bool = False,
    pipelines: Sequence[str] = (),
    placeholders: Sequence[str] = (),
    logsource_maps: Sequence[str] = (),
    ignore: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Checked:
    """Check the rules in files, folders and zips; none given, the built-in pack.

    Args:
        paths: What to check.
        regression: Folders in the layout of SigmaHQ's ``regression_data``: their rules have a test.
        plugins: Whether validators that other packages bring are run, too.
        pipelines: pySigma processing pipelines to apply.
        placeholders: YAML files that give the values of placeholders.
        logsource_maps: Further logsource maps.
        ignore: Codes of checks that are left out.
        limits: Bounds.

    Raises:
        ConfigurationError: A path, pipeline, placeholder file or logsource map is wrong.
    """
    written = read_written(
        paths or [str(BUILTIN_RULES)], pipelines=pipelines, placeholders=placeholders, limits=limits
    )
    subjects = _subjects(written)
    pack = Pack(
        written,
        subjects,
        load_maps(logsource_maps),
        limits,
        frozenset(
            examples.rule
            for folder in regression
            for examples, _ in read_regression(Path(folder), limits)
            if examples.logs
        ),
        plugins,
        {subject.written.info.key: subject for subject in reversed(subjects)},
    )
    ignored = frozenset(ignore)
    found: dict[tuple[str, str, int, str], Issue] = {}
    for issue in (issue for run in runners() for issue in run(pack) if issue.code not in ignored):
        # What is said twice of one line, as of two lines of one tag, is said once.
        found.setdefault((issue.path, issue.code, issue.line, issue.message.text()), issue)
    issues = sorted(found.values(), key=lambda issue: (issue.path, issue.line, issue.code))
    refused = len(written.joined.refused) if written.joined else 0
    return Checked(max(len(subjects), refused), issues, written.files, pack.not_run)


def _subjects(written: Written) -> list[Subject]:
    joined = written.joined
    rules = {rule.info.key: rule for rule in joined.rules} if joined is not None else {}
    return [_subject(one, rules.get(one.info.key), written) for one in written.rules]


def _subject(one: WrittenRule, rule: EventRule | None, written: Written) -> Subject:
    found = None
    if "detection" in one.document:
        try:
            found = outline(one.document, written.compiler)
        except Refusal:
            rule = None
    return Subject(
        one, rule if found is not None else None, found, None if found is None else _condition(found)
    )


def _condition(found: Outline) -> Condition | None:
    parts = [
        resolve(tree, found.selections, lambda name: found.selections[name].condition)
        for _, tree in found.conditions
    ]
    whole = [part for part in parts if part is not None]
    if not whole:
        return None
    return whole[0] if len(whole) == 1 else ("or", *whole)
