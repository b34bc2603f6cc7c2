"""A signature in a sealed mail states the recipients, the encryption and the header of the mail."""

from __future__ import annotations

import base64
import email
import email.policy
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms, pem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.sealing import smime
from haidang.crypto.sealing._mail_encryption import Encryption, decrypted
from haidang.crypto.sealing.mime import enveloped, enveloped_in, signed, signed_in
from haidang.crypto.sealing.smime import OpenedMail, RefusedMailError, open_mail
from haidang.crypto.signing.cades import sign_digest
from haidang.errors import HaidangError
from tests.crypto.sealing.mails import CONTENT, EC, RSA, SUBJECT, mailed
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from haidang.crypto.signers import Signatory

TRANSPORT = b"Received: from a by b; Sun, 1 Nov 2026 08:01:00 +0000\r\nTo: binh@mau.gov.vn\r\n"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "r.txt"
    path.write_bytes(CONTENT)
    return path


def opened(mail: Path, who: Signatory = EC, **options: Any) -> OpenedMail:
    return open_mail(mail, who, small_pki().trust(), folder=None, now=MOMENT, **options)


def refused(mail: Path, who: Signatory = EC, **options: Any) -> RefusedMailError:
    with pytest.raises(RefusedMailError) as caught:
        opened(mail, who, **options)
    return caught.value


def codes(mail: OpenedMail) -> set[str]:
    return {
        reason.code for one in mail.verdict.signatures for reason in one.reasons if reason.severity != "ok"
    }


def change(mail: Path, old: bytes, new: bytes) -> Path:
    content = mail.read_bytes()
    assert content.count(old) == 1
    mail.write_bytes(content.replace(old, new))
    return mail


def is_opened(mail: Path, content: bytes, who: Signatory) -> bool:
    """Return whether a mail of this content is opened; anything but a refusal is a crash."""
    mail.write_bytes(content)
    try:
        opened(mail, who)
    except HaidangError:
        return False
    return True


@pytest.mark.parametrize("authenticated", [True, False], ids=["gcm", "cbc"])
@pytest.mark.parametrize(("who", "other", "step"), [(EC, RSA, 397), (RSA, EC, 3301)], ids=["ec", "rsa"])
def test_a_flipped_bit_anywhere_is_never_accepted(
    report: Path, tmp_path: Path, who: Signatory, other: Signatory, step: int, *, authenticated: bool
) -> None:
    """The step is prime to 8, so that each bit of a byte is tried; RSA takes its time."""
    whole = mailed(report, who, other, authenticated=authenticated).read_bytes()
    copy = tmp_path / "copy.eml"
    assert is_opened(copy, whole, who)
    for bit in range(0, 8 * len(whole), step):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        assert not is_opened(copy, bytes(content), who), (bit, whole[bit // 8 - 20 : bit // 8 + 20])


def re_encoded(mail: bytes, *, at: float, octet: int) -> bytes:
    """Return a mail in whose CMS one octet was altered; ``at`` is its place, from 0 to 1."""
    head, _, body = mail.partition(b"\r\n\r\n")
    content = bytearray(base64.b64decode(body))
    content[int(at * len(content))] ^= octet
    return head + b"\r\n\r\n" + base64.encodebytes(content)


@pytest.fixture(scope="module")
def two_mails(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("mails")
    (folder / "r.txt").write_bytes(CONTENT)
    found = []
    for authenticated in (True, False):
        mail = mailed(folder / "r.txt", EC, RSA, authenticated=authenticated)
        found.append(mail.read_bytes())
        assert is_opened(mail, re_encoded(found[-1], at=0, octet=0), EC)
        mail.unlink()
    return found[0], found[1]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 1), where=st.floats(0, 1, exclude_max=True), octet=st.integers(1, 255))
def test_no_altered_cms_is_ever_accepted(
    two_mails: tuple[bytes, bytes], tmp_path: Path, which: int, where: float, octet: int
) -> None:
    """Also with AES-CBC, which decrypts what was altered."""
    altered = re_encoded(two_mails[which], at=where, octet=octet)
    assert not is_opened(tmp_path / "m.eml", altered, EC)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"Subject: ", b"Subject: [EXTERNAL] ", [SUBJECT, f"[EXTERNAL] {SUBJECT}"]),
        (b"Date: Sun, 01 Nov", b"Date: Mon, 02 Nov", ["Sun, 01 Nov", "Mon, 02 Nov"]),
        (b"MIME-Version: 1.0\r\n", b"", ["MIME-Version", "1.0", "Now: nothing"]),
        (b"MIME-Version:", b"Mime-Version:", ["Mime-Version: 1.0"]),
        (b"smime-type=", b"smime-typE=", ["smime-typE=", "smime-type="]),
        (b"Subject: =?utf-8?", b"Subject: =?utf\xad8?", ["Subject"]),
        (b"MIME-Version:", b"Subject: two\r\nMIME-Version:", ["Subject", "two"]),
    ],
    ids=["subject", "date", "taken", "case of the name", "parameter", "unknown charset", "twice"],
)
def test_a_header_line_that_differs_is_named_and_can_be_accepted(
    report: Path, old: bytes, new: bytes, named: list[str]
) -> None:
    mail = change(mailed(report, EC), old, new)
    error = refused(mail)
    assert (error.reason.code, error.indeterminate) == ("header-altered", True)
    assert all(text in error.message for text in named), error.message
    seen = opened(mail, accept_indeterminate=True)
    assert (seen.verdict.indication, codes(seen)) == ("INDETERMINATE", {"header-altered"})


def test_a_subject_where_none_was_sealed_is_named(report: Path) -> None:
    mail = change(mailed(report, EC, subject=""), b"MIME-Version:", b"Subject: Urgent\r\nMIME-Version:")
    error = refused(mail)
    assert error.reason.code == "header-altered"
    assert "Sealed: nothing. Now: Urgent" in error.message


def test_lines_that_transport_adds_are_named_and_do_no_harm(report: Path) -> None:
    mail = mailed(report, EC)
    mail.write_bytes(TRANSPORT + mail.read_bytes())
    seen = opened(mail)
    assert (seen.verdict.holds, codes(seen)) == (True, {"header-added"})
    assert any("Received, To" in str(one.message) for one in seen.verdict.signatures[0].reasons)


def test_other_line_ends_and_lengths_do_no_harm(report: Path) -> None:
    mail = mailed(report, EC)
    head, _, body = mail.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    mail.write_bytes(head + b"\n\n" + body)
    assert opened(mail).verdict.holds
    text = body.replace(b"\n", b"")
    mail.write_bytes(head + b"\n\n" + b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64)))
    assert opened(mail).verdict.holds


@pytest.mark.parametrize("added", [b"-- \r\n", b" ", b"\r", b"!\r\n"])
def test_anything_else_in_the_body_is_told(report: Path, added: bytes) -> None:
    mail = mailed(report, EC)
    mail.write_bytes(mail.read_bytes() + added)
    assert refused(mail).reason.code == "body-altered"
    assert codes(opened(mail, accept_indeterminate=True)) == {"body-altered"}


def test_the_cms_alone_opens_and_says_that_there_is_no_header(report: Path) -> None:
    alone = report.with_name("alone.p7m")
    alone.write_bytes(enveloped_in(mailed(report, EC).read_bytes()))
    seen = opened(alone)
    assert (seen.verdict.holds, codes(seen)) == (True, {"header-absent"})


def sealed_anew(mail: Path, receiver: Signatory, new: Signatory) -> Path:
    """Seal the signed inside of a mail to ``receiver`` again, to somebody else."""
    inside, _ = decrypted(enveloped_in(mail.read_bytes()), receiver, mail)
    sealed = Encryption([new.certificate], authenticated=True).sealed(inside)
    mail.write_bytes(enveloped(sealed, "authEnveloped-data", ["Date: Sun, 01 Nov 2026 08:00:00 +0000"]))
    return mail


def test_a_mail_that_was_passed_on_is_refused_and_can_be_accepted(report: Path) -> None:
    mail = sealed_anew(mailed(report, RSA), RSA, EC)
    error = refused(mail, accept_indeterminate=True)
    assert (error.reason.code, error.indeterminate) == ("not-a-recipient", False)
    assert certificate_facts(small_pki().signatory().certificate).name in error.message
    seen = opened(mail, accept_forwarded=True)
    assert (seen.verdict.indication, codes(seen)) == ("INDETERMINATE", {"not-a-recipient"})


def test_accepting_what_was_passed_on_accepts_no_unknown_sender(report: Path) -> None:
    mail = sealed_anew(mailed(report, RSA), RSA, EC)
    trust = small_pki().trust()._replace(anchors=())
    with pytest.raises(RefusedMailError) as caught:
        open_mail(mail, EC, trust, folder=None, now=MOMENT, accept_forwarded=True)
    assert caught.value.reason.code == "signature-indeterminate"


def test_a_mail_that_was_sealed_anew_to_a_recipient_is_refused(report: Path) -> None:
    mail = sealed_anew(mailed(report, RSA, EC), RSA, EC)
    error = refused(mail, accept_indeterminate=True, accept_forwarded=True)
    assert (error.reason.code, error.verdict.indication) == ("encryption-altered", "TOTAL-FAILED")


@pytest.mark.parametrize("authenticated", [True, False], ids=["gcm", "cbc"])
def test_a_recipient_who_was_taken_away_is_missed(report: Path, *, authenticated: bool) -> None:
    mail = mailed(report, EC, RSA, authenticated=authenticated)
    content = enveloped_in(mail.read_bytes())
    info = cms.ContentInfo.load(content)
    info["content"]["recipient_infos"] = [
        one for one in info["content"]["recipient_infos"] if one.name == "kari"
    ]
    head = mail.read_bytes().partition(b"\r\n\r\n")[0]
    mail.write_bytes(head + b"\r\n\r\n" + base64.encodebytes(info.dump(force=True)))
    assert refused(mail, accept_indeterminate=True).reason.code == "encryption-altered"


def test_what_was_encrypted_is_written_as_it_should_be(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Around the signed part, AES-CBC alone would not show alterations."""
    monkeypatch.setattr(smime, "signed", lambda *parts: b"X-More: 1\r\n" + signed(*parts))
    assert refused(mailed(report, EC)).reason.code == "encryption-altered"


def test_a_signature_in_another_form_hides_no_statement(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever passes a mail on can write its signature as PEM, which verification reads."""
    monkeypatch.setattr(smime, "sign_digest", lambda *a, **k: pem.armor("CMS", sign_digest(*a, **k)))
    assert refused(sealed_anew(mailed(report, RSA), RSA, EC)).reason.code == "encryption-altered"


def test_a_mail_without_the_statement_opens_and_says_what_is_not_covered(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As sealed by versions before it, and by other programs."""
    monkeypatch.setattr(smime, "sign_digest", lambda *a, **k: sign_digest(*a, **(k | {"attributes": ()})))
    mail = change(mailed(report, EC), b"Subject: ", b"Subject: [EXTERNAL] ")
    seen = opened(mail)
    assert (seen.verdict.holds, codes(seen)) == (True, {"beside-not-covered"})


def test_subject_and_date_stand_inside_as_the_standard_says(report: Path) -> None:
    """RFC 9788, section 2: mail programs that know it show these."""
    mail = mailed(report, EC)
    inside, _ = decrypted(enveloped_in(mail.read_bytes()), EC, mail)
    protected = email.message_from_bytes(signed_in(inside)[0], policy=email.policy.default)
    outer = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    assert (protected["Subject"], protected["Date"]) == (SUBJECT, outer["Date"])
    assert protected["Content-Type"].params["hp"] == "cipher"
    said = [one.partition(": ")[0] for one in protected.get_all("HP-Outer", [])]
    assert said == ["Subject", "Date"]
