"""Where in a value a regular expression of a rule matched, for the page to mark.

A page marks literals by itself. It must not run a rule's expression on a log's value, because a browser
cannot stop one that takes for ever; here RE2 does, in linear time. What RE2 does not know is not marked.
Both the expression and the value are untrusted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

__all__ = ["regex_span"]

_WORDS = re.compile(r"re((?:\|[ims])*) '(.*)'", re.DOTALL)


def regex_span(test: str, value: object, longest: int) -> list[int] | None:
    """Return [start, end) of the first match in UTF-16 units, as browsers count, or None.

    ``test`` is the words of a test, such as ``re|i '(foo|bar)'``; other tests give None, and so do values
    that are not text or have more than ``longest`` characters.
    """
    if not test.startswith("re") or not isinstance(value, str) or len(value) > longest:
        return None
    pattern = _compiled(test)
    if pattern is None:
        return None
    try:
        found = pattern.search(value)
    except UnicodeEncodeError:  # A lone surrogate cannot be handed to RE2.
        return None
    if found is None:
        return None
    start, end = found.span()
    return [_units(value, start), _units(value, end)]


@lru_cache(maxsize=4096)
def _compiled(test: str) -> Any:
    words = _WORDS.fullmatch(test)
    if words is None:
        return None
    import re2  # 10 ms that only findings of rules with expressions should pay.

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = "i" not in words[1]
    options.dot_nl = "s" in words[1]
    try:
        return re2.compile(("(?m)" if "m" in words[1] else "") + words[2], options)
    except re2.error:
        return None


def _units(value: str, place: int) -> int:
    head = value[:place]
    return place if head.isascii() else len(head.encode("utf-16-le", "surrogatepass")) // 2
