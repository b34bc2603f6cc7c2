"""What the feed formats share: times, TLP and technique tags, and an indicator out of a kind and a text.

Input is not trusted; nothing here raises.
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from haidang.events.times import parse_time
from haidang.intel.model import TLP, Indicator
from haidang.intel.observables import normalised
from haidang.intel.patterns import PatternError, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.intel.model import Reading
    from haidang.limits import Limits

__all__ = ["add", "add_pattern", "cut", "meaningless", "seconds", "technique_tags", "tlp_of"]

_SECOND = 1_000_000_000
_TECHNIQUE = re.compile(r"(?<![A-Za-z0-9])[Tt](\d{4})(\.\d{3})?(?![0-9])")
_MOST_TAGS = 20
_LONGEST = 200
_OTHERS = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
            *("224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fe80::/10", "fc00::/7", "ff00::/8"),
        ),
    )
)
_OF_NOTHING = frozenset(
    hashlib.new(name, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")
)
_ORDINARY = frozenset(map(str, set(range(1, 224)) - {10, 127, 169, 172, 192}))
"""First numbers of IPv4 addresses that are never one of these: a look that spares most addresses the next."""


def seconds(value: Any) -> int | None:
    """Return a time as seconds since 1970, or None where it is none."""
    found = parse_time(value) if value is not None else None
    return None if found is None else found // _SECOND


def cut(value: Any) -> str:
    """Return a text of a feed as one readable line."""
    return " ".join(str(value).split())[:_LONGEST] if isinstance(value, str | int) else ""


def tlp_of(labels: Iterable[Any]) -> str:
    """Return the TLP that some labels (``tlp:amber``, ``TLP:WHITE``) say, the strictest of several."""
    found = ""
    for label in labels:
        text = str(label).strip().lower()
        if text.startswith("tlp:"):
            word = text[4:].strip().replace("white", "clear")
            if word in TLP and (not found or TLP.index(word) > TLP.index(found)):
                found = word
    return found


def technique_tags(texts: Iterable[Any]) -> tuple[str, ...]:
    """Return ``attack.t1059.001`` for each ATT&CK technique that some texts name, in order, each once."""
    found: dict[str, None] = {}
    for text in texts:
        for number, part in _TECHNIQUE.findall(str(text)[:_LONGEST]):
            found[f"attack.t{number}{part}"] = None
    return tuple(found)[:_MOST_TAGS]


def meaningless(kind: str, value: str) -> str:
    """Return why an indicator would fire on what is everywhere, "" where it would not."""
    if kind == "ip":
        if value.partition(".")[0] in _ORDINARY:
            return ""
        address = ip_address(value)
        if any(address in network for network in _OTHERS if network.version == address.version):
            return "a private, local or reserved address: another machine in every network"
    if kind == "network":
        network = ip_network(value)
        if network.prefixlen < (8 if network.version == 4 else 16):
            return "a network of a large part of the Internet"
        if any(
            network.subnet_of(one)  # type: ignore[arg-type] # both are of the version that is compared
            for one in _OTHERS
            if one.version == network.version
        ):
            return "a private, local or reserved network: other machines in every network"
    if kind == "hash" and value in _OF_NOTHING:
        return "the hash of an empty file"
    if kind == "domain" and value.endswith((".local", ".localdomain", ".arpa", ".internal")):
        return "a name of local networks"
    return ""


def add_pattern(reading: Reading, limits: Limits, what: str, pattern: str, **known: Any) -> None:
    """Add what a pattern comes to, look-ups and the rest, or count why it cannot be used."""
    try:
        compiled = compile_pattern(pattern, limits)
    except PatternError as error:
        reading.refuse(what, f"pattern: {error}")
        return
    for left_out in compiled.left_out:
        reading.refuse(what, f"pattern, in part: {left_out}")
    for kind, value in compiled.lookups:
        add(reading, limits, kind, value, **known)
    if compiled.conditions or compiled.sequences:
        add(reading, limits, "pattern", pattern, **known)


def add(
    reading: Reading, limits: Limits, kind: str, text: str, *, spelled: bool = False, **known: Any
) -> None:
    """Add an indicator of ``kind``, or count why it cannot be used; ``spelled``: its spelling is right."""
    value = text if spelled or kind == "pattern" else normalised(kind, text)
    if kind == "pattern":
        try:
            compile_pattern(text, limits)
        except PatternError as error:
            reading.refuse(cut(known.get("name") or text), f"pattern: {error}")
            return
    what = known.get("name") or known.get("id") or text
    if value is None:
        reading.refuse(cut(f"{what}"), f"not a readable value of the kind {kind}")
        return
    if reason := meaningless(kind, value):
        reading.refuse(value, reason)
        return
    if len(reading.indicators) >= limits.intel_indicators:
        reading.refuse(value, f"more than {limits.intel_indicators} indicators in one source")
        return
    reading.indicators.append(Indicator(kind, value, **known))
