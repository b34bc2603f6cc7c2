"""Arranged rules on disk: a second load is the first one again, and nothing untrusted is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from haidang.detect import routes
from haidang.detect.arranging import arrange_rules
from haidang.scanning._prepared import kept_maps, prepared
from haidang.scanning._ruleset import load_rules
from haidang.sigma.loading import LoadedRules, load
from haidang.sigma.logsource import load_maps

from .material import write_rules

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.scanning._ruleset import Ruleset


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedRules:
    return load([write_rules(tmp_path)], cache_dir=tmp_path / "compiled")


def tables(folder: Path, suffix: str = "tables") -> Path:
    (path,) = folder.glob(f"*.{suffix}")
    return path


def check(loaded: LoadedRules, folder: Path) -> None:
    kept = prepared(loaded, folder)
    assert set(kept) == set(loaded.groups)
    for logsource, group in loaded.groups.items():
        assert kept[logsource].arranged() == arrange_rules([rule.condition for rule in group])


def test_a_second_load_gives_what_the_first_did_and_writes_nothing(
    tmp_path: Path, loaded: LoadedRules
) -> None:
    folder = tmp_path / "cache"
    check(loaded, folder)
    before = tables(folder).stat().st_mtime_ns
    check(loaded, folder)
    assert tables(folder).stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "magic", "digest"])
@pytest.mark.parametrize("suffix", ["tables", "maps"])
def test_a_damaged_file_is_made_again(tmp_path: Path, loaded: LoadedRules, damage: str, suffix: str) -> None:
    folder = tmp_path / "cache"
    check(loaded, folder)
    assert kept_maps([], folder) == load_maps([])
    path = tables(folder, suffix)
    whole = path.read_bytes()
    spoiled = {
        "cut": whole[: len(whole) // 2],
        "flip": whole[:-1] + bytes([whole[-1] ^ 1]),
        "empty": b"",
        "magic": b"X" + whole[1:],
        "digest": whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
    }[damage]
    path.write_bytes(spoiled)
    check(loaded, folder)
    assert kept_maps([], folder) == load_maps([])
    assert tables(folder, suffix).read_bytes() == whole


RULE = """
title: A service with that name
id: 6a1d5a7c-60a2-4c4d-9d8e-0c1a9f5f2b10
status: test
level: high
logsource: {product: windows, service: system}
detection:
    selection: {Provider_Name: Service Control Manager, EventID: 7045, ServiceName|contains: updater}
    condition: selection
"""


def found(rules: Ruleset) -> list[str]:
    event = {
        "Channel": "System",
        "EventID": 7045,
        "Provider_Name": "Service Control Manager",
        "ServiceName": "my updater",
    }
    return [finding.rule.title for finding in rules.match(event, "windows")]


@pytest.fixture
def folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of what is left of a rule, as a first run made it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "rule.yml").write_text(RULE)
    # Of a file written just now, a time stamp does not tell whether it changed since.
    os.utime(tmp_path / "rule.yml", (1, 1))
    rules = load_rules(tmp_path / "rule.yml")
    assert found(rules) == ["A service with that name"]
    rules.keep()
    return tables(tmp_path / "haidang", "folds")


def test_what_routing_values_leave_of_rules_is_kept(
    folds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folds.stat().st_mtime_ns
    # Nothing is decided again.
    monkeypatch.setattr(routes.Group, "_fold", None)
    rules = load_rules(tmp_path / "rule.yml")
    assert found(rules) == ["A service with that name"]
    rules.keep()
    assert folds.stat().st_mtime_ns == before


def test_rules_that_changed_have_folds_of_their_own(folds: Path, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE.replace("updater", "loader"))
    rules = load_rules(tmp_path / "rule.yml")
    assert found(rules) == []
    rules.keep()
    assert len(list(folds.parent.glob("*.folds"))) == 2


@pytest.mark.parametrize("cut", [0, 40, -1])
def test_damaged_folds_are_made_again(
    folds: Path, tmp_path: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds.write_bytes(folds.read_bytes()[:cut])
    rules = load_rules(tmp_path / "rule.yml")
    assert found(rules) == ["A service with that name"]
    rules.keep()
    monkeypatch.setattr(routes.Group, "_fold", None)
    assert found(load_rules(tmp_path / "rule.yml")) == ["A service with that name"]


def test_a_file_that_others_may_write_is_not_used(tmp_path: Path, loaded: LoadedRules) -> None:
    folder = tmp_path / "cache"
    check(loaded, folder)
    tables(folder).chmod(0o666)
    check(loaded, folder)
    assert tables(folder).stat().st_mode & 0o022 == 0


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path, loaded: LoadedRules) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    check(loaded, folder)
    assert list(folder.iterdir()) == []


def test_without_a_folder_nothing_is_kept(loaded: LoadedRules) -> None:
    assert prepared(loaded, None) == {}


def test_a_changed_map_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    own = tmp_path / "own.yml"
    text = (
        "origin: own\nproduct: own\nroute_by: [kind]\n"
        "sources:\n- logsource: {product: own, category: x}\n  when: {kind: [a]}\n"
    )
    own.write_text(text)
    assert kept_maps([own], folder) == load_maps([own])
    own.write_text(text.replace("[a]", "[a, bc]"))
    assert kept_maps([own], folder) == load_maps([own])
    assert kept_maps([own], folder)[-1].entries[0].when == {"kind": ("a", "bc")}
