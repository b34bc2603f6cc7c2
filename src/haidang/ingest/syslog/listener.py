"""Where syslog is listened for, and whose messages they are: configuration, checked when it is made.

Whose a message is, is asked in this order:

1. the client certificate (TLS, ``by_certificate``): the source that has its SHA-256 fingerprint, no other;
2. the sender's address: the source of the narrowest of ``networks`` that holds it. Over UDP anyone can write
   any address into a datagram: let only networks reach the port whose senders you believe;
3. ``source``, the source of whoever reaches this port.

A sender who is none of these, or whose source is disabled, is refused and counted.

Example::

    SyslogListener("0.0.0.0", 6514, "tls", certificate=Path("server.pem"), key=Path("server.key"),
                   authority=Path("units-ca.pem"), by_certificate=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Literal

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.ingest.model import Source, SourceBook

__all__ = ["Senders", "SyslogListener"]

_KINDS = ("udp", "tcp", "tls")


@dataclass(frozen=True, slots=True)
class SyslogListener:
    """One port.

    Raises:
        ConfigurationError: What is given does not go together.
    """

    host: str
    """Address to listen at; ``""`` for all, of IPv6 and IPv4."""
    port: int
    """0 lets the system choose one."""
    kind: Literal["udp", "tcp", "tls"]
    certificate: Path | None = None
    """TLS: the server's certificate with the chain behind it, PEM."""
    key: Path | None = None
    """TLS: its key, PEM without password."""
    authority: Path | None = None
    """TLS: certificates of those who issue client certificates, PEM. If given, a client must have one."""
    by_certificate: bool = False
    """Whether the source is the one that has the fingerprint of the client certificate."""
    networks: tuple[tuple[str, str], ...] = ()
    """Networks (``10.1.0.0/16``) and the names of their sources."""
    source: str = ""
    """Name of the source of all others; empty refuses them."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.kind not in _KINDS:
            raise ConfigurationError(
                f"{self}: there is no kind {self.kind!r}", hint=f"Choose one of: {', '.join(_KINDS)}"
            )
        if not 0 <= self.port <= 65535:
            raise ConfigurationError(
                f"{self}: there is no port {self.port}", hint="Ports go from 1 to 65535."
            )
        has_tls = self.certificate or self.key or self.authority or self.by_certificate
        if self.kind != "tls" and has_tls:
            raise ConfigurationError(
                f"{self}: certificates are of kind tls", hint="Make it a tls:// listener."
            )
        if self.kind == "tls" and not (self.certificate and self.key):
            raise ConfigurationError(f"{self}: TLS needs a certificate and its key", hint="Name both files.")
        if self.by_certificate and not self.authority:
            raise ConfigurationError(
                f"{self}: sources by certificate need to know who issues the certificates of clients",
                hint="Name the file with the certificates of these authorities.",
            )
        if not (self.by_certificate or self.networks or self.source):
            raise ConfigurationError(
                f"{self}: it has no source",
                hint="Name a source, networks with sources, or take certificates.",
            )
        for network, _ in self.networks:
            self._network(network)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{self.kind}://{host}:{self.port}"

    def narrowest(self, address: str) -> str:
        """Return the name of the source of the narrowest network that holds ``address``, else ``source``."""
        sender = ip_address(address.partition("%")[0])
        if isinstance(sender, IPv6Address) and sender.ipv4_mapped:
            sender = sender.ipv4_mapped
        holding = [
            (network.prefixlen, name)
            for text, name in self.networks
            if sender.version == (network := self._network(text)).version and sender in network
        ]
        return max(holding, default=(0, self.source), key=lambda one: one[0])[1]

    def _network(self, text: str) -> IPv4Network | IPv6Network:
        try:
            return ip_network(text)
        except ValueError as error:
            raise ConfigurationError(
                f"{self}: {text!r} is no network", hint=f"Write it like 10.1.0.0/16 ({error})."
            ) from None


class Senders:
    """Tells the senders of one listener apart."""

    def __init__(self, listener: SyslogListener, book: SourceBook) -> None:
        """Look sources up in ``book`` each time: they may be disabled, and enabled, while all runs."""
        self._by_certificate = listener.by_certificate
        self._book = book
        self._name_of = lru_cache(maxsize=4096)(listener.narrowest)

    def source_of(self, address: str, fingerprint: str = "") -> Source | None:
        """Return the source of a sender, None where nothing may be taken from it.

        Args:
            address: Its address.
            fingerprint: SHA-256 of its certificate in lower-case hexadecimal, where it showed one.
        """
        if self._by_certificate:
            source = self._book.by_certificate(fingerprint) if fingerprint else None
        else:
            name = self._name_of(address)
            source = self._book.by_name(name) if name else None
        return source if source is not None and source.enabled else None
