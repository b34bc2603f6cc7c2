"""Which findings are kept back, and which rules are off."""

from __future__ import annotations

from collections import Counter
from fnmatch import translate
from re import Pattern
from re import compile as compile_pattern
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import F

from haidang.console.alerts.models import Silence
from haidang.console.rules.models import RuleState

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Silences", "rules_off"]


class _Silence(NamedTuple):
    pk: int
    rule: str
    entity: Pattern[str] | None
    path: str


class Silences:
    """The silences that hold at a moment."""

    def __init__(self, now: datetime) -> None:
        """Read them."""
        self._now = now
        rows = Silence.objects.filter(until__gt=now).values_list("pk", "rule", "entity", "unit__path")
        self._all = [
            _Silence(pk, rule, _pattern(entity) if entity else None, path or "")
            for pk, rule, entity, path in rows.order_by("pk")
        ]
        self._hits: Counter[int] = Counter()

    def holds(self, rule: str, entity: str, path: str, findings: int) -> bool:
        """Return whether findings are kept back, and count them for the first silence that does so."""
        for silence in self._all:
            if (
                silence.rule in {"", rule}
                and path.startswith(silence.path)
                and (silence.entity is None or silence.entity.match(entity))
            ):
                self._hits[silence.pk] += findings
                return True
        return False

    def save(self) -> None:
        """Keep what was counted."""
        for pk, hits in self._hits.items():
            Silence.objects.filter(pk=pk).update(hits=F("hits") + hits, last_hit=self._now)


def _pattern(entity: str) -> Pattern[str]:
    # Only the asterisk is a wildcard: names of logs may hold brackets and question marks.
    plain = "".join(f"[{one}]" if one in "[?" else one for one in entity.strip().lower())
    return compile_pattern(translate(plain))


def rules_off() -> frozenset[str]:
    """Return the rules that are switched off."""
    return frozenset(RuleState.objects.filter(enabled=False).values_list("rule", flat=True))
