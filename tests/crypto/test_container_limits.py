"""Each bound on containers, manifests and sealed files, and that it holds."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.containers import ContainerError
from haidang.crypto.containers import manifest as manifests
from haidang.crypto.containers.manifest import Reference, read_manifest, write_manifest
from haidang.crypto.containers.zip_walking import DEFAULT_BOUNDS, stored_sizes, walk
from haidang.crypto.containers.zip_writing import ZipWriter
from haidang.crypto.sealing import Recipient, packing, recipients, seal
from haidang.crypto.sealing.keys import make_sealing_key
from haidang.crypto.sealing.recipients import RecipientsFile, find_recipients
from haidang.crypto.signing.asic import Item, write_container
from haidang.crypto.verifying import asic, asic_contents
from haidang.errors import InputError, SealError
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def zipped(*names: str, content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name in names:
        writer.stream(name, [content], MOMENT)
    writer.close()
    return out.getvalue()


def read(content: bytes, **bounds: int) -> list[str]:
    found = []
    for member in walk(io.BytesIO(content), bounds=DEFAULT_BOUNDS._replace(**bounds)):
        found.append(member.name)
        for _ in member.chunks():
            pass
    return found


def test_members_and_unpacked_bytes_are_bounded() -> None:
    content = zipped("a", "b", "c")
    assert read(content, members=3, expanded_bytes=3) == ["a", "b", "c"]
    with pytest.raises(ContainerError, match="more than 2 members"):
        read(content, members=2)
    with pytest.raises(ContainerError, match="more than 2 bytes"):
        read(content, expanded_bytes=2)


def test_expansion_is_bounded_above_a_floor() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(1 << 20))
    assert read(out.getvalue(), expansion_floor=1 << 20) == ["a"]
    with pytest.raises(ContainerError, match="200 times"):
        read(out.getvalue(), expansion_floor=1 << 16)


def test_a_stored_member_with_its_size_behind_needs_the_directory() -> None:
    """Such members are what some writers make on a stream; a file has its directory, a pipe has not."""

    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.content += bytes(data)
            return len(data)

    out = Unseekable()
    with zipfile.ZipFile(out, "w") as file, file.open("a", "w") as member:
        member.write(b"PK\x01\x02 inside")
    with pytest.raises(ContainerError, match="cannot be read safely"):
        read(out.content)
    stream = io.BytesIO(out.content)
    sizes = stored_sizes(stream)
    stream.seek(0)
    assert [member.name for member in walk(stream, sizes=sizes)] == ["a"]


def test_other_programs_containers_are_read(tmp_path: Path) -> None:
    """A member deflated by another program, on a file and on a stream, reads as it was."""
    for name in ("a.txt", "b/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"text " * 1000)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.mkdir("b")
        for name in ("a.txt", "b/c.txt"):
            file.write(tmp_path / name, name)
    assert read((tmp_path / "z.zip").read_bytes()) == ["b/", "a.txt", "b/c.txt"]


def test_references_of_a_manifest_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_manifest("META-INF/s.p7s", [Reference(f"f{n}", bytes(32)) for n in range(3)])
    assert len(read_manifest(content, "m").references) == 3
    monkeypatch.setattr(manifests, "MOST_REFERENCES", 2)
    with pytest.raises(ContainerError, match="not a sound"):
        read_manifest(content, "m")


@pytest.mark.parametrize(("module", "limit"), [(asic_contents, "MOST_METADATA"), (asic, "MOST_SIGNATURES")])
def test_metadata_and_signatures_are_bounded(
    module: ModuleType, limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.asice"
    with path.open("wb") as stream:
        write_container(stream, [Item("a", b"x", MOMENT)], small_pki().signatory(), now=MOMENT)
    trust = small_pki().trust()
    assert asic.verify_file(path, trust, now=MOMENT).holds
    monkeypatch.setattr(module, limit, 0)
    assert not asic.verify_file(path, trust, now=MOMENT).holds


def test_what_is_kept_of_a_container_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "c.asice"
    with path.open("wb") as stream:
        write_container(stream, [Item("a", b"12345", MOMENT)], small_pki().signatory(), now=MOMENT)
    trust = small_pki().trust()
    assert asic.verified_contents(path, trust, now=MOMENT, wanted={"a"}, most=5)[1] == {"a": b"12345"}
    verdict, kept = asic.verified_contents(path, trust, now=MOMENT, wanted={"a"}, most=4)
    assert (verdict.holds, kept) == (False, {})


def test_files_and_recipients_of_a_seal_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in "ab":
        (folder / name).touch()
    to = [Recipient("x", make_sealing_key().recipient) for _ in range(2)]
    monkeypatch.setattr(packing, "MOST_FILES", 2)
    with pytest.raises(SealError, match="more than 2 files"):
        seal(folder, tmp_path / "d.age", small_pki().signatory(), to, now=MOMENT)
    monkeypatch.setattr(packing, "MOST_FILES", 3)
    monkeypatch.setattr(recipients, "MOST_RECIPIENTS", 1)
    with pytest.raises(SealError, match="2 keys"):
        seal(folder, tmp_path / "d.age", small_pki().signatory(), to, now=MOMENT)


def test_a_recipients_file_is_read_as_age_reads_it_and_names_its_wrong_line(tmp_path: Path) -> None:
    keys = [make_sealing_key().recipient for _ in range(3)]
    path = tmp_path / "keys.txt"
    path.write_text(
        f"# Trần Văn Bình | Phòng Tổ chức | 2026-10-31\n{keys[0]}\n\n# Phòng Văn thư\n{keys[1]}\n{keys[2]}\n",
        encoding="utf-8",
    )
    book = RecipientsFile(path)
    unit = find_recipients(["Phòng Văn thư"], [book], now=MOMENT)
    assert [one.key for one in unit] == keys[1:]
    with pytest.raises(SealError, match="has run out"):
        find_recipients(["Trần Văn Bình"], [book], now=MOMENT)
    with pytest.raises(SealError) as caught:
        find_recipients(["Phòng Văn thu"], [book], now=MOMENT)
    assert "Did you mean Phòng Văn thư" in caught.value.diagnostics()
    path.write_text("# x\nage1nonsense\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"keys\.txt:2"):
        RecipientsFile(path)
