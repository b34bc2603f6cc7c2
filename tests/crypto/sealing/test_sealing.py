from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import unicodedata
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.crypto.containers import ContainerError
from haidang.crypto.sealing import (
    NotForYouError,
    OpenOptions,
    Recipient,
    RefusedError,
    SealOptions,
    open_sealed,
    seal,
)
from haidang.crypto.sealing import envelope as envelopes
from haidang.crypto.sealing.keys import SealingKey, make_sealing_key
from haidang.crypto.settings import Marking
from haidang.errors import HaidangError, OutputError, PolicyError, SealError
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

BINH = make_sealing_key()
LAN = make_sealing_key()


def to(*keys: SealingKey) -> list[Recipient]:
    return [Recipient("Trần Văn Bình", key.recipient, "Phòng Tổ chức") for key in keys]


def sealed(source: Path, *keys: SealingKey, **options: object) -> Path:
    target = source.parent / f"{source.name}.age"
    told = SealOptions(**options)  # type: ignore[arg-type]
    seal(source, target, small_pki().signatory(), to(*(keys or (BINH,))), now=MOMENT, options=told)
    return target


def opened(path: Path, folder: Path | None, key: SealingKey = BINH, **options: object) -> object:
    told = OpenOptions(**options)  # type: ignore[arg-type]
    return open_sealed(path, [key], small_pki().trust(), folder=folder, now=MOMENT, options=told)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "Báo cáo.txt"
    path.write_bytes(b"hello" * 100_000)
    return path


def tree(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Return content and time of everything below ``folder``, by name."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else None,
            path.stat().st_mtime_ns // 1000 if path.is_file() else 0,
        )
        for path in folder.rglob("*")
    }


def test_a_file_opens_to_what_it_was_and_to_nobody_else_s_eyes(report: Path, inbox: Path) -> None:
    opened(sealed(report), inbox)
    (only,) = inbox.iterdir()
    assert (only.name, only.read_bytes()) == (report.name, report.read_bytes())
    assert only.stat().st_mode & 0o777 == 0o600


def test_a_folder_keeps_names_times_and_empty_folders(tmp_path: Path, inbox: Path) -> None:
    folder = tmp_path / "Hồ sơ"
    (folder / "trống" / "rỗng").mkdir(parents=True)
    (folder / unicodedata.normalize("NFD", "tệp.txt")).write_bytes(b"x" * 300_000)
    (folder / "trống.txt").write_bytes(b"")
    (folder / ".ẩn").write_bytes(b"hidden")
    os.utime(folder / "trống.txt", (1_500_000_000.25, 1_500_000_000.25))
    opened(sealed(folder), inbox)
    assert tree(inbox / "Hồ sơ") == tree(folder)


@pytest.mark.skipif(shutil.which("age") is None, reason="there is no age program")
def test_the_age_program_opens_it_and_unzip_reads_what_is_inside(report: Path, tmp_path: Path) -> None:
    path = sealed(report)
    (tmp_path / "key.txt").write_text(BINH.reveal() + "\n")
    subprocess.run(["age", "-d", "-i", "key.txt", "-o", "out.asice", path], cwd=tmp_path, check=True)
    subprocess.run(["unzip", "-q", "out.asice", "-d", "out"], cwd=tmp_path, check=True)
    assert (tmp_path / "out" / "content" / report.name).read_bytes() == report.read_bytes()
    listed = subprocess.run(["zipinfo", "-1", "out.asice"], cwd=tmp_path, check=True, capture_output=True)
    assert listed.stdout.split(b"\n")[0] == b"mimetype"


@pytest.mark.skipif(shutil.which("age") is None, reason="there is no age program")
def test_what_the_age_program_encrypted_anew_still_opens(report: Path, tmp_path: Path, inbox: Path) -> None:
    path = sealed(report)
    (tmp_path / "key.txt").write_text(BINH.reveal() + "\n")
    plain = subprocess.run(
        ["age", "-d", "-i", "key.txt", path], cwd=tmp_path, check=True, capture_output=True
    )
    for armour in ((), ("-a",)):
        again = subprocess.run(
            ["age", *armour, "-r", BINH.recipient], input=plain.stdout, check=True, capture_output=True
        )
        path.write_bytes(again.stdout)
        opened(path, inbox)
        (inbox / report.name).unlink()


def test_several_keys_open_it_and_a_stranger_s_does_not(report: Path, inbox: Path) -> None:
    path = sealed(report, BINH, LAN)
    for key in (BINH, LAN):
        opened(path, inbox, key)
        (inbox / report.name).unlink()
    with pytest.raises(NotForYouError):
        opened(path, inbox, make_sealing_key())
    assert not list(inbox.iterdir())


def test_what_was_passed_on_is_refused_unless_it_is_accepted(report: Path, inbox: Path) -> None:
    import pyrage

    path = sealed(report)
    inside = pyrage.decrypt(path.read_bytes(), [BINH.identity])
    path.write_bytes(pyrage.encrypt(inside, [LAN.identity.to_public()]))
    with pytest.raises(RefusedError, match="did not seal this to you"):
        opened(path, inbox, LAN)
    assert not list(inbox.iterdir())
    found = opened(path, inbox, LAN, accept_forwarded=True)
    assert [reason.code for reason in found.reasons] == ["not-a-recipient"]  # type: ignore[attr-defined]


def test_a_key_that_the_sender_does_not_name_is_told(report: Path, inbox: Path) -> None:
    import pyrage

    path = sealed(report)
    inside = pyrage.decrypt(path.read_bytes(), [BINH.identity])
    path.write_bytes(pyrage.encrypt(inside, [BINH.identity.to_public(), LAN.identity.to_public()]))
    found = opened(path, inbox)
    assert [reason.code for reason in found.reasons] == ["more-keys-than-recipients"]  # type: ignore[attr-defined]


def test_wishes_are_told_and_labels_obeyed(report: Path, inbox: Path) -> None:
    expires = MOMENT + dt.timedelta(days=1)
    path = sealed(report, expires=expires, labels=("tlp:red",), for_your_eyes=True)
    later = MOMENT + dt.timedelta(days=2)
    trust = small_pki().trust()
    found = open_sealed(path, [BINH], trust, folder=None, now=later)
    assert [reason.code for reason in found.reasons] == ["expired", "for-your-eyes"]
    assert found.envelope.labels == ("TLP:RED",)
    with pytest.raises(PolicyError):
        opened(path, inbox, marking=Marking(forbidden=("RED",)))
    assert not list(inbox.iterdir())
    path.unlink()
    with pytest.raises(PolicyError):
        sealed(report, labels=("Mật",))
    assert not path.exists()


def test_nothing_is_replaced(report: Path, inbox: Path) -> None:
    path = sealed(report)
    with pytest.raises(OutputError):
        sealed(report)
    (inbox / report.name).mkdir()
    with pytest.raises(OutputError):
        opened(path, inbox)
    assert [one.name for one in inbox.iterdir()] == [report.name]


@pytest.mark.parametrize("kind", ["link", "pipe", "not-utf8", "backslash", "case"])
def test_a_folder_with_what_cannot_be_sealed_is_refused_whole(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a").write_bytes(b"x")
    if kind == "link":
        (folder / "b").symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(folder / "b")
    else:
        name = {"not-utf8": b"h\xf4p", "backslash": b"..\\x", "case": b"A"}[kind]
        (folder / os.fsdecode(name)).write_bytes(b"x")
    with pytest.raises((SealError, ContainerError)):
        sealed(folder)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["d"]


def test_a_hidden_name_is_neither_sealed_nor_opened(tmp_path: Path) -> None:
    hidden = tmp_path / ".profile"
    hidden.write_bytes(b"x")
    with pytest.raises(SealError, match="begins with a dot"):
        sealed(hidden)
    report = tmp_path / "profile"
    report.write_bytes(b"x")
    told = opened(sealed(report), None).envelope.to_json()  # type: ignore[attr-defined]
    told["content"]["name"] = told["content"]["files"][0]["path"] = ".profile"
    with pytest.raises(SealError, match="not sound"):
        envelopes.decode_envelope(json.dumps(told).encode())


def test_a_file_that_changes_meanwhile_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    from haidang.crypto.sealing.packing import pack

    path = tmp_path / "log"
    path.write_bytes(b"x" * 1000)
    packing = pack(path)
    path.write_bytes(b"x" * 1001)
    ((_, _, pieces),) = packing.files()
    with pytest.raises(SealError, match="changed"):
        list(pieces)


def test_a_full_disk_leaves_nothing(report: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sealed(report)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        opened(path, inbox)
    assert not list(inbox.iterdir())
    path.unlink()
    with pytest.raises(OutputError, match="No space left"):
        sealed(report)
    assert sorted(one.name for one in report.parent.iterdir()) == sorted([report.name, "inbox"])


def test_the_envelope_is_what_its_schema_says(report: Path) -> None:
    from pathlib import Path as AnyPath

    import jsonschema
    import msgspec

    schema = msgspec.json.decode(
        AnyPath(__file__).parents[3].joinpath("docs/reference/sealed-envelope.schema.json").read_bytes()
    )
    found = opened(sealed(report, subject="x"), None)
    jsonschema.validate(found.envelope.to_json(), schema)  # type: ignore[attr-defined]
    assert schema == envelopes.envelope_schema()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "note.txt").write_bytes(b"secret plaintext " * 10)
    return sealed(folder / "note.txt")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_and_no_cut_is_ever_accepted(small: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(small.read_bytes())
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path, inbox = tmp_path / "x.age", tmp_path / "in"
    path.write_bytes(content)
    inbox.mkdir(exist_ok=True)
    with pytest.raises(HaidangError):
        opened(path, inbox)
    assert not list(inbox.iterdir())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_inside_is_ever_accepted(small: Path, tmp_path: Path, data: st.DataObject) -> None:
    """A receiver who alters what is inside and encrypts it anew gets no further."""
    import pyrage

    content = bytearray(pyrage.decrypt(small.read_bytes(), [BINH.identity]))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    path, inbox = tmp_path / "x.age", tmp_path / "in"
    path.write_bytes(pyrage.encrypt(bytes(content), [BINH.identity.to_public()]))
    shutil.rmtree(inbox, ignore_errors=True)
    inbox.mkdir()
    with pytest.raises(HaidangError):
        opened(path, inbox)
    assert not list(inbox.iterdir())


def test_the_container_inside_is_one_of_its_own(report: Path, tmp_path: Path) -> None:
    import pyrage

    from haidang.crypto.verifying import verify

    path = tmp_path / "inside.asice"
    path.write_bytes(pyrage.decrypt(sealed(report).read_bytes(), [BINH.identity]))
    assert verify(path, small_pki().trust(), now=MOMENT).holds
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
