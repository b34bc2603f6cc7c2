"""A small authority for tests: a root, an issuing authority, and whoever is asked for.

Keys are made once a run. Everything is issued at one fixed moment (``MOMENT``) unless a test says otherwise,
so that nothing depends on the wall clock but what is meant to.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.certificates import write_certificates
from haidang.crypto.files import write_whole
from haidang.crypto.keys import Algorithm, make_key, save_key
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pki.issuing import Issuer, Revoked, Wanted, build_crl, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.signers import Signatory
from haidang.crypto.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from haidang.crypto.home import Home, Identity

__all__ = ["MOMENT", "PASSPHRASE", "SmallPki", "small_pki"]

MOMENT = dt.datetime(2026, 11, 1, 8, 0, tzinfo=dt.UTC)
PASSPHRASE = Passphrase(b"correct horse battery staple")


@cache
def _key(name: str, algorithm: Algorithm) -> Any:
    del name
    return make_key(algorithm)


class SmallPki(NamedTuple):
    """Root and issuing authority."""

    root: Issuer
    issuing: Issuer
    algorithm: Algorithm

    def signatory(
        self,
        name: str = "Nguyễn Thị Ánh",
        profile: str = "person",
        *,
        unit: str = "Phòng Văn thư",
        algorithm: Algorithm | None = None,
        now: dt.datetime = MOMENT,
        days: int | None = None,
    ) -> Signatory:
        """Return a key and certificate for ``name``, issued at ``now``."""
        key = _key(f"{name}/{profile}", algorithm or self.algorithm)
        subject = {"C": "VN", "O": "Sở Y tế tỉnh Mẫu", "OU": unit, "CN": name}
        wanted = Wanted(
            subject_name({k: v for k, v in subject.items() if v}),
            key.public_key(),
            load_profiles()[profile],
            days=days,
        )
        return Signatory(key, issue_certificate(self.issuing, wanted, now=now), (self.issuing.certificate,))

    def crls(
        self,
        revoked: Iterable[x509.Certificate] = (),
        *,
        now: dt.datetime = MOMENT,
        when: dt.datetime | None = None,
        reason: str = "keyCompromise",
        valid: dt.timedelta = dt.timedelta(days=3650),
    ) -> tuple[bytes, bytes]:
        """Return the root's CRL and the issuing authority's, DER, with ``revoked`` on the second."""
        entries = [Revoked(one.serial_number, when or now, reason) for one in revoked]
        return (
            build_crl(self.root, (), number=1, now=now, valid=valid).public_bytes(Encoding.DER),
            build_crl(self.issuing, entries, number=1, now=now, valid=valid).public_bytes(Encoding.DER),
        )

    def trust(self, revoked: Iterable[x509.Certificate] = (), **options: Any) -> Trust:
        """Return trust in the root, with CRLs on which ``revoked`` stand."""
        return Trust(
            anchors=(self.root.certificate,),
            authorities=(self.issuing.certificate,),
            crls=self.crls(revoked, **options),
        )

    def into(self, home: Home, signatory: Signatory, name: str = "anh", **options: Any) -> Identity:
        """Write trust and an identity into ``home`` as ``haidang pki`` does; its passphrase is PASSPHRASE."""
        for folder in ("anchors", "authorities", "revocation"):
            (home.trust / folder).mkdir(parents=True, exist_ok=True)
        write_certificates([self.root.certificate], home.trust / "anchors" / "root.pem", replace=True)
        write_certificates(
            [self.issuing.certificate], home.trust / "authorities" / "issuing.pem", replace=True
        )
        for file, crl in zip(("root.crl", "issuing.crl"), self.crls(**options), strict=True):
            write_whole(home.trust / "revocation" / file, crl)
        identity = home.new_identity(name)
        save_key(signatory.key, identity.signing_key, PASSPHRASE, replace=True)
        write_certificates(
            [signatory.certificate, *signatory.authorities], identity.certificate, replace=True
        )
        return identity


@cache
def small_pki(algorithm: Algorithm = "ecdsa-p256", now: dt.datetime = MOMENT) -> SmallPki:
    """Return the authority whose keys are of ``algorithm``, created a year before ``now``."""
    profiles = load_profiles()
    year_ago = now - dt.timedelta(days=365)
    root_key, issuing_key = _key("root", algorithm), _key("issuing", algorithm)
    root = Issuer(
        issue_certificate(
            None,
            Wanted(
                subject_name({"C": "VN", "O": "Tỉnh Mẫu", "CN": "Gốc chứng thực Tỉnh Mẫu"}),
                root_key.public_key(),
                profiles["root"],
            ),
            now=year_ago,
            own_key=root_key,
        ),
        root_key,
    )
    wanted = Wanted(
        subject_name({"C": "VN", "O": "Tỉnh Mẫu", "CN": "Cấp phát Tỉnh Mẫu"}),
        issuing_key.public_key(),
        profiles["issuing"],
    )
    return SmallPki(root, Issuer(issue_certificate(root, wanted, now=year_ago), issuing_key), algorithm)
