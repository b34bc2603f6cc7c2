"""What a load gives: every usable rule by logsource, the correlations, and all refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from haidang.sigma.ir import EventRule
from haidang.sigma.snapshot import decode_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.errors import RuleError
    from haidang.sigma.ir import CorrelationRule, LogSource, RuleInfo

__all__ = ["LoadedRules", "RuleGroup"]


class RuleGroup(Sequence[EventRule]):
    """The rules of one logsource; their conditions are decoded when they are first looked at."""

    __slots__ = ("_encoded", "_rules", "infos", "logsource")

    def __init__(
        self,
        logsource: LogSource,
        infos: tuple[RuleInfo, ...],
        *,
        rules: Sequence[EventRule] = (),
        encoded: bytes = b"",
    ) -> None:
        """Keep the rules of ``logsource``, or their conditions as the cache holds them."""
        self.logsource = logsource
        self.infos = infos
        self._rules = tuple(rules)
        self._encoded = encoded

    def __len__(self) -> int:
        """Return how many rules there are, without decoding them."""
        return len(self.infos)

    @overload
    def __getitem__(self, index: int) -> EventRule: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[EventRule]: ...

    def __getitem__(self, index: int | slice) -> EventRule | Sequence[EventRule]:
        """Return one rule, or some."""
        return self._decoded()[index]

    def __iter__(self) -> Iterator[EventRule]:
        """Yield the rules in the order of their files."""
        return iter(self._decoded())

    def _decoded(self) -> tuple[EventRule, ...]:
        if self._encoded:
            conditions = decode_conditions(self._encoded)
            self._rules = tuple(
                EventRule(info, self.logsource, condition, fields)
                for info, (condition, fields) in zip(self.infos, conditions, strict=True)
            )
            self._encoded = b""
        return self._rules


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """Everything that was found under the paths of one load."""

    infos: tuple[RuleInfo, ...]
    """Every usable rule in the order of the files, then the correlations."""
    groups: Mapping[LogSource, RuleGroup]
    correlations: tuple[CorrelationRule, ...]
    refused: tuple[RuleError, ...]
    """Rules that cannot be supported, each with its reason, by file and line."""
    notes: tuple[RuleError, ...] = ()
    """What is odd about rules that are used all the same."""
    files: int = 0
    """Rule files read, those of the cache included."""
    skipped: int = 0
    """YAML files that hold no rule."""
    compiled: int = 0
    """Rule files that had to be compiled; 0 when everything came from the cache."""
    identity: str = ""
    """The same for the same kept rules, "" for rules that are not kept; what derives from them goes by it."""
