"""What of an event satisfied a test, and the test in Sigma's words."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from haidang.detect.semantics import holds, leaves, text, wrap_keyword
from haidang.sigma.ir import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.events.model import Fields
    from haidang.sigma.ir import Test

__all__ = ["in_words", "match"]


def match(test: Test, get: Callable[[str], Any], event: Fields) -> tuple[str, Any, str]:
    if test.field is None:
        keyword = wrap_keyword(test)
        return "", next((value for value in leaves(event) if holds(keyword, value)), None), in_words(keyword)
    value = get(test.field)
    if isinstance(value, list) and test.kind not in {"null", "exists"}:
        # Of a list, the elements that satisfied the test are the evidence.
        other = get(test.value[0]) if test.kind == "fieldref" else None
        held = [item for item in value if holds(test, item, other)]
        value = held[0] if len(held) == 1 else held or value
    return test.field, value, in_words(test)


@lru_cache(maxsize=16384)
def in_words(test: Test) -> str:
    r"""Return a test in Sigma's words, e.g. ``endswith '\mimikatz.exe'``."""
    kind, value = test.kind, test.value
    if kind == "str":
        return _string_in_words(value) + (" (cased)" if test.cased else "")
    if kind == "re":
        return f"re{'|' + '|'.join(value[1]) if value[1] else ''} '{value[0]}'"
    if kind in {"any", "differs"}:
        parts = value if kind == "any" else (value,)
        inner = " or ".join(in_words(test._replace(kind=one[0], value=one[1])) for one in parts)
        return inner if kind == "any" else f"is there, and not: {inner}"
    if kind == "fieldref":
        return f"{value[1]} field {value[0]}"
    if kind == "time":
        return f"{value[0]} {value[1]} {value[2]}"
    if kind == "null":
        return "is null"
    if kind == "exists":
        return "exists" if value else "does not exist"
    return f"{ {'num': 'equals', 'bool': 'equals'}.get(kind, kind) } {text(value)}"


def _string_in_words(parts: tuple[str | int, ...]) -> str:
    spelled = "".join({ANY: "*", ONE: "?"}[part] if isinstance(part, int) else part for part in parts)
    literals = [part for part in parts if isinstance(part, str)]
    if len(literals) == 1 and ONE not in parts:
        mode = {(True, False): "endswith", (False, True): "startswith", (True, True): "contains"}
        ends = (parts[0] == ANY, parts[-1] == ANY)
        return f"{mode.get(ends, 'equals')} '{literals[0]}'"
    return f"matches '{spelled}'" if literals or parts else "equals ''"
