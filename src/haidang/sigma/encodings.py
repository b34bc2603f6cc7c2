"""The encoding modifiers of Sigma, for every character and under every name of the specification.

pySigma encodes only ASCII in UTF-16 and does not know ``utf16le``. Here an encoded text is carried with
one character for each byte (Latin-1), which is what its bytes look like in a log, and base64 takes those
bytes. For ASCII the results are pySigma's own. This module imports pySigma: import it late.
"""

from __future__ import annotations

from base64 import b64encode
from typing import ClassVar

from sigma.exceptions import SigmaValueError
from sigma.modifiers import SigmaValueModifier
from sigma.types import SigmaExpansion, SigmaString

__all__ = ["ENCODINGS"]

_FEWEST_BYTES = 2


class _Utf16(SigmaValueModifier[SigmaString, SigmaString]):
    codec: ClassVar[str] = "utf-16-le"
    mark: ClassVar[str] = ""

    def modify(self, val: SigmaString) -> SigmaString:
        encoded = SigmaString()
        encoded.s = [
            part.encode(self.codec).decode("latin-1") if isinstance(part, str) else part for part in val.s
        ]
        return self.mark + encoded if self.mark else encoded


class _Utf16BigEndian(_Utf16):
    codec = "utf-16-be"


class _Utf16Marked(_Utf16):
    mark = "\xff\xfe"


class _Base64(SigmaValueModifier[SigmaString, SigmaString]):
    def data(self, val: SigmaString) -> bytes:
        if val.contains_special() or val.contains_placeholder():
            raise SigmaValueError("base64 encoding of strings with wildcards is not allowed")
        bytewise = any(issubclass(modifier, _Utf16) for modifier in self.applied_modifiers)
        text = "".join(part for part in val.s if isinstance(part, str))
        return text.encode("latin-1" if bytewise else "utf-8")

    def modify(self, val: SigmaString) -> SigmaString:
        return SigmaString.from_str(b64encode(self.data(val)).decode())


class _Base64Offset(SigmaValueModifier[SigmaString, SigmaExpansion]):
    def modify(self, val: SigmaString) -> SigmaExpansion:
        data = _Base64.data(self, val)  # type: ignore[arg-type]
        if len(data) < _FEWEST_BYTES:
            raise SigmaValueError("base64offset needs at least two bytes: fewer leave nothing to look for")
        texts = []
        for offset, start in enumerate((0, 2, 3)):
            # The last characters depend on what follows the text, so they are cut off.
            end = (None, -3, -2)[(len(data) + offset) % 3]
            texts.append(b64encode(offset * b" " + data)[start:end].decode())
        return SigmaExpansion([SigmaString.from_str(text) for text in texts])


ENCODINGS = {
    "wide": _Utf16,
    "utf16le": _Utf16,
    "utf16be": _Utf16BigEndian,
    "utf16": _Utf16Marked,
    "base64": _Base64,
    "base64offset": _Base64Offset,
}
