"""The authentication code of an encrypted PDF (ISO/TS 32004): whether it has nothing that it does not cover.

The code covers the whole file, and pyHanko demands that it is right wherever a file has one. What lies in the
code itself beside the code proper (versions, tags, the hexadecimal digits) it cannot cover: that must be what
the standard has there, and no more.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["standalone_codes", "unsound_code"]

_STANDALONE = re.compile(rb"/AuthCode\s*<<(?:[^<>]|<[0-9A-Fa-f\s]*>)*/ByteRange")
_NULL = b"\x05\x00"


def standalone_codes(content: bytes) -> int:
    """Return how many codes of its own a file has, each with a ``/ByteRange`` as signatures have it."""
    return len(_STANDALONE.findall(content))


def unsound_code(reader: Any, content: bytes) -> str:
    """Return what is unsound about the code of a decrypted file; "" where nothing is or it has no code.

    Args:
        reader: a ``PdfFileReader``, which found the code to be right when it opened the file.
        content: the file.
    """
    try:
        return "" if _sound(reader, content) else "authentication code"
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return f"authentication code: {error}"[:200]


def _sound(reader: Any, content: bytes) -> bool:
    from asn1crypto import cms
    from pyhanko.sign.general import find_unique_cms_attribute
    from pyhanko.sign.validation.pdf_embedded import extract_contents

    code = reader.trailer_view.get("/AuthCode") if reader.encrypted else None
    if code is None:
        return True
    if code["/MACLocation"] != "/Standalone":
        signature = cms.ContentInfo.load(extract_contents(code["/SigObjRef"]))
        (signer,) = signature["content"]["signer_infos"]
        return _is_canonical(find_unique_cms_attribute(signer["unsigned_attrs"], "pdf_mac_data"))
    _, first, second, _ = code["/ByteRange"]
    digits = content[first + 1 : second - 1].decode("ascii")
    # Both cases at once is what an altered digit looks like; each alone is how somebody writes.
    uniform = digits in {digits.upper(), digits.lower()}
    return uniform and _is_canonical(cms.ContentInfo.load(bytes.fromhex(digits), strict=True))


def _is_canonical(code: Any) -> bool:
    """Return whether CMS AuthenticatedData is, bit for bit, what its own parts make when written anew."""
    from asn1crypto import cms, core

    data = code["content"]
    (recipient,) = data["recipient_infos"]
    given = recipient.chosen
    if not all(map(_without_parameters, (data["mac_algorithm"], data["digest_algorithm"]))):
        return False
    wrapped = cms.PasswordRecipientInfo(
        {
            "version": 0,
            "key_derivation_algorithm": _anew(given["key_derivation_algorithm"]),
            "key_encryption_algorithm": _anew(given["key_encryption_algorithm"]),
            "encrypted_key": given["encrypted_key"].native,
        }
    )
    authenticated = cms.AuthenticatedData(
        {
            "version": 0,
            "recipient_infos": [cms.RecipientInfo({"pwri": wrapped})],
            "mac_algorithm": _anew(data["mac_algorithm"]),
            "digest_algorithm": _anew(data["digest_algorithm"]),
            "encap_content_info": {
                "content_type": data["encap_content_info"]["content_type"].native,
                "content": core.ParsableOctetString(bytes(data["encap_content_info"]["content"])),
            },
            "auth_attrs": [cms.CMSAttribute.load(one.dump()) for one in data["auth_attrs"]],
            "mac": data["mac"].native,
        }
    )
    written = cms.ContentInfo({"content_type": "authenticated_data", "content": authenticated}).dump()
    return bool(written == code.dump())


def _anew(algorithm: Any) -> Any:
    parts = {"algorithm": algorithm["algorithm"].native}
    if algorithm["parameters"].dump():
        parts["parameters"] = algorithm["parameters"]
    return type(algorithm)(parts)


def _without_parameters(algorithm: Any) -> bool:
    return algorithm["parameters"].dump() in {b"", _NULL}
