"""Rules and hits for the tests of correlation, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.correlation import Correlated, Correlator, Hit
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import CorrelationRule, RuleInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.limits import Limits
    from haidang.sigma.ir import Condition

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def correlation(  # noqa: PLR0913 - the parts of a correlation rule, each with a default
    type_: str,
    rules: Iterable[str],
    *operators: tuple[str, float],
    by: Iterable[str] = (),
    span: int = 5 * MINUTE,
    fields: Iterable[str] = (),
    percentile: float = 50,
    aliases: dict[str, dict[str, str]] | None = None,
    expression: Condition | None = None,
    key: str = "correlation",
    generate: bool = True,
) -> CorrelationRule:
    info = RuleInfo(
        key=key,
        id="",
        name=key,
        title=key,
        level="high",
        status="test",
        tags=(),
        description="",
        author="",
        references=(),
        falsepositives=(),
        path="rules.yml",
        line=7,
        date="",
        modified="",
        correlation=True,
        generate=generate,
    )
    return CorrelationRule(
        info=info,
        type=type_,
        rules=tuple(rules),
        group_by=tuple(by),
        aliases=aliases or {},
        timespan_ns=span,
        operators=operators,
        value_fields=tuple(fields),
        percentile=percentile,
        expression=expression,
    )


def hit(rule: str, seconds: float | None, position: int = 0, **values: Any) -> Hit:
    time = None if seconds is None else int(seconds * SECOND)
    return Hit(rule=rule, time=time, position=position, values=values, finding=f"{rule}@{seconds}#{position}")


def run(
    rules: CorrelationRule | Sequence[CorrelationRule], hits: Iterable[Hit], limits: Limits = DEFAULT_LIMITS
) -> list[Correlated]:
    """Feed hits in the order given, numbering those that have no position of their own."""
    rules = [rules] if isinstance(rules, CorrelationRule) else rules
    correlator = Correlator(rules, limits)
    found: list[Correlated] = []
    for number, one in enumerate(hits):
        numbered = one if one.position else Hit(one.rule, one.time, number, one.values, one.finding)
        found += correlator.feed(numbered)
    found += correlator.finish()
    return sorted(found, key=lambda one: (one.time_first, one.time_last, one.rule.info.key))


BRUTE_FORCE = correlation("event_count", ["failed"], ("gte", 10), by=["User"], key="brute-force")
