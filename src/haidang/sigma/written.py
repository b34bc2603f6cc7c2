"""Rules as they are written: their documents and lines beside what they compile to.

Loading forgets the YAML once it is compiled. What works on rules (checks, explanations) reads it again by
way of ``read_written``, which compiles in the same manner and keeps both.

The content of rules is untrusted; the paths are the user's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haidang.errors import RuleError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.content import FileContent
from haidang.sigma.documents import Compiler
from haidang.sigma.joining import join
from haidang.sigma.pipelines import load_pipeline
from haidang.sigma.placeholders import load_placeholders
from haidang.sigma.sources import find_sources, read_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from haidang.limits import Limits
    from haidang.sigma.ir import RuleInfo
    from haidang.sigma.joining import Joined
    from haidang.sigma.yaml_source import Lines

__all__ = ["Written", "WrittenRule", "read_written"]


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """One rule, correlation or filter in its file."""

    info: RuleInfo
    document: dict[str, Any]
    """As it counts: what ``action: global`` shares is in it."""
    index: int
    """Which document of the file it is."""
    lines: Lines

    def line(self, *place: str | int) -> int:
        """Return the line of a place (keys and indices from the top), as deep as it leads."""
        return self.lines.of(self.index, place) or self.info.line


@dataclass(slots=True)
class Written:
    """What is written under some paths."""

    compiler: Compiler
    rules: list[WrittenRule] = field(default_factory=list)
    """In the order of the files; those that are refused later, too."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Path to content of each file that could be read."""
    skipped: list[str] = field(default_factory=list)
    """Paths of YAML files that hold no rule."""
    joined: Joined | None = None
    """What it all compiles to."""


def read_written(
    paths: Sequence[str | Path],
    *,
    pipelines: Sequence[str | Path] = (),
    placeholders: Sequence[str | Path] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Written:
    """Return the rules in files, folders and zips as they are written.

    Raises:
        ConfigurationError: A path, pipeline or placeholder file is wrong.
    """
    written = Written(Compiler(load_pipeline(pipelines), load_placeholders(placeholders)))

    def keep(info: RuleInfo, document: dict[str, Any], index: int, lines: Lines) -> None:
        written.rules.append(WrittenRule(info, document, index, lines))

    written.compiler.on_rule = keep
    contents = []
    for source in find_sources(paths):
        for file in read_source(source, limits):
            if file.fault:
                fault = RuleError(file.fault, path=file.path)
                contents.append(FileContent(file.path, refused=[fault]))
            else:
                written.files[file.path] = file.data
                contents.append(written.compiler.compile(file.path, file.data))
                if contents[-1].skipped:
                    written.skipped.append(file.path)
    written.joined = join(contents, lambda: written.compiler)
    return written
