"""The list of what two engines are known to differ in, and what is wrong with a list or with the outcome.

``differences.yml`` names rules, how many events only Hải Đăng and only SQLite select for each, and the
reason. Numbers and not only names, so that a second fault in a listed rule is seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["LIST", "Difference", "complaints", "differences", "examples", "listed"]

LIST = Path(__file__).parent / "differences.yml"


class Difference(NamedTuple):
    """How many events only one of the two selects for a rule."""

    haidang: int
    sqlite: int


def differences(
    ours: Mapping[str, AbstractSet[Hashable]], theirs: Mapping[str, AbstractSet[Hashable]]
) -> dict[str, Difference]:
    """Return where two outcomes (rule to the events that it selects) differ."""
    found = {}
    for rule in {*ours, *theirs}:
        mine, other = ours.get(rule, set()), theirs.get(rule, set())
        if mine != other:
            found[rule] = Difference(len(mine - other), len(other - mine))
    return found


def listed(part: str) -> dict[str, Difference]:
    """Return the explained differences on one kind of events; each has a reason."""
    found: dict[str, Difference] = {}
    for explained in yaml.safe_load(LIST.read_bytes())[part]:
        assert explained["reason"].strip()
        for rule, numbers in explained["rules"].items():
            assert rule not in found, f"{rule} is listed twice"
            found[rule] = Difference(numbers.get("haidang", 0), numbers.get("sqlite", 0))
    return found


def examples() -> list[tuple[str, list[Any]]]:
    """Return the SQL that shows the cause of each explained difference, and what it gives."""
    parts = yaml.safe_load(LIST.read_bytes()).values()
    return [(each["example"]["sql"], each["example"]["gives"]) for part in parts for each in part]


def complaints(
    found: Mapping[str, Difference], known: Mapping[str, Difference], titles: Mapping[str, str]
) -> Iterable[str]:
    """Yield a sentence for each difference that is not listed as it is, and each entry that is no more."""
    for rule in sorted({*found, *known}):
        name = f"{rule} ({titles.get(rule, 'no Windows rule')})"
        if rule not in known:
            yield f"{name} differs and is not explained: {found[rule]}"
        elif rule not in found:
            yield f"{name} is listed and differs no more"
        elif found[rule] != known[rule]:
            yield f"{name} is listed with {known[rule]} and differs by {found[rule]}"
