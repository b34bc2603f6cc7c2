"""The folder in which a person, a unit or a service keeps what it signs, seals and verifies with.

    identities/NAME/signing.key       the private key, locked (:mod:`haidang.crypto.keys`)
                    token.json        or where in a PKCS#11 token it is (:mod:`haidang.crypto.tokens`)
                    certificate.pem   its certificate, then those of the authorities, without the root
                    sealing.key       the age key that opens what is sealed to it, locked
                    second.key        an ML-DSA key for second signatures, locked; second.pem likewise
    trust/anchors/*.pem               roots that are believed
          authorities/*.pem           issuing authorities that are known (believed through a root alone)
          revocation/*.crl, *.ocsp    what is known to be revoked
    addressbook.asice                 units and people, signed by the authority
    settings.toml                     time stamping authorities, labels, horizons

It is ``--home``, or ``$HAIDANG_HOME``, or ``haidang/protect`` below ``$XDG_DATA_HOME``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Home", "Identity", "find_home"]

_NAME = re.compile(r"[\w][\w.@+-]{0,63}")


class Identity:
    """One person, unit or service that this folder can speak for."""

    def __init__(self, folder: Path) -> None:
        """Name the identity kept in ``folder``; nothing is read yet."""
        self.folder = folder

    @property
    def name(self) -> str:
        """What it is called here."""
        return self.folder.name

    @property
    def signing_key(self) -> Path:
        """The file of the locked signing key."""
        return self.folder / "signing.key"

    @property
    def token(self) -> Path:
        """The file that says where in a PKCS#11 token the signing key is."""
        return self.folder / "token.json"

    @property
    def certificate(self) -> Path:
        """The file of the certificate and those of the authorities above it."""
        return self.folder / "certificate.pem"

    @property
    def sealing_key(self) -> Path:
        """The file of the locked age key."""
        return self.folder / "sealing.key"

    @property
    def second_key(self) -> Path:
        """The file of the locked ML-DSA key."""
        return self.folder / "second.key"

    @property
    def second_certificate(self) -> Path:
        """The file of the certificate of the ML-DSA key."""
        return self.folder / "second.pem"


class Home:
    """The folder as a whole. Nothing is made before it is needed."""

    def __init__(self, path: Path) -> None:
        """Use the folder ``path``."""
        self.path = path

    @property
    def trust(self) -> Path:
        """The folder of what is believed; see :func:`haidang.crypto.trust.load_trust`."""
        return self.path / "trust"

    @property
    def address_book(self) -> Path:
        """The file of the address book."""
        return self.path / "addressbook.asice"

    @property
    def settings(self) -> Path:
        """The file of the settings."""
        return self.path / "settings.toml"

    def identities(self) -> list[Identity]:
        """Return the identities that are here, by name."""
        folder = self.path / "identities"
        # A folder that begins with a dot is one that is just being made.
        names = sorted(folder.glob("[!.]*/")) if folder.is_dir() else []
        return [Identity(path) for path in names]

    def new_identity(self, name: str) -> Identity:
        """Return the identity ``name``, which need not be there, with its folder made (mode 0700).

        Raises:
            KeyAccessError: The name is not one.
        """
        folder = self.place_of(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Identity(folder)

    def place_of(self, name: str) -> Path:
        """Return where the identity ``name`` is, or would be.

        Raises:
            KeyAccessError: The name is not one.
        """
        if not _NAME.fullmatch(name):
            raise KeyAccessError(
                N_("{name} cannot be the name of an identity."),
                hint=N_("Use up to 64 letters, digits and the signs . _ @ + -"),
                name=name,
            )
        return self.path / "identities" / name

    def identity(self, name: str = "") -> Identity:
        """Return the identity ``name``, or the only one.

        Raises:
            KeyAccessError: There is none, or there are several and none was named.
        """
        known = self.identities()
        chosen = [one for one in known if one.name == name] if name else known
        if len(chosen) == 1:
            return chosen[0]
        if not known:
            raise KeyAccessError(
                N_("There is no identity in {home}."),
                hint=N_("Make one: haidang pki request, then haidang pki accept."),
                home=self.path,
            )
        raise KeyAccessError(
            N_("There is no identity {name}.") if name else N_("There are several identities."),
            hint=N_("Choose with --as: {known}"),
            name=name,
            known=", ".join(one.name for one in known),
        )


def find_home(option: str | None, environ: Mapping[str, str]) -> Home:
    """Return the folder of ``--home``, the environment, or the user."""
    named = option or environ.get("HAIDANG_HOME")
    if named:
        return Home(Path(named))
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~"), ".local", "share"))
    return Home(Path(data, "haidang", "protect"))
