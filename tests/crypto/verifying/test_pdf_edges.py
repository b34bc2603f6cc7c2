"""PDF files that are not wrong but odd: locked fields, files made for the web, content that nobody sees."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from haidang.crypto.signing.pdf import Details, sign_pdf_bytes
from haidang.crypto.verifying import _pdf_hidden
from haidang.crypto.verifying.pdf import verify_pdf
from tests.crypto.forging.pdf_documents import base_document, field_filled, field_locked, layered
from tests.crypto.forging.pdf_parts import object_of
from tests.crypto.forging.pdf_verdicts import LATER
from tests.crypto.small_pdf import appended, classic_pdf, linear_pdf, pages_of, stream
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

PKI = small_pki()


def signed(document: bytes, *, level: Any = "B-B", now: dt.datetime = MOMENT) -> bytes:
    stamper = small_tsa().stamper if level != "B-B" else None
    return sign_pdf_bytes(
        document, PKI.signatory(), now=now, level=level, timestamper=stamper, trust=PKI.trust()
    )


def codes(content: bytes) -> set[str]:
    """Return the codes of the reasons for a document, whose signatures must all hold."""
    verdict = verify_pdf(content, PKI.trust(), now=LATER)
    assert verdict.holds, verdict.to_json()
    return {reason.code for reason in verdict.reasons}


# Files made for the web.


def test_a_file_made_for_the_web_is_signed_several_times_and_verified() -> None:
    once = signed(linear_pdf(), level="B-LTA")
    assert once.startswith(linear_pdf())
    assert not codes(once)
    assert not codes(signed(once, now=MOMENT + dt.timedelta(hours=1)))


def test_a_file_made_for_the_web_that_was_changed_afterwards_does_not_hold() -> None:
    once = signed(linear_pdf())
    changed = appended(once, {5: stream(b"BT /F1 18 Tf 72 720 Td (another) Tj ET")})
    verdict = verify_pdf(changed, PKI.trust(), now=LATER)
    assert verdict.indication == "TOTAL-FAILED"
    assert "page-content-changed" in {one.code for one in verdict.signatures[0].reasons}


def test_a_page_that_was_altered_in_a_file_made_for_the_web_does_not_hold() -> None:
    once = signed(linear_pdf())
    assert not verify_pdf(once.replace(b"Bao cao", b"Bao c4o"), PKI.trust(), now=LATER).holds


# Locks of fields (FieldMDP).


@pytest.mark.parametrize(
    ("action", "fields", "holds"),
    [
        (b"All", b"", False),
        (b"Include", b"/Fields [(Amount)]", False),
        (b"Include", b"/Fields [(Other)]", True),
        (b"Exclude", b"/Fields [(Other)]", False),
        (b"Exclude", b"/Fields [(Amount)]", True),
    ],
)
def test_a_field_is_filled_in_unless_the_signature_locked_it(
    action: bytes, fields: bytes, *, holds: bool
) -> None:
    content = field_locked(action, fields)
    assert verify_pdf(content, PKI.trust(), now=LATER).holds
    verdict = verify_pdf(field_filled(content), PKI.trust(), now=LATER)
    assert verdict.holds is holds, verdict.to_json()
    found = {one.code for one in verdict.signatures[0].reasons}
    assert ("changed-as-allowed" if holds else "changed-after-signing") in found
    assert "field-filled" in found


@pytest.mark.parametrize("action", [b"Nothing", b"Include"])
def test_a_lock_that_cannot_be_read_locks(action: bytes) -> None:
    verdict = verify_pdf(field_filled(field_locked(action)), PKI.trust(), now=LATER)
    assert not verdict.holds


# What nobody sees.


@pytest.mark.parametrize(
    ("settings", "group", "expected"),
    [
        (b"/OFF [30 0 R]", b"", {"hidden-layers"}),
        (b"/BaseState /OFF", b"", {"hidden-layers"}),
        (b"/BaseState /OFF /ON [30 0 R]", b"", set()),
        (b"", b"", set()),
        (b"", b"/Usage << /Print << /PrintState /OFF >> >>", {"hidden-layers"}),
        (b"", b"/Usage << /View << /ViewState /ON >> >>", set()),
    ],
)
def test_a_layer_that_is_not_shown_everywhere_is_named(
    settings: bytes, group: bytes, expected: set[str]
) -> None:
    content = signed(layered(settings, group=group))
    assert codes(content) == expected
    for reason in verify_pdf(content, PKI.trust(), now=LATER).reasons:
        assert "Zeros" in str(reason.message)


def with_annotation(entries: bytes, look: bytes = b"") -> bytes:
    objects = pages_of()
    objects[4] = objects[4].replace(b"/MediaBox", b"/Annots [30 0 R] /MediaBox")
    objects[30] = b"<< /Type /Annot /Rect [72 700 272 740] /AP << /N 31 0 R >> %s >>" % entries
    objects[31] = stream(look, b"/Type /XObject /Subtype /Form /BBox [0 0 200 40]")
    return classic_pdf(objects)


@pytest.mark.parametrize(
    ("entries", "look", "expected"),
    [
        (b"/Subtype /Stamp /F 2", b"", {"hidden-annotations"}),
        (b"/Subtype /FreeText /F 36", b"", {"hidden-annotations"}),
        (b"/Subtype /Stamp /F 4", b"1 g 0 0 200 40 re f", {"covering-annotations"}),
        (b"/Subtype /Stamp /F 4", b"1 1 1 rg\n0 0 200 40 re\nf*\n", {"covering-annotations"}),
        (b"/Subtype /Stamp /F 4", b"0 0 0 0 k 0 0 200 40 re B", {"covering-annotations"}),
        (b"/Subtype /Square /F 4 /IC [1 1 1]", b"", {"covering-annotations"}),
        (b"/Subtype /Square /F 4 /IC [1 0 0]", b"1 0 0 rg 0 0 9 9 re f", set()),
        (b"/Subtype /Stamp /F 4", b"0.1 g 0 0 9 9 re f", set()),
        (b"/Subtype /Link /F 2", b"1 g 0 0 9 9 re f", set()),
        (b"/Subtype /Stamp /F (no number)", b"", set()),
    ],
)
def test_what_is_hidden_or_white_on_a_page_is_named(entries: bytes, look: bytes, expected: set[str]) -> None:
    content = signed(with_annotation(entries, look))
    assert codes(content) == expected


@pytest.mark.parametrize(
    "catalog",
    [
        b"/OCProperties 5",
        b"/OCProperties << /OCGs 5 /D [1] >>",
        b"/OCProperties << /OCGs [5 (x) 99 0 R] /D << /OFF [99 0 R 7] /BaseState 1 >> >>",
        b"/OCProperties 1 0 R",
    ],
)
def test_layers_that_make_no_sense_end_in_no_error(catalog: bytes) -> None:
    assert codes(signed(classic_pdf(pages_of(catalog=catalog)))) <= {"hidden-layers"}


@pytest.mark.parametrize("bound", ["MOST_PAGES", "MOST_ANNOTATIONS"])
def test_what_was_not_looked_at_is_said(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = signed(with_annotation(b"/Subtype /Stamp /F 2"))
    monkeypatch.setattr(_pdf_hidden, bound, 0)
    assert codes(content) == {"hidden-not-all-looked-at"}


def test_the_lock_that_a_form_prepared_for_its_signature_locks() -> None:
    empty = {
        4: object_of(base_document(), 4).replace(b"/Annots [", b"/Annots [40 0 R "),
        1: object_of(base_document(), 1).replace(b"/Fields [10 0 R]", b"/SigFlags 1 /Fields [10 0 R 40 0 R]"),
        40: b"<< /FT /Sig /T (Approval) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 /P 4 0 R "
        b"/Lock << /Type /SigFieldLock /Action /All >> >>",
    }
    document = appended(base_document(), empty)
    details = Details(field="Approval")
    content = sign_pdf_bytes(
        document, PKI.signatory(), now=MOMENT, level="B-B", trust=PKI.trust(), details=details
    )
    assert "/FieldMDP" in content.decode("latin-1")
    assert verify_pdf(content, PKI.trust(), now=LATER).holds
    verdict = verify_pdf(field_filled(content), PKI.trust(), now=LATER)
    assert not verdict.holds
    assert "field-filled" in {one.code for one in verdict.signatures[0].reasons}
