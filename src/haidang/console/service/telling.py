"""What the process that detects tells the console of itself: what is loaded, and what went wrong.

It is kept in the database, where the console finds it on whatever machine it runs.
"""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from haidang.console.alerts.storing import storable
from haidang.console.rules.models import Loaded

if TYPE_CHECKING:
    from haidang.console.service.configuration import Configuration
    from haidang.intel.store import Intel, Source
    from haidang.scanning import Ruleset

__all__ = ["failed", "indicators", "rules", "update"]

_MOST_REFUSED = 50
_LONGEST = 4000
_QUERY = re.compile(r"\?[^\s'\"]+")
_USER = re.compile(r"//[^/@\s]+@")


def rules(ruleset: Ruleset, configuration: Configuration) -> None:
    """Tell which rules are in use, and where this machine has them."""
    _done(
        Loaded.Part.RULES,
        {
            "paths": [str(path.absolute()) for path in configuration.rules],
            "builtin": configuration.builtin,
            "host": socket.gethostname(),
            "rules": sum(1 for info in ruleset if not info.key.startswith("intel:")),
            "correlations": len(ruleset.correlations),
            "refused": [error.message[:500] for error in ruleset.refused[:_MOST_REFUSED]],
            "refused_number": len(ruleset.refused),
        },
    )


def indicators(intel: Intel | None) -> None:
    """Tell which indicators are in use."""
    if intel is None:
        _done(Loaded.Part.INDICATORS, {"indicators": 0, "sources": []})
        return
    _done(
        Loaded.Part.INDICATORS,
        {
            "indicators": len(intel.index) + len(intel.patterns),
            "sources": [_source(one) for one in intel.sources],
            "held_back": dict(intel.held_back),
        },
    )


def update(problems: list[str], following: datetime) -> None:
    """Tell how an update of the sources went, and when the following is due."""
    about = {"next": following.isoformat()}
    if problems:
        failed(Loaded.Part.UPDATE, "\n".join(problems), about)
    else:
        _done(Loaded.Part.UPDATE, about)


def failed(part: Loaded.Part, problem: str, about: dict[str, Any] | None = None) -> None:
    """Tell why something was not taken up; what was there before stays."""
    told: dict[str, Any] = {"problem": harmless(problem)[:_LONGEST], "tried": timezone.now()}
    if about is not None:
        told["about"] = about
    Loaded.objects.update_or_create(part=part, defaults=storable(told))


def harmless(text: str) -> str:
    """Return a text without what addresses may hold of secrets: their queries, and who asks."""
    return _USER.sub("//", _QUERY.sub("?…", text))


def _done(part: Loaded.Part, about: dict[str, Any]) -> None:
    now = timezone.now()
    Loaded.objects.update_or_create(
        part=part, defaults={"at": now, "tried": now, "problem": "", "about": storable(about)}
    )


def _source(one: Source) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "indicators": one.indicators,
        "refused": sum(one.counts.values()),
        "updated": datetime.fromtimestamp(one.updated, UTC).isoformat() if one.updated else None,
        "failed": harmless(one.failed),
        "tlp": one.tlp,
        "confidence": one.confidence,
        "pack": one.pack,
    }
