"""XML that holds a signature, read so that no two programs read it differently; and its canonical form.

Rules:

- A document type, and with it every entity, is refused before anything is built of the XML. Depth, nodes and
  namespaces in scope are bounded: canonical XML would cost their product.
- An id is any attribute that is called so in any case (``Id``, ``ID``, ``xml:id``, ``wsu:Id``). What is
  referred to must be the only element with it: signature wrapping lives off programs that find another one.
- Canonical XML is libxml2's. Nothing is fetched, no style sheet and no XPath expression is evaluated.

Input is not trusted: what is not sound is an :class:`XmlRefusedError`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying.signer_infos import Failure, unsound
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "CANONICAL_XML",
    "DS",
    "LARGEST_XML",
    "QUALIFYING_PROPERTIES",
    "SIGNATURE",
    "XADES",
    "XmlRefusedError",
    "bytes_in",
    "canonical",
    "element_with_id",
    "elements_by_id",
    "is_comment",
    "is_element",
    "is_id",
    "only_child",
    "read_xml",
    "text_in",
    "transform_refused",
    "tree_of",
]

LARGEST_XML = 32 << 20
"""Bytes of a document with signatures."""
MOST_NODES = 600_000
"""Elements, attributes, comments and processing instructions."""
MOST_ATTRIBUTES = 256
"""Of one element."""
MOST_NAMESPACES = 64
"""In scope at once."""
DEEPEST = 200

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE: Final = f"{{{DS}}}Signature"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
QUALIFYING_PROPERTIES: Final = f"{{{XADES}}}QualifyingProperties"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_INHERITED: Final = frozenset({f"{_XML}lang", f"{_XML}space"})
_SPACE = re.compile(r"[ \t\r\n]+")

_INCLUSIVE: Final = (
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2006/12/xml-c14n11",
)
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_METHODS: Final = {
    **dict.fromkeys((*_INCLUSIVE, *(f"{name}#WithComments" for name in _INCLUSIVE)), False),
    **dict.fromkeys((_EXCLUSIVE, f"{_EXCLUSIVE}WithComments"), True),
}
"""Whether it is exclusive, by the name of the method."""
CANONICAL_XML: Final = _INCLUSIVE[0]
"""The method where none is named (XML Signature 1.1, section 4.4.3.2)."""


class XmlRefusedError(Exception):
    """Why a signature in XML is not believed, or cannot be judged."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.reason.message))
        self.failure = failure


def read_xml(content: bytes) -> Any:
    """Return the root of a document (``lxml``).

    Raises:
        XmlRefusedError: It is not well-formed, has a document type, or is larger than is accepted.
    """
    if len(content) > LARGEST_XML:
        raise XmlRefusedError(unsound(f"more than {LARGEST_XML} bytes"))
    _look(content)
    root = tree_of(content)
    if root.getroottree().docinfo.doctype:
        raise XmlRefusedError(_doctype())
    return root


def tree_of(content: bytes) -> Any:
    """Return the root of a document that :func:`read_xml` has read before, in a tree of its own.

    Raises:
        XmlRefusedError: It is not well-formed.
    """
    with needs_extra():
        from lxml import etree
    # Without libxml2's own bounds of depth and text, since there are ours, and no entities.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=True
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefusedError(unsound(str(error))) from error


def _look(content: bytes) -> None:
    """Go over the XML without building anything of it."""
    depth = nodes = namespaces = 0

    def count(more: int) -> None:
        nonlocal nodes
        nodes += more
        if nodes > MOST_NODES:
            raise XmlRefusedError(unsound("more nodes than are accepted"))

    def aside(*_: object) -> None:
        count(1)

    def start(_: str, attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        count(1 + len(attributes) // 2)
        if depth > DEEPEST or len(attributes) > 2 * MOST_ATTRIBUTES:
            raise XmlRefusedError(unsound("deeper or larger than is accepted"))

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def begin_namespace(*_: object) -> None:
        nonlocal namespaces
        namespaces += 1
        if namespaces > MOST_NAMESPACES:
            raise XmlRefusedError(unsound("more namespaces than are accepted"))

    def end_namespace(*_: object) -> None:
        nonlocal namespaces
        namespaces -= 1

    def doctype(*_: object) -> None:
        raise XmlRefusedError(_doctype())

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = begin_namespace, end_namespace
    parser.CommentHandler = parser.ProcessingInstructionHandler = aside
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003 -- expat takes it by position only
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlRefusedError(unsound(str(error))) from error


def _doctype() -> Failure:
    reason = Reason(
        "xml-doctype",
        Message(N_("The XML has a document type declaration, which is not accepted.")),
        Message(N_("Ask the signer for a document without one.")),
    )
    return Failure("TOTAL-FAILED", "FORMAT_FAILURE", reason)


def is_comment(node: Any) -> bool:
    """Return whether a node is a comment."""
    from lxml import etree

    return node.tag is etree.Comment


def is_element(node: Any) -> bool:
    """Return whether a node is an element, and no comment or processing instruction."""
    return isinstance(node.tag, str)


def only_child(parent: Any, tag: str) -> Any:
    """Return the child with this tag, of which there must be one.

    Raises:
        XmlRefusedError: There is none, or more.
    """
    found = parent.findall(tag)
    if len(found) != 1:
        raise XmlRefusedError(unsound(f"{len(found)} {tag.rpartition('}')[2]}"))
    return found[0]


def text_in(element: Any) -> str:
    """Return all the text of an element that must hold nothing else, not even a comment.

    Raises:
        XmlRefusedError: It holds something else.
    """
    if len(element):
        raise XmlRefusedError(unsound(f"more than text in {element.tag.rpartition('}')[2]}"))
    return element.text or ""


def bytes_in(element: Any) -> bytes:
    """Return what the base64 of an element says.

    Raises:
        XmlRefusedError: It is none.
    """
    try:
        return base64.b64decode(_SPACE.sub("", text_in(element)), validate=True)
    except (binascii.Error, ValueError) as error:
        raise XmlRefusedError(unsound(f"base64 of {element.tag.rpartition('}')[2]}")) from error


def ids_of(element: Any) -> Iterator[str]:
    """Yield the values of the attributes by which an element may be referred to."""
    for name, value in element.items():
        if is_id(name):
            yield value


def is_id(attribute: str) -> bool:
    """Return whether an attribute (as lxml names it) is called id."""
    return attribute.rpartition("}")[2].casefold() == "id"


def elements_by_id(root: Any) -> dict[str, list[Any]]:
    """Return the elements of a document by what they are called."""
    found: dict[str, list[Any]] = {}
    for one in root.iter():
        for name in ids_of(one) if is_element(one) else ():
            found.setdefault(name, []).append(one)
    return found


def element_with_id(elements: Mapping[str, Sequence[Any]], wanted: str) -> Any:
    """Return the only element (:func:`elements_by_id`) that is called ``wanted``.

    Raises:
        XmlRefusedError: There is none, or more: what was signed cannot be told.
    """
    found = elements.get(wanted, ())
    if len(found) == 1:
        return found[0]
    reason = Reason(
        "reference-ambiguous",
        Message(
            N_("What was signed cannot be told: {n} elements are called {name} (signature wrapping)."),
            n=len(found),
            name=wanted[:80],
        ),
        Message(N_("Do not rely on it. Fetch the file again, with its signature.")),
    )
    raise XmlRefusedError(Failure("TOTAL-FAILED", "FORMAT_FAILURE", reason))


def canonical(node: Any, method: str, prefixes: str = "", *, whole: bool = False) -> bytes:
    """Return the canonical form of an element, or of its whole document; comments are left out.

    That they are, whatever the method is called, is what a reference within a document means (XML Signature
    1.1, section 4.4.3.3); within a signature they are refused.

    Args:
        node: an element; the root where ``whole`` is set.
        method: its name, a URI.
        prefixes: namespaces that exclusive canonical XML treats as inclusive ones.
        whole: whether what stands before and behind the root belongs to it.

    Raises:
        XmlRefusedError: The method is not one that is accepted.
    """
    from lxml import etree

    if method not in _METHODS:
        raise XmlRefusedError(transform_refused(method))
    exclusive = _METHODS[method]
    options: dict[str, Any] = {"exclusive": exclusive, "with_comments": False}
    if exclusive and prefixes:
        options["inclusive_ns_prefixes"] = prefixes.split()
    if whole:
        node = node.getroottree()
    elif node.getparent() is not None:
        inherited = {} if exclusive else _inherited(node, method)
        # By itself, with the namespaces that are in scope; libxml2 would leave out those of its ancestors.
        parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
        node = etree.fromstring(etree.tostring(node, with_tail=False), parser)
        for name, value in inherited.items():
            node.set(name, value)
    form: bytes = etree.tostring(node, method="c14n", **options)
    return form


def _inherited(node: Any, method: str) -> dict[str, str]:
    """Return the attributes ``xml:lang`` and ``xml:space`` that a part has from what is around it.

    Raises:
        XmlRefusedError: There are others: versions 1.0 and 1.1 differ in what becomes of them.
    """
    found: dict[str, str] = {}
    for one in node.iterancestors():
        for name, value in one.items():
            if name in _INHERITED:
                found.setdefault(name, value)
            elif name.startswith(_XML):
                raise XmlRefusedError(transform_refused(method))
    return {name: value for name, value in found.items() if name not in node.attrib}


def transform_refused(name: str) -> Failure:
    """Return that what was signed is not the content itself, but what a transform makes of it."""
    reason = Reason(
        "transform-not-accepted",
        Message(
            N_("What was signed is made of the content in a way that is not accepted: {algorithm}."),
            algorithm=name[:120] or "?",
        ),
        Message(N_("Ask the signer to sign again as XAdES baseline.")),
    )
    return Failure("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reason)
