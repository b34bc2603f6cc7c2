"""CAdES signatures (ETSI EN 319 122-1) beside the file that they sign: level B-B, or B-T with a timestamp.

Rules:

- What is signed is a digest, so a file of any size is read once, in pieces.
- Signed attributes: content-type, message-digest, signing-time, signing-certificate-v2 (RFC 5035) and
  cms-algorithm-protection (RFC 6211). ``openssl cms -verify -cades`` accepts them.
- A timestamp is over the signature (signature-time-stamp-token). Level B-T without one is an error, never
  quietly B-B.

Example::

    signature = sign_digest(signatory, sha256.digest(), "sha256", now=now)
"""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING, Any

from haidang.crypto.coroutines import finished
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import write_whole
from haidang.crypto.lean import lean_pyhanko
from haidang.crypto.marking.attribute import attribute_providers
from haidang.errors import InputError, SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

    from haidang.crypto.marking.labels import Label
    from haidang.crypto.signers import Signatory

__all__ = ["digest_of_file", "sign_digest", "sign_file"]

_CHUNK = 1 << 20


def sign_digest(
    signatory: Signatory,
    digest: bytes,
    algorithm: str,
    *,
    now: dt.datetime,
    timestamper: Any = None,
    labels: Iterable[Label] = (),
    attributes: Iterable[Any] = (),
) -> bytes:
    """Return a detached CAdES signature over what has ``digest``: DER.

    Args:
        signatory: who signs.
        digest: the digest of the content.
        algorithm: its algorithm, e.g. ``sha256``; ``signatory.digest`` is the one that goes with the key.
        now: the signing time that the signer claims.
        timestamper: a pyHanko ``TimeStamper``; None makes level B-B.
        labels: how the content is marked; a signed attribute says it.
        attributes: providers of further signed attributes (:mod:`haidang.crypto.signed_attributes`).

    Raises:
        SigningError: The key cannot sign this, or no timestamp can be had.
    """
    lean_pyhanko()
    with needs_extra():
        from pyhanko.sign.general import SigningError as LibrarySigningError
        from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
        from pyhanko.sign.timestamps.common_utils import TimestampRequestError
    signer = signatory.pyhanko_signer([*attribute_providers(labels), *attributes])
    try:
        signed = finished(
            signer.async_sign(
                digest,
                algorithm,
                use_pades=True,
                is_pdf_sig=False,
                timestamper=timestamper,
                signed_attr_settings=PdfCMSSignedAttributes(signing_time=now.replace(microsecond=0)),
            )
        )
    except TimestampRequestError as error:
        raise SigningError(
            N_("No timestamp could be had: {reason}"),
            hint=N_("Check the network and the authorities in the settings, or sign without one."),
            reason=error,
        ) from error
    except (LibrarySigningError, ValueError) as error:
        raise SigningError(N_("The key cannot sign this: {reason}"), reason=error) from error
    der: bytes = signed.dump()
    return der


def sign_file(
    source: Path,
    target: Path,
    signatory: Signatory,
    *,
    now: dt.datetime,
    timestamper: Any = None,
    labels: Iterable[Label] = (),
    replace: bool = False,
) -> None:
    """Write a detached signature over the file ``source`` to ``target``, whole or not at all.

    Raises:
        InputError: ``source`` cannot be read.
        OutputError: ``target`` cannot be written, or is there already.
        SigningError: See :func:`sign_digest`.
    """
    digest = digest_of_file(source, signatory.digest)
    signature = sign_digest(
        signatory, digest, signatory.digest, now=now, timestamper=timestamper, labels=labels
    )
    write_whole(target, signature, replace=replace)


def digest_of_file(path: Path, algorithm: str) -> bytes:
    """Return the digest of a file, which is read in pieces.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return _digest_of_stream(stream, algorithm)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error


def _digest_of_stream(stream: IO[bytes], algorithm: str) -> bytes:
    digest = hashlib.new(algorithm)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()
