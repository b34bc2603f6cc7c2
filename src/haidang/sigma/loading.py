"""From paths to every rule in them: found, compiled, joined, and all refusals at once.

``load`` never stops at a bad rule; ``LoadedRules.refused`` names each with its file, line and reason.
Rule files are untrusted; the paths are the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.errors import RuleError
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.sigma.sources import find_sources, read_source

if TYPE_CHECKING:
    from haidang.sigma.documents import FileContent
    from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, RuleInfo

__all__ = ["LoadedRules", "RuleGroup", "load", "rules_from_text"]


class RuleGroup(Sequence["EventRule"]):
    """The rules of one logsource; their conditions are decoded when first looked at."""

    __slots__ = ("_rules", "infos", "logsource")

    def __init__(self, logsource: LogSource, rules: Sequence[EventRule]) -> None:
        """Keep the rules of ``logsource``."""
        self.logsource = logsource
        self.infos: tuple[RuleInfo, ...] = tuple(rule.info for rule in rules)
        self._rules = tuple(rules)

    def __len__(self) -> int:
        """Return how many rules there are, without decoding them."""
        return len(self.infos)

    def __getitem__(self, index: int) -> EventRule:  # type: ignore[override]
        """Return one rule."""
        return self._rules[index]

    def __iter__(self) -> Iterator[EventRule]:
        """Yield the rules in the order of their files."""
        return iter(self._rules)


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """Everything that was found under the paths of one load."""

    infos: tuple[RuleInfo, ...]
    """Every usable rule, correlations included, in the order of the files."""
    groups: Mapping[LogSource, RuleGroup]
    correlations: tuple[CorrelationRule, ...]
    refused: tuple[RuleError, ...]
    """Rules that cannot be supported, each with its reason."""
    notes: tuple[RuleError, ...] = ()
    """What is odd about rules that are used all the same."""
    files: int = 0
    """Rule files read."""
    skipped: int = 0
    """YAML files that hold no rule."""
    cached: bool = False
    """Whether everything came from the cache."""


def load(
    paths: Sequence[str | Path],
    *,
    pipelines: Sequence[str | Path] = (),
    placeholders: Sequence[str | Path] = (),
    builtin: bool = False,
    cache_dir: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LoadedRules:
    """Return the rules in ``paths``: files, folders, or zips of rules."""
    from haidang.sigma.documents import Compiler  # noqa: PLC0415 - brings pySigma
    from haidang.sigma.translate import Translator  # noqa: PLC0415 - brings pySigma

    compiler = Compiler(Translator())
    contents = []
    for source in find_sources(paths):
        for file in read_source(source, limits):
            contents.append(compiler.compile(file.path, file.data))
    return _joined(contents)


def rules_from_text(text: str, *, path: str = "<text>") -> LoadedRules:
    """Return the rules in a YAML text."""
    from haidang.sigma.documents import Compiler  # noqa: PLC0415 - brings pySigma
    from haidang.sigma.translate import Translator  # noqa: PLC0415 - brings pySigma

    return _joined([Compiler(Translator()).compile(path, text.encode())])


def _joined(contents: list[FileContent]) -> LoadedRules:
    groups: dict[LogSource, list[EventRule]] = {}
    infos: list[RuleInfo] = []
    refused: list[RuleError] = []
    keys: dict[str, RuleInfo] = {}
    for content in contents:
        refused += content.refused
        for rule in content.rules:
            first = keys.setdefault(rule.info.key, rule.info)
            if first is not rule.info:
                info = rule.info
                reason = f"the id {info.id} is already used by {first.title!r} in {first.path}"
                refused.append(RuleError(reason, path=info.path, line=info.line, rule=info.title))
                continue
            infos.append(rule.info)
            groups.setdefault(rule.logsource, []).append(rule)
    return LoadedRules(
        infos=tuple(infos),
        groups={logsource: RuleGroup(logsource, rules) for logsource, rules in groups.items()},
        correlations=(),
        refused=tuple(refused),
        notes=tuple(note for content in contents for note in content.notes),
        files=len(contents),
        skipped=sum(content.skipped for content in contents),
    )
