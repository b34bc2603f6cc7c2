"""What one Sigma test means on one value: the plain definition that everything faster must agree with.

- A value is looked at as text: strings as they are, numbers in decimal (an integral float as an integer),
  booleans as ``true`` and ``false``.
- An absent field and null are the same; only ``null`` and ``exists: false`` hold for them.
- A list holds when any of its elements does; an object is never equal to anything by itself.
- Unless a test is cased, both sides are compared after ``str.lower()``.
- Keywords (a test without a field) hold when they occur anywhere inside any value.

The values are untrusted: nothing here raises, and regular expressions run in linear time or under a
time limit (``regexes``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from haidang.detect.regexes import Searcher, searcher
from haidang.events.times import parse_time
from haidang.sigma.ir import ANY, ONE, Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "compare",
    "glob_pattern",
    "holds",
    "leaves",
    "lookup",
    "number",
    "text",
    "time_part",
    "wrap_keyword",
]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 64


def text(value: object) -> str:
    """Return the text that string tests look at; "" for a list or object, which are looked into instead."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 4096 else ""
    return ""


def number(value: object) -> float | int | None:
    """Return the number that a value is or spells, None for anything else (booleans included)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return float(value) if any(mark in value for mark in ".eE") else int(value)
    return None


def lookup(event: dict[str, Any], name: str) -> Any:
    """Return the value of a field: the key as it is, else descending at the dots, through lists too."""
    value = event.get(name)
    if value is not None or "." not in name:
        return value
    return _descend(event, name)


def _descend(node: Any, name: str) -> Any:
    if isinstance(node, list):
        found = [value for value in (_descend(item, name) for item in node) if value is not None]
        return found or None
    if not isinstance(node, dict):
        return None
    value = node.get(name)
    if value is not None:
        return value
    position = name.find(".")
    while position >= 0:
        child = node.get(name[:position])
        if child is not None:
            value = _descend(child, name[position + 1 :])
            if value is not None:
                return value
        position = name.find(".", position + 1)
    return None


def leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar inside a value, objects and lists opened; without recursion."""
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            stack.extend(reversed(top.values()))
        elif isinstance(top, list | tuple):
            stack.extend(reversed(top))
        elif top is not None:
            yield top


def wrap_keyword(test: Test) -> Test:
    """Return a keyword test as what it means on one value: the string anywhere inside it."""
    if test.kind == "num":
        test = test._replace(kind="str", value=(text(test.value),))
    if test.kind != "str":
        return test
    parts = test.value
    if not parts or parts[0] != ANY:
        parts = (ANY, *parts)
    if parts[-1] != ANY:
        parts = (*parts, ANY)
    return test._replace(value=parts)


def holds(test: Test, value: Any, other: Any = None) -> bool:
    """Return whether ``test`` holds for ``value``; ``other`` is the second field of a fieldref."""
    if test.kind == "null":
        return value is None
    if test.kind == "exists":
        return (value is not None) is test.value
    if isinstance(value, list | tuple):
        return any(holds(test, item, other) for item in value if item is not None)
    if isinstance(other, list | tuple):
        return any(holds(test, value, item) for item in other)
    if value is None or isinstance(value, dict):
        return False
    return _KINDS[test.kind](test, value, other)


def _str(test: Test, value: object, _: object) -> bool:
    return (
        _glob(test.value, test.cased).fullmatch(text(value) if test.cased else text(value).lower())
        is not None
    )


@lru_cache(maxsize=65536)
def _glob(parts: tuple[str | int, ...], cased: bool) -> re.Pattern[str]:  # noqa: FBT001 - cached calls are quicker so
    return re.compile(glob_pattern(parts, cased=cased), re.DOTALL)


def glob_pattern(parts: tuple[str | int, ...], *, cased: bool) -> str:
    """Return a pattern for the whole value; uncased parts are lower-cased like the value will be.

    The pattern has no two adjacent ``.*``; each literal after a ``*`` is found at its first place and not
    looked for again (an atomic group), so that the time is linear in the value for each part.
    """
    pieces: list[str] = []
    star = False
    chunk = ""

    def flush(*, last: bool) -> None:
        nonlocal chunk, star
        if star:
            # The last chunk must end the value: the greedy form finds it from the right.
            pieces.append(f".*{chunk}" if last else f"(?>.*?{chunk})")
        else:
            pieces.append(chunk)
        chunk, star = "", False

    for part in parts:
        if part == ANY:
            if chunk or not star:
                flush(last=False)
            star = True
        else:
            literal = str(part) if cased else str(part).lower()
            chunk += "." if part == ONE else re.escape(literal)
    flush(last=True)
    return "".join(pieces)


def _differs(test: Test, value: object, other: object) -> bool:
    """Return whether the test inside does not hold: of a list, any element that differs is enough."""
    return not holds(Test(None, *test.value), value, other)


def _any(test: Test, value: object, other: object) -> bool:
    """Return whether any of the tests inside holds."""
    return any(holds(Test(None, *one), value, other) for one in test.value)


def _covers(test: Test, value: object, _: object) -> bool:
    """Return whether a value is a network, or an address, in which all of the test's network lies."""
    try:
        outer = ip_network(text(value).strip(), strict=False)
    except ValueError:
        return False
    inner = _network(test.value)
    return (
        inner.subnet_of(outer)
        if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network)
        else isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
    )


def _num(test: Test, value: object, _: object) -> bool:
    found = number(value)
    return found is not None and found == test.value


def _bool(test: Test, value: object, _: object) -> bool:
    return text(value).lower() == ("true" if test.value else "false")


def compare(operator: str, left: float, right: float) -> bool:
    """Return whether ``left operator right`` holds; operators eq ne lt lte gt gte."""
    return _COMPARE[operator](left, right)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}


def _ordered(test: Test, value: object, _: object) -> bool:
    found = number(value)
    return found is not None and _COMPARE[test.kind](found, test.value)


def _re(test: Test, value: object, _: object) -> bool:
    return _searcher(*test.value).search(text(value))


@lru_cache(maxsize=8192)
def _searcher(pattern: str, flags: str) -> Searcher:
    return searcher(pattern, flags)


@lru_cache(maxsize=8192)
def _network(cidr: str) -> IPv4Network | IPv6Network:
    return ip_network(cidr, strict=False)


def address(value: object) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a value spells (a zone such as ``%eth0`` left out), or None."""
    try:
        found = ip_address(text(value).strip().partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped if isinstance(mapped, IPv4Address) else found


def _cidr(test: Test, value: object, _: object) -> bool:
    found = address(value)
    return found is not None and found in _network(test.value)


def _fieldref(test: Test, value: object, other: object) -> bool:
    if other is None or isinstance(other, dict):
        return False
    left, right = text(value), text(other)
    if not test.cased:
        left, right = left.lower(), right.lower()
    mode = test.value[1]
    if mode == "equals":
        return left == right
    if mode == "startswith":
        return left.startswith(right)
    return left.endswith(right) if mode == "endswith" else right in left


def time_part(part: str, nanoseconds: int) -> int:
    """Return the minute, hour, day of month, ISO week, month or year (UTC) of a time."""
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=nanoseconds // 1_000_000_000)
    return moment.isocalendar().week if part == "week" else int(getattr(moment, part))


def _time(test: Test, value: object, _: object) -> bool:
    part, operator, wanted = test.value
    moment = parse_time(value)
    try:
        return moment is not None and _COMPARE[operator](time_part(part, moment), wanted)
    except OverflowError:
        return False


_KINDS: dict[str, Callable[[Test, object, object], bool]] = {
    "str": _str,
    "num": _num,
    "bool": _bool,
    "re": _re,
    "cidr": _cidr,
    "fieldref": _fieldref,
    "any": _any,
    "differs": _differs,
    "covers": _covers,
    "time": _time,
    "lt": _ordered,
    "lte": _ordered,
    "gt": _ordered,
    "gte": _ordered,
    "ne": _ordered,
}
