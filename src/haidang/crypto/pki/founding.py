"""How an authority begins: its folder, its keys, its first records, and a root's certificate.

The folder is made under another name and gets its own when everything in it is there: whoever is killed in
between leaves a hidden folder and nothing that looks like an authority.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import shutil
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from haidang.crypto.certificates import fingerprint
from haidang.crypto.files import sync_folder
from haidang.crypto.keys import DEFAULT_ALGORITHM, key_id
from haidang.crypto.pki.authority import Authority, OpenAuthority, open_authority
from haidang.crypto.pki.chains import as_pem
from haidang.crypto.pki.issuing import NOWHERE, Places, Wanted, issue_certificate, subject_name
from haidang.crypto.pki.keyring import AuthorityKeys, make_keys
from haidang.crypto.pki.ledger import Account
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.pki.records import create_records
from haidang.crypto.pki.requests import make_request
from haidang.errors import AuthorityError, OutputError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.keys import Algorithm, SigningKey
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.keyring import TokenChoice

__all__ = ["Founding", "create_authority"]


_LONGEST_DAYS = 36_500


class Founding(NamedTuple):
    """What an authority is to be."""

    kind: Literal["root", "issuing"]
    subject: Mapping[str, str]
    """Its name: at least CN and O."""
    algorithm: Algorithm = DEFAULT_ALGORITHM
    second: bool = False
    """Whether it gets an ML-DSA key beside the first."""
    token: TokenChoice | None = None
    """The PKCS#11 token in which its key is made."""
    places: Places = NOWHERE
    """Where it will publish."""
    days: int | None = None
    """How long a root is valid, where it is not as long as the profile says."""


def create_authority(
    folder: Path, founding: Founding, passphrase: Passphrase, *, now: dt.datetime
) -> Authority:
    """Make an authority in ``folder``, which appears whole or not at all.

    A root signs itself and publishes its first, empty CRL. An issuing authority has requests
    (:meth:`Authority.requests`) for its root.

    Raises:
        OutputError: The folder is there already or cannot be made.
        AuthorityError: The subject is none.
        KeyAccessError: The token cannot be used.
    """
    _needs_names(founding.subject)
    if founding.days is not None and not 1 <= founding.days <= _LONGEST_DAYS:
        raise AuthorityError(
            N_("A certificate of profile {profile} is valid for 1 to {days} days."),
            hint=N_("Give another number with --days, or none."),
            profile="root",
            days=_LONGEST_DAYS,
        )
    with _appearing(folder) as made:
        keys = make_keys(
            made,
            passphrase,
            algorithm=founding.algorithm,
            second=founding.second,
            token=founding.token,
            name=folder.name,
        )
        records = create_records(made / "authority.db")
        try:
            _begin(Authority(made, records), keys, founding, now)
        finally:
            records.close()
    return open_authority(folder)


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.tmp")
    if folder.exists():
        raise OutputError(f"{folder} is there already", hint="Name another folder.")
    try:
        made.mkdir(mode=0o700, parents=True)
        yield made
        sync_folder(made)
        made.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise OutputError(
            f"{folder} cannot be made: {error.strerror or error}", hint="Name another place."
        ) from error
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _begin(authority: Authority, keys: AuthorityKeys, founding: Founding, now: dt.datetime) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    records, subject = authority.records, founding.subject
    spki = keys.first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with records.transaction():
        for fact, value in (
            ("kind", founding.kind),
            ("name", subject["CN"]),
            ("public_key", base64.b64encode(spki).decode()),
            ("places", msgspec.json.encode(founding.places._asdict()).decode()),
        ):
            records.set_fact(fact, value)
        account = Account(records, keys.first)
        account.write("create", now, kind=founding.kind, subject=dict(subject), key=key_id(keys.first))
        if founding.kind == "root":
            _sign_itself(authority, keys, founding, account, now)
        else:
            requests = [make_request(key, name) for key, _, name in _named(keys, subject)]
            records.set_fact("requests", b"".join(requests).decode())
        account.close()
    if founding.kind == "root":
        OpenAuthority(authority, keys).publish_crl(now=now)


def _sign_itself(
    authority: Authority, keys: AuthorityKeys, founding: Founding, account: Account, now: dt.datetime
) -> None:
    profile = load_profiles()["root"]
    for key, chain, name in _named(keys, founding.subject):
        wanted = Wanted(name, key.public_key(), profile, days=founding.days)
        certificate = issue_certificate(None, wanted, now=now, own_key=key)
        authority.records.set_fact(f"chain:{chain}", as_pem([certificate]))
        account.write("root", now, chain=chain, sha256=fingerprint(certificate))


def _named(keys: AuthorityKeys, subject: Mapping[str, str]) -> Iterator[tuple[SigningKey, str, x509.Name]]:
    """Yield each key, its chain, and its name: two authorities must not share one."""
    yield keys.first, "first", subject_name(subject)
    if keys.second is not None:
        yield keys.second, "second", subject_name({**subject, "CN": subject["CN"] + " (ML-DSA-65)"})


def _needs_names(subject: Mapping[str, str]) -> None:
    missing = [name for name in ("CN", "O") if not subject.get(name)]
    if missing:
        raise AuthorityError(
            N_("An authority needs {missing} in its subject."),
            hint=N_("Give it with --subject, e.g. --subject {example}=…"),
            missing=", ".join(missing),
            example=missing[0],
        )
    subject_name(subject)
