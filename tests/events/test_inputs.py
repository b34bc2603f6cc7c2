"""What the user named becomes a list in a fixed order, and nothing is left out in silence."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.errors import InputError
from haidang.events.streams import Input, find_inputs, split_input
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from haidang.events.model import FileReport


def found(*paths: Path | str) -> tuple[list[str], dict[str, str]]:
    """Return the display names in order, and for each thing that cannot be read the kind of its problem."""
    problems: list[FileReport] = []
    inputs = find_inputs([str(path) for path in paths], limits=DEFAULT_LIMITS, on_problem=problems.append)
    names = [item.display for item in inputs]
    return names, {report.path: next(iter(report.problems)) for report in problems}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.log", "a/2.log", "a/10.log", "c/d/e.log"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path


def test_a_folder_is_walked_in_the_order_of_names(folder: Path) -> None:
    names = [f"{folder}/{name}" for name in ("a/10.log", "a/2.log", "b.log", "c/d/e.log")]
    assert found(folder) == (names, {})


def test_paths_keep_the_order_in_which_they_are_named(folder: Path) -> None:
    assert found(folder / "c", "-", folder / "b.log")[0] == [f"{folder}/c/d/e.log", "-", f"{folder}/b.log"]


def test_a_path_that_does_not_exist_is_the_users_mistake(folder: Path) -> None:
    with pytest.raises(InputError, match="no such file") as caught:
        found(folder, folder / "missing")
    assert caught.value.hint
    with pytest.raises(InputError):
        found("")
    with pytest.raises(InputError):
        found("a\x00b")


def test_a_zip_archive_by_its_content_becomes_one_input_for_each_member(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a" / "logs.bin", "w") as archive:
        archive.writestr("z.log", "z")
        archive.writestr("x/y.log", "y")
        archive.writestr("x/", "")
    (folder / "a" / "no.zip").write_text("no archive", encoding="utf-8")
    expected = ["10.log", "2.log", "logs.bin!x/y.log", "logs.bin!z.log", "no.zip"]
    assert found(folder / "a") == ([f"{folder}/a/{name}" for name in expected], {})


def test_a_loop_of_folders_is_noted_and_left(folder: Path) -> None:
    (folder / "c" / "d" / "loop").symlink_to(folder / "c", target_is_directory=True)
    (folder / "self").symlink_to("self")
    names, problems = found(folder)
    assert len(names) == 4
    assert problems == {f"{folder}/c/d/loop": "symlink-loop", f"{folder}/self": "symlink-loop"}


def test_a_file_that_links_lead_to_is_read_once(folder: Path) -> None:
    (folder / "a" / "again.log").symlink_to(folder / "b.log")
    (folder / "z").symlink_to(folder / "c", target_is_directory=True)
    (folder / "hard.log").hardlink_to(folder / "a" / "2.log")
    names, problems = found(folder, folder / "b.log")
    assert names == [f"{folder}/{name}" for name in ("a/10.log", "a/2.log", "a/again.log", "c/d/e.log")]
    twice = ("b.log", "z", "hard.log")
    assert problems == {f"{folder}/{name}": "duplicate" for name in twice}


def test_what_the_run_writes_is_no_log_of_it(folder: Path) -> None:
    (folder / "out").symlink_to(folder / "b.log")
    problems: list[FileReport] = []
    outputs = [str(folder / "out"), str(folder / "not yet"), "/dev/null", "a\x00b"]
    inputs = find_inputs([str(folder)], limits=DEFAULT_LIMITS, on_problem=problems.append, outputs=outputs)
    assert [item.display for item in inputs] == [
        f"{folder}/{name}" for name in ("a/10.log", "a/2.log", "c/d/e.log")
    ]
    assert [report.path for report in problems] == [f"{folder}/b.log", f"{folder}/out"]
    assert all(report.output and report.complete for report in problems)


def test_an_output_never_takes_the_place_of_a_log_that_is_named(folder: Path) -> None:
    log = str(folder / "b.log")
    with pytest.raises(InputError, match="would overwrite it"):
        list(find_inputs([log], limits=DEFAULT_LIMITS, on_problem=print, outputs=[log]))


def test_what_is_no_file_is_noted_and_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to(folder / "missing")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        names, problems = found(folder, "/dev/zero")
    assert len(names) == 4
    assert problems == {
        f"{folder}/nowhere": "unreadable",
        f"{folder}/pipe": "unreadable",
        f"{folder}/socket": "unreadable",
        "/dev/zero": "unreadable",
    }


def test_a_file_or_folder_without_permission_is_noted(folder: Path) -> None:
    (folder / "b.log").chmod(0)
    (folder / "c").chmod(0)
    try:
        if os.access(folder / "c", os.R_OK):
            pytest.skip("this user may read everything")
        names, problems = found(folder)
    finally:
        (folder / "c").chmod(0o700)
    assert len(names) == 2
    assert problems == {f"{folder}/b.log": "unreadable", f"{folder}/c": "unreadable"}


def test_a_name_that_is_no_utf_8_is_shown_with_replacement_characters(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/h\xe0.log")).write_text("x", encoding="utf-8")
    except OSError:
        pytest.skip("this file system wants UTF-8")
    names, problems = found(tmp_path)
    assert names == [f"{tmp_path}/h\ufffd.log"]
    assert not problems


def test_a_tree_deeper_than_calls_can_be_nested_is_walked(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
        Path("x.log").write_text("x", encoding="utf-8")
    finally:
        os.chdir(here)
    names, problems = found(tmp_path)
    # Python's own rmtree cannot go so deep.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert len(names) == 1
    assert not problems


def test_an_open_file_of_the_shell_may_be_a_pipe() -> None:
    reading, writing = os.pipe()
    try:
        assert found(f"/dev/fd/{reading}") == ([f"/dev/fd/{reading}"], {})
    finally:
        os.close(reading)
        os.close(writing)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.log"
    line = random.Random(1).randbytes(500).hex().encode()
    path.write_bytes((line + b"\n") * 18_000)
    return path


def parts_of(path: Path, parts: int, input_format: str | None = None) -> list[Input]:
    item = Input(str(path), str(path), path.stat().st_size)
    return split_input(item, parts, limits=DEFAULT_LIMITS, input_format=input_format)


def test_a_large_file_of_lines_is_split_without_a_gap(large: Path) -> None:
    size = large.stat().st_size
    first, second = parts_of(large, 5)
    assert (first.start, first.end, second.start, second.end) == (0, size // 2, size // 2, size)
    assert first.size + second.size == size
    assert first.display == second.display == str(large)
    # What the file is, is asked once, not of each part.
    assert (first.reader, second.reader) == ("text", "text")


def test_what_cannot_be_split_stays_whole(large: Path, tmp_path: Path) -> None:
    whole = Input(str(large), str(large), large.stat().st_size)
    assert parts_of(large, 1) == [whole]
    assert parts_of(large, 2, input_format="csv") == [whole]
    for name, begin in {
        "gzip": b"\x1f\x8b\x08",
        "array.json": b"[{",
        "utf-16.log": b"\xff\xfea\x00",
        "zeek.log": b"#separator \\x09\n",
        "binary": b"MZ\x00\x01\x02\x03" * 100,
    }.items():
        path = tmp_path / name
        path.write_bytes(begin)
        os.truncate(path, 20 << 20)
        assert len(parts_of(path, 2)) == 1, name
    standard = Input("-", "-", 20 << 20)
    assert split_input(standard, 2, limits=DEFAULT_LIMITS) == [standard]
