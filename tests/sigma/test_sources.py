from __future__ import annotations

import dataclasses
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from haidang.errors import ConfigurationError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.loading import load
from haidang.sigma.sources import find_sources, read_rule_file, read_source

if TYPE_CHECKING:
    from pathlib import Path

RULE = b"title: T\nlogsource: {product: a}\ndetection: {s: {F: a}, condition: s}\n"


def names(path: Path) -> list[str]:
    return [
        file.path.removeprefix(str(path)).lstrip("/")
        for source in find_sources([path])
        for file in read_source(source, DEFAULT_LIMITS)
    ]


def test_a_folder_gives_its_yaml_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yml", "a/c.yaml", "a/d.YML", "e.txt", ".hidden.yml", ".git/f.yml", "a/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(RULE)
    assert names(tmp_path) == ["a/c.yaml", "a/d.YML", "b.yml"]


def test_a_file_that_was_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "rule.txt").write_bytes(RULE)
    assert len(load([tmp_path / "rule.txt"], cache=False).infos) == 1


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(RULE)
    assert len(find_sources([tmp_path, tmp_path / "a.yml", tmp_path / "a.yml"])) == 1


def test_a_zip_gives_its_yaml_members_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("rules/b.yml", "rules/a.yml", "LICENSE", "__MACOSX/._a.yml"):
            archive.writestr(name, RULE)
    assert names(path) == ["!rules/a.yml", "!rules/b.yml"]
    assert [info.path for info in load([path], cache=False).infos] == [
        f"{path}!rules/a.yml",
        f"{path}!rules/b.yml",
    ]


def test_examples_beside_a_rule_are_no_rules(tmp_path: Path) -> None:
    for name in ("a.yml", "a.test.yml", "b.test.yaml"):
        (tmp_path / name).write_text("x: 1", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "rules.zip", "w") as archive:
        archive.writestr("c.yml", "x: 1")
        archive.writestr("c.test.yml", "x: 1")
    found = find_sources([tmp_path, tmp_path / "rules.zip"])
    files = [file.path for source in found for file in read_source(source, DEFAULT_LIMITS)]
    assert files == [str(tmp_path / "a.yml"), f"{tmp_path / 'rules.zip'}!c.yml"]


def test_a_loop_of_symbolic_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "rule.yml").write_bytes(RULE)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["a/rule.yml"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gone"):
        find_sources([tmp_path / "gone"])


def test_a_file_beyond_rule_file_bytes_is_refused_by_name(tmp_path: Path) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, rule_file_bytes=len(RULE))
    (tmp_path / "good.yml").write_bytes(RULE)
    (tmp_path / "large.yml").write_bytes(RULE + b"#")
    with zipfile.ZipFile(tmp_path / "rules.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.yml", b"#" * 50_000_000)
    loaded = load([tmp_path, tmp_path / "rules.zip"], limits=limits, cache=False)
    assert len(loaded.infos) == 1
    assert [error.path for error in loaded.refused] == [
        str(tmp_path / "large.yml"),
        f"{tmp_path / 'rules.zip'}!bomb.yml",
    ]
    assert all("larger than" in error.reason for error in loaded.refused)


def test_a_zip_of_more_than_archive_members_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.yml", RULE)
    loaded = load([path], limits=dataclasses.replace(DEFAULT_LIMITS, archive_members=2), cache=False)
    (error,) = loaded.refused
    assert (error.path, error.reason) == (str(path), "holds more than 2 files")


def test_a_damaged_member_is_refused_and_the_others_used(tmp_path: Path) -> None:
    path = tmp_path / "rules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.yml", RULE)
        archive.writestr("b.yml", RULE)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"title: T", b"title: X", 1))
    loaded = load([path], cache=False)
    assert [error.path for error in loaded.refused] == [f"{path}!a.yml"]
    assert [info.path for info in loaded.infos] == [f"{path}!b.yml"]


def test_a_zip_that_is_cut_off_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.yml", RULE)
    path.write_bytes(path.read_bytes()[:-30])
    loaded = load([path], cache=False)
    assert [error.path for error in loaded.refused] == [str(path)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(RULE)
    (tmp_path / "a.yml").chmod(0)
    (error,) = load([tmp_path], cache=False).refused
    assert "cannot be read" in error.reason


def test_one_rule_file_is_read_by_the_path_that_its_rules_carry(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"title: A\n")
    with zipfile.ZipFile(tmp_path / "rules.zip", "w") as archive:
        archive.writestr("x/b.yml", b"title: B\n")
    assert read_rule_file(str(tmp_path / "a.yml"), DEFAULT_LIMITS).data == b"title: A\n"
    assert read_rule_file(f"{tmp_path}/rules.zip!x/b.yml", DEFAULT_LIMITS).data == b"title: B\n"
    small = dataclasses.replace(DEFAULT_LIMITS, rule_file_bytes=4)
    for path, limits in (
        (str(tmp_path / "a.yml"), small),
        (f"{tmp_path}/rules.zip!x/b.yml", small),
        (f"{tmp_path}/rules.zip!absent.yml", DEFAULT_LIMITS),
        (f"{tmp_path}/a.yml!b.yml", DEFAULT_LIMITS),
        (str(tmp_path / "absent.yml"), DEFAULT_LIMITS),
        (str(tmp_path), DEFAULT_LIMITS),
    ):
        found = read_rule_file(path, limits)
        assert found.data == b""
        assert found.fault
