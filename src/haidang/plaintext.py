r"""Text from logs and rules made safe to show on a terminal.

Log data is chosen by whoever can cause a log line, an attacker included. Escape sequences would let it
move the cursor, rewrite what was printed, change the window's title or answer back; bidirectional
controls would let a name read differently from what it is. Rules:

- C0 controls (tab and line feed too) become their visible pictures, ``ESC`` becomes ``␛``.
- C1 controls, bidirectional controls, zero-width and invisible format characters, line and paragraph
  separators and lone surrogates become ``\u….``.
- Everything else stays as it is; text in any script is left alone.

Input is untrusted.
"""

from __future__ import annotations

import re

__all__ = ["neutralise"]

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

# Unicode's control pictures stand in the order of the controls, but for the one of DEL.
_PICTURES = {"\x7f": "\u2421", **{chr(code): chr(0x2400 + code) for code in range(0x20)}}


def neutralise(text: str) -> str:
    """Return ``text`` with every character that a terminal would act on made visible."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    return _PICTURES.get(match[0]) or f"\\u{ord(match[0]):04x}"
