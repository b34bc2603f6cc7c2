"""A root and an issuing authority in folders, made once a run and copied for each test that wants one."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from haidang.crypto.keys import make_key
from haidang.crypto.pki.authority import Authority, OpenAuthority, open_authority
from haidang.crypto.pki.founding import Founding, create_authority
from haidang.crypto.pki.identities import parent_crls
from haidang.crypto.pki.issuing import Places, subject_name
from haidang.crypto.pki.keyring import AuthorityKeys, open_keys
from haidang.crypto.pki.orders import Order, order_of
from haidang.crypto.pki.requests import read_requests
from tests.crypto.small_pki import MOMENT, PASSPHRASE

__all__ = ["Authorities", "authorities", "order"]


class Authorities(NamedTuple):
    """Both, with open keys."""

    root: OpenAuthority
    issuing: OpenAuthority

    @property
    def folder(self) -> Path:
        """Where both are."""
        return self.root.authority.folder.parent


@cache
def _made(*, second: bool) -> tuple[Path, AuthorityKeys, AuthorityKeys]:
    folder = Path(tempfile.mkdtemp(prefix="haidang-authorities-"))
    subject = {"C": "VN", "O": "Tỉnh Mẫu"}
    places = Places(("http://pki.example.vn/capphat.crl",), ("http://ocsp.example.vn/",))
    create_authority(
        folder / "goc",
        Founding("root", {**subject, "CN": "Gốc chứng thực"}, second=second),
        PASSPHRASE,
        now=MOMENT,
    )
    issuing = create_authority(
        folder / "capphat",
        Founding("issuing", {**subject, "CN": "Cấp phát"}, second=second, places=places),
        PASSPHRASE,
        now=MOMENT,
    )
    keys = [open_keys(folder / name, PASSPHRASE) for name in ("goc", "capphat")]
    root = OpenAuthority(open_authority(folder / "goc"), keys[0])
    orders = [order_of(one, "issuing") for one in read_requests(issuing.requests(), "request")]
    certificates = root.issue(orders[0], extra=orders[1:], now=MOMENT)
    above = [*root.authority.chain(), *root.authority.chain("second")]
    crls = parent_crls(list(root.authority.crls().values()), above)
    OpenAuthority(issuing, keys[1]).accept([*certificates, *above], crls, now=MOMENT)
    for one in (root.authority, issuing):
        one.records.close()
    return folder, keys[0], keys[1]


def authorities(place: Path, *, second: bool = False) -> Authorities:
    """Return a copy of both in ``place``; their passphrase is PASSPHRASE."""
    folder, root_keys, issuing_keys = _made(second=second)
    for name in ("goc", "capphat"):
        shutil.copytree(folder / name, place / name)
    return Authorities(
        OpenAuthority(open_authority(place / "goc"), root_keys),
        OpenAuthority(open_authority(place / "capphat"), issuing_keys),
    )


def order(name: str = "Nguyễn Thị Ánh", profile: str = "person", **changes: object) -> Order:
    """Return an order for a new key."""
    subject = subject_name({"C": "VN", "O": "Sở Y tế", "OU": "Phòng Văn thư", "CN": name})
    return Order(subject, make_key().public_key(), profile)._replace(**changes)  # type: ignore[arg-type]


def reopened(opened: OpenAuthority) -> Authority:
    """Return the authority as another process would find it."""
    opened.records.close()
    return open_authority(opened.authority.folder)
