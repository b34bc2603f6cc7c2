"""ASiCManifest (ETSI EN 319 162-1, annex A.4): which files a signature covers, with their digests.

A manifest of ours has an extension that says of which form the zip around it is
(:mod:`haidang.crypto.containers.zip_form`). It is not critical: who does not know it passes over it.

What is read is not trusted: its size is bounded by whoever reads it, its depth and its number of references
here; a document type, and with it every entity, is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes
from xml.parsers import expat

from haidang.crypto.containers.problems import ContainerError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_REFERENCES", "Manifest", "Reference", "read_manifest", "write_manifest"]

MOST_REFERENCES = 100_000
"""References of one manifest."""

_DEEPEST = 16
_ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_FORM: Final = "urn:uuid:f9a4c92c-795d-4a9b-ab37-65fe1bbf12ee"
"""Namespace of the extension that says of which form the zip is."""
_DIGESTS: Final = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_FORM_PATH: Final = [f"{_ASIC} ASiCManifestExtensions", f"{_ASIC} Extension", f"{_FORM} Form"]
_ESCAPED: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_LENGTHS: Final = {"sha256": 32, "sha384": 48, "sha512": 64}


class Reference(NamedTuple):
    """One file that is covered."""

    name: str
    digest: bytes
    algorithm: str = "sha256"
    mime: str = ""


class Manifest(NamedTuple):
    """A whole manifest."""

    signature: str
    """Name of the file with the signature over the manifest."""
    references: tuple[Reference, ...]
    listed: bytes | None = None
    """SHA-256 of the lines that the directory has of the members before it, where it says that the zip is of
    the form of :class:`~haidang.crypto.containers.zip_form.ZipForm`."""


def write_manifest(
    signature: str,
    references: Sequence[Reference],
    *,
    mime: str = "application/pkcs7-signature",
    listed: bytes | None = None,
) -> bytes:
    """Return a manifest as XML.

    Args:
        signature: name of the file with the signature over it.
        references: what it covers.
        mime: the kind of that file: a signature or a token.
        listed: see :attr:`Manifest.listed`.
    """
    methods = {name: method for method, name in _DIGESTS.items()}
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<asic:ASiCManifest xmlns:asic="{_ASIC}" xmlns:ds="{_DSIG}">',
        f"<asic:SigReference URI={_uri(signature)} MimeType={_quoted(mime)}/>",
    ]
    for one in references:
        kind = f" MimeType={_quoted(one.mime)}" if one.mime else ""
        lines += (
            f"<asic:DataObjectReference URI={_uri(one.name)}{kind}>",
            f'<ds:DigestMethod Algorithm="{methods[one.algorithm]}"/>',
            f"<ds:DigestValue>{base64.b64encode(one.digest).decode()}</ds:DigestValue>",
            "</asic:DataObjectReference>",
        )
    if listed is not None:
        lines += (
            "<asic:ASiCManifestExtensions>",
            '<asic:Extension Critical="false">',
            f'<zip:Form xmlns:zip="{_FORM}" ListedSHA256="{listed.hex()}"/>',
            "</asic:Extension>",
            "</asic:ASiCManifestExtensions>",
        )
    lines.append("</asic:ASiCManifest>\n")
    return "\n".join(lines).encode()


def read_manifest(content: bytes, name: str) -> Manifest:
    """Return what a manifest says; ``name`` is what errors call it.

    Raises:
        ContainerError: It is not a sound manifest, or uses a digest that is too weak or not known.
    """
    reading = _Reading(name)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(content, True)  # noqa: FBT003 -- expat takes it by position only
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise ContainerError(
            "manifest-not-xml", N_("{name} is not well-formed XML: {reason}."), name=name, reason=error
        ) from error
    return reading.manifest()


class _Reading:
    """What was read so far of one manifest."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path: list[str] = []
        self.signature: list[str] = []
        self.references: list[Reference] = []
        self.open: dict[str, str] = {}
        self.listed: bytes | None = None

    def doctype(self, *_: Any) -> None:
        raise ContainerError(
            "manifest-doctype", N_("{name} has a document type declaration."), name=self.name
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.path.append(tag)
        if len(self.path) > _DEEPEST:
            raise self.unsound("depth")
        if len(self.path) == 1 and tag != f"{_ASIC} ASiCManifest":
            raise self.unsound(tag.rpartition(" ")[2])
        if tag == f"{_ASIC} SigReference" and len(self.path) == 2:
            self.signature.append(self.uri(attributes))
        elif tag == f"{_ASIC} DataObjectReference" and len(self.path) == 2:
            self.open = {"name": self.uri(attributes), "mime": attributes.get("MimeType", ""), "value": ""}
            if len(self.references) >= MOST_REFERENCES:
                raise self.unsound("DataObjectReference")
        elif tag == f"{_DSIG} DigestMethod" and self.inside():
            if "method" in self.open:
                raise self.unsound("DigestMethod")
            self.open["method"] = attributes.get("Algorithm", "")
        elif self.path[1:] == _FORM_PATH:
            if self.listed is not None:
                raise self.unsound("Form")
            self.listed = self.digest_of_lines(attributes)

    def text(self, data: str) -> None:
        if self.path[-1] == f"{_DSIG} DigestValue" and self.inside():
            self.open["value"] += data

    def end(self, tag: str) -> None:
        if tag == f"{_ASIC} DataObjectReference" and len(self.path) == 2:
            self.references.append(self.reference())
            self.open = {}
        self.path.pop()

    def inside(self) -> bool:
        return len(self.path) == 3 and bool(self.open)

    def reference(self) -> Reference:
        method = self.open.get("method", "")
        algorithm = _DIGESTS.get(method)
        if algorithm is None:
            raise ContainerError(
                "digest-not-accepted",
                N_("{name} uses the digest {algorithm}, which is too weak or not known."),
                name=self.name,
                algorithm=method.rpartition("#")[2] or "?",
            )
        try:
            digest = base64.b64decode(re.sub(r"[ \t\r\n]", "", self.open["value"]), validate=True)
        except (binascii.Error, ValueError):
            raise self.unsound("DigestValue") from None
        if len(digest) != _LENGTHS[algorithm]:
            raise self.unsound("DigestValue")
        return Reference(self.open["name"], digest, algorithm, self.open["mime"])

    def digest_of_lines(self, attributes: dict[str, str]) -> bytes:
        value = attributes.get("ListedSHA256", "")
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise self.unsound("Form")
        return bytes.fromhex(value)

    def uri(self, attributes: dict[str, str]) -> str:
        uri = attributes.get("URI", "")
        try:
            name = unquote_to_bytes(uri).decode()
        except UnicodeDecodeError:
            name = ""
        if not name:
            raise self.unsound("URI")
        return name

    def manifest(self) -> Manifest:
        names = {one.name for one in self.references}
        if len(self.signature) != 1 or len(names) != len(self.references):
            raise self.unsound("SigReference" if len(self.signature) != 1 else "DataObjectReference")
        return Manifest(self.signature[0], tuple(self.references), self.listed)

    def unsound(self, what: str) -> ContainerError:
        return ContainerError(
            "manifest-unsound",
            N_("{name} is not a sound ASiC manifest: see {what}."),
            name=self.name,
            what=what,
        )


def _uri(name: str) -> str:
    return _quoted(quote(name, safe="/"))


def _quoted(value: str) -> str:
    # Of the standard library, xml.sax.saxutils would load a client for HTTP, and html every entity there is.
    return f'"{value.translate(_ESCAPED)}"'
