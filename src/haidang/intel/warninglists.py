"""MISP warninglists: what is well known and harmless, so that a feed's mistake fires on nobody.

Types: ``string`` (the whole value), ``substring``, ``hostname`` (a name and all below it), ``cidr``,
``regex``. A list speaks of the attribute types that it names; of all where it names none. An indicator that
is on a list is held back, named and counted; the list itself is the user's choice.

Lists are not trusted: an expression that cannot run in linear time is refused, by its list's name.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import orjson

from haidang.errors import InputError
from haidang.intel.observables import LETTERS, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.intel.model import Indicator

__all__ = ["Warninglist", "Warninglists", "read_warninglist"]

TYPES = ("string", "substring", "hostname", "cidr", "regex")
_OF_KIND = {
    "ip": ("ip-src", "ip-dst", "ip-src|port", "ip-dst|port", "domain|ip", "ip"),
    "network": ("ip-src", "ip-dst", "ip-src|port", "ip-dst|port", "domain|ip", "ip"),
    "domain": ("domain", "hostname", "domain|ip", "hostname|port"),
    "url": ("url", "uri", "link"),
    "hash": ("md5", "sha1", "sha256", "sha512", "filename|md5", "filename|sha1", "filename|sha256",
             "filename|sha512", "imphash"),
    "email": ("email", "email-src", "email-dst"),
}  # fmt: skip


class Warninglist:
    """One list, ready to be asked."""

    def __init__(self, name: str, kind: str, values: Iterable[str], attributes: Iterable[str] = ()) -> None:
        """Arrange the values; ``refused`` names those that cannot be used."""
        self.name = name
        self.kind = kind
        self.refused: list[str] = []
        self._attributes = frozenset(attributes)
        self._values: frozenset[str] = frozenset()
        self._networks: dict[tuple[int, int], set[int]] = {}
        self._search: Any = None
        getattr(self, f"_take_{kind}")([value for value in values if value])

    def _take_string(self, values: list[str]) -> None:
        self._values = frozenset(value.strip().lower() for value in values)

    def _take_substring(self, values: list[str]) -> None:
        self._values = frozenset(value.lower() for value in values)

    def _take_hostname(self, values: list[str]) -> None:
        # A name without a dot (a whole top-level domain) is a name here.
        spelled = (value.strip().strip(".").lower() for value in values)
        self._values = frozenset(normalised("domain", value) or value for value in spelled)

    def _take_cidr(self, values: list[str]) -> None:
        for value in values:
            try:
                network = ip_network(value.strip(), strict=False)
            except ValueError:
                self.refused.append(value)
                continue
            base = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._networks.setdefault((network.version, network.prefixlen), set()).add(base)

    def _take_regex(self, values: list[str]) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        found = []
        for value in values:
            # Some lists write /expression/flags, as PHP does.
            bare, flags = value, ""
            if len(value) > 2 and value[0] == "/" and "/" in value[1:]:
                bare, _, flags = value[1:].rpartition("/")
            try:
                found.append(re2.compile(f"(?i){bare}" if "i" in flags else bare, options))
            except re2.error:
                self.refused.append(value)
        self._search = [one.search for one in found]

    def holds(self, indicator: Indicator) -> bool:
        """Return whether an indicator is on the list."""
        if self._attributes and self._attributes.isdisjoint(_OF_KIND.get(indicator.kind, ())):
            return False
        kind, value = indicator.kind, indicator.value
        if self.kind == "string":
            return any(one.lower() in self._values for one in _spellings(kind, value))
        if self.kind == "substring":
            folded = [one.lower() for one in _spellings(kind, value)]
            return any(one in text for one in self._values for text in folded)
        if self.kind == "hostname":
            return self._is_below(_host_of(kind, value))
        if self.kind == "cidr":
            return self._lies_in(kind, _host_of(kind, value) if kind == "url" else value)
        texts = _spellings(kind, value)
        return any(search(text) is not None for search in self._search for text in texts)

    def _is_below(self, name: str) -> bool:
        while name:
            if name in self._values:
                return True
            name = name.partition(".")[2]
        return False

    def _lies_in(self, kind: str, value: str) -> bool:
        if kind not in {"ip", "network", "url"}:
            return False
        try:
            network = ip_network(value)
        except ValueError:
            return False
        bits = int(network.network_address)
        return any(
            version == network.version
            and length <= network.prefixlen
            and bits >> (network.max_prefixlen - length) in bases
            for (version, length), bases in self._networks.items()
        )


def _spellings(kind: str, value: str) -> list[str]:
    """Return an indicator as lists write it: a URL with its scheme, too, and without the slash of no path."""
    if kind != "url":
        return [value]
    bare = [value, value[:-1]] if value.endswith("/") and value.count("/") == 1 else [value]
    return [f"{scheme}{one}" for one in bare for scheme in ("", "http://", "https://")]


def _host_of(kind: str, value: str) -> str:
    """Return the host that an indicator speaks of, "" where it speaks of none."""
    if kind == "url":
        value = value.partition("/")[0]
        return value if value.count(":") > 1 else value.partition(":")[0]
    if kind == "email":
        return value.rpartition("@")[2]
    return value if kind == "domain" else ""


class Warninglists:
    """Several lists, asked at once."""

    def __init__(self, lists: Iterable[Warninglist]) -> None:
        """Keep the lists."""
        self.lists = tuple(lists)

    def holding(self, indicator: Indicator) -> str:
        """Return the name of the first list that an indicator is on, "" for none."""
        if indicator.kind not in LETTERS and indicator.kind != "network":
            return ""
        return next((one.name for one in self.lists if one.holds(indicator)), "")


def recognises(data: bytes) -> bool:
    """Return whether some bytes are a warninglist."""
    head = data[:2_000_000]
    return head.lstrip()[:1] == b"{" and b'"list"' in data and b'"type"' in data and b'"version"' in data


def read_warninglist(data: bytes, where: str) -> Warninglist:
    """Return the list in the bytes of a ``list.json``.

    Raises:
        InputError: It is none.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: not valid JSON: {error.msg} at byte {error.pos}") from None
    if not isinstance(document, dict) or not isinstance(document.get("list"), list):
        raise InputError(f"{where}: not a MISP warninglist: it has no 'list'")
    kind = str(document.get("type", "string"))
    if kind not in TYPES:
        raise InputError(f"{where}: warninglists of the type {kind!r} are not known")
    attributes = document.get("matching_attributes")
    return Warninglist(
        str(document.get("name") or where),
        kind,
        [str(value) for value in document["list"]],
        map(str, attributes) if isinstance(attributes, list) else (),
    )
