"""The coverage of rules as JSON, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haidang.scanning.coverage import Coverage
    from haidang.sigma.ir import LogSource
    from haidang.workshop.sighting import Sighting

__all__ = ["as_json"]


def as_json(found: Coverage, seen: Sighting | None = None) -> dict[str, Any]:
    """Return the document; with what was ``seen`` in logs, where some were given."""
    routed = len(found.routed)
    return {
        "rules": found.total,
        "routed": routed,
        "percent": round(100 * routed / found.total, 1) if found.total else 0.0,
        "logsources": [
            {
                **_named(one.logsource),
                "rules": one.rules,
                "routed": one.routed,
                **({} if seen is None else {"seen": seen.seen[one.logsource]}),
                "routes": [
                    {"origin": origin, "formats": list(formats)} for origin, formats in one.routes.items()
                ],
            }
            for one in found.by_logsource()
        ],
        **(
            {}
            if seen is None
            else {"seen": {"events": seen.events, "unneeded": dict(seen.unneeded.most_common())}}
        ),
        "missing": [
            {
                "id": one.info.id,
                "title": one.info.title,
                "path": one.info.path,
                **_named(one.logsource),
                "reason": one.reason,
                "fields": list(one.fields),
            }
            for one in found.missing
        ],
        "refused": [
            {"rule": error.rule, "path": error.path, "line": error.line, "reason": error.reason}
            for error in found.refused
        ],
    }


def _named(logsource: LogSource) -> dict[str, str]:
    return {
        "product": logsource.product,
        "category": logsource.category,
        "service": logsource.service,
    }
