"""A second opinion on every Windows rule: pySigma's SQLite backend and SQLite, event for event.

Nothing of ours has a part in the second opinion but the reading of events and of the logsource map.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest

import haidang
from haidang.sigma.logsource import load_maps
from tests.end_to_end.differential.differences import Difference, complaints, differences, examples, listed
from tests.end_to_end.differential.peer import PLACEHOLDERS, Peer, windows_rules
from tests.end_to_end.differential.provoking import made_events
from tests.end_to_end.differential.recordings import Place, windows_events
from tests.end_to_end.differential.tables import connect

if TYPE_CHECKING:
    from pathlib import Path

EVENTS_OF_A_RULE = 12


class Prepared(NamedTuple):
    peer: Peer
    made: list[tuple[Place, dict[str, Any]]]
    ours: haidang.Ruleset


@pytest.fixture(scope="session")
def prepared(corpora: Path) -> Prepared:
    archive = corpora / "sigma_all_rules.zip"
    (windows,) = (each for each in load_maps() if each.product == "windows" and each.origin == "windows")
    logsources = windows_rules(archive, windows)
    made = [event for logsource in logsources for event in made_events(logsource, EVENTS_OF_A_RULE)]
    return Prepared(Peer(logsources), made, haidang.load_rules(archive, placeholders=[PLACEHOLDERS]))


def test_converts_every_windows_rule(prepared: Prepared) -> None:
    assert prepared.peer.failed == {}
    assert prepared.peer.elsewhere == set()
    assert len(prepared.peer.titles) > 2800
    assert {info.id for info in prepared.ours} >= prepared.peer.titles.keys()


@pytest.mark.slow
def test_agrees_with_sqlite_on_every_recorded_windows_event(corpora: Path, prepared: Prepared) -> None:
    theirs = prepared.peer.find(windows_events(corpora / "mordor"))
    ours = _scan(corpora / "mordor", prepared.ours)
    assert prepared.peer.failed == {}
    found = differences(ours, theirs)
    assert list(complaints(found, listed("recordings"), prepared.peer.titles)) == []
    assert len(theirs) > 80
    assert sum(map(len, theirs.values())) > 3500


@pytest.mark.slow
def test_agrees_with_sqlite_on_events_made_from_each_rule(tmp_path: Path, prepared: Prepared) -> None:
    theirs = prepared.peer.find(prepared.made, own=True)
    ours = _scan_made(tmp_path / "made.ndjson", prepared)
    assert prepared.peer.failed == {}
    found = differences(ours, theirs)
    assert list(complaints(found, listed("made"), prepared.peer.titles)) == []
    assert len(theirs) > 2700


def _scan(path: Path, rules: haidang.Ruleset) -> dict[str, set[Place]]:
    found = defaultdict(set)
    for finding in haidang.scan(path, rules=rules):
        if finding.origin == "windows":
            archive = finding.source.path.partition("!")[0].replace("\\", "/").rpartition("/")[2]
            found[finding.rule.id].add(Place(archive, finding.source.record))
    return found


def _scan_made(path: Path, prepared: Prepared) -> dict[str, set[Place]]:
    """Scan the made events in one file; keep what each rule finds in its own."""
    path.write_bytes(b"".join(orjson.dumps(event) + b"\n" for _, event in prepared.made))
    found = defaultdict(set)
    for finding in haidang.scan(path, rules=prepared.ours):
        place = prepared.made[finding.source.record - 1][0]
        if place.file == finding.rule.id:
            found[finding.rule.id].add(place)
    return found


@pytest.mark.parametrize(("sql", "gives"), examples())
def test_each_explained_difference_has_its_cause_in_sqlite(sql: str, gives: list[Any]) -> None:
    with closing(connect()) as database:
        assert list(database.execute(sql).fetchone()) == gives


def test_a_difference_is_told_unless_it_is_listed_as_it_is() -> None:
    found = differences({"a": {1, 2}, "b": {3}, "c": {4}}, {"a": {2, 5}, "b": {3}, "d": {6}})
    assert found == {"a": Difference(1, 1), "c": Difference(1, 0), "d": Difference(0, 1)}
    assert list(complaints(found, found, {})) == []
    assert len(list(complaints(found, {"a": Difference(1, 1), "c": Difference(2, 0)}, {}))) == 2
    assert len(list(complaints({}, found, {}))) == 3
