"""What a rule's tags and level say."""

from __future__ import annotations

from haidang.findings.words import LEVEL_WORDS, level_rank, tactics, techniques


def test_tactics_come_in_the_order_of_the_matrix_and_once() -> None:
    tags = ("attack.impact", "attack.initial_access", "attack.Impact", "attack.t1059", "car.2013-01-001")
    assert tactics(tags) == ("initial-access", "impact")


def test_techniques_keep_their_order_and_drop_other_tags() -> None:
    tags = (
        "attack.t1059.001",
        "attack.g0016",
        "attack.execution",
        "attack.T1003",
        "attack.t1059.001",
        "cve.2021-1",
    )
    assert techniques(tags) == ("T1059.001", "T1003")


def test_unknown_level_ranks_last() -> None:
    assert sorted(["low", "weird", "critical"], key=level_rank) == ["critical", "low", "weird"]
    assert next(iter(LEVEL_WORDS)) == "critical"
