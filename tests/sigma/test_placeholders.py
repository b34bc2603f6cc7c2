from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from haidang.errors import ConfigurationError
from haidang.sigma.loading import load
from haidang.sigma.placeholders import expanded, load_placeholders, names_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_gives_lists_and_single_values(tmp_path: Path) -> None:
    path = tmp_path / "values.yml"
    path.write_text("admins: [root, 5, 1.5]\ndomain: example.org\n")
    assert load_placeholders([path]) == {"admins": ("root", "5", "1.5"), "domain": ("example.org",)}


def test_a_later_file_replaces_names_of_an_earlier(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("x: [1]\ny: [2]\n")
    (tmp_path / "b.yml").write_text("x: [3]\n")
    assert load_placeholders([tmp_path / "a.yml", tmp_path / "b.yml"]) == {"x": ("3",), "y": ("2",)}


def test_an_empty_file_has_no_placeholders(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("# nothing yet\n")
    assert load_placeholders([tmp_path / "a.yml"]) == {}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("x: [\n", r"a\.yml:2"),
        ("- x\n", r"a\.yml:1"),
        ("x: [1]\ny: []\n", r"a\.yml:2: placeholder 'y': it has no values"),
        ("x: [1]\ny: [true]\n", r"a\.yml:2"),
        ("x: {a: b}\n", r"a\.yml:1"),
        ("x: 1\nx: 2\n", r"a\.yml:2: the key 'x' occurs twice"),
    ],
)
def test_a_wrong_file_is_an_error_with_its_line(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=where):
        load_placeholders([tmp_path / "a.yml"])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_placeholders([tmp_path / "gone.yml"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load([], placeholders=[tmp_path / "gone.yml"])


def test_names_are_between_percent_signs() -> None:
    assert names_in("a%b%c%d-e%100%") == ["b", "d-e"]
    assert names_in(r"100 %\x%") == []


def test_several_placeholders_stand_for_every_combination() -> None:
    values = {"a": ("1", "2"), "b": ("x", "y")}
    assert expanded("%a%-%b%!", values) == ["1-x!", "1-y!", "2-x!", "2-y!"]


def test_too_many_combinations_are_refused() -> None:
    values = {"a": tuple(map(str, range(1000)))}
    assert len(expanded("%a%", values)) == 1000
    with pytest.raises(ValueError, match="more than"):
        expanded("%a%%a%", values)


def test_every_placeholder_rule_of_the_corpus_loads_once_its_values_are_given(
    corpora: Path, tmp_path: Path
) -> None:
    with ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for number, name in enumerate(archive.namelist()):
            if name.endswith(".yml") and b"expand:" in (data := archive.read(name)):
                (tmp_path / f"{number}.yml").write_bytes(data)
    names: set[str] = set()
    values = tmp_path / "values.txt"
    for _ in range(5):
        values.write_text("".join(f"{name}: [value]\n" for name in sorted(names)))
        refused = load([tmp_path], placeholders=[values], cache=False).refused
        assert all("no values are given for the placeholder %" in error.reason for error in refused)
        names.update(name for error in refused for name in names_in(error.reason))
    assert names
    assert refused == ()
