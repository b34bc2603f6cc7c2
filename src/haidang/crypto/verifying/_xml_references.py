"""What a signature in XML is over: its references, what they lead to, and what they leave out.

Only these transforms are accepted: leaving out the signature itself (``enveloped-signature``, and the two
XPath expressions that say the same of all signatures, word for word), base64, and canonical XML last.

What a reference leads to is covered with all that is in it, but for the signatures. An element that nothing
covers may only be a frame: no text, no attributes but ids, and in it nothing but what is covered.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying._xml_reading import (
    CANONICAL_XML,
    DS,
    QUALIFYING_PROPERTIES,
    SIGNATURE,
    XmlRefusedError,
    bytes_in,
    canonical,
    element_with_id,
    elements_by_id,
    is_comment,
    is_element,
    is_id,
    only_child,
    read_xml,
    text_in,
    transform_refused,
    tree_of,
)
from haidang.crypto.verifying.signer_infos import Failure, content_changed, unsound
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

__all__ = [
    "DIGESTS",
    "Covered",
    "Document",
    "Reference",
    "Surroundings",
    "algorithm_refused",
    "is_content",
    "read_references",
    "uncovered",
]

MOST_REFERENCES = 10_000
MOST_WORK = 160 << 20
"""Bytes of XML that are read again, or brought into canonical form, for all signatures of one document."""

DIGESTS: Final = {
    f"{DS}sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-256": "sha3_256",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-384": "sha3_384",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-512": "sha3_512",
}
_ENVELOPED: Final = f"{DS}enveloped-signature"
_BASE64: Final = f"{DS}base64"
_XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_FILTER: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
_INCLUSIVE_NAMESPACES: Final = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
_MANIFEST: Final = f"{DS}Manifest"


class Transform(NamedTuple):
    """One step from the content to what was signed."""

    name: str
    prefixes: str = ""
    """Of exclusive canonical XML."""


class Reference(NamedTuple):
    """One thing that is signed."""

    uri: str
    kind: str
    """Its type, a URI; often empty."""
    transforms: tuple[Transform, ...]
    algorithm: str
    digest: bytes


class Covered(NamedTuple):
    """What one reference leads to."""

    element: Any = None
    """An element of the document; the root for all of it; None for another file."""
    whole: bool = False
    file: str = ""


class Surroundings(NamedTuple):
    """The files around a signature."""

    digest: Callable[[str, str], bytes | None]
    """Returns the digest of a file by its name and the algorithm; None where it is not there."""
    missing: Callable[[str], Failure]
    """What it is called that a file is not there."""
    altered: Callable[[str], Failure]
    """What it is called that a file is another one."""
    octets: Callable[[str], Iterator[bytes]]
    """Yields the content of a file that is there, in parts."""


def read_references(signed_info: Any) -> tuple[Reference, ...]:
    """Return the references of a SignedInfo.

    Raises:
        XmlRefusedError: They are not sound, or use what is not accepted.
    """
    found = signed_info.findall(f"{{{DS}}}Reference")
    if not 0 < len(found) <= MOST_REFERENCES:
        raise XmlRefusedError(unsound(f"{len(found)} references"))
    return tuple(_reference(one) for one in found)


def _reference(element: Any) -> Reference:
    uri = element.get("URI")
    if uri is None:
        raise XmlRefusedError(unsound("a reference without URI"))
    kind = element.get("Type", "")
    method = only_child(element, f"{{{DS}}}DigestMethod").get("Algorithm", "")
    if method not in DIGESTS:
        raise XmlRefusedError(algorithm_refused(method))
    if kind == _MANIFEST:
        raise XmlRefusedError(transform_refused(kind))
    lists = element.findall(f"{{{DS}}}Transforms")
    if len(lists) > 1:
        raise XmlRefusedError(unsound("Transforms"))
    transforms = tuple(_transform(one) for one in (lists[0] if lists else ()))
    digest = bytes_in(only_child(element, f"{{{DS}}}DigestValue"))
    return Reference(uri, kind, transforms, DIGESTS[method], digest)


def algorithm_refused(name: str) -> Failure:
    """Return that an algorithm is not one that is accepted."""
    reason = Reason(
        "algorithm-not-accepted",
        Message(
            N_("It was signed with {algorithm}, which is not accepted."),
            algorithm=name.rpartition("#")[2][:80] or "?",
        ),
        Message(N_("Ask the signer to sign again with SHA-256 or stronger.")),
    )
    return Failure("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", reason)


def _transform(element: Any) -> Transform:
    name = element.get("Algorithm", "")
    if element.tag != f"{{{DS}}}Transform":
        raise XmlRefusedError(unsound("Transforms"))
    if name == _XPATH:
        expression = only_child(element, f"{{{DS}}}XPath")
        allowed = "not(ancestor-or-self::{}:Signature)"
    elif name == _FILTER:
        expression = only_child(element, f"{{{_FILTER}}}XPath")
        allowed = "/descendant::{}:Signature" if expression.get("Filter") == "subtract" else ""
    elif len(element) == 1 and element[0].tag == _INCLUSIVE_NAMESPACES:
        return Transform(name, element[0].get("PrefixList", ""))
    elif len(element):
        raise XmlRefusedError(transform_refused(name))
    else:
        return Transform(name)
    said = text_in(expression).strip()
    prefixes = [prefix for prefix, uri in expression.nsmap.items() if prefix and uri == DS]
    if len(element) != 1 or said not in {allowed.format(prefix) for prefix in prefixes if allowed}:
        raise XmlRefusedError(transform_refused(said))
    return Transform(name)


class Document:
    """A document with signatures, and what references lead to in it."""

    def __init__(self, content: bytes) -> None:
        """Read it.

        Raises:
            XmlRefusedError: It is not sound.
        """
        self.content = content
        self.root = read_xml(content)
        self.signatures = list(self.root.iter(SIGNATURE))
        self._by_id = elements_by_id(self.root)
        self._left = MOST_WORK

    def check(
        self, references: Sequence[Reference], number: int, around: Surroundings
    ) -> tuple[list[Covered], Failure | None]:
        """Return what the references of a signature cover, and the first that is not what was signed.

        Args:
            references: of one signature.
            number: which of all signatures of the document it is.
            around: the other files.

        Raises:
            XmlRefusedError: What a reference leads to cannot be told.
        """
        covered = []
        failure = None
        for one in references:
            if one.uri == "" or one.uri.startswith("#"):
                here = self._target(one.uri)
                digest = hashlib.new(one.algorithm, self._octets(one, here, number)).digest()
                wrong = None if hmac.compare_digest(digest, one.digest) else content_changed()
            else:
                here, wrong = _file(one, around)
            covered.append(here)
            failure = failure or wrong
        return covered, failure

    def signed(
        self, references: Sequence[Reference], number: int, around: Surroundings, method: str
    ) -> Iterator[bytes]:
        """Yield what the references of a signature lead to, as it was signed, in their order.

        Args:
            references: of one signature.
            number: which of all signatures of the document it is.
            around: the other files.
            method: the canonical form of what was signed without naming one.

        Raises:
            XmlRefusedError: What a reference leads to cannot be told.
        """
        for one in references:
            if one.uri == "" or one.uri.startswith("#"):
                yield self._octets(one, self._target(one.uri), number, method)
            else:
                yield from around.octets(_file_name(one))

    def _target(self, uri: str) -> Covered:
        if uri == "":
            return Covered(self.root, whole=True)
        if uri.startswith("#xpointer("):
            raise XmlRefusedError(transform_refused(uri))
        return Covered(element_with_id(self._by_id, uri[1:]))

    def _octets(
        self, reference: Reference, target: Covered, number: int, method: str = CANONICAL_XML
    ) -> bytes:
        """Return what was signed of the document itself: the content after the transforms."""
        steps = list(reference.transforms)
        without: list[int] = []
        if steps and steps[0].name == _ENVELOPED:
            without = [number]
            steps.pop(0)
        elif steps and steps[0].name in {_XPATH, _FILTER}:
            without = list(range(len(self.signatures)))
            steps.pop(0)
        if [step.name for step in steps] == [_BASE64] and not target.whole and not without:
            return bytes_in(target.element)
        if len(steps) > 1:
            raise XmlRefusedError(transform_refused(steps[0].name))
        element = self._without(reference.uri, target, without) if without else target.element
        step = steps[0] if steps else Transform(method)
        octets = canonical(element, step.name, step.prefixes, whole=target.whole)
        self._spend(len(octets))
        return octets

    def _without(self, uri: str, target: Covered, numbers: Sequence[int]) -> Any:
        """Return the target in a tree of its own, from which signatures are taken out."""
        self._spend(len(self.content))
        root = tree_of(self.content)
        element = root if target.whole else element_with_id(elements_by_id(root), uri[1:])
        signatures = list(root.iter(SIGNATURE))
        for one in (signatures[number] for number in numbers):
            if one is element or one in element.iterancestors():
                raise XmlRefusedError(transform_refused(_ENVELOPED))
            if one.getparent() is not None:
                _take_out(one)
        return element

    def _spend(self, octets: int) -> None:
        self._left -= octets
        if self._left < 0:
            raise XmlRefusedError(unsound("more references than are accepted of a document of this size"))


def _take_out(element: Any) -> None:
    """Take an element out, and leave the text behind it where it is."""
    parent, before = element.getparent(), element.getprevious()
    if element.tail:
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
        element.tail = None
    parent.remove(element)


def _file(reference: Reference, around: Surroundings) -> tuple[Covered, Failure | None]:
    if reference.transforms:
        raise XmlRefusedError(transform_refused(reference.transforms[0].name))
    name = _file_name(reference)
    digest = around.digest(name, reference.algorithm)
    if digest is None:
        return Covered(file=name), around.missing(name)
    same = hmac.compare_digest(digest, reference.digest)
    return Covered(file=name), None if same else around.altered(name)


def _file_name(reference: Reference) -> str:
    try:
        return unquote_to_bytes(reference.uri).decode()
    except UnicodeDecodeError as error:
        raise XmlRefusedError(unsound("URI of a reference")) from error


def is_content(one: Covered) -> bool:
    """Return whether a reference leads to content, and not to a part of a signature (its properties, say)."""
    if one.file or one.whole:
        return True
    passed = set()
    for node in (one.element, *one.element.iterancestors()):
        if node.tag == SIGNATURE:
            return f"{{{DS}}}Object" in passed and QUALIFYING_PROPERTIES not in passed
        passed.add(node.tag)
    return True


def uncovered(root: Any, covered: Sequence[Covered], judged: Collection[Any]) -> Iterator[Any]:
    """Yield the outermost nodes of a document that no signature covers, and that are no mere frame.

    Args:
        root: the document.
        covered: what the references of its signatures lead to.
        judged: its signatures, those within another one aside.
    """
    elements = {one.element for one in covered if one.element is not None}
    whole = any(one.whole for one in covered)
    beside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    for node in (*beside, root):
        yield from _uncovered(node, elements, judged, inside=whole)


def _uncovered(
    node: Any, elements: Collection[Any], judged: Collection[Any], *, inside: bool
) -> Iterator[Any]:
    if not is_element(node):
        if not inside and not is_comment(node):  # A processing instruction may say how it is shown.
            yield node
        return
    if node in judged:
        for one in node.findall(f"{{{DS}}}Object"):
            yield from _uncovered_object(one, elements, judged)
        return
    inside = inside or node in elements
    if not inside and not _is_frame(node):
        yield node
        return
    for child in node:
        yield from _uncovered(child, elements, judged, inside=inside)


def _uncovered_object(node: Any, elements: Collection[Any], judged: Collection[Any]) -> Iterator[Any]:
    """Yield what is not covered of an Object of a signature; properties of the signature are no content."""
    if node in elements:
        return
    if not len(node) or _has_text(node):
        yield node
        return
    for child in node:
        if child.tag != QUALIFYING_PROPERTIES:
            yield from _uncovered(child, elements, judged, inside=False)


def _is_frame(node: Any) -> bool:
    return bool(len(node)) and not _has_text(node) and all(is_id(name) for name in node.attrib)


def _has_text(node: Any) -> bool:
    return bool((node.text or "").strip() or any((one.tail or "").strip() for one in node))
