"""Lines folded to the width of a terminal, so that what an analyst came for is never cut away.

Rules:

- A text that fits stays one line. Another is broken between words, or inside a word that is longer than a
  line, as encoded commands are.
- Beyond ``most`` lines the rest is left out and an ellipsis says so: a script of a thousand lines is to be
  looked at in the log.
"""

from __future__ import annotations

import textwrap

__all__ = ["folded"]

_NARROWEST = 16


def folded(text: str, width: int, *, below: str = "", most: int | None = None) -> list[str]:
    """Return ``text`` in lines of at most ``width`` characters, all but the first begun with ``below``."""
    if len(text) <= width:
        return [text]
    return textwrap.wrap(
        text,
        max(width, _NARROWEST + len(below)),
        subsequent_indent=below,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )
