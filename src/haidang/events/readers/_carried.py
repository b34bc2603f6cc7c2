"""Which product wrote a line of syslog: each line goes to the reader that knows what it says.

Firewalls, routers and name servers send their records through syslog, and a collector writes all of them to
one file. A reader that also defines ``carries`` and ``parse_message`` (:class:`Carrier`) gets such lines,
from
whatever file; there is no list to edit.

Rules of this module:

- What decides is the name of the program and what the message begins with, never what is somewhere inside:
  a user name that looks like a firewall's record must not take the line of sshd away from the rules on
  sshd.
- Where several may take a line, they are asked in the order of their names.
- Lines that nobody takes stay syslog. Of those, one without any header is noted, unless it continues
  another.
- Within a batch of lines the events of each origin are together, in the order of the file.

Input is untrusted.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol, TypeGuard

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.readers import readers
from haidang.events.readers._lines import broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.events.model import FileReport

__all__ = ["Carrier", "Sorter", "carriers", "is_bare", "note_text"]

_REMEMBERED = 4096


class Carrier(Protocol):
    """A reader of records that also travel through syslog."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return the families of logs; the first is that of its own records."""
        ...

    def carries(self, program: str, start: str) -> bool:
        """Return whether a line may be of this product.

        Args:
            program: The program of the header, lower case; "" where the line names none.
            start: The first character of the message; "" for an empty one.
        """
        ...

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record in a line of syslog, None where it is none of this product.

        ``event`` has the fields of the syslog reader: ``message`` and ``raw`` always, the others as the
        header has them.
        """
        ...


@cache
def carriers() -> tuple[Carrier, ...]:
    """Return every reader whose records also travel through syslog, in the order of their names."""
    return tuple(reader for _, reader in sorted(readers().items()) if _is_carrier(reader))


def _is_carrier(reader: object) -> TypeGuard[Carrier]:
    # Not by isinstance, which would ask for origins, and those of syslog are all of its carriers'.
    return hasattr(type(reader), "parse_message")


def is_bare(event: Fields) -> bool:
    """Return whether a line has no header at all: nothing but its text is known."""
    return len(event) == 2


class Sorter:
    """Hands each event of syslog to the first carrier that takes it."""

    def __init__(self, known: Iterable[Carrier], rest: Origin) -> None:
        """Sort among the ``known``; what none of them takes is of the origin ``rest``."""
        self._known = tuple(known)
        self._rest = rest.name
        self._candidates = lru_cache(maxsize=_REMEMBERED)(self._find)

    def taken(self, event: Fields) -> tuple[str, Fields] | None:
        """Return the origin and the fields of the record in a line, None where no carrier takes it."""
        for carrier in self._candidates(event.get("program", ""), event["message"][:1]):
            fields = carrier.parse_message(event)
            if fields is not None:
                return carrier.origins[0].name, fields
        return None

    def batches(self, events: list[Fields], records: list[int], report: FileReport) -> Iterator[EventBatch]:
        """Yield one batch for each origin among the events of consecutive lines."""
        sorted_events: dict[str, tuple[list[Fields], list[int]]] = {}
        candidates, rest = self._candidates, self._rest
        for event, record in zip(events, records, strict=True):
            origin, fields = rest, event
            for carrier in candidates(event.get("program", ""), event["message"][:1]):
                found = carrier.parse_message(event)
                if found is not None:
                    origin, fields = carrier.origins[0].name, found
                    break
            else:
                if len(event) == 2:
                    note_text(event["message"], record, report)
            both = sorted_events.get(origin)
            if both is None:
                both = sorted_events[origin] = ([], [])
            both[0].append(fields)
            both[1].append(record)
        for origin, (found_events, found_records) in sorted_events.items():
            yield EventBatch(report, origin, found_events, found_records)

    def _find(self, program: str, start: str) -> tuple[Carrier, ...]:
        return tuple(one for one in self._known if one.carries(program, start))


def note_text(text: str, number: int, report: FileReport) -> None:
    """Note a line that is no syslog line, unless it continues the one before or is journald's."""
    if text[:1] not in " \t" and not text.startswith("-- "):
        broken(report, number, "no syslog line; read as plain text", skipped=0)
