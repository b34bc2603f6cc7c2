"""What a syslog listener counts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SyslogCounts"]


@dataclass(slots=True)
class SyslogCounts:
    """Counts since the start of a listener; only ``open`` goes down again.

    What was taken of each source is counted by the intake.
    """

    messages: int = 0
    """Messages that were handed over."""
    bytes: int = 0
    """Bytes that came in, frames included (TLS: decrypted)."""
    cut: int = 0
    """Messages that were longer than the limit, and were passed on cut."""
    incomplete: int = 0
    """Messages counted in octets whose end never came; passed on as far as they came."""
    unknown: int = 0
    """Connections, or datagrams, of a sender that has no source."""
    open: int = 0
    """Connections that are open."""
    accepted: int = 0
    """Connections that were let in."""
    refused: int = 0
    """Connections past the limits."""
    handshakes: int = 0
    """TLS handshakes that failed."""
    idle: int = 0
    """Connections that were closed because nothing more came."""
    dropped: int = 0
    """Datagrams for which the source had no room: its rate is exceeded, or the disk is full."""
    lost: int | None = None
    """Datagrams that the kernel dropped because they came faster than they were read; None where it does
    not tell."""
