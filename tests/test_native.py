"""The part in machine code: found where it can be built, told of where it cannot be used, never needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang import native

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

built = pytest.mark.skipif(native.library() is None, reason="the part in machine code was not built")


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Let each test look for the library."""
    native.library.cache_clear()
    yield
    native.library.cache_clear()


def _compiles() -> bool:
    cargo = shutil.which("cargo")
    return (
        cargo is not None
        and subprocess.run([cargo, "--version"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not _compiles(), reason="there is no Rust compiler (cargo)")
def test_where_there_is_a_compiler_the_library_was_built() -> None:
    assert native.library() is not None


def test_it_is_left_out_when_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIDANG_NATIVE", "0")
    assert native.library() is None


def test_without_it_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "none.so")
    assert native.library() is None
    with pytest.raises(RuntimeError, match="no library"):
        native.line_ends(b"a\n", 1)


def test_a_file_that_is_none_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(native, "LIBRARY", broken)
    with pytest.warns(UserWarning, match="cannot be used.*builds it again"):
        assert native.library() is None


@built
def test_where_python_cannot_call_libraries_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    with pytest.warns(UserWarning, match="cannot be used"):
        assert native.library() is None


@built
def test_one_of_another_version_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_INTERFACE", 0)
    with pytest.warns(UserWarning, match="another version"):
        assert native.library() is None


@built
@given(data=st.lists(st.sampled_from([b"\n", b"ab", b"\r\n", b"x" * 70, b"\xff"])).map(b"".join))
def test_lines_end_where_they_do(data: bytes) -> None:
    expected = [at + 1 for at, byte in enumerate(data) if byte == 10]
    assert list(native.line_ends(data, 1000)) == expected
    assert list(native.line_ends(data, 2)) == expected[:2]


@built
def test_a_scan_finds_the_same_without_it(tmp_path: Path) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    for way in ("0", ""):
        out = tmp_path / f"findings{way}.ndjson"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "haidang", "scan", "samples"),
                *("--quiet", "--format", "ndjson", "--output", str(out)),
            ],
            env={**os.environ, "HAIDANG_NATIVE": way},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {0, 3}, done.stderr
        records = [json.loads(line) for line in out.read_text().splitlines()]
        found[way] = [record for record in records if record["kind"] != "summary"]
    assert found["0"] == found[""]
    assert any(record["kind"] == "finding" for record in found[""])
