"""Signed packs: whole, checked, refused for every change."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import ConfigurationError, InputError, OutputError, VerificationError
from haidang.intel.model import Indicator
from haidang.intel.packs import make_keys, make_pack, open_pack
from haidang.intel.store import Source
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULES = {"web/a.yml": b"title: A\n", "b.yml": b"title: B\n"}
SOURCES: list[tuple[Source, list[Indicator] | bytes]] = [
    (Source("s", "list", "/secret/place", user="me", token_file="/t"), [Indicator("domain", "evil.example")])
]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    pytest.importorskip("cryptography", reason="the extra [crypto] is not installed")
    path = tmp_path / "pack.key"
    make_keys(path)
    return path


@pytest.fixture
def pack(tmp_path: Path, key: Path) -> Path:
    path = tmp_path / "p.zip"
    path.write_bytes(make_pack("weekly", RULES, SOURCES, key, 1000))
    return path


def public(key: Path) -> Path:
    return key.with_name(key.name + ".pub")


def rewritten(pack: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(pack) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(pack, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return pack


def signed(pack: Path, key: Path, files: dict[str, bytes], **more: Any) -> Path:
    """Write a pack of any content that is signed all the same, as a careless signer would."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
    }
    manifest = json.dumps(
        {"format": "haidang-pack", "version": 1, "name": "x", "created": 1, "files": listed, **more}
    ).encode()
    private: Any = load_pem_private_key(key.read_bytes(), None)
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.sig", base64.b64encode(private.sign(b"haidang pack 1\n" + manifest)))
        for name, data in files.items():
            archive.writestr(name, data)
    return pack


def test_what_was_packed_comes_out_and_no_secret_with_it(pack: Path, key: Path) -> None:
    found = open_pack(pack, public(key), DEFAULT_LIMITS)
    assert (found.manifest.name, found.manifest.created) == ("weekly", 1000)
    assert found.rules == RULES
    ((source, indicators),) = found.sources
    assert indicators == [Indicator("domain", "evil.example")]
    assert (source.location, source.user, source.token_file) == ("", "", "")


def test_the_manifest_names_every_file_with_its_digest(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = set(archive.namelist()) - {"manifest.json", "manifest.sig"}
        assert set(manifest["files"]) == names == {"rules/web/a.yml", "rules/b.yml", "intel/s.json"}
        for name in names:
            assert manifest["files"][name]["sha256"] == hashlib.sha256(archive.read(name)).hexdigest()


def test_the_same_content_gives_the_same_bytes(key: Path) -> None:
    assert make_pack("w", RULES, SOURCES, key, 5) == make_pack("w", RULES, SOURCES, key, 5)


def _drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.__delitem__(name)


def _set(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.__setitem__(name, data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("rules/b.yml", b"title: C\n"), "not what was signed"),
        (_set("rules/b.yml", b"title: B\n" * 1000), "larger"),
        (_set("rules/c.yml", b"title: C\n"), "not what was signed"),
        (_drop("rules/b.yml"), "not what was signed"),
        (_drop("manifest.sig"), "no signed manifest"),
        (_drop("manifest.json"), "no signed manifest"),
        (_set("manifest.json", b"{}"), "signature does not hold"),
        (_set("manifest.sig", b"AAAA"), "signature does not hold"),
        (_set("manifest.sig", b"\xff"), "signature does not hold"),
        (_set("manifest.sig", b"A" * 2000), "larger"),
    ],
)
def test_every_change_is_noticed(
    pack: Path, key: Path, change: Callable[[dict[str, bytes]], None], reason: str
) -> None:
    with pytest.raises(VerificationError, match=reason):
        open_pack(rewritten(pack, change), public(key), DEFAULT_LIMITS)


def test_another_key_is_not_trusted(pack: Path, tmp_path: Path) -> None:
    other = make_keys(tmp_path / "other.key")
    with pytest.raises(VerificationError, match="signature does not hold"):
        open_pack(pack, other, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "name",
    [
        "rules/../../x.yml",
        "rules/..",
        "/rules/x.yml",
        "rules\\..\\x.yml",
        "rules/c:x.yml",
        "other/x.yml",
        "rules/",
        "rules//x.yml",
        "intel/a/b.json",
        "intel/x.yml",
        "rules/x\0.yml",
        "rules/.hidden.yml",
        "rules/x. ",
    ],
)
def test_a_name_that_leaves_its_place_is_refused_even_when_signed(
    tmp_path: Path, key: Path, name: str
) -> None:
    path = signed(tmp_path / "bad.zip", key, {name: b"x"})
    with pytest.raises(VerificationError):
        open_pack(path, public(key), DEFAULT_LIMITS)
    with pytest.raises(ConfigurationError):
        make_pack("w", {name.removeprefix("rules/") + "/../x": b""}, [], key, 1)


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path, key: Path) -> None:
    path = signed(tmp_path / "bad.zip", key, {"rules/x.yml": b"x"})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("rules/x.yml", b"y")
    with pytest.raises(VerificationError, match="twice"):
        open_pack(path, public(key), DEFAULT_LIMITS)


def test_intel_pack_files_and_intel_pack_bytes_bound_a_pack(tmp_path: Path, key: Path) -> None:
    path = signed(tmp_path / "many.zip", key, {f"rules/{at}.yml": b"x" * 100 for at in range(5)})
    assert len(open_pack(path, public(key), replace(DEFAULT_LIMITS, intel_pack_files=7)).rules) == 5
    with pytest.raises(VerificationError, match="more than 6 files"):
        open_pack(path, public(key), replace(DEFAULT_LIMITS, intel_pack_files=6))
    with pytest.raises(VerificationError, match="more than 499 bytes"):
        open_pack(path, public(key), replace(DEFAULT_LIMITS, intel_pack_bytes=499))


@pytest.mark.parametrize("more", [{"version": 2}, {"format": "x"}, {"name": "../x"}, {"created": "x"}])
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, key: Path, more: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        open_pack(signed(tmp_path / "x.zip", key, {}, **more), public(key), DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("name", "indicator"),
    [
        ("t", ["ip", "198.51.100.7"]),
        ("s", ["nonsense", "x"]),
        ("s", ["network", "nonsense"]),
        ("s", ["ip", "198.51.100.7", "", "", 128]),
        ("s", ["ip", "198.51.100.7", "", "", 1, "pink"]),
        ("s", ["ip", "198.51.100.7", "", "", 1, "", 1 << 62]),
    ],
)
def test_indicators_that_no_feed_would_give_are_refused(
    tmp_path: Path, key: Path, name: str, indicator: list[Any]
) -> None:
    packed = {"source": {"name": name, "kind": "list", "location": ""}, "indicators": [indicator]}
    path = signed(tmp_path / "x.zip", key, {"intel/s.json": json.dumps(packed).encode()})
    with pytest.raises(VerificationError, match="no indicator"):
        open_pack(path, public(key), DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "more",
    [
        {"source": {"name": "s", "kind": "warninglist", "location": ""}},
        {"source": {"name": "s", "kind": "warninglist", "location": ""}, "warninglist": "bm9uZQ=="},
        {"source": {"name": "s", "kind": "list", "location": ""}, "warninglist": "e30="},
    ],
)
def test_a_warninglist_that_no_scan_could_read_is_refused(
    tmp_path: Path, key: Path, more: dict[str, Any]
) -> None:
    pack = signed(tmp_path / "p.zip", key, {"intel/s.json": json.dumps(more).encode()})
    with pytest.raises(VerificationError):
        open_pack(pack, public(key), DEFAULT_LIMITS)


def test_indicators_that_cannot_be_read_are_refused(tmp_path: Path, key: Path) -> None:
    path = signed(tmp_path / "x.zip", key, {"intel/s.json": b'{"source": 1}'})
    with pytest.raises(VerificationError, match="cannot be read"):
        open_pack(path, public(key), DEFAULT_LIMITS)


@pytest.mark.parametrize("cut", [0, 10, -30])
def test_a_file_that_is_no_zip_is_an_error(pack: Path, key: Path, cut: int) -> None:
    pack.write_bytes(pack.read_bytes()[:cut])
    with pytest.raises((InputError, VerificationError)):
        open_pack(pack, public(key), DEFAULT_LIMITS)
    with pytest.raises(InputError):
        open_pack(pack.with_name("none"), public(key), DEFAULT_LIMITS)


def test_the_private_key_is_private_and_never_overwritten(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OutputError):
        make_keys(key)
    key.chmod(0o640)
    with pytest.raises(ConfigurationError, match="others may read"):
        make_pack("w", RULES, [], key, 1)


def test_what_is_no_key_is_refused(tmp_path: Path, key: Path, pack: Path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("x")
    nonsense.chmod(0o600)
    for path in (nonsense, tmp_path / "none", public(key)):
        with pytest.raises(ConfigurationError):
            make_pack("w", RULES, [], path, 1)
    for path in (nonsense, tmp_path / "none", key):
        with pytest.raises(ConfigurationError):
            open_pack(pack, path, DEFAULT_LIMITS)


def test_a_missing_library_is_said_in_plain_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError) as caught:
        make_keys(tmp_path / "k")
    assert ".[crypto]" in caught.value.hint


def test_an_encrypted_member_is_refused(tmp_path: Path, key: Path) -> None:
    path = signed(tmp_path / "x.zip", key, {"rules/x.yml": b"x"})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        at = archive.start_dir
    while at < len(data) and data[at : at + 4] == b"PK\1\2":
        data[at + 8] |= 1  # the flag of every member in the directory
        at += 46 + sum(int.from_bytes(data[at + o : at + o + 2], "little") for o in (28, 30, 32))
    path.write_bytes(data)
    with pytest.raises(VerificationError, match="damaged"):
        open_pack(path, public(key), DEFAULT_LIMITS)
