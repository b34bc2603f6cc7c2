"""Settings from the environment: typed, with files for secrets, and refused where they are wrong."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from haidang.console.environment import Environment
from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of the file\n")
    assert Environment({"KEY_FILE": str(tmp_path / "key"), "KEY": "other"}).text("KEY") == "of the file"


def test_a_missing_file_of_a_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="KEY_FILE"):
        Environment({"KEY_FILE": str(tmp_path / "none")}).text("KEY")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("off", False), ("Yes", True), ("", False)])
def test_truth_values(value: str, *, expected: bool) -> None:
    assert Environment({"ON": value}).boolean("ON", default=not expected) is expected


def test_what_is_no_truth_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ON=perhaps"):
        Environment({"ON": "perhaps"}).boolean("ON", default=True)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="PORT=x"):
        Environment({"PORT": "x"}).number("PORT", 1)


def test_the_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = Environment({"HAIDANG_DATA": str(tmp_path / "a" / "b")}).folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="below"):
        Environment({"HAIDANG_DATA": str(tmp_path / "file" / "below")}).folder()


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    environment = Environment({})
    first = environment.secret_key(tmp_path)
    assert environment.secret_key(tmp_path) == first
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_without_a_url_the_database_is_a_file_in_the_folder(tmp_path: Path) -> None:
    assert Environment({}).database(tmp_path)["NAME"] == tmp_path / "console.sqlite3"


def test_a_url_of_postgresql_is_taken_apart(tmp_path: Path) -> None:
    url = "postgresql://me:p%40ss@db.example:5433/hai%20dang?sslmode=require"
    found = Environment({"DATABASE_URL": url}).database(tmp_path)
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "me",
        "p@ss",
        "db.example",
        5433,
        "hai dang",
    )
    assert found["OPTIONS"] == {"sslmode": "require", "options": "-c jit=off -c work_mem=16MB"}
    found = Environment({"DATABASE_URL": f"{url}&options="}).database(tmp_path)
    assert found["OPTIONS"] == {"sslmode": "require", "options": ""}


@pytest.mark.parametrize("url", ["mysql://me@db/name", "postgresql://me@db", "nonsense"])
def test_another_database_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Environment({"DATABASE_URL": url}).database(tmp_path)


def test_a_key_of_before_is_still_known_and_the_one_of_now_is_not_among_those(tmp_path: Path) -> None:
    first = Environment({}).secret_key(tmp_path)
    assert Environment({}).old_secret_keys(tmp_path) == []
    given = Environment({"HAIDANG_SECRET_KEY": "new", "HAIDANG_SECRET_KEY_OLD": "older, new"})
    assert given.old_secret_keys(tmp_path) == ["older", first]
    (tmp_path / "secret-key").rename(tmp_path / "secret-key.old")
    assert Environment({}).old_secret_keys(tmp_path) == [first]
    assert Environment({}).secret_key(tmp_path) != first
