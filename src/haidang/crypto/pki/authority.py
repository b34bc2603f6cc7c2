"""An authority: a folder with its records and its keys; with its keys open it acts (acting.py).

    authority.db    certificates, revocations, CRLs, the log and its checkpoints (records.py)
    signing.key …   its keys (keyring.py), or token.json
    profiles.toml   its own certificate profiles, where it has any (profiles.py)

An issuing authority begins without a certificate: its request goes to the root's machine, is signed there,
and the answer is accepted here. Neither key ever leaves its machine.

Example::

    with open_authority(Path("issuing")) as authority:
        certificate, = authority.unlock(passphrase).issue(order, now=now)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from haidang.crypto.certificates import parse_certificates
from haidang.crypto.pki.acting import OpenAuthority
from haidang.crypto.pki.chains import CHAINS
from haidang.crypto.pki.issuing import Places
from haidang.crypto.pki.keyring import open_keys
from haidang.crypto.pki.profiles import Profile, load_profiles
from haidang.crypto.pki.records import Kept, Records, open_records
from haidang.errors import AuthorityError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.chains import Chain

__all__ = ["Authority", "OpenAuthority", "open_authority"]


class Authority:
    """An authority whose keys are locked: it can be looked at."""

    def __init__(self, folder: Path, records: Records) -> None:
        """Use the records of ``folder``."""
        self.folder = folder
        self.records = records

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.records.close()

    @property
    def kind(self) -> str:
        """``root`` or ``issuing``."""
        return self.records.fact("kind")

    @property
    def name(self) -> str:
        """Its common name."""
        return self.records.fact("name")

    @property
    def places(self) -> Places:
        """Where it publishes."""
        text = self.records.fact("places")
        try:
            return Places(**msgspec.json.decode(text, type=dict[str, list[str]])) if text else Places()
        except (msgspec.MsgspecError, TypeError):
            raise self.records.damaged(Message(N_("a record is not of its kind"))) from None

    def chain(self, chain: Chain = "first") -> list[x509.Certificate]:
        """Return its certificate and those above it, the root's last; empty while it waits for one."""
        text = self.records.fact(f"chain:{chain}")
        return parse_certificates(text.encode(), str(self.records.path)) if text else []

    def profiles(self) -> dict[str, Profile]:
        """Return the profiles that it issues by."""
        own = self.folder / "profiles.toml"
        return load_profiles(own if own.is_file() else None)

    def requests(self) -> bytes:
        """Return its own requests, PEM, which the authority above it signs."""
        return self.records.fact("requests").encode()

    def crls(self) -> dict[str, bytes]:
        """Return the newest CRLs by name, DER: its own, and those of the authorities above it."""
        own = {chain: self.records.last_crl(chain)[1] for chain in CHAINS}
        names = {"first": self.folder.name, "second": f"{self.folder.name}-second"}
        return self.records.parent_crls() | {names[chain]: der for chain, der in own.items() if der}

    def find(self, wanted: str) -> Kept:
        """Return the certificate whose serial number, or the only one whose name, is ``wanted``.

        Raises:
            AuthorityError: There is none, or there are several.
        """
        serial = wanted.lower().replace(":", "").removeprefix("0x").lstrip("0")
        kept = self.records.certificate(serial)
        if kept is not None:
            return kept
        all_of_them = self.records.certificates()
        found = [one for one in all_of_them if one.name == wanted]
        renewed = {one.replaces for one in all_of_them}
        current = [
            one for one in found if one.serial not in renewed and not self.records.revocation(one.serial)
        ]
        if len(current) == 1 or len(found) == 1:
            return (current or found)[0]
        if not found:
            raise AuthorityError(
                N_("This authority has issued no certificate {name}."),
                hint=N_("See which there are: haidang pki list."),
                name=wanted,
            )
        raise AuthorityError(
            N_("There are several certificates of {name}."),
            hint=N_("Name one by its serial number: {serials}"),
            name=wanted,
            serials=", ".join(one.serial for one in current or found),
        )

    def unlock(self, passphrase: Passphrase) -> OpenAuthority:
        """Return it with open keys.

        Raises:
            KeyAccessError: The passphrase is wrong, or the keys cannot be used.
        """
        return OpenAuthority(self, open_keys(self.folder, passphrase))


def open_authority(folder: Path) -> Authority:
    """Return the authority in ``folder``, its keys locked.

    Raises:
        AuthorityError: There is none, or its records are damaged.
    """
    return Authority(folder, open_records(folder / "authority.db"))
