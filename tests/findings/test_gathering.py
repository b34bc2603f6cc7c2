"""Trails over a run: bounded, the kin of findings kept, the same from one process or several."""

from __future__ import annotations

import pickle
from dataclasses import replace

from haidang.findings.gathering import Trails
from haidang.findings.trails import About, Move, Start
from haidang.limits import DEFAULT_LIMITS


def start(pid: int, parent: int, time: int, host: str = "h") -> Start:
    return Start(host, time, "", str(pid), "", str(parent), f"{pid}.exe", "", "", "", "")


def trails(**limits: int) -> Trails:
    return Trails(replace(DEFAULT_LIMITS, **limits))


def pids(found: Trails) -> set[str]:
    return {one.pid for one in found.related()}


def test_related_are_ancestors_descendants_and_siblings() -> None:
    found = trails()
    for pid, parent in ((1, 0), (2, 1), (3, 2), (4, 3), (5, 2), (6, 1), (7, 6), (8, 99)):
        found.gather(About(start=start(pid, parent, pid)))
    found.want("H", "#3", 10)
    assert pids(found) == {"1", "2", "3", "4", "5"}


def test_a_sibling_that_is_wanted_too_keeps_its_own_children() -> None:
    found = trails()
    for pid, parent in ((1, 0), (2, 1), (3, 1), (4, 3), (5, 4)):
        found.gather(About(start=start(pid, parent, pid)))
    found.want("h", "#2", 10)
    assert pids(found) == {"1", "2", "3"}
    found.want("h", "#3", 10)
    assert pids(found) == {"1", "2", "3", "4", "5"}


def test_a_number_used_again_is_the_process_that_ran_at_the_time() -> None:
    found = trails()
    for one in (start(5, 1, 0), start(5, 2, 100_000), start(1, 0, 0), start(2, 0, 0)):
        found.gather(About(start=one))
    found.want("h", "#5", 50_000)
    assert pids(found) == {"1", "5"}


def test_a_process_that_is_its_own_ancestor_ends() -> None:
    found = trails()
    for pid, parent in ((1, 2), (2, 1), (3, 3)):
        found.gather(About(start=start(pid, parent, 5)))
    found.want("h", "#1", 9)
    found.want("h", "#3", 9)
    assert pids(found) == {"1", "2", "3"}


def test_limit_trail_starts_keeps_the_kin_of_findings_and_counts_the_rest() -> None:
    found = trails(trail_starts=100)
    found.gather(About(start=start(1, 0, 1)))
    found.gather(About(start=start(2, 1, 2)))
    found.want("h", "#2", 3)
    for pid in range(10, 1_010):
        found.gather(About(start=start(pid, 5_000 + pid, pid)))
    assert pids(found) == {"1", "2"}
    assert len(found._starts) <= 100
    assert found.lost_starts == 1_002 - len(found._starts)


def test_limit_trail_moves_counts_what_is_left_out() -> None:
    found = trails(trail_moves=3)
    for number in range(5):
        for _ in range(2):
            found.gather(About(move=Move(f"a{number}", "b", "ssh", "u", number)))
    assert [move.count for move in found.moves] == [2, 2, 2]
    assert found.lost_moves == 4


def test_moves_are_joined_with_their_first_and_last_time() -> None:
    found = trails()
    for time in (5, None, 3, 9):
        found.gather(About(move=Move("A", "b", "ssh", "U" if time == 3 else "u", time)))
    (move,) = found.moves
    assert (move.count, move.first, move.last) == (4, 3, 9)


def test_an_address_of_two_hosts_is_nobodys_and_the_full_name_of_one_is_kept() -> None:
    found = trails()
    for address, host in (
        ("1", "a"),
        ("1", "b"),
        ("2", "pc"),
        ("2", "pc.x.example"),
        ("3", "p.x"),
        ("3", "p.y"),
    ):
        found.gather(About(address=(address, host)))
    assert found.addresses == {"2": "pc.x.example"}


def test_merging_gives_what_gathering_all_in_one_gives() -> None:
    def fill(into: list[Trails]) -> None:
        for pid in range(1, 9):
            one = into[pid % len(into)]
            one.gather(About(start=start(pid, pid // 2, pid), move=Move("a", "b", "ssh", f"u{pid % 3}", pid)))
            one.want("h", "#4", 50)

    whole, parts, merged = [trails()], [trails(), trails()], trails()
    fill(whole)
    fill(parts)
    for part in parts:
        merged.merge(pickle.loads(pickle.dumps(part)))
    assert pids(merged) == pids(whole[0]) == {"1", "2", "4", "5", "8"}
    assert sorted((m.user, m.count, m.first, m.last) for m in merged.moves) == sorted(
        (m.user, m.count, m.first, m.last) for m in whole[0].moves
    )
