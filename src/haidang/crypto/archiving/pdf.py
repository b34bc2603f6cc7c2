"""Keeps a signed PDF provable: PAdES-B-LTA (ETSI EN 319 142-1), and its renewal.

What proves the signatures and timestamps so far goes into the document's DSS; a document timestamp over all
of it follows. Both are incremental updates: earlier signatures stay as they are.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from haidang.crypto.archiving.evidence import evidence_for
from haidang.crypto.coroutines import finished
from haidang.crypto.embedded import signatures_in
from haidang.crypto.files import read_bounded, write_whole
from haidang.crypto.lean import lean_pyhanko
from haidang.crypto.pdfs import LARGEST_PDF, open_pdf, reading
from haidang.errors import SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.trust import Trust

__all__ = ["keep_pdf"]

_NO_LIMIT = float("inf")
_DIGEST = "sha512"


def keep_pdf(
    source: Path,
    target: Path,
    *,
    trust: Trust,
    timestamper: Any,
    replace: bool = False,
    password: Passphrase | None = None,
) -> None:
    """Add evidence and a document timestamp to ``source``, into ``target``, which may be the same.

    Raises:
        InputError: The document cannot be read, or ``password`` does not open it.
        OutputError: ``target`` cannot be written, or is there already.
        SigningError: It is not signed or not sound, or no timestamp can be had.
    """
    infos = signatures_in(source)
    if not infos:
        raise SigningError(
            N_("{path} is not signed: there is nothing to keep provable."),
            hint=N_("Sign it first: haidang sign."),
            path=source,
        )
    content = read_bounded(source, LARGEST_PDF)
    evidence = evidence_for(infos, trust)
    lean_pyhanko()
    from asn1crypto import crl, ocsp, x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.general import SigningError as LibrarySigningError
    from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
    from pyhanko.sign.timestamps.common_utils import TimestampRequestError
    from pyhanko.sign.validation.dss import DocumentSecurityStore

    with reading():
        writer = IncrementalPdfFileWriter.from_reader(open_pdf(content, password))
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            sig_contents=None,
            certs=[x509.Certificate.load(one) for one in evidence.certificates],
            crls=[crl.CertificateList.load(one) for one in evidence.crls],
            ocsps=[ocsp.OCSPResponse.load(one) for one in evidence.ocsps],
        )
    output = io.BytesIO()
    try:
        with reading(_NO_LIMIT):  # a time stamping authority may take its time
            finished(PdfTimeStamper(timestamper).async_timestamp_pdf(writer, _DIGEST, output=output))
    except (TimestampRequestError, LibrarySigningError) as error:
        raise SigningError(
            N_("No timestamp could be had: {reason}."),
            hint=N_("Try again, or name another time stamping authority."),
            reason=str(error).rstrip("."),
        ) from error
    write_whole(target, output.getvalue(), replace=replace)
