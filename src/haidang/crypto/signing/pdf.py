"""Signs PDF files: PAdES baseline B-B, B-T, B-LT and B-LTA (ETSI EN 319 142-1).

Rules:

- A signature is an incremental update: the bytes that were there stay, so that earlier signatures hold.
- The target appears whole or not at all; it may be the source.
- Nothing is fetched but timestamps: revocation data comes from :class:`~haidang.crypto.trust.Trust`, and what
  a signature needs of it goes into the document (B-LT). The signature states the digest of the revision that
  has it (:mod:`haidang.crypto.following`), so that no bit of the file is free.
- What earlier signatures forbid is refused, and what was signed is read again before it is handed out.

Example::

    sign_pdf(Path("a.pdf"), Path("a.signed.pdf"), signatory, level="B-T", timestamper=authority.timestamper(),
             now=context.now())
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

from haidang.crypto.coroutines import finished
from haidang.crypto.files import read_bounded, write_whole
from haidang.crypto.following import statement_provider
from haidang.crypto.lean import lean_pyhanko
from haidang.crypto.marking.attribute import attribute_providers
from haidang.crypto.pdfs import LARGEST_PDF, open_pdf, reading
from haidang.crypto.signing._evidence import evidence_for, following_revision, has_code
from haidang.crypto.trust import as_asn1
from haidang.errors import SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from haidang.crypto.marking.labels import Label
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.signers import Signatory
    from haidang.crypto.signing.appearance import Appearance, Placed
    from haidang.crypto.trust import Trust

__all__ = ["LEVELS", "Details", "Level", "sign_pdf", "sign_pdf_bytes"]

Level: TypeAlias = Literal["B-B", "B-T", "B-LT", "B-LTA"]
LEVELS: tuple[Level, ...] = get_args(Level)


_NO_LIMIT = float("inf")
_ATTRIBUTES = 1024
"""Octets of what a signature has beside certificates, signature and timestamp."""
_LONGEST_SIGNATURE = 3400
"""Octets of one of ML-DSA-65, the longest."""


class Details(NamedTuple):
    """What a signature states beside who and when, and how its document is opened."""

    reason: str = ""
    """Why it was signed, e.g. "Phê duyệt"."""
    location: str = ""
    labels: Sequence[Label] = ()
    """How the document is marked; a signed attribute says it."""
    field: str = ""
    """An empty signature field of the form that is to be signed, or the name of a new one."""
    password: Passphrase | None = None
    """What opens an encrypted document."""


class _Wanted(NamedTuple):
    signatory: Signatory
    level: Level
    timestamper: Any
    trust: Trust | None
    details: Details
    now: dt.datetime


def sign_pdf(
    source: Path,
    target: Path,
    signatory: Signatory,
    *,
    now: dt.datetime,
    level: Level = "B-LT",
    replace: bool = True,
    **options: Any,
) -> None:
    """Sign the PDF ``source`` into ``target``, which appears whole or not at all.

    Args:
        source: what is signed.
        target: where the signed document appears; it may be ``source``.
        signatory: who signs.
        now: the time of signing that the document states.
        level: ``B-B``, ``B-T`` (with a timestamp), ``B-LT`` (and revocation data) or ``B-LTA`` (and a
            timestamp over all of it).
        replace: whether a file that is there is replaced.
        options: the further arguments of :func:`sign_pdf_bytes`.

    Raises:
        InputError: The source cannot be read.
        OutputError: The target cannot be written.
        SigningError: The document, the certificate or an earlier signature does not allow it, or no timestamp
            can be had.
    """
    content = read_bounded(source, LARGEST_PDF)
    signed = sign_pdf_bytes(content, signatory, now=now, level=level, **options)
    write_whole(target, signed, replace=replace)


def sign_pdf_bytes(
    content: bytes,
    signatory: Signatory,
    *,
    now: dt.datetime,
    level: Level = "B-LT",
    timestamper: Any = None,
    trust: Trust | None = None,
    appearance: Appearance | None = None,
    details: Details = Details(),  # noqa: B008 -- immutable
) -> bytes:
    """Return the PDF ``content`` with one more signature.

    Args:
        content: the document.
        signatory: who signs.
        now: the time of signing that the document states.
        level: see :func:`sign_pdf`.
        timestamper: a ``pyhanko.sign.timestamps.api.TimeStamper``; every level but ``B-B`` needs one.
            One object for many documents saves a request for each.
        trust: chain and revocation data; ``B-LT`` and ``B-LTA`` need them.
        appearance: what is seen on the page; None for a signature that is not seen.
        details: what else the signature states.

    Raises:
        SigningError: See :func:`sign_pdf`.
    """
    _check_request(signatory, level, timestamper, trust, now)
    lean_pyhanko()
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    with reading():
        reader = open_pdf(content, details.password)
        earlier = len(_respected(reader))
        name = _field_name(reader, details.field)
        seal = appearance.placed(reader, signatory, now) if appearance else None
        writer = IncrementalPdfFileWriter.from_reader(reader)
    wanted = _Wanted(signatory, level, timestamper, trust, details, now)
    with reading(_NO_LIMIT):  # a time stamping authority may take its time
        signed = finished(_sign(wanted, writer, name, seal))
    with reading():
        _read_again(signed, details.password, name, earlier)
    return signed


def _name_mac_attribute() -> None:
    """Make an attribute of encrypted documents known that pyHanko 0.38 forgets where CMS was used before."""
    from asn1crypto import cms

    cms.CMSAttributeType.unmap("content_type")  # makes the map of names, if there is none yet
    names = cms.CMSAttributeType._reverse_map  # noqa: SLF001 -- pyHanko writes it the wrong way round
    names["pdf_mac_data"] = "1.0.32004.1.2"
    names.pop("1.0.32004.1.2", None)


def _check_request(
    signatory: Signatory, level: Level, timestamper: Any, trust: Trust | None, now: dt.datetime
) -> None:
    """Refuse what needs no look into the document."""
    certificate = signatory.certificate
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SigningError(
            N_("The certificate is valid from {begin} to {end}, and now is {now}."),
            hint=N_("Renew the certificate, or set the clock of this machine."),
            begin=certificate.not_valid_before_utc.date(),
            end=certificate.not_valid_after_utc.date(),
            now=now.date(),
        )
    if level != "B-B" and timestamper is None:
        raise SigningError(
            N_("A signature of level {level} needs a time stamping authority."),
            hint=N_("Name one in settings.toml, or ask for level B-B."),
            level=level,
        )
    if level in {"B-LT", "B-LTA"} and trust is None:
        raise SigningError(
            N_("A signature of level {level} needs certificates and revocation lists that are trusted."),
            hint=N_("Put them into the folder trust, or ask for level B-T."),
            level=level,
        )


def _respected(reader: Any) -> list[Any]:
    """Return the earlier signatures; refuse where one of them forbids every change."""
    from pyhanko.sign.fields import MDPPerm

    earlier = list(reader.embedded_signatures)
    for one in earlier:
        if one.docmdp_level == MDPPerm.NO_CHANGES:
            raise SigningError(
                N_("The signature {field} forbids every change of the document, also a further signature."),
                hint=N_(
                    "Ask whoever signed first for a copy that allows signing, or sign a container of it."
                ),
                field=one.field_name,
            )
    return earlier


def _field_name(reader: Any, wanted: str) -> str:
    """Return the name of the field that is to be signed: an empty one that is there, or a new one."""
    from pyhanko.sign.fields import enumerate_sig_fields

    filled = {name for name, value, _ in enumerate_sig_fields(reader) if value is not None}
    if wanted:
        if wanted in filled:
            raise SigningError(
                N_("The field {field} is signed already."), hint=N_("Name another one."), field=wanted
            )
        return wanted
    taken = filled | set(_all_names(reader))
    number = 1
    while f"Signature{number}" in taken:
        number += 1
    return f"Signature{number}"


def _all_names(reader: Any) -> list[str]:
    try:
        fields = reader.root["/AcroForm"]["/Fields"]
        return [str(field.get_object().get("/T", "")) for field in fields]
    except KeyError:
        return []


def _pdf_signer(wanted: _Wanted, name: str, seal: Placed | None, evidence: Any, attributes: list[Any]) -> Any:
    """Return the ``PdfSigner`` for what is wanted.

    ``evidence`` is a validation context, or None. ``attributes`` are read when the signature is made: until
    then, more may be appended.
    """
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers.pdf_signer import (
        DSSContentSettings,
        PdfSignatureMetadata,
        PdfSigner,
        SigDSSPlacementPreference,
    )

    # EU DSS calls a document B-LT or B-LTA only with the evidence in a later revision than that of the
    # signature. An archive timestamp makes one anyway.
    placement = (
        SigDSSPlacementPreference.TOGETHER_WITH_NEXT_TS
        if wanted.level == "B-LTA"
        else SigDSSPlacementPreference.SEPARATE_REVISION
    )
    meta = PdfSignatureMetadata(
        field_name=name,
        md_algorithm=wanted.signatory.digest,
        reason=wanted.details.reason or None,
        location=wanted.details.location or None,
        subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=evidence is not None,
        use_pades_lta=wanted.level == "B-LTA",
        validation_context=evidence,
        signer_key_usage=set(),
        dss_settings=DSSContentSettings(include_vri=False, placement=placement),
    )
    spec = SigFieldSpec(sig_field_name=name)
    if seal is not None:
        box: Any = seal.box  # points need not be whole numbers
        spec = SigFieldSpec(sig_field_name=name, on_page=seal.page, box=box)
    return PdfSigner(
        meta,
        wanted.signatory.pyhanko_signer(attributes),
        timestamper=None if wanted.level == "B-B" else wanted.timestamper,
        stamp_style=seal.style if seal is not None else None,
        new_field_spec=spec,
    )


async def _sign(wanted: _Wanted, writer: Any, name: str, seal: Placed | None) -> bytes:
    """Return the signed document: the steps of ``PdfSigner.async_sign_pdf``, at the time ``now``."""
    from pyhanko.sign.general import SigningError as PyhankoSigningError
    from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
    from pyhanko.sign.timestamps.common_utils import TimestampRequestError
    from pyhanko_certvalidator.errors import PathError, ValidationError

    output = io.BytesIO()
    evidence = None
    try:
        if wanted.trust is not None and wanted.level in {"B-LT", "B-LTA"}:
            evidence = await evidence_for(wanted.trust, wanted.signatory, wanted.timestamper, wanted.now)
        providers = attribute_providers(wanted.details.labels)
        session = _pdf_signer(wanted, name, seal, evidence, providers).init_signing_session(writer)
        session.system_time = wanted.now
        info = await session.perform_presign_validation(writer)
        if writer.security_handler is None:
            reserved = await _room(wanted)
        else:  # an encrypted document may put a code of its own into the signature
            reserved = await session.estimate_signature_container_size(info, tight=False)
        document = session.prepare_tbs_document(info, bytes_reserved=reserved)
        digest, output = document.digest_tbs_document(output=output)
        following = b""
        if wanted.level == "B-LT" and not has_code(writer):
            following = await following_revision(document, output)
        if following:
            providers.append(statement_provider(following, wanted.signatory.digest))
        attributes = PdfCMSSignedAttributes(signing_time=wanted.now)
        _name_mac_attribute()
        finished = await document.perform_signature(digest.document_digest, attributes)
        if following:
            output.seek(0, io.SEEK_END)
            output.write(following)
        else:
            await finished.post_signature_processing(output)
    except (PathError, ValidationError) as error:
        raise _untrusted(error) from error
    except PyhankoSigningError as error:
        if isinstance(error.__cause__, (PathError, ValidationError)):
            raise _untrusted(error.__cause__) from error
        raise SigningError(
            N_("The document cannot be signed: {reason}."), reason=str(error).rstrip(".")
        ) from error
    except (TimestampRequestError, OSError) as error:
        raise SigningError(
            N_("No timestamp could be had: {reason}."),
            hint=N_("Try again, name another time stamping authority, or ask for level B-B."),
            reason=str(error).rstrip("."),
        ) from error
    signed: bytes = output.getvalue()
    return signed


async def _room(wanted: _Wanted) -> int:
    """Return how many hexadecimal digits the signature may take: what is in it, and a half more.

    pyHanko finds out by making a signature that it throws away: a third of the time of each document.
    """
    signatory = wanted.signatory
    octets = _ATTRIBUTES + (_LONGEST_SIGNATURE if signatory.digest == "sha512" else 512)
    octets += sum(len(str(label).encode()) for label in wanted.details.labels)
    octets += sum(len(as_asn1(one).dump()) for one in (signatory.certificate, *signatory.authorities))
    if wanted.level != "B-B":
        # A token over nothing, which the timestamper keeps for the next document.
        token = await wanted.timestamper.async_dummy_response(signatory.digest)
        octets += len(token.dump())
    return 2 * (octets + octets // 2)


def _untrusted(error: BaseException) -> SigningError:
    return SigningError(
        N_("The certificates do not stand up to a check: {reason}."),
        hint=N_("Fetch fresh revocation lists, or renew the certificate."),
        reason=str(error).rstrip("."),
    )


def _read_again(signed: bytes, password: Passphrase | None, name: str, earlier: int) -> None:
    """Make sure that the new signature covers the document and that those before it still hold."""
    from pyhanko.sign.diff_analysis import SuspiciousModification
    from pyhanko.sign.general import find_unique_cms_attribute
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    reader = open_pdf(signed, password)
    found = list(reader.embedded_signatures)
    for one in found[:earlier]:
        one.compute_integrity_info()
        if one.sig_object_type == "/DocTimeStamp":
            info = one.signed_data["encap_content_info"]["content"].parsed
            stated = info["message_imprint"]["hashed_message"].native
        else:
            stated = find_unique_cms_attribute(one.signer_info["signed_attrs"], "message_digest").native
        if (
            isinstance(one.diff_result, SuspiciousModification)
            or one.summarise_integrity_info()["docmdp_ok"] is False
            or stated != one.compute_digest()
        ):
            raise SigningError(
                N_("The earlier signature {field} would not hold, or does not hold already."),
                hint=N_(
                    "Verify the document: haidang verify. Sign the document as it was when that was made."
                ),
                field=one.field_name,
            )
    mine = next((one for one in found if one.field_name == name), None)
    good = {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION}
    if mine is None or mine.evaluate_signature_coverage() not in good:
        raise SigningError(
            N_("The new signature would not cover the whole document."),
            hint=N_("Print the document to a new PDF, and sign that."),
        )
