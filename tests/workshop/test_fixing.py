"""Corrections change what they should, never what a rule finds, and a file in one step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.errors import OutputError
from haidang.sigma.yaml_source import YamlError, documents
from haidang.workshop.fixing import corrected, difference, write_back

if TYPE_CHECKING:
    from pathlib import Path

ID = "11111111-2222-4333-8444-555555555555"
WRONG = """title: A rule  
status: Experimental
level: hihg # as agreed
date: 2026/1/5
modified: '2026.11.30'
tags:
    - attack.Execution
    - "attack.T1059"
description: |
    Two spaces follow.  
    And so on.
logsource:
    product: windows
detection:
    selection:
        Image: 'A '
    condition: selection
"""  # noqa: W291 -- that is what is corrected
RIGHT = f"""title: A rule
id: {ID}
status: experimental
level: high # as agreed
date: 2026-01-05
modified: 2026-11-30
tags:
    - attack.execution
    - "attack.t1059"
description: |
    Two spaces follow.
    And so on.
logsource:
    product: windows
detection:
    selection:
        Image: 'A '
    condition: selection
"""


def fixed(text: str) -> str:
    return corrected(text.encode(), lambda: ID)[0].decode()


def test_corrects_all_that_is_safe() -> None:
    assert fixed(WRONG) == RIGHT


def test_what_is_right_stays_byte_for_byte() -> None:
    assert corrected(RIGHT.encode()) == (RIGHT.encode(), [])


def test_names_each_line_that_it_corrects() -> None:
    _, made = corrected(WRONG.encode(), lambda: ID)
    assert {(one.line, one.code) for one in made} == {
        (1, "whitespace"),
        (1, "id-missing"),
        (2, "status-spelling"),
        (3, "level-spelling"),
        (4, "date-format"),
        (5, "date-format"),
        (7, "tag-case"),
        (8, "tag-case"),
        (10, "whitespace"),
    }


def test_white_space_inside_a_detection_is_meaning() -> None:
    text = RIGHT.replace("Image: 'A '", "Image: |\n            A \n            B")
    assert fixed(text) == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("date: 2026-01-05", "date: 2026-13-45"),
        ("date: 2026-01-05", "date: yesterday"),
        ("level: high # as agreed", "level: terrible"),
        ("status: experimental", "status: whatever"),
    ],
)
def test_what_may_mean_anything_is_left_alone(old: str, new: str) -> None:
    text = RIGHT.replace(old, new)
    assert fixed(text) == text


def test_keeps_line_ends_of_windows() -> None:
    assert fixed(WRONG.replace("\n", "\r\n")) == RIGHT.replace("\n", "\r\n")


def test_each_document_gets_its_own_id() -> None:
    without = RIGHT.replace(f"id: {ID}\n", "")
    ids = iter([ID, ID.replace("1", "2")])
    after, _ = corrected(f"{without}---\n{without}".encode(), lambda: next(ids))
    assert [document["id"] for document in documents(after)] == [ID, ID.replace("1", "2")]


def test_documents_that_share_parts_get_no_id() -> None:
    text = "action: global\ntitle: A\n---\ndetection: {}\n"
    assert fixed(text) == text


def test_adds_the_last_line_break() -> None:
    assert fixed(RIGHT.rstrip("\n")) == RIGHT


LINES = st.sampled_from(
    [
        "title: a ",
        "id: 1",
        "level: Hihg",
        "status: TEST ",
        "date: 2026/1/1",
        "tags:",
        "  - Attack.T1  ",
        "detection:",
        "  sel: >",
        "    a  ",
        "  condition: sel ",
        "---",
        "",
        "description: >",
        "  B  ",
        "	tab",
        "level: 'HIGH",
        "x: [1,",
    ]
)


@given(st.lists(LINES, max_size=14))
def test_never_changes_what_a_rule_finds(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    after, made = corrected(data)
    try:
        before = documents(data)
    except YamlError:
        assert (after, made) == (data, [])
        return
    for old, new in zip(before, documents(after), strict=True):
        if isinstance(old, dict):
            assert {key: old.get(key) for key in ("detection", "logsource", "filter")} == {
                key: new.get(key) for key in ("detection", "logsource", "filter")
            }
    assert corrected(after)[0] == after or not made


def test_the_difference_shows_both_sides() -> None:
    lines = list(difference("a.yml", WRONG.encode(), RIGHT.encode()))
    assert "-status: Experimental" in lines
    assert "+status: experimental" in lines


def test_writes_in_one_step_and_keeps_the_rights(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(WRONG, encoding="utf-8")
    path.chmod(0o640)
    write_back(str(path), RIGHT.encode())
    assert path.read_text(encoding="utf-8") == RIGHT
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a.yml"]  # noqa: PTH208


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_back(str(tmp_path / "gone" / "a.yml"), b"")
