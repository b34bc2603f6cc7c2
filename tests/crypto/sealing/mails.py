"""Mails that are sealed to the holders of certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from haidang.crypto.keys import make_key
from haidang.crypto.pki.issuing import Wanted, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.sealing.smime import seal_mail
from haidang.crypto.signers import Signatory
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import Algorithm

__all__ = ["CONTENT", "EC", "RSA", "SUBJECT", "mailed"]

SUBJECT = "Báo cáo quý III"
CONTENT = "Kính gửi,\r\nđính kèm là báo cáo.\n".encode()


def _receiver(algorithm: Algorithm) -> Signatory:
    """Return somebody who has a certificate for encryption."""
    profile = load_profiles()["mail"]
    if algorithm.startswith("ecdsa"):
        profile = msgspec.structs.replace(profile, key_usage=("keyAgreement",))
    key = make_key(algorithm)
    wanted = Wanted(subject_name({"O": "Sở Mẫu", "CN": "Phòng Tổ chức"}), key.public_key(), profile)
    return Signatory(key, issue_certificate(small_pki().issuing, wanted, now=MOMENT))


RSA, EC = _receiver("rsa-3072"), _receiver("ecdsa-p256")


def mailed(report: Path, *receivers: Signatory, authenticated: bool = True, subject: str = SUBJECT) -> Path:
    """Seal ``report`` to ``receivers`` into ``mail.eml`` beside it."""
    target = report.with_name("mail.eml")
    certificates = [one.certificate for one in receivers]
    seal_mail(
        report,
        target,
        small_pki().signatory(),
        certificates,
        now=MOMENT,
        subject=subject,
        authenticated=authenticated,
    )
    return target
