"""A second opinion on every Windows rule: pySigma's SQLite backend and SQLite, event for event.

Nothing of ours has a part in the second opinion but the reading of events and of the logsource map.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

import haidang
from haidang.sigma.logsource import load_maps
from tests.end_to_end.differential.differences import Difference, complaints, differences, listed
from tests.end_to_end.differential.peer import PLACEHOLDERS, find
from tests.end_to_end.differential.recordings import Place, windows_events

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.sigma.ir import LogsourceMap


@pytest.fixture(scope="session")
def windows() -> LogsourceMap:
    (found,) = (each for each in load_maps() if each.origin == "windows")
    return found


@pytest.mark.slow
def test_agrees_with_sqlite_on_every_recorded_windows_event(corpora: Path, windows: LogsourceMap) -> None:
    rules = corpora / "sigma_all_rules.zip"
    theirs = find(rules, windows, windows_events(corpora / "mordor"))
    assert theirs.failed == {}
    assert theirs.elsewhere == set()
    ours = _scan(corpora / "mordor", haidang.load_rules(rules, placeholders=[PLACEHOLDERS]))
    found = differences(ours, theirs.found)
    assert list(complaints(found, listed("recordings"), theirs.rules)) == []
    assert len(theirs.rules) > 2800
    assert len(theirs.found) > 80
    assert sum(map(len, theirs.found.values())) > 3500


def _scan(path: Path, rules: haidang.Ruleset) -> dict[str, set[Place]]:
    found = defaultdict(set)
    for finding in haidang.scan(path, rules=rules):
        if finding.origin == "windows":
            archive = finding.source.path.partition("!")[0].replace("\\", "/").rpartition("/")[2]
            found[finding.rule.id].add(Place(archive, finding.source.record))
    return found


def test_a_difference_is_told_unless_it_is_listed_as_it_is() -> None:
    found = differences({"a": {1, 2}, "b": {3}, "c": {4}}, {"a": {2, 5}, "b": {3}, "d": {6}})
    assert found == {"a": Difference(1, 1), "c": Difference(1, 0), "d": Difference(0, 1)}
    assert list(complaints(found, found, {})) == []
    assert len(list(complaints(found, {"a": Difference(1, 1), "c": Difference(2, 0)}, {}))) == 2
    assert len(list(complaints({}, found, {}))) == 3
