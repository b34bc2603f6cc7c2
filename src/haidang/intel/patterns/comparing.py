"""What one observation of a pattern asks of an event: a condition over facets, or plain look-ups.

- Texts are compared without case, as all logs are here; ``MATCHES`` is an expression as it is written.
- An observation is one event, and each type of STIX object is in it once: what is asked of one object path
  is asked of one facet, where several could be meant (either address of a connection).
- ``a != b`` and ``NOT`` hold when the value is there and some value differs. Where one value is looked at in
  several spellings (a path and its last part), they hold when none of them is meant.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from haidang.intel.observables import normalised
from haidang.intel.patterns.model import Comparison, Literal, quoted, shortened
from haidang.intel.patterns.paths import PATHS
from haidang.intel.patterns.refusals import refusal
from haidang.sigma.ir import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import Condition

__all__ = ["condition", "lookups"]

_LOOKUPS = {
    "ipv4-addr:value": "ip",
    "ipv6-addr:value": "ip",
    "domain-name:value": "domain",
    "hostname:value": "domain",
    "x-opencti-hostname:value": "domain",
    "url:value": "url",
    "email-addr:value": "email",
    "file:hashes": "hash",
    "x509-certificate:hashes": "hash",
}
_SAID = {
    "ip": "an address",
    "network": "a network",
    "domain": "a domain name with a dot",
    "url": "a URL",
    "email": "a mail address",
    "hash": "a hash of that kind",
    "host": "an address or a domain name",
    "type": "a type of address that logs tell",
}
"""What a value of a kind is, as a reason says it."""
_ORDERED = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_HASHES = re.compile(r"(.*:(?:.*\.)?hashes)\.(.+)")
_HASH_DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "imphash": 32}
_IMPHASH = "imphash:"
"""Begins an import hash, which has the digits of an MD5."""
_RESOLVED = "domain-name:resolves_to_refs[*].value"
_REFERRED = re.compile(r"(network-traffic:(?:src|dst)_ref)\.(value|type)")
_SPELLED = frozenset({"url", "file", "folder", "process", "parent_process", "directory", "registry"})
"""Facets whose values are looked at in several spellings (``detect/facets``)."""
_TYPES = {
    "ipv4-addr": "^[0-9.]+$",
    "ipv6-addr": "^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$",
    "domain-name": "^[^:]*[A-Za-z][^:]*$",
}
"""What a log tells of the type of either end of a connection: how it is written."""

_OneTest = tuple[str, Any, bool]
"""Kind, value and cased of a test."""
_EXISTS: _OneTest = ("exists", True, False)


def lookups(tree: Any) -> list[tuple[str, str]] | None:
    """Return the plain indicators (kind, value) that a comparison comes to, None where it is more than that.

    Raises:
        PatternError: Its value is of no such kind.
    """
    if not isinstance(tree, Comparison) or tree.negated or tree.operator not in {"=", "IN", "ISSUBSET"}:
        return None
    kind = _LOOKUPS.get(_plain(tree.path))
    if kind is None or (tree.operator == "ISSUBSET" and kind != "ip"):
        return None
    return [_lookup(kind, value, tree) for value in _values(tree)]


def condition(tree: Any) -> Condition:
    """Return the condition over facets that the comparisons of one observation come to.

    Raises:
        PatternError: No log can answer them.
    """
    counted = Counter(one.path for one in _comparisons(tree) if not one.path.endswith("_ref.type"))
    several = {path: _facets(path) for path, n in counted.items() if n > 1 and len(_facets(path)) > 1}
    choices = product(*several.values())
    return _any([_condition(tree, dict(zip(several, chosen, strict=True))) for chosen in choices])


def _comparisons(tree: Any) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree[1]:
            yield from _comparisons(part)


def _condition(tree: Any, chosen: dict[str, str]) -> Condition:
    """Return the condition of a tree; ``chosen`` is the facet of a path that is asked for more than once."""
    if not isinstance(tree, Comparison):
        return (tree[0], *(_condition(part, chosen) for part in tree[1]))
    facets = _facets(tree.path)
    if tree.path.endswith("_ref.type"):
        return _of_type(tree, facets)
    if tree.path in chosen:
        facets = (chosen[tree.path],)
    return _any([_test(facet, tree) for facet in facets])


def _any(conditions: list[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else ("or", *conditions)


def _facets(path: str) -> tuple[str, ...]:
    referred = _REFERRED.fullmatch(path)
    facets = PATHS.get(f"{referred[1]}.value" if referred else _plain(path))
    if facets is None:
        raise refusal("path", shortened(path))
    return facets


def _of_type(tree: Comparison, facets: tuple[str, ...]) -> Condition:
    if tree.operator not in {"=", "IN"} or tree.negated:
        raise refusal("path", shortened(tree.path))
    values = _values(tree)
    if not set(values) <= set(_TYPES):
        raise refusal("value", quoted(tree.value), _SAID["type"])
    return _any([("is", (facet, "re", (_TYPES[value], ""), False)) for facet in facets for value in values])


def _values(tree: Comparison) -> list[Any]:
    if tree.value == []:
        raise refusal("empty")
    return tree.value if isinstance(tree.value, list) else [tree.value]


def _plain(path: str) -> str:
    """Return an object path without what facets do not tell apart: which hash it is."""
    match = _HASHES.fullmatch(path)
    if match is None:
        return path
    if match[2].lower().replace("-", "") not in _HASH_DIGITS:
        raise refusal("hash", shortened(match[2]))
    return match[1]


def _digits(path: str) -> int:
    """Return how many digits the hash of a path has, 0 for any other path."""
    match = _HASHES.fullmatch(path)
    return _HASH_DIGITS[match[2].lower().replace("-", "")] if match else 0


def _prefix(path: str) -> str:
    """Return what begins the hash of a path as it is compared."""
    return _IMPHASH if path.lower().endswith(".imphash") else ""


def _test(facet: str, tree: Comparison) -> Condition:
    there = _there(facet, tree.path)
    if tree.operator == "EXISTS":
        if tree.negated:
            raise refusal("absent")
        return ("is", (facet, *(there or _EXISTS)))
    negated = tree.negated is not (tree.operator == "!=")
    tests = [_one_test(tree, value) for value in _values(tree)]
    one: _OneTest = tests[0] if len(tests) == 1 else ("any", tuple(tests), False)
    if not negated:
        return ("is", (facet, *one))
    if there is None:
        return ("is", (facet, "differs", one, False))
    return ("and", ("is", (facet, *there)), ("not", ("is", (facet, *one))))


def _there(facet: str, path: str) -> _OneTest | None:
    """Return what says that the value of a path is there, where not each value of the facet is such a one."""
    if digits := _digits(path):
        return "re", (f"^{_prefix(path)}[0-9A-Fa-f]{{{digits}}}$", ""), False
    kind = path.removesuffix(":value")
    if kind in _TYPES and facet != "domain":
        return "re", (_TYPES[kind], ""), False
    return _EXISTS if facet in _SPELLED else None


def _one_test(tree: Comparison, value: Any) -> _OneTest:
    if isinstance(value, Literal):
        raise refusal("time" if value.kind == "time" else "binary")
    operator = tree.operator
    if operator in _ORDERED:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal("order", operator, quoted(value))
        return _ORDERED[operator], value, False
    if operator == "LIKE":
        parts = re.split("([%_])", value)
        return "str", tuple({"%": ANY, "_": ONE}.get(part, part) for part in parts if part), False
    if operator == "MATCHES":
        return "re", (_checked(value), ""), False
    if operator in {"ISSUBSET", "ISSUPERSET"}:
        network = normalised("network", value)
        if network is None:
            raise refusal("network", operator, quoted(value))
        return ("cidr" if operator == "ISSUBSET" else "covers"), network, False
    return _equal(tree, value)


def _equal(tree: Comparison, value: Any) -> _OneTest:
    if isinstance(value, bool):
        return "bool", value, False
    kind = _LOOKUPS.get(_plain(tree.path), "hash" if _digits(tree.path) else "")
    if not kind and (tree.path == _RESOLVED or _REFERRED.fullmatch(tree.path)):
        kind = "host"
    if kind:
        found, text = _lookup(kind, value, tree)
        return ("cidr", text, False) if found == "network" else ("str", (text,), False)
    return ("str", (value,), False) if isinstance(value, str) else ("num", value, False)


def _lookup(kind: str, value: Any, of: Comparison) -> tuple[str, str]:
    """Return kind and value of an indicator; a network of one address is that address."""
    if not isinstance(value, str):
        raise refusal("text", of.path, quoted(value.text if isinstance(value, Literal) else value))
    written = value
    if kind in {"ip", "host"} and "/" in value:
        base, _, length = value.partition("/")
        if length != ("128" if ":" in base else "32"):
            kind = "network"
        else:
            written = base
    if kind == "host":
        found = normalised("ip", written) or normalised("domain", written)
    else:
        found = normalised(kind, f"{_prefix(of.path)}{written}")
    if found is None or (kind == "hash" and len(found) != len(_prefix(of.path)) + _digits(of.path)):
        raise refusal("value", quoted(value), _SAID[kind])
    return kind, found


def _checked(expression: str) -> str:
    from haidang.sigma.expressions import check_expression

    reason = check_expression(expression)
    if reason:
        raise refusal("expression", quoted(expression), shortened(reason))
    return expression
