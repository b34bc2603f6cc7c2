"""Related intelligence: the indicators that values in an alert's evidence meet, and the finding's own.

An indicator that does not hold at the time of the event is named all the same, and said not to: to an analyst
it is a lead, to detection it is none. What logs and feeds hold is untrusted; everything here is plain text.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.console.alerts.evidence import visible
from haidang.i18n import N_
from haidang.intel.observables import EXTRACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.intel.index import Row
    from haidang.intel.store import Intel

__all__ = ["KIND_WORDS", "Related", "related"]

MOST = 50
_MOST_VALUES = 1000
_LONGEST = 20_000
_OWN = "indicator "
"""How the test of a match begins that an indicator made."""

KIND_WORDS = {
    "ip": N_("address"),
    "network": N_("network"),
    "domain": N_("domain name"),
    "url": N_("URL"),
    "hash": N_("file hash"),
    "email": N_("mail address"),
    "pattern": N_("pattern"),
}


class Related(NamedTuple):
    """An indicator, and where in the evidence it is met."""

    kind: str
    value: str
    name: str
    source: str
    confidence: int | None
    tlp: str
    valid_from: datetime | None
    valid_until: datetime | None
    holds: bool
    """Whether it holds at the time of the event."""
    own: bool
    """Whether the alert is of this very indicator."""
    fields: list[str]
    said: str = ""
    """What the finding said of an indicator that is no longer kept."""


def related(findings: Iterable[dict[str, Any]], intel: Intel | None) -> list[Related]:
    """Return the indicators that findings meet, the alert's own first, then the surest."""
    met: dict[int, tuple[Row, dict[str, None], bool, bool]] = {}
    gone: dict[str, Related] = {}
    now = int(time.time())
    for finding in findings:
        at = _seconds(finding.get("time"), now)
        for number, (field, value, test) in enumerate(_values(finding)):
            if number >= _MOST_VALUES:
                break
            own = test.startswith(_OWN)
            rows = intel.index.rows_of(_keys(value)) if intel is not None else ()
            for row in rows[:MOST]:
                what = intel.index.row(row) if intel is not None else None
                if what is None:
                    continue
                _, fields, holds, before = met.setdefault(row, (what, {}, False, False))
                fields[field] = None
                this = own and f"'{what.value}'" in test
                met[row] = (what, fields, holds or what.holds_at(at, now), before or this)
            if own and not any(f"'{what.value}'" in test for what, *_ in met.values()):
                gone[test] = _gone(test, field)
    told = (_told(*one) for one in met.values())
    # A source may hold the same thing twice.
    once = {(one.kind, one.value, one.source, one.name, one.valid_until): one for one in told}
    found = [*gone.values(), *once.values()]
    return sorted(found, key=lambda one: (not one.own, not one.holds, -(one.confidence or 0), one.value))[
        :MOST
    ]


def _values(finding: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield field, value and test of what matched, then field and value of the rest."""
    for match in finding.get("matched") or ():
        yield str(match.get("field") or ""), _text(match.get("value")), str(match.get("test") or "")
    event = finding.get("event")
    for field, value in event.items() if isinstance(event, dict) else ():
        yield str(field), _text(value), ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)[:_LONGEST]
    return str(value)[:_LONGEST] if value is not None else ""


def _keys(value: str) -> dict[str, None]:
    return dict.fromkeys(key for extract in EXTRACT.values() for key in extract(value))


def _told(what: Row, fields: dict[str, None], holds: bool, own: bool) -> Related:  # noqa: FBT001 -- as kept above
    return Related(
        what.kind,
        visible(what.value),
        visible(what.name),
        visible(what.of.source),
        what.confidence if what.confidence >= 0 else None,
        what.of.tlp.upper(),
        _moment(what.valid_from),
        _moment(what.valid_until),
        holds,
        own,
        [visible(field) for field in fields if field],
    )


def _gone(test: str, field: str) -> Related:
    return Related(
        "", "", "", "", None, "", None, None, holds=False, own=True, fields=[field], said=visible(test)
    )


def _seconds(text: Any, now: int) -> int:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) and text else None
    except ValueError:
        return now
    return now if at is None else int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _moment(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
