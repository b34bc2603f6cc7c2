"""Syslog: RFC 3164, RFC 5424 and what rsyslog, syslog-ng and journald write to files.

Rules of this module:

- Read are lines with and without ``<PRI>``, with the time of RFC 3164 (also with a year or a fraction of
  a second) or of RFC 3339, with and without host and process, and frames counted in octets (RFC 6587).
- Read as well are the times of ``journalctl`` (``short-full``, ``short-unix``) and the facility in words that
  BusyBox writes. A line that a relay put behind a header of its own is the line as it had come.
- A message that another reader knows (of a firewall, a router, a name server) is handed over as that reader's
  event, see :mod:`haidang.events.readers._carried`; a line without header counts as a message, too.
- A line that is no syslog line is handed over with its text alone, so that keywords still find it, and is
  noted; a continuation line (it begins with a blank) and journald's ``-- …`` lines are not worth a note.
- A time without a year (RFC 3164) is put into a year by :mod:`haidang.events.readers._years`.
- A line in which Sysmon for Linux wrote an event is that event (origin ``windows``, the fields of Sysmon).
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``syslog``; a field that the line leaves out is absent):

    time             the time with its year, where ``timestamp`` has none
    timestamp        as written
    hostname         as written
    program          name of the program, lower case, without its folder: ``sshd``, ``postfix/smtpd``
    pid              process id, text (RFC 5424 PROCID)
    message          what comes after the header
    priority         number between ``<`` and ``>``
    facility         kern, user, mail, daemon, auth … local7
    severity         emerg, alert, crit, err, warning, notice, info, debug
    msgid            RFC 5424 MSGID
    USER COMMAND PWD TTY …
                     what sudo says of a command
    outcome method user client_ip invalid_user
                     what sshd says of a logon: accepted or failed, password or key, whose, from where
    structured_data  RFC 5424: element id to (parameter name to value; a list where a name is repeated)
    raw              the whole line
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._carried import Sorter, carriers, is_bare, note_text
from haidang.events.readers._lines import BOM, decode, decode_all
from haidang.events.readers._linux_sysmon import SYSMON, SYSMON_MARK, take_sysmon
from haidang.events.readers._sshd import SSHD, add_sshd
from haidang.events.readers._sudo import add_sudo
from haidang.events.readers._years import Years

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.readers._carried import Carrier
    from haidang.events.readers._day_order import Ahead
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = [
    "ORIGIN",
    "READER",
    "SyslogReader",
    "parse_line",
    "parse_lines",
    "program_name",
    "read_lines",
    "sorted_out",
]

ORIGIN = Origin("syslog", time_fields=("time", "timestamp"), host_fields=("hostname",))

# The order is that of the numbers (RFC 5424 6.2.1); facilities 12 to 15 have no agreed names.
# fmt: off
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
    "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)
# fmt: on
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_NIL = "-"
"""What RFC 5424 writes for a value that is not there."""
_PRIORITIES: dict[str | None, tuple[int | str, str, str]] = {
    None: (_NIL, _NIL, _NIL),
    **{
        f"{number:0{digits}}": (number, FACILITIES[number >> 3], SEVERITIES[number & 7])
        for number in range(len(FACILITIES) * 8)
        for digits in (1, 2, 3)
    },
}
"""A priority as it is written to its number, facility and severity."""
_HEADER = ("timestamp", "hostname", "program", "pid", "msgid", "priority", "facility", "severity")
HEAD_LINES = 100
LONGEST_DATA = 65_536
"""Characters of structured data that are taken apart; longer ones are in ``raw`` alone."""
LONGEST_FORM = 4096
"""Characters of structured data whose names are remembered."""

_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BSD = (
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d\d?,? (?:\d{4} )?"
    r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: \d{4}(?= ))?"
)
# As journalctl prints them: short-full (behind the day of the week) and short-unix.
_FULL = r"(?<=\w{3} )\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})? (?:UTC|[+-]\d\d(?::?\d\d)?)"
_UNIX = r"\d{10}\.\d{6}"
_LINE = expression(
    r"(?:<(\d{1,3})>)?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d{4}-))?"
    f"({_BSD}|{_ISO}|{_FULL}|{_UNIX})(?=[ :]) ?:? *+"
    # The host never ends in a colon and has no bracket: that would be the program of a line without host.
    # Neither begins with a brace: that is a message in JSON.
    r"(?:((?!\{)[^\s\[\]]*[^\s\[\]:]) ++)?"
    r"(?:((?!\{)[^\s\[\]:]{1,128})(?:\[([^\s\[\]]{0,64})\])?:(?: |$))?(.*)\Z",
    re.ASCII | re.DOTALL,
)
# A priority, a year or version, a month, a day of the week: what else begins a line need not be tried.
_BEGINNINGS = frozenset("<0123456789JFMASONDTW")
# As the daemon of BusyBox writes it to files: what RFC 3164 has in a number.
_NAMED = expression(
    r"(kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])"
    r"\.(emerg|alert|crit|err|warn|warning|notice|info|debug) "
    r"([^\s\[\]:]{1,128})(?:\[([^\s\[\]]{0,64})\])?: (.*)\Z",
    re.DOTALL,
)
# Plain characters are passed over many at once, not one alternative at a time.
_INSIDE = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_ELEMENT = r'\[[^\s="\]]{1,256}+(?: ++[^\s="\]]{1,256}+="' + _INSIDE + r'")*+ *+\]'
_STRUCTURED = expression(
    r"(?:<(\d{1,3})>)?[1-9]\d? (-|" + _ISO + r") (\S{1,512}+) (\S{1,512}+) (\S{1,512}+) (\S{1,512}+) "
    r"(?:(-|(?:" + _ELEMENT + r")++)(?: |\Z))?(.*)\Z",
    re.ASCII | re.DOTALL,
)
# Either the beginning of an element or a parameter, of data that are known to be well-formed.
_PIECES = expression(r'\[([^\s="\]]++)|([^\s="\]]++)="(' + _INSIDE + r')"', re.DOTALL)
_ESCAPE = expression(r'\\(["\\\]])')
_PRIORITY = expression(r"<(\d{1,3})>(.*)\Z", re.ASCII | re.DOTALL)
_COUNTED = expression(rb"(\d{1,7}) (?=<\d{1,3}>)", re.ASCII)


def parse_line(text: str) -> Fields | None:
    """Return the fields of one line, or None where it is no syslog line."""
    if text[:1] not in _BEGINNINGS:
        return None
    return _parse_plain(text) or _parse_structured(text) or _parse_priority(text)


def parse_lines(
    first: int, lines: list[bytes], report: FileReport, *, note_plain: bool = True
) -> tuple[list[Fields], list[int]]:
    """Return the events of consecutive ``lines`` and the line number of each.

    Lines that are no syslog lines are noted, unless the caller does so: it may know what they are.
    """
    events: list[Fields] = []
    records: list[int] = []
    # No line is of both forms, and the next one is mostly of the form of this one.
    likely, other = _parse_plain, _parse_structured
    for number, (line, text) in enumerate(zip(lines, decode_all(lines, first, report), strict=True), first):
        # A digit may begin a count of octets; a line with a time of RFC 3339 does too.
        if text[:1].isdigit() and (frames := _frames(line)):
            for frame in frames:
                events.append(_event(decode(frame, number, report)))
                if note_plain and is_bare(events[-1]):
                    note_text(events[-1]["message"], number, report)
                records.append(number)
            continue
        fields = likely(text)
        if fields is None:
            fields = other(text)
            if fields is not None:
                likely, other = other, likely
            elif not text.strip("\x00 \t\r\n\x0b\x0c"):
                continue
            else:
                fields = _parse_priority(text) or _event(text)
                if note_plain and is_bare(fields):
                    note_text(fields["message"], number, report)
        events.append(fields)
        records.append(number)
    return events, records


def read_lines(
    stream: Stream | Ahead, report: FileReport, limits: Limits, known: Iterable[Carrier]
) -> Iterator[EventBatch]:
    """Yield the events of a stream, for each batch of lines one batch of each origin among the ``known``."""
    known = tuple(known)
    years = Years(stream.mtime)
    for first, lines in stream.line_batches(report, limits):
        events, records = parse_lines(first, lines, report, note_plain=False)
        years.place(events, records, report)
        for start in range(0, len(events), limits.batch_events):
            end = start + limits.batch_events
            yield from sorted_out(events[start:end], records[start:end], report, known)


def sorted_out(
    events: list[Fields], records: list[int], report: FileReport, known: tuple[Carrier, ...] | None = None
) -> Iterator[EventBatch]:
    """Yield lines of syslog, each as the event of whoever of the ``known`` wrote it; None stands for all.

    What Sysmon for Linux wrote comes first.
    """
    held = [at for at, fields in enumerate(events) if fields["message"][:7] == SYSMON_MARK]
    found = {at: event for at in held if (event := take_sysmon(events[at], records[at], report))}
    if found:
        yield EventBatch(report, SYSMON.name, list(found.values()), [records[at] for at in found])
        left = [at for at in range(len(events)) if at not in found]
        events, records = [events[at] for at in left], [records[at] for at in left]
    yield from _sorter(carriers() if known is None else known).batches(events, records, report)


@lru_cache(maxsize=64)
def _sorter(known: tuple[Carrier, ...]) -> Sorter:
    return Sorter(known, ORIGIN)


def _event(text: str) -> Fields:
    """Return the fields of a line, its text alone where it is no syslog line."""
    # Files that were being written during a crash are padded with NUL bytes.
    text = text.removeprefix(BOM).strip("\x00").rstrip("\r\n")
    return parse_line(text) or {"message": text, "raw": text}


def _frames(line: bytes) -> list[bytes]:
    """Cut a line into its octet-counted frames (RFC 6587 3.4.1); none where it is not counted."""
    frames = []
    position = 0
    while match := _COUNTED.match(line, position):
        end = min(match.end() + int(match[1]), len(line))
        # A count that is too small would tear the message: what follows must be a frame, too.
        if end < len(line) and not _COUNTED.match(line, end):
            end = len(line)
        frames.append(line[match.end() : end])
        position = end
    return frames


def _parse_plain(text: str) -> Fields | None:
    """Read a line of RFC 3164, or of what daemons make of it."""
    match = _LINE.match(text)
    if match is None:
        return None
    priority, timestamp, hostname, program, pid, message = match.groups()
    fields: Fields = {"timestamp": timestamp, "message": message, "raw": text}
    if hostname:
        fields["hostname"] = hostname
    if not program:
        if message[:1] == "<" and (inner := _relayed(message)) is not None:
            return {**inner, "raw": text}
        if (named := _NAMED.match(message)) is not None:
            fields["facility"], fields["severity"], program, pid, fields["message"] = named.groups()
    if program:
        fields["program"] = program = program_name(program)
        if pid:
            fields["pid"] = pid
        if program == "sudo":
            add_sudo(fields)
        elif program in SSHD:
            add_sshd(fields)
    return _with_priority(fields, priority) if priority else fields


def _relayed(message: str) -> Fields | None:
    """Return the line that a relay put behind a header of its own, as it had come; None where it is none."""
    if _PRIORITY.match(message) is None:
        return None
    inner = _parse_structured(message) or _parse_plain(message)
    return inner if inner is not None and "program" in inner else None


def _parse_structured(text: str) -> Fields | None:
    """Read a line of RFC 5424."""
    match = _STRUCTURED.match(text)
    if match is None:
        return None
    priority, timestamp, hostname, program, pid, msgid, data, message = match.groups()
    if priority is None and timestamp == _NIL:
        return None
    meant = _PRIORITIES.get(priority)
    if meant is None:
        return None
    # A dictionary that is made whole costs half of one that grows.
    fields: Fields = {
        "message": message.removeprefix(BOM),
        "raw": text,
        "timestamp": timestamp,
        "hostname": hostname,
        "program": program_name(program),
        "pid": pid,
        "msgid": msgid,
        "priority": meant[0],
        "facility": meant[1],
        "severity": meant[2],
    }
    if _NIL in (timestamp, hostname, program, pid, msgid, meant[1]):
        for name in _HEADER:
            if fields[name] == _NIL:
                del fields[name]
    if program == "sudo":
        add_sudo(fields)
    elif program in SSHD:
        add_sshd(fields)
    if data and data != _NIL and len(data) <= LONGEST_DATA:
        fields["structured_data"] = _parse_elements(data)
    return fields


def _parse_priority(text: str) -> Fields | None:
    """Read a line of which only the priority is as it should be (RFC 3164 4.3.3)."""
    match = _PRIORITY.match(text)
    return None if match is None else _with_priority({"message": match[2], "raw": text}, match[1])


def _parse_elements(data: str) -> dict[str, dict[str, Any]]:
    """Read structured data (RFC 5424 6.3) that are well-formed."""
    if "\\" in data or len(data) > LONGEST_FORM:
        return _parse_pieces(data)
    # Without escapes every second part is a value. What is between is the same in line after line.
    parts = data.split('"')
    form = _form(tuple(parts[::2]))
    if form is None:
        return _parse_pieces(data)
    values = parts[1::2]
    # What comes behind an element's own values is of the next.
    return {name: dict(zip(keys, values[start:], strict=False)) for name, keys, start in form}


@lru_cache(maxsize=1024)
def _form(between: tuple[str, ...]) -> list[tuple[str, list[str], int]] | None:
    """Return, for what is between the values, each element with its keys and the place of its first value.

    None where a name is repeated, which needs more than that.
    """
    found: list[tuple[str, list[str], int]] = []
    for at, text in enumerate(between):
        # Before a value, the text ends in its name; before that, and at the end, elements may begin.
        begins, _, key = text.removesuffix("=").rpartition(" ") if text.endswith("=") else (text, "", "")
        found += [(name, [], at) for name, _, _ in _PIECES.findall(begins)]
        if key:
            found[-1][1].append(key)
    unique = len({name for name, _, _ in found}) == len(found)
    return found if unique and all(len(set(keys)) == len(keys) for _, keys, _ in found) else None


def _parse_pieces(data: str) -> dict[str, dict[str, Any]]:
    """Do the same for any structured data, piece by piece."""
    elements: dict[str, dict[str, Any]] = {}
    parameters: dict[str, Any] = {}
    for name, key, value in _PIECES.findall(data):
        if name:
            parameters = elements.setdefault(name, {})
        else:
            _add_parameter(parameters, key, value)
    return elements


def _add_parameter(parameters: dict[str, Any], key: str, escaped: str) -> None:
    """Add a value with its escapes undone; a name that is repeated has a list."""
    value = _ESCAPE.sub(r"\1", escaped)
    if key not in parameters:
        parameters[key] = value
    elif isinstance(parameters[key], list):
        parameters[key].append(value)
    else:
        parameters[key] = [parameters[key], value]


def _with_priority(fields: Fields, written: str) -> Fields | None:
    """Add a priority and what it stands for; None where it is none."""
    meant = _PRIORITIES.get(written)
    if meant is None:
        return None
    fields["priority"], fields["facility"], fields["severity"] = meant
    return fields


@lru_cache(maxsize=4096)
def program_name(written: str) -> str:
    """Return a program's name in lower case, without the folder of an absolute path."""
    return (written.rpartition("/")[2] or written if written.startswith("/") else written).lower()


def resembles(text: str) -> bool:
    """Return whether a line is syslog beyond doubt.

    It names a priority or a program after its time, or it is a record that another reader knows.
    """
    fields = parse_line(text)
    if fields is None:
        return False
    is_sure = "timestamp" in fields and ("priority" in fields or "program" in fields)
    return is_sure or _sorter(carriers()).taken(fields) is not None


class SyslogReader:
    """Reads syslog files."""

    name = "syslog"
    title = "Syslog (RFC 3164, RFC 5424)"
    splittable = True
    """Whether any part of a file can be read without what comes before it."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return syslog, and the families of logs that travel through it."""
        return (ORIGIN, SYSMON, *(carrier.origins[0] for carrier in carriers()))

    def recognises(self, head: Head) -> int:
        """Return 80 where at least half of the first lines are syslog beyond doubt (90 with PRI)."""
        lines = [line.removeprefix(BOM) for line in head.lines[:HEAD_LINES]]
        texts = [
            frame.decode("utf-8", "replace") for line in lines for frame in _frames(line.encode())
        ] or lines
        alike = sum(map(resembles, texts))
        if not alike or alike * 2 < len(texts):
            return 0
        return 90 if texts[0].startswith("<") else 80

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield batches of events for each batch of lines."""
        yield from read_lines(stream, report, limits, carriers())


READER = SyslogReader()
