r"""STIX 2.1 patterns: from text to look-ups, conditions and correlations.

    [ipv4-addr:value = '198.51.100.7']                               one look-up
    [file:name = 'a.exe' AND process:command_line LIKE '%-enc%']     a condition on one event
    ([domain-name:value = 'a.example'] FOLLOWEDBY [file:name = 'b.dll']) WITHIN 300 SECONDS
                                                                     conditions, joined by a correlation

What a comparison means here:

- Equality, ``IN`` and ``ISSUBSET`` on what indicators are made of (addresses, names, URLs, hashes, mail
  addresses) become look-ups, alone or joined by ``OR``; everything else becomes a condition over facets.
- Texts are compared without case, as all logs are here; ``MATCHES`` is an expression as it is written.
- ``a != b`` and ``NOT`` hold when the value is there and some value differs.
- One observation is one event. Observations joined by ``AND`` or ``FOLLOWEDBY``, or repeated, may lie as far
  apart as ``WITHIN`` says; without it, ``_ANY_TIME``.

What no log can answer is refused with the reason, the whole pattern with it: to leave a part out would
change what it means. Section numbers are those of the STIX 2.1 specification, part 9. Patterns are not
trusted: length and depth are bounded, and reading is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.intel.observables import normalised
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.sigma.ir import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.sigma.ir import Condition

__all__ = ["PATHS", "Compiled", "PatternError", "Sequence_", "compile_pattern"]

_SECOND = 1_000_000_000
_ANY_TIME = 10 * 366 * 86_400 * _SECOND
_MOST_REPEATS = 100_000


class PatternError(Exception):
    """A pattern cannot be used; its text is the reason. Internal to the package."""


class Sequence_(NamedTuple):  # noqa: N801 - "Sequence" is Python's own word
    """Observations that must come together."""

    type: str
    """temporal, temporal_ordered or event_count."""
    parts: tuple[Condition, ...]
    timespan_ns: int
    at_least: int = 0
    """For event_count."""


@dataclass(slots=True)
class Compiled:
    """What a pattern comes to: any of these is enough."""

    lookups: list[tuple[str, str]] = field(default_factory=list)
    """(kind, value) of plain indicators."""
    conditions: list[Condition] = field(default_factory=list)
    """Over facets, each on one event."""
    sequences: list[Sequence_] = field(default_factory=list)


# Reading: text → tree ------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<time>t'(?:[^'\\]|\\.)*') | (?P<binary>[bh]'(?:[^'\\]|\\.)*')
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<number>[+-]?(?:\d+\.\d+|\d+|\.\d+))
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    | (?P<mark><=|>=|!=|<>|==|[\[\]().:,*=<>])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MOST_REPEATED_SIGNS = ("=", "==", "!=", "<>", "<", ">", "<=", ">=")
_WORDS = ("IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET")


class _Comparison(NamedTuple):
    path: str
    operator: str
    value: Any
    negated: bool


class _Reader:
    """A recursive descent over the tokens; section 9.2 to 9.7."""

    def __init__(self, text: str, limits: Limits) -> None:
        if len(text) > limits.intel_pattern_chars:
            raise PatternError(f"the pattern is longer than {limits.intel_pattern_chars} characters")
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._most = limits.intel_pattern_depth

    def whole(self) -> Any:
        found = self._followed_by()
        if self._at != len(self._tokens):
            raise PatternError(f"{self._peek()[1]!r} is not expected there")
        return found

    def _peek(self) -> tuple[str, Any]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self) -> tuple[str, Any]:
        token = self._peek()
        self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        kind, value = self._peek()
        return (kind == "word" and value.upper() in words) or (kind == "mark" and value in words)

    def _accept(self, *words: str) -> str:
        return str(self._take()[1]).upper() if self._is(*words) else ""

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise PatternError(f"{word!r} is expected where {self._peek()[1]!r} stands")

    def _deeper(self, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > self._most:
            raise PatternError(f"the pattern is nested deeper than {self._most}")
        found = read()
        self._depth -= 1
        return found

    def _joined(self, word: str, kind: str, read: Callable[[], Any]) -> Any:
        parts = [read()]
        while self._accept(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else (kind, parts)

    # FOLLOWEDBY binds least, then OR, then AND; a qualifier binds to the expression before it.
    def _followed_by(self) -> Any:
        return self._joined("FOLLOWEDBY", "followedby", self._observed_or)

    def _observed_or(self) -> Any:
        return self._joined("OR", "or", self._observed_and)

    def _observed_and(self) -> Any:
        return self._joined("AND", "and", self._observation)

    def _observation(self) -> Any:
        if self._accept("("):
            found = self._deeper(self._followed_by)
            self._expect(")")
        else:
            self._expect("[")
            found = ("observe", self._deeper(self._compared_or))
            self._expect("]")
        return self._qualified(found)

    def _qualified(self, found: Any) -> Any:
        while qualifier := self._accept("WITHIN", "REPEATS", "START"):
            if qualifier == "START":
                raise PatternError("START … STOP, fixed times inside a pattern, is not supported")
            kind, number = self._take()
            if kind != "number" or number <= 0:
                raise PatternError(f"{qualifier} needs a number above 0")
            self._expect("SECONDS" if qualifier == "WITHIN" else "TIMES")
            found = (qualifier.lower(), found, number)
        return found

    def _compared_or(self) -> Any:
        return self._joined("OR", "or", self._compared_and)

    def _compared_and(self) -> Any:
        return self._joined("AND", "and", self._comparison)

    def _comparison(self) -> Any:
        if self._accept("("):
            found = self._deeper(self._compared_or)
            self._expect(")")
            return found
        if self._accept("EXISTS"):
            return _Comparison(self._path(), "EXISTS", None, negated=False)
        path = self._path()
        negated = bool(self._accept("NOT"))
        operator = self._accept(*_MOST_REPEATED_SIGNS, *_WORDS)
        if not operator:
            raise PatternError(f"{self._peek()[1]!r} is no operator")
        if operator == "IN":
            self._expect("(")
            value: Any = [self._constant()]
            while self._accept(","):
                value.append(self._constant())
            self._expect(")")
        else:
            value = self._constant()
        return _Comparison(path, {"==": "=", "<>": "!="}.get(operator, operator), value, negated)

    def _constant(self) -> Any:
        kind, value = self._take()
        if kind in {"string", "number", "time"}:
            return value
        if kind == "word" and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if kind == "binary":
            raise PatternError("binary and hex constants are not supported: logs hold text")
        raise PatternError(f"{value!r} is no constant")

    def _path(self) -> str:
        """Read an object path; list steps ``[*]`` and ``[0]`` are read as any element."""
        kind, value = self._take()
        if kind != "word":
            raise PatternError(f"an object path is expected where {value!r} stands")
        path = str(value)
        self._expect(":")
        path += ":" + self._step()
        while True:
            if self._accept("."):
                path += "." + self._step()
            elif self._accept("["):
                kind, value = self._take()
                if not (kind == "number" or value == "*"):
                    raise PatternError(f"{value!r} is no list index")
                self._expect("]")
                path += "[*]"
            else:
                return path

    def _step(self) -> str:
        kind, value = self._take()
        if kind not in {"word", "string"}:
            raise PatternError(f"{value!r} is no part of an object path")
        return str(value)


def _tokens(text: str) -> Iterator[tuple[str, Any]]:
    # A comment inside a string is none: strings are matched first where both could begin.
    at, end = 0, len(text.rstrip())
    while at < end:
        comment = _COMMENT.match(text, at)
        if comment:
            at = comment.end()
            continue
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            if text[at].isspace():
                at += 1
                continue
            raise PatternError(f"{text[at : at + 20]!r} cannot be read")
        at = match.end()
        kind, raw = match.lastgroup, match[match.lastgroup]
        if kind == "number":
            yield kind, float(raw) if "." in raw else int(raw)
        elif kind == "string":
            yield kind, _ESCAPED.sub(r"\1", raw[1:-1])
        elif kind == "time":
            yield kind, raw[2:-1]
        else:
            yield kind, raw


# Meaning: tree → look-ups and conditions -------------------------------------------------------------------

_LOOKUPS = {
    "ipv4-addr:value": "ip",
    "ipv6-addr:value": "ip",
    "domain-name:value": "domain",
    "url:value": "url",
    "email-addr:value": "email",
    "file:hashes": "hash",
}
_IP = ("ip", "src_ip", "dst_ip")
_MAIL = ("email", "mail_from", "mail_to")
PATHS: dict[str, tuple[str, ...]] = {
    "ipv4-addr:value": _IP,
    "ipv6-addr:value": _IP,
    "domain-name:value": ("domain",),
    "url:value": ("url",),
    "email-addr:value": _MAIL,
    "email-message:from_ref.value": ("mail_from",),
    "email-message:sender_ref.value": ("mail_from",),
    "email-message:to_refs[*].value": ("mail_to",),
    "email-message:cc_refs[*].value": ("mail_to",),
    "email-message:bcc_refs[*].value": ("mail_to",),
    "email-message:subject": ("subject",),
    "file:hashes": ("hash",),
    "file:name": ("file",),
    "file:parent_directory_ref.path": ("directory", "file"),
    "directory:path": ("directory",),
    "process:command_line": ("command_line",),
    "process:arguments[*]": ("command_line",),
    "process:name": ("process",),
    "process:image_ref.name": ("process",),
    "process:binary_ref.name": ("process",),
    "process:image_ref.hashes": ("hash",),
    "process:binary_ref.hashes": ("hash",),
    "process:cwd": ("directory",),
    "process:pid": ("pid",),
    "process:parent_ref.name": ("parent_process",),
    "process:parent_ref.image_ref.name": ("parent_process",),
    "process:parent_ref.command_line": ("parent_command_line",),
    "process:creator_user_ref.account_login": ("user",),
    "process:creator_user_ref.user_id": ("user",),
    "process:extensions.windows-service-ext.service_name": ("service",),
    "windows-registry-key:key": ("registry",),
    "windows-registry-key:values[*].name": ("registry",),
    "windows-registry-key:values[*].data": ("registry_data",),
    "network-traffic:src_ref.value": ("src_ip",),
    "network-traffic:dst_ref.value": ("dst_ip", "domain"),
    "network-traffic:src_port": ("src_port",),
    "network-traffic:dst_port": ("dst_port",),
    "network-traffic:protocols[*]": ("protocol",),
    "network-traffic:extensions.http-request-ext.request_value": ("url",),
    "network-traffic:extensions.http-request-ext.request_method": ("http_method",),
    "network-traffic:extensions.http-request-ext.request_header.User-Agent": ("user_agent",),
    "user-account:account_login": ("user",),
    "user-account:user_id": ("user",),
    "user-account:display_name": ("user",),
}
"""Object path to the facets (``intel/observed``) that a comparison looks at; any of them is enough."""
_REF_TYPES = re.compile(r"network-traffic:(?:src|dst)_ref\.type")
_ORDERED = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_HASHES = re.compile(r"(.*:(?:.*\.)?hashes)\.(.+)")
_KNOWN_HASHES = frozenset({"md5", "sha1", "sha256", "sha512"})


def compile_pattern(text: str, limits: Limits = DEFAULT_LIMITS) -> Compiled:
    """Return what a pattern comes to.

    Raises:
        PatternError: It cannot be read or answered; the text is the reason.
    """
    compiled = Compiled()
    for part in _alternatives(_Reader(text, limits).whole()):
        _add(compiled, part)
    return compiled


def _alternatives(tree: Any) -> Iterator[Any]:
    """Yield what is joined by OR at the top, inside an observation too."""
    if tree[0] == "or" and not isinstance(tree, _Comparison):
        for part in tree[1]:
            yield from _alternatives(part)
    elif tree[0] == "observe" and tree[1][0] == "or" and not isinstance(tree[1], _Comparison):
        for part in tree[1][1]:
            yield from _alternatives(("observe", part))
    else:
        yield tree


def _add(compiled: Compiled, tree: Any) -> None:
    tree = _unqualified(tree)
    if tree[0] == "observe":
        lookups = _as_lookups(tree[1])
        if lookups is None:
            compiled.conditions.append(_condition(tree[1]))
        else:
            compiled.lookups.extend(lookups)
    else:
        compiled.sequences.append(_sequence(tree))


def _unqualified(tree: Any) -> Any:
    """Return an observation without WITHIN and REPEATS 1: one event lies within any time (section 9.5)."""
    inner = tree
    while inner[0] == "within" or (inner[0] == "repeats" and inner[2] == 1):
        inner = inner[1]
    return inner if inner[0] == "observe" else tree


def _sequence(tree: Any, within: float = 0) -> Sequence_:
    kind = tree[0]
    span = int(within * _SECOND) if within else _ANY_TIME
    if kind == "within":
        return _sequence(tree[1], min(within, tree[2]) if within else tree[2])
    if kind == "repeats":
        if not isinstance(tree[2], int) or tree[2] > _MOST_REPEATS:
            raise PatternError(f"REPEATS takes a whole number up to {_MOST_REPEATS}")
        return Sequence_("event_count", (_observed(tree[1]),), span, tree[2])
    if kind in {"and", "followedby"}:
        ordered = kind == "followedby"
        parts = tuple(_observed(part) for part in tree[1])
        return Sequence_("temporal_ordered" if ordered else "temporal", parts, span)
    raise PatternError("observations are joined in a way that is not supported: OR below AND or FOLLOWEDBY")


def _observed(tree: Any) -> Condition:
    """Return the condition of one observation, or of several of which any is enough."""
    tree = _unqualified(tree)
    if tree[0] == "observe":
        return _condition(tree[1])
    if tree[0] == "or":
        return ("or", *(_observed(part) for part in tree[1]))
    raise PatternError("AND, FOLLOWEDBY and qualifiers inside one another are not supported")


def _as_lookups(tree: Any) -> list[tuple[str, str]] | None:
    """Return the plain indicators that a comparison comes to, None where it is more than that."""
    if not isinstance(tree, _Comparison) or tree.negated:
        return None
    kind = _LOOKUPS.get(_plain(tree.path))
    if kind is None or tree.operator not in {"=", "IN", "ISSUBSET"}:
        return None
    if tree.operator == "ISSUBSET" and kind != "ip":
        return None
    values = tree.value if isinstance(tree.value, list) else [tree.value]
    return [_lookup(kind, value, tree) for value in values]


def _lookup(kind: str, value: Any, of: _Comparison) -> tuple[str, str]:
    if not isinstance(value, str):
        raise PatternError(f"{of.path} is a text, {value!r} is none")
    if kind == "ip" and "/" in value:
        base, _, length = value.partition("/")
        if length != ("128" if ":" in base else "32"):
            kind = "network"
        else:
            value = base
    found = normalised(kind, value)
    if found is None:
        raise PatternError(f"{value!r} is no {_SAID[kind]}")
    return kind, found


_SAID = {
    "ip": "address",
    "network": "network",
    "domain": "domain name with a dot",
    "url": "URL",
    "email": "mail address",
    "hash": "MD5, SHA-1, SHA-256 or SHA-512",
}


def _plain(path: str) -> str:
    """Return an object path without what facets do not tell apart: which hash it is."""
    match = _HASHES.fullmatch(path)
    if match is None:
        return path
    if match[2].lower().replace("-", "") not in _KNOWN_HASHES:
        raise PatternError(f"no log that is read here holds a {match[2]} hash")
    return match[1]


def _condition(tree: Any) -> Condition:
    if not isinstance(tree, _Comparison):
        return (tree[0], *(_condition(part) for part in tree[1]))
    if _REF_TYPES.fullmatch(tree.path) and tree.operator in {"=", "IN"} and not tree.negated:
        # The value that is compared beside it says the same.
        return ("true",)
    facets = PATHS.get(_plain(tree.path))
    if facets is None:
        raise PatternError(f"no log that is read here tells {tree.path}")
    tests = [("is", (facet, *_test(tree))) for facet in facets]
    return tests[0] if len(tests) == 1 else ("or", *tests)


def _test(tree: _Comparison) -> tuple[str, Any, bool]:
    """Return kind, value and cased of the test of a comparison."""
    if tree.operator == "EXISTS":
        return "exists", True, False
    if tree.operator == "IN":
        return _any_of(
            [_negatable(tree._replace(operator="=", value=one)) for one in tree.value], tree.negated
        )
    negated = tree.negated is not (tree.operator == "!=")
    found = _negatable(tree._replace(operator="=") if tree.operator == "!=" else tree)
    return ("differs", found, False) if negated else found


def _any_of(tests: Sequence[tuple[str, Any, bool]], negated: bool) -> tuple[str, Any, bool]:  # noqa: FBT001 - the word before the operator
    if len(tests) == 1:
        return ("differs", tests[0], False) if negated else tests[0]
    whole = ("any", tuple(tests), False)
    return ("differs", whole, False) if negated else whole


def _negatable(tree: _Comparison) -> tuple[str, Any, bool]:
    operator, value = tree.operator, tree.value
    if operator in _ORDERED:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PatternError(f"{operator} compares numbers; {value!r} is none")
        return _ORDERED[operator], value, False
    if operator == "=":
        return _equal(tree)
    if not isinstance(value, str):
        raise PatternError(f"{operator} needs a text; {value!r} is none")
    if operator == "LIKE":
        parts = re.split("([%_])", value)
        return "str", tuple({"%": ANY, "_": ONE}.get(part, part) for part in parts if part), False
    if operator == "MATCHES":
        return "re", (_checked(value), ""), False
    network = normalised("network", value)
    if network is None:
        raise PatternError(f"{operator} needs an address or a network; {value!r} is none")
    return ("cidr" if operator == "ISSUBSET" else "covers"), network, False


def _equal(tree: _Comparison) -> tuple[str, Any, bool]:
    value = tree.value
    if isinstance(value, bool):
        return "bool", value, False
    if isinstance(value, int | float):
        return "num", value, False
    kind = _LOOKUPS.get(_plain(tree.path), "")
    if kind == "ip" and "/" in value:
        network = normalised("network", value)
        if network is None:
            raise PatternError(f"{value!r} is no network")
        return "cidr", network, False
    if kind or (tree.path.startswith("network-traffic:") and tree.path.endswith("_ref.value")):
        value = normalised(kind, value) if kind else (normalised("ip", value) or normalised("domain", value))
        if value is None:
            raise PatternError(f"{tree.value!r} is no value of {tree.path}")
    return "str", (value,), False


def _checked(expression: str) -> str:
    from haidang.sigma.expressions import check_expression

    reason = check_expression(expression)
    if reason:
        raise PatternError(f"the regular expression {expression!r} cannot be run: {reason}")
    return expression
