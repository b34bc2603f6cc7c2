from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.sealing import Recipient, open_sealed, seal
from haidang.crypto.sealing.keys import make_sealing_key
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

ANH = make_sealing_key()
BINH = make_sealing_key()


def to(*keys: object, name: str = "Trần Văn Bình") -> list[Recipient]:
    return [Recipient(name, key.recipient, "Phòng Tổ chức") for key in keys]


def test_a_sealed_file_opens_to_what_it_was(tmp_path: Path) -> None:
    source = tmp_path / "Báo cáo.txt"
    source.write_bytes(b"hello" * 1000)
    seal(source, tmp_path / "s.age", small_pki().signatory(), to(BINH), now=MOMENT)
    inbox = tmp_path / "in"
    inbox.mkdir()
    opened = open_sealed(tmp_path / "s.age", [BINH], small_pki().trust(), folder=inbox, now=MOMENT)
    assert opened.place == inbox / "Báo cáo.txt"
    assert opened.place.read_bytes() == source.read_bytes()
    assert [p.name for p in inbox.iterdir()] == ["Báo cáo.txt"]
