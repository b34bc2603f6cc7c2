"""Syslog from the network: UDP, TCP and TLS, RFC 5424 and RFC 3164.

    datagrams  ─▶ (a message each) ─┐
                                    ├─▶ records ─▶ intake
    connections ─▶ Framer ──────────┘

Messages are passed on as they were received; what they say is read where they are looked at, by the reader
``syslog`` unless the source names another.

    listener = SyslogListener("127.0.0.1", 1514, "tcp", source="routers")
    receiver = receiver_for(listener, intake, book)
    await receiver.start()
    ...
    await receiver.close()

The network is untrusted: each length, number and time is bounded by :class:`haidang.limits.Limits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from haidang.ingest.syslog.connections import ConnectionReceiver
from haidang.ingest.syslog.counts import SyslogCounts
from haidang.ingest.syslog.datagrams import DatagramReceiver
from haidang.ingest.syslog.listener import SyslogListener
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from haidang.ingest.delivering import Taking
    from haidang.ingest.model import SourceBook

__all__ = [
    "ConnectionReceiver",
    "DatagramReceiver",
    "SyslogCounts",
    "SyslogListener",
    "SyslogReceiver",
    "receiver_for",
]

SyslogReceiver: TypeAlias = ConnectionReceiver | DatagramReceiver


def receiver_for(
    listener: SyslogListener, intake: Taking, book: SourceBook, limits: Limits = DEFAULT_LIMITS
) -> SyslogReceiver:
    """Return the receiver of a listener, not started yet."""
    kind = DatagramReceiver if listener.kind == "udp" else ConnectionReceiver
    return kind(listener, intake, book, limits)
