r"""PowerShell transcripts: what was typed into a console, and what it answered.

    **********************
    Windows PowerShell transcript start
    Start time: 20261111215903
    Username: HOAVANG\lan.tt
    Host Application: C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe
    **********************
    PS C:\> whoami
    hoavang\lan.tt

Rules of this module:

- Each command is an event, with all of its output; so is the beginning of each transcript, and output that
  comes before any command. A command begins at a prompt (``PS C:\>``, also of a remote session) or below a
  line that says when it began (the setting *invocation headers*); lines behind ``>>`` continue it.
- Times are local times of a zone that nobody wrote down. A command has the time of its own header, else that
  of the transcript.
- A transcript whose header is cut off is noted, and its lines are read all the same. Of the output of one
  command, ``limits.value_chars`` are kept; what is more is noted.
- Headings are told by their shape, for they may be in the language of the system. Input is untrusted.

Fields (origin ``pstranscript``; all text):

    kind             start, command or output
    timestamp        RFC 3339 without a zone
    ScriptBlockText  the command
    Payload          the command and its output
    Username RunAsUser Machine HostApplication ProcessID PSVersion …
                     the header's, without blanks in the names
    Computer         the name in Machine

Events are numbered by their first lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "PowershellTranscriptReader"]

ORIGIN = Origin("pstranscript", time_fields=("timestamp",), host_fields=("Computer",))

HEAD_LINES = 40
_HEADER_LINES = 40
_STARS = expression(r"\*{20,}\s*\Z")
_PAIR = expression(r"([^\W\d_][^:=]{0,39}): ?(.*)\Z", re.DOTALL)
_MOMENT = expression(r"[^:]{1,60}: ?(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\s*\Z", re.ASCII)
_PROMPT = expression(r"(?:\[[^\]]{1,256}\]: ?)?PS(?: [^>]{0,1024})?> ?(.*)\Z", re.DOTALL)
_TELLING = frozenset({"HostApplication", "PSVersion", "RunAsUser", "ProcessID", "Machine"})
_BLANK = expression(r"\s+")
_ENGLISH = frozenset({"Username", "RunAsUser", "Machine", "HostApplication", "ProcessID"})
_BEHIND = ("Machine", "HostApplication", "ProcessID")
_SYSTEM = expression(r"\((?:Microsoft Windows|Unix|Darwin)[^)]{0,80}\)\s*\Z")
_DIGITS = expression(r"\d{14}\s*\Z", re.ASCII)


class PowershellTranscriptReader:
    """Reads PowerShell transcripts."""

    name = "powershell-transcript"
    title = "PowerShell transcript"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = False
    """The header says who typed and where."""

    def recognises(self, head: Head) -> int:
        """Return 95 where it begins with stars and a header that says what a transcript's does."""
        lines = [line.removeprefix(BOM) for line in head.lines[:HEAD_LINES]]
        if not lines or not _STARS.match(lines[0]):
            return 0
        end = next((at for at, line in enumerate(lines[1:], 1) if _STARS.match(line)), 0)
        names = _header(lines[1:end]).keys()
        return 95 if len(names & _TELLING) >= 2 else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        transcript = _Transcript(report, limits)
        for first, lines in stream.line_batches(report, limits):
            for number, line in enumerate(lines, first):
                transcript.add(number, decode(line, number, report).strip(f"\x00\r{BOM}"))
            yield from transcript.batch()
        transcript.close()
        yield from transcript.batch()


def _header(lines: list[str]) -> Fields:
    """Return what the lines of a header say, by names without blanks."""
    pairs = [
        (_BLANK.sub("", match[1]), match[2].strip())
        for line in lines
        if (match := _PAIR.match(line)) is not None
    ]
    if not any(name in _ENGLISH for name, _ in pairs):
        pairs = _in_english(pairs)
    return {name: value for name, value in pairs if value}


def _in_english(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs of a header in another language, told by their order and the form of values."""
    machine = next((at for at, (_, value) in enumerate(pairs) if _SYSTEM.search(value)), 0)
    if machine < 2 or not _DIGITS.match(pairs[0][1]):
        return pairs
    names = [name for name, _ in pairs]
    names[1] = "Username"
    if machine > 2:
        names[2] = "RunAsUser"
    names[machine : machine + 3] = _BEHIND[: len(names) - machine]
    return [(name, value) for name, (_, value) in zip(names, pairs, strict=True)]


def _moment(lines: list[str]) -> str:
    """Return the first time that the lines of a heading name, "" where there is none."""
    found = next((match for line in lines if (match := _MOMENT.match(line))), None)
    if found is None:
        return ""
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


class _Transcript:
    """Puts lines together into events."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        self._report = report
        self._limits = limits
        self._header: Fields = {}
        self._heading: list[str] | None = None
        self._heading_at = 0
        self._has_moment = False
        self._command: list[str] = []
        self._answer: list[str] = []
        self._size = 0
        self._at = 0
        self._time = ""
        self._events: list[Fields] = []
        self._records: list[int] = []

    def batch(self) -> Iterator[EventBatch]:
        """Yield what was finished since the last call."""
        step = self._limits.batch_events
        for start in range(0, len(self._events), step):
            end = start + step
            yield EventBatch(self._report, ORIGIN.name, self._events[start:end], self._records[start:end])
        self._events, self._records = [], []

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        if _STARS.match(line):
            if self._heading is None:
                self._heading, self._heading_at = [], number
            else:
                self._head()
        elif self._heading is not None:
            self._heading.append(line)
            if len(self._heading) > _HEADER_LINES:
                # Stars that a command printed, or the end of a heading is missing.
                self._head()
        else:
            self._line(number, line)

    def close(self) -> None:
        """Take the end of the file."""
        if self._heading:
            detail = "The transcript ends within a heading."
            self._report.note("truncated", f"line {self._heading_at}", detail)
        self._head()
        self._finish()

    def _head(self) -> None:
        """Take what stands below a line of stars."""
        heading, self._heading = self._heading or [], None
        # What follows the pairs of a header whose end is missing is the transcript itself.
        end = next((at for at, line in enumerate(heading[1:], 1) if not _PAIR.match(line)), len(heading))
        found = _header(heading[:end])
        moment = _moment(heading[:end])
        if len(found.keys() & _TELLING) >= 2:
            self._finish()
            self._begin(found, moment)
        elif moment and len(heading) <= 2:
            self._finish()
            # A line by itself says when the next command began; with a title it is the end.
            self._has_moment = len(heading) == 1
            self._time = moment
        else:
            end = 0
        for number, line in enumerate(heading[end:], self._heading_at + end + 1):
            self._line(number, line)

    def _begin(self, found: Fields, moment: str) -> None:
        self._header = found
        self._has_moment = False
        self._time = moment
        if machine := found.get("Machine"):
            found["Computer"] = machine.partition(" ")[0]
        self._add({"kind": "start"}, self._heading_at)

    def _line(self, number: int, line: str) -> None:
        """Take a line of the transcript itself."""
        match = _PROMPT.match(line)
        if match is not None:
            self._finish()
            self._at = number
            self._has_moment = False
            if match[1].strip():
                self._command = [match[1]]
        elif self._has_moment and line.strip():
            # The prompt is one of the user's own.
            self._at = number
            self._has_moment = False
            self._command = [line]
        elif self._command and not self._answer and line.startswith(">>"):
            self._command.append(line[2:].removeprefix(" "))
        elif line.strip():
            self._say(number, line)

    def _say(self, number: int, line: str) -> None:
        if not self._command and not self._answer:
            if not self._header:
                detail = "no header before it; read as output"
                self._report.note("broken-line", f"line {number}", detail)
            self._at = number
        self._size += len(line) + 1
        if self._size <= self._limits.value_chars:
            self._answer.append(line)
        elif self._size - len(line) - 1 <= self._limits.value_chars:
            detail = f"output of more than {self._limits.value_chars} characters; the rest is left out"
            self._report.note("oversized-line", f"line {number}", detail)

    def _finish(self) -> None:
        """Hand over the command, or the output, that has ended."""
        if self._command:
            text = "\n".join(self._command)
            payload = "\n".join([text, *self._answer])
            self._add({"kind": "command", "ScriptBlockText": text, "Payload": payload}, self._at)
        elif self._answer:
            self._add({"kind": "output", "Payload": "\n".join(self._answer)}, self._at)
        self._command, self._answer = [], []
        self._size = 0

    def _add(self, fields: Fields, number: int) -> None:
        event = {**self._header, **fields}
        if self._time:
            event["timestamp"] = self._time
        self._events.append(event)
        self._records.append(number)


READER = PowershellTranscriptReader()
