"""A second load is the first one again; a changed rule compiles alone; nothing untrusted is used."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from haidang.sigma import snapshot
from haidang.sigma.loading import LoadedRules, load
from haidang.sigma.private_files import MOST_FILES, default_folder

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: {title}
id: 00000000-0000-0000-0000-0000000000{number:02}
name: rule_{number}
logsource: {{product: windows, category: {category}}}
detection:
  s:
    Image|endswith: '\\a.exe'
    F|re|i: 'a.b'
    G|fieldref: H
    N: [1, 2.5, null, true, '']
  condition: s
"""
EXTRA = """title: Count
correlation:
  type: temporal
  rules: [rule_0, rule_1]
  timespan: 1m
  group-by: [User]
  aliases: {x: {rule_0: a}}
  condition: rule_0 and not rule_1
---
title: Filter
logsource: {product: windows}
filter: {rules: rule_2, f: {User: admin}, condition: not f}
---
title: Refused
logsource: {product: windows}
detection: {s: {F|x: a}, condition: s}
---
title: Odd
level: extreme
logsource: {product: windows}
detection: {s: {F: a}, condition: s}
"""


class Rules:
    """A folder of rules and a cache beside it."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "rules"
        self.cache = path / "cache"
        self.folder.mkdir()
        for number in range(4):
            self.write(
                f"{number}.yml", RULE.format(title=f"R{number}", number=number, category=f"c{number % 2}")
            )
        self.write("extra.yml", EXTRA)
        self.write("notes.yml", "nothing: here\n")
        self.age()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def age(self) -> None:
        """Let every file be an hour old, so that its time stamp tells."""
        for path in self.folder.iterdir():
            state = path.stat()
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns - 3600 * 10**9))

    def load(self, **options: Any) -> LoadedRules:
        return load([self.folder], cache_dir=self.cache, **options)

    def snapshot(self) -> Path:
        (path,) = self.cache.glob("*.rules")
        return path


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path)


def content(loaded: LoadedRules) -> Any:
    return (
        loaded.infos,
        {logsource: list(group) for logsource, group in loaded.groups.items()},
        loaded.correlations,
        [(error.reason, error.path, error.line, error.rule) for error in loaded.refused],
        [(error.reason, error.path, error.line, error.rule) for error in loaded.notes],
        loaded.files,
        loaded.skipped,
    )


def test_the_second_load_is_the_first_one_again(rules: Rules) -> None:
    first, second = rules.load(), rules.load()
    assert (first.compiled, second.compiled) == (6, 0)
    assert content(second) == content(first)
    assert len(first.infos) == 6
    assert len(first.refused) == len(first.notes) == first.skipped == 1


def test_without_cache_nothing_is_kept(rules: Rules) -> None:
    kept = rules.load()
    assert content(load([rules.folder], cache=False)) == content(kept)
    assert load([rules.folder], cache=False).compiled == 6


def test_conditions_are_decoded_only_when_they_are_asked_for(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules.load()
    loaded = rules.load()
    decoded: list[bytes] = []
    decode = snapshot._loads

    def counting(data: bytes) -> Any:
        decoded.append(data)
        return decode(data)

    monkeypatch.setattr(snapshot, "_loads", counting)
    groups = list(loaded.groups.values())
    assert [len(group) for group in groups] == [2, 2, 1]
    assert not decoded
    assert groups[0][0].condition
    assert list(groups[0])
    assert len(decoded) == 1


def test_a_changed_rule_is_compiled_alone(rules: Rules) -> None:
    rules.load()
    rules.write("1.yml", RULE.format(title="Changed", number=1, category="c1"))
    changed = rules.load()
    assert changed.compiled == 1
    assert content(changed) == content(load([rules.folder], cache=False))
    assert "Changed" in {info.title for info in changed.infos}


def test_a_change_within_the_same_instant_and_size_is_seen(rules: Rules) -> None:
    rules.load()
    path = rules.folder / "1.yml"
    path.write_text(path.read_text().replace("title: R1", "title: X1"))
    first = path.stat()
    assert "X1" in {info.title for info in rules.load().infos}
    path.write_text(path.read_text().replace("title: X1", "title: Y1"))
    os.utime(path, ns=(first.st_atime_ns, first.st_mtime_ns))
    assert "Y1" in {info.title for info in rules.load().infos}


def test_a_file_that_was_only_touched_is_not_compiled(rules: Rules) -> None:
    rules.load()
    os.utime(rules.folder / "1.yml")
    touched = rules.load()
    assert touched.compiled == 0
    assert content(touched) == content(rules.load())


def test_a_new_and_a_removed_file_are_seen(rules: Rules) -> None:
    rules.load()
    rules.write("9.yml", RULE.format(title="R9", number=9, category="c9"))
    (rules.folder / "3.yml").unlink()
    changed = rules.load()
    assert changed.compiled == 1
    assert content(changed) == content(load([rules.folder], cache=False))


def test_what_depends_on_a_changed_file_follows(rules: Rules) -> None:
    before = rules.load()
    assert [info.generate for info in before.infos] == [False, False, True, True, True, True]
    (rules.folder / "extra.yml").unlink()
    after = rules.load()
    assert after.compiled == 0
    assert content(after) == content(load([rules.folder], cache=False))
    assert all(info.generate for info in after.infos)
    (rule,) = [rule for group in after.groups.values() for rule in group if rule.info.title == "R2"]
    assert "User" not in rule.fields


def test_a_duplicate_takes_its_place_when_the_first_goes(rules: Rules) -> None:
    rules.write("5.yml", RULE.format(title="Twin", number=0, category="c0"))
    assert "Twin" in {error.rule for error in rules.load().refused}
    assert "Twin" in {error.rule for error in rules.load().refused}
    (rules.folder / "0.yml").unlink()
    after = rules.load()
    assert "Twin" in {info.title for info in after.infos}
    assert content(after) == content(load([rules.folder], cache=False))


def damaged(path: Path, at: int) -> bytes:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize("at", [0, 20, 50, 100, -1, -500])
def test_a_damaged_snapshot_is_rebuilt(rules: Rules, at: int) -> None:
    first = rules.load()
    path = rules.snapshot()
    good = path.read_bytes()
    path.write_bytes(damaged(path, at))
    again = rules.load()
    assert again.compiled == 6
    assert content(again) == content(first)
    assert len(path.read_bytes()) == len(good)
    assert rules.load().compiled == 0


@pytest.mark.parametrize("data", [b"", b"haidang rules 1\n", b"x" * 1000])
def test_what_is_no_snapshot_is_rebuilt(rules: Rules, data: bytes) -> None:
    rules.load()
    rules.snapshot().write_bytes(data)
    assert rules.load().compiled == 6
    assert rules.load().compiled == 0


def test_a_snapshot_cut_off_is_rebuilt(rules: Rules) -> None:
    rules.load()
    path = rules.snapshot()
    path.write_bytes(path.read_bytes()[:-10])
    assert rules.load().compiled == 6


def test_the_folder_and_its_files_are_the_users_alone(rules: Rules) -> None:
    rules.load()
    assert stat.S_IMODE(rules.cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(rules.snapshot().stat().st_mode) == 0o600
    assert [path.suffix for path in rules.cache.iterdir()] == [".rules"]


def test_a_folder_that_others_may_read_is_closed(rules: Rules) -> None:
    rules.cache.mkdir(mode=0o755)
    rules.cache.chmod(0o755)
    rules.load()
    assert stat.S_IMODE(rules.cache.stat().st_mode) == 0o700


def test_a_folder_that_others_may_write_is_not_used(rules: Rules) -> None:
    rules.load()
    rules.cache.chmod(0o777)
    assert rules.load().compiled == 6


def test_a_snapshot_that_others_may_write_is_not_used(rules: Rules) -> None:
    rules.load()
    rules.snapshot().chmod(0o666)
    assert rules.load().compiled == 6


def test_a_snapshot_behind_a_link_is_not_used(rules: Rules, tmp_path: Path) -> None:
    rules.load()
    path = rules.snapshot()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert rules.load().compiled == 6


def test_a_folder_behind_a_link_is_not_used(rules: Rules, tmp_path: Path) -> None:
    rules.load()
    rules.cache.rename(tmp_path / "elsewhere")
    rules.cache.symlink_to(tmp_path / "elsewhere")
    assert rules.load().compiled == 6


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_another_user_owns_is_not_used(rules: Rules) -> None:
    rules.load()
    os.chown(rules.snapshot(), 12345, 12345)
    assert rules.load().compiled == 6
    assert rules.load().compiled == 0
    os.chown(rules.cache, 12345, 12345)
    assert rules.load().compiled == 6
    assert rules.load().compiled == 6


def test_a_folder_that_cannot_be_made_stops_nothing(rules: Rules) -> None:
    rules.cache.write_text("a file")
    assert rules.load().compiled == 6
    assert rules.load().compiled == 6


def test_other_pipelines_or_placeholders_are_compiled_for_themselves(rules: Rules, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yml"
    pipeline.write_text("name: p\ntransformations: [{type: field_name_prefix, prefix: x.}]\n")
    values = tmp_path / "v.yml"
    values.write_text("a: [1]\n")
    assert rules.load().compiled == 6
    assert rules.load(pipelines=[pipeline]).compiled == 6
    again = rules.load(pipelines=[pipeline])
    assert again.compiled == 0
    assert next(iter(again.groups.values()))[0].fields[0] == "x.Image"
    assert rules.load(placeholders=[values]).compiled == 6
    assert rules.load(placeholders=[values]).compiled == 0
    values.write_text("a: [2]\n")
    assert rules.load(placeholders=[values]).compiled == 6
    pipeline.write_text("name: p\ntransformations: [{type: field_name_prefix, prefix: y.}]\n")
    assert next(iter(rules.load(pipelines=[pipeline]).groups.values()))[0].fields[0] == "y.Image"


def test_rules_that_a_pipeline_moved_keep_their_filters_from_the_cache(rules: Rules, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yml"
    pipeline.write_text("name: p\ntransformations: [{type: change_logsource, product: other, category: c}]\n")
    first = rules.load(pipelines=[pipeline])
    rules.write("9.yml", RULE.format(title="R9", number=9, category="c9"))
    changed = rules.load(pipelines=[pipeline])
    assert (first.compiled, changed.compiled) == (6, 1)
    assert content(changed) == content(load([rules.folder], pipelines=[pipeline], cache=False))
    (rule,) = [rule for group in changed.groups.values() for rule in group if rule.info.title == "R2"]
    assert "User" in rule.fields


def test_other_versions_of_the_code_compile_for_themselves(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules.load()
    monkeypatch.setattr("haidang.sigma.loading.__version__", "99")
    assert rules.load().compiled == 6


def test_old_snapshots_are_forgotten(rules: Rules, tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / f"set{number}"
        folder.mkdir()
        load([folder], cache_dir=rules.cache)
    assert len(list(rules.cache.glob("*.rules"))) == MOST_FILES


def test_rules_with_values_that_cannot_be_kept_are_used_all_the_same(rules: Rules) -> None:
    rules.write(
        "big.yml",
        "title: Big\nlogsource: {product: a}\ndetection: {s: {F: " + "9" * 40 + "}, condition: s}\n",
    )
    rules.write("key.yml", EXTRA.split("---", maxsplit=1)[0].replace("title: Count", "title: Z\nx: {1: 2}"))
    first, second = rules.load(), rules.load()
    assert content(first) == content(second)
    assert {"Big", "Z"} <= {info.title for info in second.infos}


def test_the_default_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "haidang"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "haidang"
