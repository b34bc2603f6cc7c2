"""The store: private, whole, compiled once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from haidang.errors import ConfigurationError, OutputError
from haidang.intel import store as store_module
from haidang.intel.model import Indicator, Reading
from haidang.intel.store import Source, Store, default_store, with_defaults

if TYPE_CHECKING:
    from pathlib import Path

ONE = Indicator("domain", "evil.example", "n", "i", 10, "red", 1, 2, ("attack.t1071",))
PATTERN = Indicator("pattern", "[file:name = 'x']")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "intel")
    found.write(Source("one", "list", "/x", indicators=2, counts={"bad": 256}), [ONE, PATTERN])
    return found


def test_what_is_kept_comes_back(store: Store) -> None:
    assert store.names() == ["one"]
    assert store.source("one") == Source("one", "list", "/x", indicators=2, counts={"bad": 256})
    assert store.indicators("one") == [ONE, PATTERN]


def test_the_folder_and_its_files_are_the_users_alone(store: Store) -> None:
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in store.folder.iterdir())
    assert not list(store.folder.glob("*.part"))


def test_a_file_that_others_may_write_is_not_used(store: Store) -> None:
    (store.folder / "one.source").chmod(0o666)
    with pytest.raises(ConfigurationError, match="not yours alone"):
        store.source("one")


def test_a_folder_that_others_may_write_is_not_written(store: Store) -> None:
    store.folder.chmod(0o777)
    with pytest.raises(OutputError):
        store.write(Source("two", "list", "/x"), [])


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_a_damaged_file_is_noticed_and_can_be_removed(store: Store, at: int) -> None:
    path = store.folder / "one.source"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match="damaged"):
        store.indicators("one")
    store.remove("one")
    assert store.names() == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 65, "x\0"])
def test_a_name_is_never_a_path(store: Store, name: str) -> None:
    with pytest.raises(ConfigurationError):
        store.write(Source(name, "list", ""), [])
    with pytest.raises(ConfigurationError):
        store.source(name)
    with pytest.raises(ConfigurationError):
        store.remove(name)


def test_more_sources_are_kept_than_files_of_a_cache(store: Store) -> None:
    for number in range(30):
        store.write(Source(f"s{number}", "list", ""), [])
    assert len(store.names()) == 31


def test_what_is_compiled_is_kept_and_made_anew_when_a_source_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = store_module.compile_sources

    def counted(*args: Any) -> Any:
        calls.append(1)
        return real(*args)

    monkeypatch.setattr(store_module, "compile_sources", counted)
    for _ in range(2):
        intel = store.compiled()
        assert [intel.index.row(row).value for row in intel.index.rows_of(["d:evil.example"])] == [
            "evil.example"
        ]
        assert intel.patterns == (("one", PATTERN),)
        assert [source.name for source in intel.sources] == ["one"]
    assert len(calls) == 1
    store.write(Source("two", "list", "/y"), [Indicator("domain", "other.example")])
    assert store.compiled().index.rows_of(["d:other.example"])
    store.remove("one")
    assert not store.compiled().index.rows_of(["d:evil.example"])
    assert len(calls) == 3


def test_only_named_sources_are_compiled_and_warninglists_always(store: Store) -> None:
    store.write(Source("two", "list", "/y"), [Indicator("domain", "other.example")])
    store.write(
        Source("guard", "warninglist", "/z"),
        b'{"name": "ours", "type": "string", "version": 1, "list": ["evil.example"]}',
    )
    assert len(store.compiled(["two"]).index) == 1
    assert store.compiled(["one"]).held_back == {"ours": 1}
    assert store.indicators("guard") == []
    with pytest.raises(ConfigurationError):
        store.compiled(["none"])


def test_a_damaged_compiled_file_is_made_again(store: Store) -> None:
    store.compiled()
    path = store.folder / "all.compiled"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert store.compiled().index.rows_of(["d:evil.example"]) == (0,)


def test_remembering_a_failure_keeps_the_indicators(store: Store) -> None:
    store.remember(msgspec.structs.replace(store.source("one"), failed="why"))
    assert store.source("one").failed == "why"
    assert store.indicators("one") == [ONE, PATTERN]


def test_a_source_says_what_its_indicators_do_not() -> None:
    source = Source("s", "list", "", confidence=50, tlp="green", expires_days=2)
    bare, full = with_defaults(source, Reading([Indicator("ip", "198.51.100.7"), ONE]), 1000)
    assert (bare.confidence, bare.tlp, bare.valid_until) == (50, "green", 1000 + 2 * 86400)
    assert full == ONE
    assert list(with_defaults(Source("s", "list", ""), Reading([ONE]), 0)) == [ONE]


def test_the_store_is_where_the_system_keeps_data(tmp_path: Path) -> None:
    found = default_store({"XDG_DATA_HOME": str(tmp_path)})
    assert found is not None
    assert found.folder == tmp_path / "haidang" / "intel"
    home = default_store({"HOME": str(tmp_path)})
    assert home is not None
    assert home.folder == tmp_path / ".local" / "share" / "haidang" / "intel"
    assert default_store({}) is None
    assert os.environ["XDG_DATA_HOME"], "tests must not see the indicators of whoever runs them"
