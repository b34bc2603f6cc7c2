r"""What a text names: addresses, names, URLs, hashes, mail addresses, each in one spelling.

Both sides of a look-up come through here, so that they meet: indicators by ``indicator_of`` and
``normalised``, the values of events by the functions of ``EXTRACT``. A *key* is a letter for the kind and the
spelling, e.g. ``d:evil.example``.

- Addresses: as ``ipaddress`` writes them; IPv4 inside IPv6 is IPv4; brackets, zone and port left out.
- Names: lower case, no port, no dot at the end, ASCII (punycode). A value gives the keys of the name and of
  every name above it that has a dot, for an indicator counts for what lies below it.
- URLs: host and path and query; scheme, user, default port and fragment do not count, what is not ASCII is
  encoded. A URL in an event also gives what its host gives.
- Texts (command lines, scripts, messages): the URLs, addresses, names, mail addresses and hashes in them.
  What is part of a path is no name: ``C:\x\evil.zip`` is a file.

The values come from logs and feeds: nothing here raises, every pattern runs in linear time, and what one
value gives is bounded.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["EXTRACT", "LETTERS", "indicator_of", "normalised", "refang"]

LETTERS = {"ip": "i", "domain": "d", "url": "u", "hash": "h", "email": "e"}
"""Kind to the letter of its keys."""

MOST_FOUND = 256
"""Things that are taken out of one value; what follows them is not looked at."""
_LONGEST_NAME = 253
_LONGEST_URL = 8192

_V4 = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", re.ASCII)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4_WHOLE = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_WRITABLE = "".join(map(chr, range(33, 127)))
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30}):/{2,}", re.ASCII | re.IGNORECASE)
_HASH = re.compile(r"(?:([A-Za-z0-9-]{1,16})\s?[=:]\s?)?(?<![0-9A-Za-z])([0-9a-fA-F]{32,128})(?![0-9A-Za-z])")
_COLONED = re.compile(r"\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63}\b")
"""A fingerprint as certificates and Suricata write it."""
_COLONS_OF_HASH = 15
_HASH_LENGTHS = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}
_MAIL = re.compile(r"[^\s<>\"',;:()\[\]\\@]{1,64}@[^\s<>\"',;:()\[\]\\@/]{1,253}")
_LONGEST_INSIDE = 2048
_URL_INSIDE = re.compile(rf"(?:https?|ftp|wss?)://[^\s\"'<>|`]{{1,{_LONGEST_INSIDE}}}", re.IGNORECASE)
_V4_INSIDE = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])", re.ASCII)
_NAME_INSIDE = re.compile(
    r"(?:(?<![\w.@/\\-])|(?<=\\\\)(?<!\w\\\\))(?:[A-Za-z0-9_][A-Za-z0-9_-]*\.)+[A-Za-z][A-Za-z0-9-]+"
)
"""No part of a path, unless it is the host of a share, and no domain of a mail address."""
_V6_INSIDE = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?![0-9A-Za-z:])")
_HEX_INSIDE = re.compile(r"[0-9A-Fa-f]{32}")
_UNQUOTED = re.compile(r"[\"'<>|`].*|[.,;:!?)\]}]+\Z", re.DOTALL)
_SHORTEST_HASH = 32
_MOST_COLONS = 7
"""Of an IPv6 address that is written in full."""
_BETWEEN = re.compile(r"[\s,;|]+")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443", "": ""}
_DEFANGED = (
    (re.compile(r"[\[({](?:\.|dot)[\])}]|\[\.(?!.*:)|\.\]|\\\.", re.IGNORECASE), "."),
    (re.compile(r"\[:\]"), ":"),
    (re.compile(r"[\[({](?:@|at)[\])}]", re.IGNORECASE), "@"),
    (re.compile(r"\A(?:hxxp|h\*\*p|meow)", re.IGNORECASE), "http"),
    (re.compile(r"\[://\]"), "://"),
)


def refang(text: str) -> str:
    """Return a text that was made harmless (``hxxp://evil[.]example``) as it was before."""
    text = text.strip()
    if "[" in text or "(" in text or "{" in text or "\\" in text or text[:1] in "hHmM":
        for pattern, plain in _DEFANGED:
            text = pattern.sub(plain, text)
    return text


def _address(text: str) -> str | None:
    """Return the one spelling of an address, or None."""
    if _V4_WHOLE.fullmatch(text):
        return text
    text = text.strip()
    if text[:1] == "[":
        text = text[1:].partition("]")[0]
    if _V4.match(text) and text.count(":") == 1:
        text = text.partition(":")[0]
        return text if _V4_WHOLE.fullmatch(text) else None
    if text.count(":") < 2:
        # What is left are names, mostly: to raise and catch an error for each of them takes long.
        return text if _V4_WHOLE.fullmatch(text) else None
    try:
        found: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(found)


def _network(text: str) -> str | None:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError:
        return None


def _name(text: str) -> str | None:
    """Return the one spelling of a domain name with at least one dot, or None."""
    text = text.strip().rstrip(".").lower()
    if not text or len(text) > _LONGEST_NAME or "." not in text:
        return None
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    return text if _NAME.fullmatch(text) and not text.rpartition(".")[2].isdigit() else None


def _host(text: str) -> tuple[str, str] | None:
    """Return ("ip" or "domain", spelling) of a host, with or without a port, or None."""
    address = _address(text)
    if address is not None:
        return "ip", address
    if text.count(":") == 1:
        bare, _, port = text.partition(":")
        text = bare if port.strip().isdigit() else text
    name = _name(text)
    return None if name is None else ("domain", name)


def _split_url(text: str) -> tuple[str, str, str] | None:
    """Return host, port that is no default (with its colon, else "") and the rest of a URL, or None."""
    text = text.strip()
    if len(text) > _LONGEST_URL:
        return None
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    rest = (text[match.end() :] if match else text).partition("#")[0]
    cut = min((at for at in map(rest.find, "/?\\") if at >= 0), default=len(rest))
    place, path = rest[:cut].rpartition("@")[2], rest[cut:]
    if place[:1] == "[":
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return None
    if path[:1] not in {"/", "\\"}:
        path = "/" + path
    if "%" in path or not path.isascii():
        # RFC 3986, section 6.2.2.1: the case of these digits says nothing; people write what browsers encode.
        path = _ENCODED.sub(lambda match: match[0].upper(), quote(path, safe=_WRITABLE, errors="replace"))
    defaults = (_DEFAULT_PORTS.get(scheme, ""),) if scheme else ("80", "443")
    return host, "" if port in defaults or not port else f":{int(port[:9])}", path


def _url(text: str) -> tuple[tuple[str, str], str] | None:
    """Return the host and the one spelling of a URL, or None."""
    parts = _split_url(text)
    if parts is None:
        return None
    host = _host(parts[0])
    return None if host is None else (host, f"{host[1]}{parts[1]}{parts[2]}")


def normalised(kind: str, text: str) -> str | None:
    """Return the one spelling of an indicator of ``kind``, or None where the text is none."""
    text = refang(text)
    if kind == "ip":
        return _address(text)
    if kind == "network":
        return _network(text)
    if kind == "domain":
        return _name(_below(text))
    if kind == "url":
        found = _url(text)
        return None if found is None else found[1]
    if kind == "email":
        text = text.removeprefix("mailto:")
        return text.lower() if _MAIL.fullmatch(text) else None
    return _one_hash(text) if kind == "hash" else None


def _one_hash(text: str) -> str | None:
    if _COLONED.fullmatch(text):
        text = text.replace(":", "")
    label, _, digits = text.lower().rpartition(":")
    if not re.fullmatch(r"[0-9a-f]+", digits) or len(digits) not in _HASH_LENGTHS:
        return None
    return f"imphash:{digits}" if label == "imphash" else digits


def indicator_of(text: str) -> tuple[str, str] | None:
    """Return the kind and the spelling of an indicator, told by its shape; None where it has none."""
    text = refang(text)
    if not text or len(text) > _LONGEST_URL:
        return None
    if (digest := _one_hash(text)) is not None:
        return "hash", digest
    if "/" in text and "://" not in text and (network := _network(text)) is not None:
        single = network.rpartition("/")
        return ("ip", single[0]) if single[2] == ("128" if ":" in network else "32") else ("network", network)
    if _SCHEME.match(text) or ("/" in text and " " not in text):
        url = normalised("url", text)
        return None if url is None else ("url", url)
    if "@" in text:
        mail = normalised("email", text)
        return None if mail is None else ("email", mail)
    return _host(_below(text)) if " " not in text else None


def _below(text: str) -> str:
    """Return a name without what says that all names below it are meant, as each name means here."""
    return text.removeprefix("*").removeprefix(".")


def _names_above(name: str) -> Iterator[str]:
    """Yield the keys of a name and of all above it that have a dot."""
    while "." in name:
        yield "d:" + name
        name = name.partition(".")[2]


def _of_host(host: tuple[str, str]) -> Iterator[str]:
    if host[0] == "ip":
        yield "i:" + host[1]
    else:
        yield from _names_above(host[1])


def _hosts(value: str) -> Iterator[str]:
    """Yield the keys of the addresses and names in a value: one, or several with marks between them."""
    whole = _host(value)
    if whole is not None:
        yield from _of_host(whole)
        return
    for part in _BETWEEN.split(value, maxsplit=MOST_FOUND)[:MOST_FOUND]:
        host = _host(part)
        if host is not None:
            yield from _of_host(host)


def _urls(value: str) -> Iterator[str]:
    found = _url(value)
    if found is not None:
        yield "u:" + found[1]
        yield from _of_host(found[0])


def _hashes(value: str) -> Iterator[str]:
    if value.count(":") >= _COLONS_OF_HASH:
        value = _COLONED.sub(lambda match: match[0].replace(":", ""), value)
    for count, (label, digits) in enumerate(_HASH.findall(value)):
        if count >= MOST_FOUND:
            return
        if len(digits) in _HASH_LENGTHS:
            prefix = "h:imphash:" if label.lower() == "imphash" else "h:"
            yield prefix + digits.lower()


def _mails(value: str) -> Iterator[str]:
    if "@" not in value:
        return
    for count, match in enumerate(_MAIL.finditer(value)):
        if count >= MOST_FOUND:
            return
        mail = match[0].lower().rstrip(".")
        yield "e:" + mail
        host = _host(mail.rpartition("@")[2])
        if host is not None:
            yield from _of_host(host)


def _text(value: str) -> Iterator[str]:
    if "://" in value:
        for count, match in enumerate(_URL_INSIDE.finditer(value)):
            if count >= MOST_FOUND:
                break
            # What closes a bracket or a sentence is seldom part of the URL: both readings count.
            url = match[0]
            shorter = url.rstrip(".,;:!?)]}\\&")
            for one in {url, shorter, shorter.partition(")")[0]}:
                yield from _urls(one)
    if value.count(".") >= 3:
        for count, match in enumerate(_V4_INSIDE.finditer(value)):
            if count >= MOST_FOUND:
                break
            address = _address(match[0])
            if address is not None:
                yield "i:" + address
    yield from _words(value)


def _words(value: str) -> Iterator[str]:
    """Yield the keys of names, mail addresses, hashes and IPv6 addresses in a text.

    Nearly every text comes through here once, so the cheap looks come first: most words name nothing.
    """
    if "@" in value:
        yield from _mails(value)
    colons = "::" in value or value.count(":") >= _MOST_COLONS
    left = MOST_FOUND
    for word in value.split():
        if "." in word:
            for match in islice(_NAME_INSIDE.finditer(word), left):
                left -= 1
                yield from _named(match, word)
        if colons and ":" in word:
            for match in islice(_V6_INSIDE.finditer(word), left):
                left -= 1
                if (address := _address(match[0])) is not None:
                    yield "i:" + address
        if len(word) >= _SHORTEST_HASH and _HEX_INSIDE.search(word) is not None:
            left -= 1
            yield from _hashes(word)
        if left <= 0:
            return


def _named(match: re.Match[str], word: str) -> Iterator[str]:
    name = _name(match[0])
    if name is not None:
        yield from _names_above(name)
        if word.startswith("/", match.end()) and "://" not in word:
            yield from _urls(_UNQUOTED.sub("", word[match.start() : match.start() + _LONGEST_INSIDE]))


def _keys(extract: Callable[[str], Iterable[str]]) -> Callable[[str], tuple[str, ...]]:
    return lambda value: tuple(dict.fromkeys(extract(value)))


EXTRACT: dict[str, Callable[[str], tuple[str, ...]]] = {
    "host": _keys(_hosts),
    "url": _keys(_urls),
    "hash": _keys(_hashes),
    "email": _keys(_mails),
    "text": _keys(_text),
}
"""What a field holds to the function from a value to its keys, each once."""
