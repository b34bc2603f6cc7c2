"""Detection from the spool: every effect once, whatever is away, damaged or killed in between."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from haidang.errors import StorageError
from haidang.ingest.detecting import Detected, Detector
from haidang.ingest.model import Arrival
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool, Spooled
from haidang.scanning import Ruleset, load_rules
from haidang.scanning.live import LiveMatcher
from tests.scanning.material import RULES, event, write_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.findings.model import Finding
    from haidang.scanning.live import Member


class Kept:
    """A sink in memory that honours the interface; ``away`` makes that many calls fail."""

    def __init__(self) -> None:
        self.batches: list[Detected] = []
        self.correlated: dict[str, Finding] = {}
        self.away = 0

    def position(self) -> int:
        return self.batches[-1].number if self.batches else 0

    def members(self) -> Iterator[Sequence[Member]]:
        yield from (batch.members for batch in self.batches if batch.members)

    def apply(self, batches: Sequence[Detected], correlated: Sequence[Finding]) -> None:
        if self.away:
            self.away -= 1
            raise StorageError("away")
        self.batches.extend(batch for batch in batches if batch.number > self.position())
        self.correlated.update((finding.id, finding) for finding in correlated)

    @property
    def findings(self) -> list[Finding]:
        return [finding for batch in self.batches for finding in batch.findings]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return load_rules(write_rules(tmp_path_factory.mktemp("rules")), cache=False)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite3")
    yield made
    made.close()


def arrival(*numbers: int, source: str = "1", form: str = "") -> Arrival:
    data = b"\n".join(json.dumps(event(number, User="an")).encode() for number in numbers)
    return Arrival(source, form, time.time_ns(), data, len(numbers))


def detector(spool: Spool, rules: Ruleset, sink: Kept, quarantine: Quarantine | None = None) -> Detector:
    return Detector(spool, LiveMatcher(rules), sink, quarantine=quarantine)


def test_batches_are_worked_off_in_order_and_leave_the_spool(spool: Spool, rules: Ruleset) -> None:
    numbers = spool.append([arrival(1, 2), arrival(3)])
    sink = Kept()
    assert detector(spool, rules, sink).step() == 2
    assert [batch.number for batch in sink.batches] == numbers
    assert [finding.source.record for finding in sink.findings] == [1, 2, 1]
    assert sink.findings[0].source.path == f"1/{numbers[0]}"
    assert spool.backlog().batches == 0


def test_a_batch_delivered_again_gives_the_same_ids(spool: Spool, rules: Ruleset) -> None:
    spool.append([arrival(1, 2), arrival(2, 1)])
    sinks = []
    for _ in range(2):
        sinks.append(Kept())
        taken = spool.take()
        one = detector(spool, rules, sinks[-1])
        spool.done = lambda through: None  # type: ignore[method-assign] # noqa: ARG005 -- killed before it says so
        one.step()
        assert spool.take() == taken
    first, second = ([finding.id for finding in sink.findings] for sink in sinks)
    assert first == second
    assert len(set(first)) == 4


def test_what_the_sink_has_is_not_done_again_after_a_restart(spool: Spool, rules: Ruleset) -> None:
    spool.append([arrival(1)])
    sink = Kept()
    done, spool.done = spool.done, lambda through: None  # type: ignore[method-assign] # noqa: ARG005
    detector(spool, rules, sink).step()
    spool.done = done  # type: ignore[method-assign]
    spool.append([arrival(2)])
    detector(spool, rules, sink).step()
    assert len(sink.findings) == 2
    assert spool.backlog().batches == 0


def test_another_matcher_takes_over_and_neither_loses_nor_doubles(
    spool: Spool, rules: Ruleset, tmp_path: Path
) -> None:
    more = load_rules(write_rules(tmp_path, RULES.replace("contains: whoami", "contains: run")), cache=False)
    sink = Kept()
    taken_up: list[LiveMatcher] = []
    one = detector(spool, rules, sink)
    spool.append([arrival(1, 2)])
    one.step()
    one.replace(lambda: LiveMatcher(more), taken_up.append)
    sink.away = 1  # what is detected with the new rules waits, too
    spool.append([arrival(3), arrival(600)])
    one.step()
    while not sink.correlated:
        one.step()
    assert len(taken_up) == 1
    # The correlation holds over the change, once; the rule that changed is looked for from then on.
    (joined,) = sink.correlated.values()
    assert joined.count == 3
    assert [finding.rule.title for finding in sink.findings] == ["Tool"] * 2 + ["Tool", "Shell"] * 2
    assert len({finding.id for finding in sink.findings}) == 6
    assert spool.backlog().batches == 0


def test_waits_for_a_sink_that_is_away(spool: Spool, rules: Ruleset) -> None:
    spool.append([arrival(1)])
    sink = Kept()
    sink.away = 2
    detector(spool, rules, sink).step()
    assert len(sink.findings) == 1


def test_stops_while_the_sink_is_away_and_loses_nothing(spool: Spool, rules: Ruleset) -> None:
    spool.append([arrival(1)])
    sink = Kept()
    sink.away = 10**9
    stop = threading.Event()
    thread = threading.Thread(target=detector(spool, rules, sink).run, args=(stop,))
    thread.start()
    time.sleep(0.3)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert spool.backlog().batches == 1


def test_broken_records_go_to_the_quarantine_and_the_rest_is_taken(
    spool: Spool, rules: Ruleset, tmp_path: Path
) -> None:
    good = arrival(1, 2).data.split(b"\n")
    data = b"\n".join([good[0], b'{"a": ', good[1], b"[1"])
    spool.append([Arrival("1", "ndjson", time.time_ns(), data, 4)])
    quarantine = Quarantine(tmp_path / "quarantine.sqlite3")
    sink = Kept()
    detector(spool, rules, sink, quarantine).step()
    assert len(sink.findings) == 2
    assert sink.batches[0].broken == 2
    assert {line.line for line in quarantine.lines()} == {b'{"a": ', b"[1"}
    quarantine.close()


def test_a_damaged_batch_is_told_and_stops_nothing(spool: Spool, rules: Ruleset, tmp_path: Path) -> None:
    first, _ = spool.append([arrival(1), arrival(2)])
    spool.close()
    with sqlite3.connect(spool.path) as connection:
        connection.execute("UPDATE batch SET data = x'00' WHERE number = ?", (first,))
    connection.close()
    quarantine = Quarantine(tmp_path / "quarantine.sqlite3")
    sink = Kept()
    detector(spool, rules, sink, quarantine).step()
    assert [len(batch.findings) for batch in sink.batches] == [0, 1]
    assert [line.reason for line in quarantine.lines()] == ["corrupt"]
    quarantine.close()


def test_a_batch_that_rules_fail_on_stops_nothing(spool: Spool, rules: Ruleset, tmp_path: Path) -> None:
    spool.append([arrival(1, form="no such format"), arrival(2)])
    quarantine = Quarantine(tmp_path / "quarantine.sqlite3")
    sink = Kept()
    detector(spool, rules, sink, quarantine).step()
    assert [len(batch.findings) for batch in sink.batches] == [0, 1]
    assert [line.reason for line in quarantine.lines()] == ["unreadable"]
    quarantine.close()


def test_correlations_look_back_over_batches_and_restarts(spool: Spool, rules: Ruleset) -> None:
    sink = Kept()
    for second in (1, 2, 3):
        spool.append([arrival(second)])
        detector(spool, rules, sink).step()
    spool.append([arrival(200)])  # What is a minute old is in order by now.
    detector(spool, rules, sink).step()
    (found,) = sink.correlated.values()
    assert found.rule.title == "Many tools [by user]"
    again = Kept()
    again.batches = sink.batches
    spool.append([arrival(1000)])
    detector(spool, rules, again).step()
    assert again.correlated.keys() == sink.correlated.keys()
    assert again.correlated[found.id].count == 4


class Follower:
    """Takes batches, and has them safe when told so."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.through = 0

    def take(self, batches: Sequence[Spooled]) -> None:
        self.taken.extend(batch.number for batch in batches)

    def safe(self) -> int:
        return self.through


def test_batches_stay_until_the_follower_has_them_safe(spool: Spool, rules: Ruleset) -> None:
    first, second = spool.append([arrival(1), arrival(2)])
    sink, follower = Kept(), Follower()
    Detector(spool, LiveMatcher(rules), sink, follower=follower).step()
    assert spool.backlog().batches == 2
    restarted = Follower()
    restarted.through = first
    Detector(spool, LiveMatcher(rules), sink, follower=restarted).step()
    assert restarted.taken == [second]
    assert len(sink.findings) == 2
    assert [spooled.number for spooled in spool.take()] == [second]
