"""Identities: asked for on one machine, answered on another, and made in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto import envelopes
from haidang.crypto.certificates import fingerprint
from haidang.crypto.home import Home
from haidang.crypto.keys import Algorithm, load_key
from haidang.crypto.pki.identities import (
    Bundle,
    NewIdentity,
    accept_crls,
    accept_identity,
    bundle_of,
    issue_identity,
    read_bundle,
    renewal_request,
    request_identity,
)
from haidang.crypto.pki.issuing import subject_name
from haidang.crypto.pki.orders import order_of
from haidang.crypto.pki.requests import alternative_names, read_requests
from haidang.crypto.signers import load_signatory
from haidang.crypto.trust import load_trust
from haidang.errors import AuthorityError, InputError, KeyAccessError, OutputError
from tests.crypto.pki.authorities import authorities
from tests.crypto.small_pki import MOMENT, PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = subject_name({"C": "VN", "O": "Sở Y tế", "OU": "Phòng Văn thư", "CN": "Nguyễn Thị Ánh"})


def asked_and_answered(
    tmp_path: Path, wanted: NewIdentity, *, second: bool = False
) -> tuple[Home, Bundle, str]:
    both = authorities(tmp_path, second=second)
    home = Home(tmp_path / "home")
    _, pem = request_identity(home, wanted, PASSPHRASE)
    orders = [order_of(one, "person") for one in read_requests(pem, "r")]
    certificates = both.issuing.issue(orders[0], extra=orders[1:], now=MOMENT)
    both.issuing.publish_crl(now=MOMENT)
    (tmp_path / "answer.pem").write_bytes(bundle_of(certificates, both.issuing.authority))
    root = fingerprint(both.root.authority.chain()[0])
    return home, read_bundle(tmp_path / "answer.pem"), root


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "rsa-3072"])
def test_a_request_is_answered_and_the_key_never_travelled(algorithm: Algorithm, tmp_path: Path) -> None:
    names = alternative_names([], ["anh@so.example.vn"])
    wanted = NewIdentity("anh", SUBJECT, algorithm, sealing=True, names=names)
    home, bundle, root = asked_and_answered(tmp_path, wanted)
    with pytest.raises(KeyAccessError, match="no certificate yet"):
        load_signatory(home.identity("anh"), PASSPHRASE)
    path = accept_identity(home, home.identity("anh"), bundle, root=root, now=MOMENT)
    assert [len(path), fingerprint(path[-1])] == [3, root]
    signatory = load_signatory(home.identity("anh"), PASSPHRASE)
    assert [one.subject for one in signatory.authorities] == [path[1].subject]
    assert [len(part) for part in load_trust(home.trust)] == [1, 1, 2, 0]


def test_without_the_fingerprint_no_root_is_believed(tmp_path: Path) -> None:
    home, bundle, _ = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT))
    accept_identity(home, home.identity("anh"), bundle, now=MOMENT)
    assert [len(part) for part in load_trust(home.trust)] == [0, 1, 2, 0]


def test_another_root_is_refused_and_nothing_is_taken(tmp_path: Path) -> None:
    home, bundle, _ = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT))
    with pytest.raises(AuthorityError, match="another fingerprint"):
        accept_identity(home, home.identity("anh"), bundle, root="ab" * 32, now=MOMENT)
    assert not home.identity("anh").certificate.exists()
    assert not home.trust.exists()


def test_an_answer_for_another_is_refused(tmp_path: Path) -> None:
    home, bundle, root = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT))
    request_identity(home, NewIdentity("binh", SUBJECT), PASSPHRASE)
    with pytest.raises(AuthorityError, match="None of the certificates"):
        accept_identity(home, home.identity("binh"), bundle, root=root, now=MOMENT)


def test_an_ended_certificate_is_refused(tmp_path: Path) -> None:
    home, bundle, root = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT))
    with pytest.raises(AuthorityError, match="ended"):
        accept_identity(home, home.identity("anh"), bundle, root=root, now=MOMENT.replace(year=2040))


def test_a_second_key_is_asked_for_and_answered_beside_the_first(tmp_path: Path) -> None:
    home, bundle, root = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT, second=True), second=True)
    accept_identity(home, home.identity("anh"), bundle, root=root, now=MOMENT)
    identity = home.identity("anh")
    second = load_key(identity.second_key, PASSPHRASE).public_key()
    from haidang.crypto.certificates import read_certificates

    certificate, issuer = read_certificates(identity.second_certificate)
    assert certificate.public_key().public_bytes_raw() == second.public_bytes_raw()  # type: ignore[union-attr]
    certificate.verify_directly_issued_by(issuer)


def test_the_sealing_key_is_bound_to_the_request(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    home = Home(tmp_path / "home")
    identity, pem = request_identity(home, NewIdentity("anh", SUBJECT, sealing=True), PASSPHRASE)
    envelope = envelopes.load(identity.sealing_key)
    (request,) = read_requests(pem, "r")
    assert request.recipient == envelope.key_id
    assert envelopes.unlock(envelope, PASSPHRASE, name="k").startswith(b"AGE-SECRET-KEY-1")
    both.issuing.issue(order_of(request, "person"), now=MOMENT)
    assert both.issuing.authority.find("Nguyễn Thị Ánh").recipient == envelope.key_id


def test_a_renewal_keeps_key_name_addresses_and_recipient(tmp_path: Path) -> None:
    names = alternative_names([], ["anh@so.example.vn"])
    wanted = NewIdentity("anh", SUBJECT, sealing=True, names=names)
    home, bundle, root = asked_and_answered(tmp_path, wanted)
    accept_identity(home, home.identity("anh"), bundle, root=root, now=MOMENT)
    (request,) = read_requests(renewal_request(home.identity("anh"), PASSPHRASE), "r")
    first = load_signatory(home.identity("anh"), PASSPHRASE).certificate
    assert (request.public_key, request.subject) == (first.public_key(), first.subject)
    assert list(request.alternative_names) == names
    assert request.recipient == envelopes.load(home.identity("anh").sealing_key).key_id


def test_an_older_list_never_replaces_a_newer_one(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    home = Home(tmp_path / "home")
    wanted = NewIdentity("anh", SUBJECT)
    issue_identity(both.issuing, home, wanted, PASSPHRASE, profile="person", days=None, now=MOMENT)
    old = both.issuing.publish_crl(now=MOMENT)["first"]
    new = both.issuing.revoke("Nguyễn Thị Ánh", "superseded", now=MOMENT)
    accept_crls(home, [new])
    accept_crls(home, [old])
    assert new in load_trust(home.trust).crls
    assert old not in load_trust(home.trust).crls


def test_a_list_of_a_stranger_is_refused(tmp_path: Path) -> None:
    home, bundle, root = asked_and_answered(tmp_path, NewIdentity("anh", SUBJECT))
    accept_identity(home, home.identity("anh"), bundle, root=root, now=MOMENT)
    from tests.crypto.small_pki import small_pki

    with pytest.raises(AuthorityError, match="not signed by an authority that is known"):
        accept_crls(home, list(small_pki().crls()))


def test_what_was_made_at_once_signs_at_once(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    home = Home(tmp_path / "home")
    wanted = NewIdentity("anh", SUBJECT, sealing=True)
    identity, (certificate,) = issue_identity(
        both.issuing, home, wanted, PASSPHRASE, profile="person", days=None, now=MOMENT
    )
    assert load_signatory(identity, PASSPHRASE).certificate == certificate
    modes = {path.name: path.stat().st_mode & 0o777 for path in identity.folder.iterdir()}
    assert modes["signing.key"] == modes["sealing.key"] == 0o600
    assert identity.folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(OutputError, match="is there already"):
        issue_identity(both.issuing, home, wanted, PASSPHRASE, profile="person", days=None, now=MOMENT)
    assert len(both.issuing.records.certificates()) == 1


@pytest.mark.parametrize("profile", ["king", "issuing"])
def test_nothing_is_left_of_what_was_refused(profile: str, tmp_path: Path) -> None:
    both = authorities(tmp_path)
    home = Home(tmp_path / "home")
    with pytest.raises(AuthorityError):
        issue_identity(
            both.issuing,
            home,
            NewIdentity("anh", SUBJECT),
            PASSPHRASE,
            profile=profile,
            days=None,
            now=MOMENT,
        )
    assert list((home.path / "identities").iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", ".hidden", "x" * 65])
def test_a_name_that_leads_elsewhere_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(KeyAccessError):
        request_identity(Home(tmp_path / "home"), NewIdentity(name, SUBJECT), PASSPHRASE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        b"\x30\x80" * 1000,
        b"<html>404</html>",
    ],
)
def test_an_answer_that_is_none_is_said(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "answer").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_bundle(tmp_path / "answer")
    assert caught.value.hint


def test_der_is_read_as_well(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    (root,) = both.root.authority.chain()
    (tmp_path / "c").write_bytes(root.public_bytes(Encoding.DER))
    (tmp_path / "l").write_bytes(both.root.records.last_crl("first")[1])
    assert read_bundle(tmp_path / "c") == Bundle([root], [])
    assert read_bundle(tmp_path / "l").crls == [both.root.records.last_crl("first")[1]]
