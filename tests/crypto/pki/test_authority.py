"""What an authority does, and what it refuses; openssl is the judge of what it issues."""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.certificates import fingerprint, write_certificates
from haidang.crypto.keys import algorithm_of, make_key
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pki.acting import REASONS
from haidang.crypto.pki.authority import open_authority
from haidang.crypto.pki.chains import chain_for
from haidang.crypto.pki.founding import Founding, create_authority
from haidang.crypto.pki.issuing import subject_name
from haidang.crypto.pki.ledger import audit
from haidang.crypto.pki.requests import alternative_names
from haidang.errors import AuthorityError, KeyAccessError, OutputError, PolicyError
from tests.crypto.pki.authorities import authorities, order
from tests.crypto.small_pki import MOMENT, PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

DAY = dt.timedelta(days=1)


def openssl_verify(folder: Path, certificate: x509.Certificate, *options: str) -> str:
    """What ``openssl verify`` says of a certificate of the authorities in ``folder``, with their CRLs."""
    issuing = open_authority(folder / "capphat")
    leaf, above = folder / "leaf.pem", issuing.chain()
    write_certificates([certificate], leaf, replace=True)
    write_certificates([above[0]], folder / "issuing.pem", replace=True)
    write_certificates([above[1]], folder / "root.pem", replace=True)
    crls = b"".join(x509.load_der_x509_crl(der).public_bytes(Encoding.PEM) for der in issuing.crls().values())
    (folder / "crls.pem").write_bytes(crls)
    command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "root.pem"]
    command += ["-untrusted", "issuing.pem", "-CRLfile", "crls.pem"]
    command += ["-attime", str(int(MOMENT.timestamp())), *options, "leaf.pem"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


@pytest.mark.parametrize(
    ("profile", "purpose"),
    [
        ("person", "smimesign"),
        ("server", "sslserver"),
        ("service", "sslclient"),
        ("timestamp", "timestampsign"),
    ],
)
def test_openssl_accepts_what_is_issued_until_it_is_revoked(
    profile: str, purpose: str, tmp_path: Path
) -> None:
    both = authorities(tmp_path)
    names = alternative_names(["so.example.vn", "192.0.2.7"])
    (certificate,) = both.issuing.issue(order(profile=profile, alternative_names=names), now=MOMENT)
    both.issuing.publish_crl(now=MOMENT)
    assert "leaf.pem: OK" in openssl_verify(tmp_path, certificate, "-purpose", purpose)
    both.issuing.revoke(f"{certificate.serial_number:x}", "keyCompromise", now=MOMENT)
    assert "certificate revoked" in openssl_verify(tmp_path, certificate)


def test_what_is_issued_for_one_thing_is_not_good_for_another(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    (certificate,) = both.issuing.issue(order(), now=MOMENT)
    both.issuing.publish_crl(now=MOMENT)
    said = openssl_verify(tmp_path, certificate, "-purpose", "sslserver")
    assert "unsuitable certificate purpose" in said or "unsupported certificate purpose" in said


def test_openssl_finds_it_not_yet_valid_and_expired(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    (certificate,) = both.issuing.issue(order(days=10), now=MOMENT)
    both.issuing.publish_crl(now=MOMENT, days=3650)
    before, after = MOMENT - DAY, MOMENT + 11 * DAY
    for moment, said in ((before, "not yet valid"), (after, "has expired")):
        assert said in openssl_verify(tmp_path, certificate, "-attime", str(int(moment.timestamp())))


def test_the_number_of_a_crl_grows_and_openssl_reads_it(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    numbers = []
    for day in range(3):
        der = both.issuing.publish_crl(now=MOMENT + day * DAY)["first"]
        run = subprocess.run(
            ["openssl", "crl", "-inform", "DER", "-noout", "-crlnumber"],
            input=der,
            capture_output=True,
            check=True,
        )
        numbers.append(int(run.stdout.decode().partition("=")[2], 16))
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_stands_on_the_list(reason: str, tmp_path: Path) -> None:
    both = authorities(tmp_path)
    (certificate,) = both.issuing.issue(order(), now=MOMENT)
    crl = x509.load_der_x509_crl(both.issuing.revoke("Nguyễn Thị Ánh", reason, now=MOMENT))
    (entry,) = list(crl)
    assert entry.serial_number == certificate.serial_number
    if reason == "unspecified":
        assert not list(entry.extensions)
    else:
        assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == reason


def test_a_compromised_key_loses_all_its_certificates_and_gets_no_other(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    wanted = order()
    both.issuing.issue(wanted, now=MOMENT)
    both.issuing.renew("Nguyễn Thị Ánh", now=MOMENT)
    crl = both.issuing.revoke("Nguyễn Thị Ánh", "keyCompromise", now=MOMENT)
    assert len(list(x509.load_der_x509_crl(crl))) == 2
    with pytest.raises(AuthorityError, match="compromised"):
        both.issuing.issue(wanted, now=MOMENT)


def test_a_renewed_certificate_has_the_same_key_and_name_and_a_new_span(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    (old,) = both.issuing.issue(order(), now=MOMENT)
    later = MOMENT + 1000 * DAY
    new = both.issuing.renew("Nguyễn Thị Ánh", now=later)
    assert new.public_key() == old.public_key()
    assert new.subject == old.subject
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert new.serial_number != old.serial_number
    both.issuing.revoke(f"{new.serial_number:x}", "superseded", now=later)
    with pytest.raises(AuthorityError, match="revoked and is not renewed"):
        both.issuing.renew(f"{new.serial_number:x}", now=later)


def test_nothing_outlives_its_issuer(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    end = both.issuing.issuer().certificate.not_valid_after_utc
    (certificate,) = both.issuing.issue(order(), now=end - 10 * DAY)
    assert certificate.not_valid_after_utc == end
    with pytest.raises(AuthorityError, match="ended"):
        both.issuing.issue(order(), now=end + DAY)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"profile": "root"}, "signs no other authority"),
        ({"profile": "issuing"}, "signs no other authority"),
        ({"profile": "king"}, "There is no profile"),
        ({"profile": "server"}, "names that it is called by"),
        ({"subject": subject_name({"CN": "x"})}, "needs O, OU"),
        ({"days": 0}, "valid for 1 to"),
        ({"days": 4000}, "valid for 1 to"),
    ],
)
def test_what_does_not_fit_is_not_issued(changes: dict[str, Any], text: str, tmp_path: Path) -> None:
    both = authorities(tmp_path)
    with pytest.raises(AuthorityError, match=text):
        both.issuing.issue(order(**changes), now=MOMENT)
    assert both.issuing.records.certificates() == []
    assert audit(both.issuing.records).holds


def test_a_root_signs_authorities_alone(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    with pytest.raises(AuthorityError, match="authorities alone"):
        both.root.issue(order(), now=MOMENT)


def test_the_authority_certifies_no_key_of_its_own(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    own = both.issuing.issuer().certificate.public_key()
    with pytest.raises(AuthorityError, match="own"):
        both.issuing.issue(order(public_key=own), now=MOMENT)


def test_weak_keys_get_nothing(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    both = authorities(tmp_path)
    weak = (
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP224R1()),
        ed25519.Ed25519PrivateKey.generate(),
    )
    for key in weak:
        with pytest.raises(PolicyError, match="too weak"):
            both.issuing.issue(order(public_key=key.public_key()), now=MOMENT)


def test_a_clock_that_goes_back_stops_the_authority(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    both.issuing.issue(order(), now=MOMENT + DAY)
    with pytest.raises(AuthorityError, match="clock"):
        both.issuing.issue(order(), now=MOMENT)


def test_an_own_profile_stands_above_the_built_in_one(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    own = '[person]\ndays = 30\nkey_usage = ["digitalSignature"]\nnames = ["CN"]\n'
    (tmp_path / "capphat" / "profiles.toml").write_text(own)
    (certificate,) = both.issuing.issue(order(), now=MOMENT)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 30


def test_a_second_certificate_is_signed_with_mldsa(tmp_path: Path) -> None:
    both = authorities(tmp_path, second=True)
    wanted = order()
    second = wanted._replace(public_key=make_key("ml-dsa-65").public_key())
    first_one, second_one = both.issuing.issue(wanted, extra=[second], now=MOMENT)
    issuer = both.issuing.issuer("second").certificate
    assert algorithm_of(issuer.public_key()) == "ml-dsa-65"
    second_one.verify_directly_issued_by(issuer)
    first_one.verify_directly_issued_by(both.issuing.issuer().certificate)
    assert issuer.subject != both.issuing.issuer().certificate.subject
    crl = both.issuing.revoke(f"{second_one.serial_number:x}", "superseded", now=MOMENT)
    assert [one.serial_number for one in x509.load_der_x509_crl(crl)] == [second_one.serial_number]
    assert audit(both.issuing.records).holds


def test_an_authority_accepts_no_chain_but_its_own(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    root = both.root.authority.chain()[0]
    waiting = create_authority(
        tmp_path / "moi", Founding("issuing", {"O": "Tỉnh Mẫu", "CN": "Mới"}), PASSPHRASE, now=MOMENT
    ).unlock(PASSPHRASE)
    with pytest.raises(AuthorityError, match="None of the certificates"):
        waiting.accept([*both.issuing.authority.chain()], {}, now=MOMENT)
    with pytest.raises(AuthorityError, match="no certificate yet"):
        waiting.issue(order(), now=MOMENT)
    from haidang.crypto.pki.orders import order_of
    from haidang.crypto.pki.requests import read_requests

    (request,) = read_requests(waiting.authority.requests(), "request")
    (mine,) = both.root.issue(order_of(request, "issuing"), now=MOMENT)
    with pytest.raises(AuthorityError, match="does not reach a root"):
        waiting.accept([mine], {}, now=MOMENT)
    with pytest.raises(AuthorityError, match="another fingerprint"):
        waiting.accept([mine, root], {}, root="00" * 32, now=MOMENT)
    with pytest.raises(AuthorityError, match="not valid today"):
        waiting.accept([mine, root], {}, now=MOMENT + 9000 * DAY)
    waiting.accept([mine, root], {}, root=fingerprint(root), now=MOMENT)
    assert [one.subject for one in waiting.authority.chain()] == [mine.subject, root.subject]
    assert chain_for(waiting._keys.first, [root, mine]) == [mine, root]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    founding = Founding("root", {"O": "x", "CN": "y"})
    create_authority(tmp_path / "a", founding, PASSPHRASE, now=MOMENT)
    with pytest.raises(OutputError, match="is there already"):
        create_authority(tmp_path / "a", founding, PASSPHRASE, now=MOMENT)
    with pytest.raises(AuthorityError):
        create_authority(tmp_path / "b", founding._replace(subject={"CN": "y"}), PASSPHRASE, now=MOMENT)
    with pytest.raises(AuthorityError):
        create_authority(
            tmp_path / "b", founding._replace(subject={"CN": "y" * 70, "O": "x"}), PASSPHRASE, now=MOMENT
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "a").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_wrong_passphrase_opens_nothing_and_is_not_shown(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    with pytest.raises(KeyAccessError) as caught:
        both.issuing.authority.unlock(Passphrase(b"hunter2hunter2"))
    assert "hunter2" not in caught.value.diagnostics()


def test_no_authority_and_a_damaged_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="There is no authority"):
        open_authority(tmp_path / "nowhere")
    both = authorities(tmp_path)
    both.issuing.records.close()
    path = tmp_path / "capphat" / "authority.db"
    content = path.read_bytes()
    for damaged in (b"", b"not a database at all" * 100, content[:100] + b"\xff" * 4000 + content[4100:]):
        path.write_bytes(damaged)
        with pytest.raises(AuthorityError, match="cannot be used"):  # noqa: PT012 -- wherever it shows first
            authority = open_authority(tmp_path / "capphat")
            authority.chain()
            authority.records.certificates()
            audit(authority.records)


def test_two_who_act_at_once_act_one_after_the_other(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    other = type(both.issuing)(open_authority(tmp_path / "capphat"), both.issuing._keys)
    other.records._connection.execute("PRAGMA busy_timeout = 50")
    with both.issuing.records.transaction(), pytest.raises(AuthorityError, match="Somebody else"):
        other.issue(order(), now=MOMENT)
    other.issue(order(), now=MOMENT)
    both.issuing.issue(order("Bình"), now=MOMENT)
    assert audit(both.issuing.records).holds
    assert len(both.issuing.records.certificates()) == 2
