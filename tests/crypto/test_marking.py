from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes

from haidang.crypto.marking.attribute import POLICY, attribute_providers, labels_of
from haidang.crypto.marking.labels import Label, parse_labels
from haidang.crypto.marking.policy import check_labels, labels_for
from haidang.crypto.settings import Marking
from haidang.errors import ConfigurationError, PolicyError
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OWN = ("Lưu hành nội bộ",)


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("TLP:AMBER", "TLP:AMBER"),
        (" tlp: amber + strict ", "TLP:AMBER+STRICT"),
        ("tối  mật", "TỐI MẬT"),
        ("tô\u0301i mâ\u0323t", "TỐI MẬT"),
        ("LƯU HÀNH NỘI BỘ", "Lưu hành nội bộ"),
    ],
)
def test_what_people_write_is_read(written: str, label: str) -> None:
    assert [str(one) for one in parse_labels([written, written], OWN)] == [label]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["TLP:WHITE"], "TLP:CLEAR"),
        (["amber"], "Did you mean TLP:AMBER?"),
        (["secret"], "There is no label secret."),
        (["TLP:RED", "TLP:GREEN"], "TLP:RED and TLP:GREEN at once"),
        (["MẬT", "TỐI MẬT"], "MẬT and TỐI MẬT at once"),
        ([""], "There is no label"),
    ],
)
def test_what_is_no_label_is_said(written: Sequence[str], said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_labels(written, OWN)
    assert said in caught.value.diagnostics()


def test_a_system_that_is_not_cleared_refuses_state_secrets_whatever_is_done() -> None:
    for act in ("sign", "seal", "open"):
        for name in ("MẬT", "TỐI MẬT", "TUYỆT MẬT"):
            with pytest.raises(PolicyError, match="must not hold"):
                labels_for([name], Marking(), act)
    check_labels([Label("secret", "MẬT")], Marking(forbidden=()), "sign")


def test_what_must_be_sealed_is_not_signed_alone() -> None:
    with pytest.raises(PolicyError, match="only sealed"):
        labels_for(["TLP:RED"], Marking(), "sign")
    assert labels_for(["TLP:RED"], Marking(), "seal") == (Label("tlp", "RED"),)
    assert labels_for(["TLP:AMBER"], Marking(), "sign") == (Label("tlp", "AMBER"),)


def test_a_rule_about_a_label_that_there_is_not_is_no_rule() -> None:
    with pytest.raises(ConfigurationError, match="label that there is not"):
        labels_for([], Marking(forbidden=("TOP SECRET",)), "sign")


def _signed(labels: Sequence[str]) -> bytes:
    settings = PdfCMSSignedAttributes()
    providers = attribute_providers(parse_labels(labels, OWN))
    signer = small_pki().signatory().pyhanko_signer(providers)
    made = asyncio.run(
        signer.async_sign_general_data(b"x", "sha256", detached=False, signed_attr_settings=settings)
    )
    der: bytes = made.dump()
    return der


def test_labels_come_back_from_a_signature_and_openssl_sees_the_attribute(tmp_path: Path) -> None:
    der = _signed(["TLP:AMBER", "Lưu hành nội bộ"])
    info = cms.ContentInfo.load(der)["content"]["signer_infos"][0]
    assert labels_of(info) == ("TLP:AMBER", "Lưu hành nội bộ")
    (tmp_path / "s").write_bytes(der)
    command = ["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", str(tmp_path / "s")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "id-smime-aa-securityLabel" in printed
    assert POLICY in printed


def test_a_signature_without_a_label_has_none() -> None:
    info = cms.ContentInfo.load(_signed([]))["content"]["signer_infos"][0]
    assert labels_of(info) == ()
