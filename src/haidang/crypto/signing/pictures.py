"""C2PA content credentials in pictures: who vouches for the picture, inside the picture itself.

The library c2pa builds the manifest and puts it into the file; here the key signs (it may be in a token), and
the labels go into an assertion of our own. In AVIF, HEIC and HEIF, another states what the standard's hash
leaves out (:mod:`haidang.crypto.outer_boxes`). Nothing is fetched and no thumbnail is added.

Example::

    sign_picture(Path("photo.jpg"), Path("photo.signed.jpg"), signatory, now=now)
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import appearing
from haidang.crypto.keys import algorithm_of, sign
from haidang.crypto.outer_boxes import BOXED_TYPES, OUTER_BOXES, read_outer_boxes
from haidang.errors import InputError, SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from haidang.crypto.marking.labels import Label
    from haidang.crypto.signers import Signatory

__all__ = ["LABELS", "LARGEST_PICTURE", "MAKER", "picture_type", "sign_picture"]

LARGEST_PICTURE = 512 << 20
"""Bytes."""
LABELS = "vn.haidang.marking"
"""The name of the assertion that has the labels."""
MAKER = "Hai Dang"
"""What claims that are made here name as their maker; the verifier holds them to the form that they have."""

_TYPES = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftypmif1", 4, "image/heif"),
    (b"II*\x00", 0, "image/tiff"),
    (b"MM\x00*", 0, "image/tiff"),
)
# How a signature of each kind of key is called, and how long half of one of ECDSA is (RFC 8152).
_ALGORITHMS = {"ecdsa-p256": ("ES256", 32), "ecdsa-p384": ("ES384", 48)}


def picture_type(head: bytes, path: Path | None = None) -> str:
    """Return the MIME type of a picture that can carry credentials, by its first bytes; "" for others."""
    del path
    for magic, offset, mime in _TYPES:
        if head[offset : offset + len(magic)] == magic:
            return mime
    return ""


def sign_picture(
    source: Path,
    target: Path,
    signatory: Signatory,
    *,
    now: dt.datetime,
    labels: Iterable[Label] = (),
    replace: bool = False,
) -> None:
    """Write the picture ``source`` with content credentials to ``target``, whole or not at all.

    Raises:
        InputError: The source cannot be read, is no picture, or is too large.
        SigningError: The key or the certificate is not one that credentials allow, or the picture is damaged.
        OutputError: The target cannot be written, or is there already.
    """
    with needs_extra():
        import c2pa
    if not signatory.certificate.not_valid_before_utc <= now <= signatory.certificate.not_valid_after_utc:
        raise SigningError(
            N_("The certificate is not valid at this time."),
            hint=N_("Renew it, or set the clock of this machine."),
        )
    mime = _mime_of(source)
    context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
    signer = _signer(signatory)
    with source.open("rb") as given, appearing(target, replace=replace) as stream:
        boxes = _boxes_digest(given) if mime in BOXED_TYPES else ""
        try:
            builder = c2pa.Builder(_manifest(source, labels, boxes), context=context)
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            builder.sign(signer, mime, given, stream)
        except c2pa.C2paError as error:
            raise SigningError(
                N_("The picture cannot be given content credentials: {reason}"),
                hint=N_("Sign beside it instead: haidang sign --detached."),
                reason=error,
            ) from error
        if boxes:
            _require_boxes(stream, boxes)


_SETTINGS: dict[str, Any] = {
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


def _mime_of(source: Path) -> str:
    try:
        with source.open("rb") as stream:
            mime = picture_type(stream.read(64))
            size = stream.seek(0, 2)
    except OSError as error:
        raise InputError(
            f"{source} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error
    if not mime or size > LARGEST_PICTURE:
        raise InputError(f"{source} is no picture that can carry credentials", hint="Use --detached.")
    return mime


def _boxes_digest(picture: IO[bytes]) -> str:
    """Return what the claim states of the outer boxes; the stream is at its beginning afterwards."""
    boxes = read_outer_boxes(picture)
    picture.seek(0)
    if boxes is None:
        raise _unsound_boxes()
    return boxes.digest


def _require_boxes(signed: IO[bytes], digest: str) -> None:
    """Make sure that c2pa put the credentials where they must be, and left the other boxes as they were."""
    boxes = read_outer_boxes(signed)
    signed.seek(0, 2)
    if boxes is None or boxes.digest != digest or not boxes.behind_type:
        raise _unsound_boxes()


def _unsound_boxes() -> SigningError:
    return SigningError(
        N_("The picture cannot be given content credentials: its boxes are damaged or out of order."),
        hint=N_("Sign beside it instead: haidang sign --detached."),
    )


def _manifest(source: Path, labels: Iterable[Label], boxes: str) -> dict[str, Any]:
    written = [str(label) for label in labels]
    assertions: list[dict[str, Any]] = []
    if written:
        assertions.append({"label": LABELS, "data": {"labels": written}})
    if boxes:
        assertions.append({"label": OUTER_BOXES, "data": {"sha256": boxes}})
    return {
        "title": source.name,
        "claim_generator_info": [{"name": MAKER, "version": __version__}],
        "assertions": assertions,
    }


def _signer(signatory: Signatory) -> Any:
    import c2pa
    from cryptography.hazmat.primitives.serialization import Encoding

    algorithm = algorithm_of(signatory.key)
    if algorithm not in _ALGORITHMS:
        raise SigningError(
            N_("Content credentials cannot be signed with a key of {algorithm}."),
            hint=N_("Use a key of ECDSA, or sign beside the picture: haidang sign --detached."),
            algorithm=algorithm,
        )
    name, half = _ALGORITHMS[algorithm]
    chain = (signatory.certificate, *signatory.authorities)
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain).decode()
    return c2pa.Signer.from_callback(_callback(signatory, half), c2pa.C2paSigningAlg[name], pem)


def _callback(signatory: Signatory, half: int) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    def raw(data: bytes) -> bytes:
        r, s = decode_dss_signature(sign(signatory.key, data, signatory.digest))
        return r.to_bytes(half, "big") + s.to_bytes(half, "big")

    return raw
