"""What one rule file holds, between compiling and joining; light enough to be read from the cache alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.sigma.ir import RuleInfo  # noqa: TC001 - msgspec reads the annotation

if TYPE_CHECKING:
    from haidang.errors import RuleError
    from haidang.sigma.ir import EventRule, LogSource

__all__ = ["FileContent", "Pending"]


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A correlation or filter before the rules that it names are known."""

    info: RuleInfo
    document: dict[str, Any]
    lines: dict[str, int]
    """Line of each key of its section ("" for the section), for errors that are found when it is joined."""


@dataclass(slots=True)
class FileContent:
    """What one rule file holds."""

    path: str
    digest: bytes = b""
    """Digest of the file; empty where it could not be read."""
    source: int = 0
    """Which of the sources of the load it belongs to."""
    rules: list[EventRule] = field(default_factory=list)
    moved: dict[str, LogSource] = field(default_factory=dict)
    """Key of a rule to its logsource as written, for those that a pipeline moved to another."""
    correlations: list[Pending] = field(default_factory=list)
    filters: list[Pending] = field(default_factory=list)
    refused: list[RuleError] = field(default_factory=list)
    notes: list[RuleError] = field(default_factory=list)
    skipped: bool = False
    """It is YAML, but no rule."""
