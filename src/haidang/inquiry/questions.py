"""What is asked, of which logs, and how their events are gone through: the part that all questions share.

Events are decoded by :mod:`haidang.scanning.decoding`; nothing here raises for the content of a log.
Logs are untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from haidang.errors import HaidangError
from haidang.events.streams import find_inputs, open_input
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.scanning.decoding import EventDecoder, LogEvent, Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.events.model import FileReport
    from haidang.events.streams import Input
    from haidang.sigma.ir import LogsourceMap

__all__ = ["LogEvent", "Question", "Sieve"]

_MOST_OTHERS = 1000
"""Hosts that are remembered to say what may have been meant."""


@dataclass
class Question:
    """Which logs are asked, and the times (nanoseconds since 1970) and hosts that matter."""

    paths: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    """Names of hosts, in full or without their domain; none means all."""
    since: int | None = None
    until: int | None = None
    input_format: str | None = None
    password: bytes | None = None
    outputs: tuple[str, ...] = ()
    """Files that the answer will be written to: where a folder that is read holds them, they are no logs."""
    limits: Limits = DEFAULT_LIMITS
    on_progress: Callable[[int, int], None] = lambda _size, _events: None
    """Gets the bytes and events gone through so far, batch after batch."""
    reports: list[FileReport] = field(default_factory=list)
    """Filled in while events are gone through: the account of each file."""
    other_hosts: dict[str, None] = field(default_factory=dict)
    """Hosts of events that would have fitted but for their host, as many as are worth naming."""
    _met_hosts: set[str] = field(default_factory=set, repr=False)
    _inputs: list[Input] | None = field(default=None, repr=False)
    _troubles: list[FileReport] = field(default_factory=list, repr=False)

    def find(self) -> list[Input]:
        """List what is to be read, and begin the account anew.

        Whoever writes into the folder that is read calls this first: what is written later is then no log.

        Raises:
            InputError: A path does not exist.
        """
        if self._inputs is None:
            self._troubles.clear()
            found = find_inputs(
                self.paths, limits=self.limits, on_problem=self._troubles.append, outputs=self.outputs
            )
            self._inputs = list(found)
            self._troubles[:] = [report for report in self._troubles if not report.output]
        self.reports[:] = self._troubles
        return self._inputs

    def events(self, sieve: Sieve | None = None) -> Iterator[LogEvent]:
        """Yield every event in order; documents that do not pass ``sieve`` are not decoded.

        Raises:
            InputError: A path does not exist.
            ConfigurationError: There is no such input format.
        """
        size = events = 0
        for item in self.find():
            opened = open_input(
                item, limits=self.limits, password=self.password, input_format=self.input_format
            )
            for report, batches in opened:
                self.reports.append(report)
                try:
                    for batch in batches:
                        yield from self.decoder.events(batch, sieve)
                        self.on_progress(size + report.size, events + report.records)
                except HaidangError as error:
                    report.note("unreadable", f"record {report.records + 1}", error.message)
                size += report.size
                events += report.records

    def time(self, event: LogEvent) -> int | None:
        """Return when an event happened, in nanoseconds since 1970; None where it does not say."""
        return self.decoder.time(event)

    def host(self, event: LogEvent) -> str:
        """Return the host that an event speaks of, "" where unknown."""
        return self.decoder.host(event)

    def wants_host(self, host: str) -> bool:
        """Return whether ``host`` is asked about."""
        if not self._hosts:
            return True
        name = host.lower()
        for spelling in (name, name.partition(".")[0]):
            if spelling in self._hosts:
                self._met_hosts.add(spelling)
                return True
        if host and len(self.other_hosts) < _MOST_OTHERS:
            self.other_hosts[host] = None
        return False

    def unmet_hosts(self) -> list[str]:
        """Return the hosts that were asked about and of which nothing fitted."""
        return [host for host in self.hosts if host.lower() not in self._met_hosts]

    def wants_time(self, time: int | None) -> bool:
        """Return whether ``time`` is asked about; an unknown one is only where no bound is given."""
        if time is None:
            return self.since is None and self.until is None
        return (self.since is None or time >= self.since) and (self.until is None or time <= self.until)

    @cached_property
    def maps(self) -> tuple[LogsourceMap, ...]:
        """The logsource maps, which say by what fields the events of a product are told apart."""
        return self.decoder.maps

    @cached_property
    def decoder(self) -> EventDecoder:
        """What makes events of what readers hand over."""
        return EventDecoder(self.limits)

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(host.lower() for host in self.hosts)
