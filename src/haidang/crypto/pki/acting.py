"""What an authority does with open keys: issue, renew, revoke, publish, accept.

Rules:

- An act happens in one transaction together with its log entry and the signed checkpoint after it: killed at
  any moment, the authority is in the state before or after.
- Before an act the log must agree with its last checkpoint. Nothing is done on a log that was altered, nor
  with a clock that stands before its last entry.

Orders, and the answers of the authority above, come from elsewhere and are checked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts, fingerprint, parse_certificates
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import sync_folder
from haidang.crypto.keys import key_id
from haidang.crypto.pki.chains import as_pem, chain_for, check_authority_chain, check_root, crl_number
from haidang.crypto.pki.issuing import Issuer, Revoked, Wanted, build_crl, issue_certificate
from haidang.crypto.pki.ledger import Account, stamp
from haidang.crypto.pki.orders import Order, fitting_profile
from haidang.crypto.pki.records import Kept, Revocation
from haidang.crypto.pki.requests import check_strength
from haidang.errors import AuthorityError, OutputError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cryptography import x509

    from haidang.crypto.pki.authority import Authority
    from haidang.crypto.pki.chains import Chain
    from haidang.crypto.pki.keyring import AuthorityKeys

__all__ = ["REASONS", "OpenAuthority"]

REASONS = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
    "aACompromise",
)
"""RFC 5280, section 5.3.1, but for the two of a hold: what is revoked here stays so."""

_CRL_DAYS = {"root": 180, "issuing": 7}
_CLOCK_SLACK = dt.timedelta(minutes=5)


class OpenAuthority:
    """An authority that can act."""

    def __init__(self, authority: Authority, keys: AuthorityKeys) -> None:
        """Act for ``authority`` with ``keys``."""
        self.authority = authority
        self.records = authority.records
        self._keys = keys
        self._deliver()

    def issuer(self, chain: Chain = "first") -> Issuer:
        """Return certificate and key that sign.

        Raises:
            AuthorityError: It has no certificate yet, or no second key.
        """
        certificates = self.authority.chain(chain)
        key = self._keys.first if chain == "first" else self._keys.second
        if key is None or (chain == "second" and not certificates):
            raise AuthorityError(
                N_("This authority has no second key."),
                hint=N_("It is made with the authority: haidang pki create-root --second."),
            )
        if not certificates:
            raise AuthorityError(
                N_("This authority has no certificate yet."),
                hint=N_("Have its request signed by the root, then: haidang pki accept."),
            )
        if key_id(key) != key_id(certificates[0].public_key()):
            raise AuthorityError(
                N_("The key and the certificate of {name} do not belong together."),
                hint=N_("Take the folder of the authority from a backup."),
                name=self.authority.name,
            )
        return Issuer(certificates[0], key)

    def issue(
        self,
        order: Order,
        *,
        now: dt.datetime,
        delivery: tuple[Path, Path] | None = None,
        extra: Sequence[Order] = (),
    ) -> list[x509.Certificate]:
        """Issue the certificates of an order and of what belongs to it, in one act.

        Args:
            order: what is wanted.
            now: the present.
            delivery: a finished folder, and the name that it gets once the act is kept; before that, the
                certificates are written into it.
            extra: further certificates of the same act, e.g. the second one.

        Raises:
            AuthorityError: The profile or the subject does not fit, or the key may not have a certificate.
            PolicyError: The key is weak.
        """
        made: list[x509.Certificate] = []
        with self._act(now) as account:
            for one in (order, *extra):
                chain: Chain = "second" if _is_second(one.public_key) else "first"
                certificate = self._issue(one, chain, now, account)
                made.append(certificate)
            if delivery is not None:
                self._fill(delivery[0], made)
                self.records.add_delivery(str(delivery[0]), str(delivery[1]))
        self._deliver()
        return made

    def renew(self, serial: str, *, now: dt.datetime, days: int | None = None) -> x509.Certificate:
        """Issue a certificate again: same key, same subject, a new span.

        Raises:
            AuthorityError: There is no such certificate, or it was revoked.
        """
        with needs_extra():
            from cryptography import x509
        kept = self.authority.find(serial)
        if self.records.revocation(kept.serial):
            raise AuthorityError(
                N_("The certificate {serial} was revoked and is not renewed."),
                hint=N_("Issue a certificate for a new key."),
                serial=kept.serial,
            )
        (old,) = parse_certificates(kept.der, str(self.records.path))
        try:
            names = tuple(old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            names = ()
        order = Order(
            old.subject, old.public_key(), kept.profile, names, days, kept.recipient, replaces=kept.serial
        )
        (certificate,) = self.issue(order, now=now)
        return certificate

    def revoke(self, serial: str, reason: str, *, now: dt.datetime) -> bytes:
        """Revoke a certificate and return the CRL that says so, DER.

        A compromised key loses all its certificates.

        Raises:
            AuthorityError: There is no such certificate, it was revoked before, or the reason is none.
        """
        if reason not in REASONS:
            raise AuthorityError(
                N_("{reason} is no reason to revoke."),
                hint=N_("Use {known}."),
                reason=reason,
                known=", ".join(REASONS),
            )
        kept = self.authority.find(serial)
        before = self.records.revocation(kept.serial)
        if before is not None:
            raise AuthorityError(
                N_("The certificate {serial} was revoked already, on {date}."),
                hint=N_("Publish the list: haidang pki crl."),
                serial=kept.serial,
                date=before.moment[:10],
            )
        chain: Chain = "second" if kept.chain == "second" else "first"
        # Whoever has a key can use it with every certificate that it has.
        alike = self.records.certificates_of_key(kept.key_id) if reason == "keyCompromise" else [kept]
        with self._act(now) as account:
            for one in alike:
                if not self.records.revocation(one.serial):
                    self.records.add_revocation(Revocation(one.serial, stamp(now), reason))
                    account.write("revoke", now, serial=one.serial, reason=reason, name=one.name)
            return self._crl(chain, now, account)

    def publish_crl(self, *, now: dt.datetime, days: int | None = None) -> dict[Chain, bytes]:
        """Return a new CRL of each chain, DER, with a number that has grown."""
        chains: list[Chain] = ["first"]
        if self._keys.second is not None and self.authority.chain("second"):
            chains.append("second")
        with self._act(now) as account:
            return {chain: self._crl(chain, now, account, days) for chain in chains}

    def accept(
        self,
        certificates: Sequence[x509.Certificate],
        crls: Mapping[str, bytes],
        *,
        now: dt.datetime,
        root: str = "",
    ) -> None:
        """Take the certificates that the authority above issued to this one, and its CRLs by name.

        ``root`` is the fingerprint of the root as a person compared it; "" compares nothing.

        Raises:
            AuthorityError: None of them is for this authority's key, one has ended, or the chain does not
                reach a root.
        """
        with self._act(now) as account:
            for chain, key in (("first", self._keys.first), ("second", self._keys.second)):
                if key is None:
                    continue
                path = chain_for(key, certificates)
                check_authority_chain(path, now)
                if chain == "first":
                    check_root(path, root)
                self.records.set_fact(f"chain:{chain}", as_pem(path))
                account.write(
                    "accept",
                    now,
                    chain=chain,
                    sha256=fingerprint(path[0]),
                    name=certificate_facts(path[0]).name,
                )
            self._take_crls(crls, account, now)

    def accept_crls(self, crls: Mapping[str, bytes], *, now: dt.datetime) -> None:
        """Take newer CRLs of the authorities above this one, by name."""
        with self._act(now) as account:
            self._take_crls(crls, account, now)

    def note(self, act: str, now: dt.datetime, **about: Any) -> None:
        """Write into the log something that was done with the authority, e.g. a ceremony."""
        with self._act(now) as account:
            account.write(act, now, **about)

    def publish(self, what: str, build: Callable[[int], bytes], *, now: dt.datetime) -> bytes:
        """Return what ``build`` makes of its number, which grows; the log has its SHA-256."""
        with self._act(now) as account:
            number = int("".join(filter(str.isdecimal, self.records.fact(f"published:{what}"))) or 0) + 1
            content = build(number)
            self.records.set_fact(f"published:{what}", str(number))
            account.write(what, now, number=number, sha256=_sha256(content))
        return content

    @contextlib.contextmanager
    def _act(self, now: dt.datetime) -> Iterator[Account]:
        with self.records.transaction():
            account = Account(self.records, self._keys.first)
            if account.last and stamp(now + _CLOCK_SLACK) < account.last:
                raise AuthorityError(
                    N_("The clock says {now}, but the authority's last act was at {last}."),
                    hint=N_("Set the clock of this machine, and do it again."),
                    now=stamp(now),
                    last=account.last,
                )
            yield account
            account.close()

    def _issue(self, order: Order, chain: Chain, now: dt.datetime, account: Account) -> x509.Certificate:
        issuer = self.issuer(chain)
        profile = fitting_profile(order, self.authority.kind, self.authority.profiles())
        self._check_key(order.public_key)
        wanted = Wanted(order.subject, order.public_key, profile, order.alternative_names, order.days)
        certificate = issue_certificate(issuer, wanted, now=now, places=self.authority.places)
        kept = _kept(certificate, chain, order)
        self.records.add_certificate(kept)
        account.write(
            "renew" if order.replaces else "issue",
            now,
            serial=kept.serial,
            sha256=fingerprint(certificate),
            name=kept.name,
            profile=order.profile,
            subject=order.subject.rfc4514_string(),
            **{
                name: value
                for name, value in (("replaces", order.replaces), ("recipient", order.recipient))
                if value
            },
        )
        return certificate

    def _check_key(self, public_key: Any) -> None:
        check_strength(public_key)
        identifier = key_id(public_key)
        own = {key_id(key) for key in self._keys if key is not None}
        compromised = any(
            revocation is not None and revocation.reason == "keyCompromise"
            for kept in self.records.certificates_of_key(identifier)
            for revocation in [self.records.revocation(kept.serial)]
        )
        if identifier in own or compromised:
            raise AuthorityError(
                N_("This key gets no certificate: it is compromised, or the authority's own."),
                hint=N_("Have a new key made."),
            )

    def _take_crls(self, crls: Mapping[str, bytes], account: Account, now: dt.datetime) -> None:
        known = self.records.parent_crls()
        for name, der in crls.items():
            # A list that is older than the one here would make a revoked authority good again.
            if name not in known or crl_number(der) >= crl_number(known[name]):
                self.records.set_parent_crl(name, der)
                account.write("parent-crl", now, name=name, sha256=_sha256(der))

    def _crl(self, chain: Chain, now: dt.datetime, account: Account, days: int | None = None) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding

        number = self.records.last_crl(chain)[0] + 1
        revoked = [
            Revoked(int(one.serial, 16), dt.datetime.fromisoformat(one.moment), one.reason)
            for one in self.records.revocations(chain)
        ]
        valid = dt.timedelta(days=days or _CRL_DAYS[self.authority.kind])
        crl = build_crl(self.issuer(chain), revoked, number=number, now=now, valid=valid)
        der: bytes = crl.public_bytes(Encoding.DER)
        self.records.add_crl(chain, number, der, stamp(now))
        account.write("crl", now, chain=chain, number=number, sha256=_sha256(der), revoked=len(revoked))
        return der

    def _fill(self, folder: Path, made: Sequence[x509.Certificate]) -> None:
        from haidang.crypto.certificates import write_certificates

        for certificate in made:
            second = _is_second(certificate.public_key())
            above = self.authority.chain("second" if second else "first")
            # The root is what the reader believes already; it does not travel with a signature.
            path = [certificate, *above[:-1]]
            write_certificates(path, folder / ("second.pem" if second else "certificate.pem"))

    def _deliver(self) -> None:
        """Give the folders of kept acts their names; also those of an act that was killed right after."""
        for made, place in self.records.deliveries():
            source, target = Path(made), Path(place)
            if source.is_dir():
                try:
                    source.rename(target)
                except OSError as error:
                    raise OutputError(
                        f"{target} cannot be made: {error.strerror or error}",
                        hint=f"The certificate is issued; its folder is {source}. Make room and try again.",
                    ) from error
                sync_folder(target.parent)
            with self.records.transaction():
                self.records.delivered(made)


def _kept(certificate: x509.Certificate, chain: Chain, order: Order) -> Kept:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Kept(
        serial=f"{certificate.serial_number:x}",
        chain=chain,
        der=certificate.public_bytes(Encoding.DER),
        profile=order.profile,
        name=certificate_facts(certificate).name,
        issued=stamp(certificate.not_valid_before_utc),
        ends=stamp(certificate.not_valid_after_utc),
        key_id=key_id(order.public_key),
        recipient=order.recipient,
        replaces=order.replaces,
        request=order.request,
    )


def _is_second(public_key: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric import mldsa

    return isinstance(public_key, mldsa.MLDSA65PublicKey)


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()
