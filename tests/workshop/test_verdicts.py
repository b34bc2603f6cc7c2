"""Judged findings are read as they are meant, and what is not understood is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.errors import InputError
from haidang.limits import DEFAULT_LIMITS
from haidang.workshop.verdicts import Verdicts, read_verdicts

if TYPE_CHECKING:
    from pathlib import Path


def line(identity: str) -> str:
    rule = {"id": "r", "title": "A rule"}
    return json.dumps(
        {"kind": "finding", "id": identity, "rule": rule, "origin": "windows", "event": {"a": 1}}
    )


def write(path: Path, *lines: str) -> str:
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return str(path)


def ids(found: Verdicts) -> tuple[list[str], list[str]]:
    return [one.id for one in found.true], [one.id for one in found.false]


def test_reads_true_and_false_findings_and_passes_over_the_summary(tmp_path: Path) -> None:
    true = write(tmp_path / "t", line("1"), json.dumps({"kind": "summary"}))
    false = write(tmp_path / "f", line("2"), line("2"), "")
    found = read_verdicts([true], [false], [], None, DEFAULT_LIMITS)
    assert ids(found) == (["1"], ["2"])
    assert found.problems == []


def test_a_finding_in_both_files_is_true_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "t", line("1"))
    found = read_verdicts([path], [path], [], None, DEFAULT_LIMITS)
    assert ids(found) == (["1"], [])
    assert len(found.problems) == 1


def test_a_table_judges_findings(tmp_path: Path) -> None:
    findings = write(tmp_path / "f", line("1"), line("2"), line("3"))
    table = write(tmp_path / "v.csv", "id,verdict", "1,TP", "2,false positive", "3,perhaps", "9,false")
    found = read_verdicts([], [], [findings], table, DEFAULT_LIMITS)
    assert ids(found) == (["1"], ["2"])
    assert [problem.rpartition(": ")[2] for problem in found.problems] == [
        "'perhaps' is neither true nor false",
        "1 findings that it judges are not there",
    ]


@pytest.mark.parametrize("wrong", ["{", "[]", "{}", '{"rule": 1, "event": {}}'])
def test_a_line_that_is_no_finding_is_told_with_its_number(tmp_path: Path, wrong: str) -> None:
    path = write(tmp_path / "f", line("1"), wrong)
    found = read_verdicts([], [path], [], None, DEFAULT_LIMITS)
    assert ids(found) == ([], ["1"])
    assert found.problems[0].startswith(f"{path}:2: ")


def test_refuses_a_table_without_its_columns_a_long_line_and_a_missing_file(tmp_path: Path) -> None:
    findings = write(tmp_path / "f", line("1"))
    with pytest.raises(InputError, match="columns"):
        read_verdicts([], [], [findings], write(tmp_path / "v.csv", "a,b"), DEFAULT_LIMITS)
    with pytest.raises(InputError, match="longer"):
        read_verdicts([findings], [], [], None, replace(DEFAULT_LIMITS, line_bytes=20))
    with pytest.raises(InputError):
        read_verdicts([str(tmp_path / "gone")], [], [], None, DEFAULT_LIMITS)
