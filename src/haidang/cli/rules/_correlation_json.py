"""The explanation of a correlation for programs; the reference says what the keys mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.workshop.correlated import Correlated, GroupSaid, HitSaid, RuleSaid

__all__ = ["correlation_document"]

_MOST = 100
"""Groups, and hits of a rule or window, that are written out; the numbers beside them count all."""


def correlation_document(one: Correlated) -> dict[str, Any]:
    """Return the document of an explanation."""
    info, rule = one.rule.info, one.correlation
    return {
        "rule": {"id": info.id, "title": info.title, "path": info.path, "line": info.line},
        "paths": list(one.paths),
        "events": one.events,
        "cut": one.cut,
        "correlation": {
            "type": rule.type,
            "group_by": list(rule.group_by),
            "timespan_seconds": rule.timespan_ns // 1_000_000_000,
            "condition": one.rule.document["correlation"].get("condition"),
        },
        "rules": [_rule(said) for said in one.rules],
        "left_out": [
            {
                "reason": left.reason,
                "fields": list(left.fields),
                "count": left.count,
                "first": _hit(left.first),
            }
            for left in one.left_out
        ],
        "groups_total": len(one.groups),
        "groups": [_group(group) for group in one.groups[:_MOST]],
        "findings": one.fires,
        "fires": one.fires > 0,
    }


def _rule(said: RuleSaid) -> dict[str, Any]:
    info = said.info
    return {
        "id": info.id,
        "title": info.title,
        "correlation": info.correlation,
        "looked_at": said.looked,
        "hits_total": len(said.hits),
        "hits": _hits(said.hits),
    }


def _group(group: GroupSaid) -> dict[str, Any]:
    return {
        "group": group.values,
        "hits_total": group.hits,
        "findings": group.fires,
        "window": {
            "holds": not group.missing,
            "number": group.number,
            "missing": [message.text() for message in group.missing],
            "hits_total": len(group.window),
            "hits": _hits(group.window),
        },
    }


def _hits(hits: Sequence[HitSaid]) -> list[dict[str, Any]]:
    return [_hit(hit) for hit in hits[:_MOST]]


def _hit(hit: HitSaid) -> dict[str, Any]:
    return {
        "rule": hit.rule.title,
        "time": None if hit.time is None else format_time(hit.time),
        "path": hit.path,
        "record": hit.record,
        "values": list(hit.measured),
    }
