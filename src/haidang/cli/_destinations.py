"""Where findings go: ``--format`` and ``--output`` paired, and files that appear only when complete.

Rules:

- ``--format F --output P`` belong together; ``--output P`` alone takes the format of the suffix; a
  ``--format F`` without an ``--output`` goes to standard output, as does ``--output -``.
- Standard output takes one format. Where none is asked for, it gets the summary.
- A file is written under a temporary name in its own folder and renamed when the run is over. A run
  that fails leaves what was there before; one that the user stops leaves ``NAME.partial``.
- What exists and is no regular file (a device, a named pipe) is written to directly.
- ``syslog://HOST:PORT`` sends each finding as a message (:mod:`haidang.cli._syslog_stream`) in CEF.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from haidang.cli._syslog_stream import SyslogStream, is_syslog, parse_address
from haidang.errors import ConfigurationError, OutputError
from haidang.findings.outputs import OutputFormat, Writer, outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.findings.model import Finding, ScanSummary

__all__ = ["STDOUT", "Destination", "OpenDestination", "pair"]

STDOUT = "-"
_SYSLOG_FORMAT = "cef"
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class Destination:
    """One output: a format, and a path or ``-``."""

    format: OutputFormat
    path: str


def pair(asked: Sequence[tuple[str, str]]) -> tuple[Destination, ...]:
    """Pair the options ("format" or "output", value), in the order in which they were given.

    Raises:
        ConfigurationError: A format is unknown, a suffix names none, or two outputs have one place.
    """
    destinations: list[Destination] = []
    waiting: OutputFormat | None = None
    for kind, value in asked:
        if kind == "format":
            if waiting is not None:
                destinations.append(Destination(waiting, STDOUT))
            waiting = _named(value)
        else:
            if is_syslog(value):
                destinations.append(Destination(_for_syslog(waiting, value), value))
            else:
                destinations.append(Destination(waiting or _by_suffix(value), value))
            waiting = None
    if waiting is not None:
        destinations.append(Destination(waiting, STDOUT))
    _refuse_shared_places(destinations)
    return tuple(destinations)


class OpenDestination:
    """A destination that is being written.

    Its file is only tried at first and begun with the first finding, when the engine knows its inputs:
    ``haidang scan . --output report.html`` must not take its own output for a log.
    """

    def __init__(self, destination: Destination, stdout: IO[bytes], *, lang: str) -> None:
        """Try whether it can be written.

        Raises:
            OutputError: The file cannot be written where it was asked for.
        """
        self.destination = destination
        self._stdout = stdout
        self._lang = lang
        self._syslog: SyslogStream | None = None
        self._final, self._temporary = _places(destination.path)
        self._stream: IO[bytes] | None = None
        self._writer: Writer | None = None
        if is_syslog(destination.path):
            # At once: a run over terabytes should not end with a collector that was never there.
            try:
                self._syslog = SyslogStream(parse_address(destination.path))
            except OSError as error:
                raise self._failure(error) from error
        if self._temporary is not None:
            try:
                self._temporary.touch(exist_ok=False)
                self._temporary.unlink()
            except OSError as error:
                raise self._failure(error) from error

    @property
    def writer(self) -> Writer:
        """The open output, begun when it is first wanted.

        Raises:
            OutputError: The file cannot be written.
        """
        if self._writer is None:
            try:
                self._stream = self._open()
                self._writer = self.destination.format.open(self._stream, lang=self._lang)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise self._failure(error) from error
        return self._writer

    def write(self, finding: Finding) -> None:
        """Write one finding.

        Raises:
            OutputError: The file cannot be written, e.g. because the disk is full.
        """
        try:
            (self._writer or self.writer).write(finding)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def finish(self, summary: ScanSummary) -> Path | None:
        """Write what comes last and give the file its name; return the path of an unfinished one."""
        try:
            self.writer.close(summary)
            if self._stream is not None:
                self._stream.flush()
            self._close()
            if self._final is None:
                return None
            final = self._final
            if summary.interrupted:
                final = final.with_name(f"{final.name}.partial")
            if self._temporary is not None:
                self._temporary.replace(final)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from error
        return final if summary.interrupted and self._temporary else None

    def abandon(self) -> None:
        """Remove what was written; what was there before stays."""
        with contextlib.suppress(OSError):
            self._close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._syslog is not None:
            self._syslog.close()
        if self._stream is not None and self._final is not None:
            self._stream.close()

    def _open(self) -> IO[bytes]:
        if self._syslog is not None:
            return cast("IO[bytes]", self._syslog)
        if self._final is None:
            return self._stdout
        if self._temporary is None:
            return self._final.open("wb", buffering=_BUFFER)
        # Unlike a temporary file of the library, this one has the permissions that the user's umask gives.
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        return os.fdopen(descriptor, "wb", buffering=_BUFFER)

    def _failure(self, error: OSError) -> OutputError:
        reason = error.strerror or str(error)
        return OutputError(f"{self.destination.path}: cannot write the output: {reason}")


def _named(name: str) -> OutputFormat:
    found = outputs().get(name)
    if found is None:
        known = ", ".join(sorted(outputs()))
        raise ConfigurationError(
            f"--format: there is no output format {name!r}", hint=f"Choose one of: {known}"
        )
    return found


def _by_suffix(path: str) -> OutputFormat:
    name = Path(path).name.lower()
    # The longest ending counts: report.stix.json is STIX, not whatever else is JSON.
    fitting = [
        (len(suffix), output)
        for output in outputs().values()
        for suffix in output.suffixes
        if name.endswith(suffix)
    ]
    if fitting and path != STDOUT:
        return max(fitting, key=lambda each: each[0])[1]
    known = ", ".join(suffix for output in outputs().values() for suffix in output.suffixes)
    raise ConfigurationError(
        f"--output {path}: its ending names no format",
        hint=f"Put --format before it, or use one of: {known}",
    )


def _for_syslog(asked: OutputFormat | None, path: str) -> OutputFormat:
    parse_address(path)
    if asked is not None and asked.name != _SYSLOG_FORMAT:
        raise ConfigurationError(
            f"--output {path}: syslog carries messages, not {asked.name}",
            hint="Use --format cef, or leave --format out.",
        )
    return outputs()[_SYSLOG_FORMAT]


def _refuse_shared_places(destinations: Sequence[Destination]) -> None:
    taken: set[str] = set()
    for destination in destinations:
        plain = destination.path == STDOUT or is_syslog(destination.path)
        place = destination.path if plain else os.path.realpath(destination.path)
        if place in taken:
            name = "standard output" if place == STDOUT else destination.path
            raise ConfigurationError(
                f"two outputs cannot both go to {name}", hint="Give each its own --output."
            )
        taken.add(place)


def _places(path: str) -> tuple[Path | None, Path | None]:
    """Return the file's own path and its temporary one; None for standard output, or for neither."""
    if path == STDOUT or is_syslog(path):
        return None, None
    # Through a symbolic link, so that the link stays and its target is replaced.
    final = Path(os.path.realpath(path))
    if final.exists() and not final.is_file() and not final.is_dir():
        return final, None
    if final.is_dir():
        raise ConfigurationError(f"--output {path} is a folder", hint="Name a file in it.")
    return final, final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
