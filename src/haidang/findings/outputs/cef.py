r"""CEF: each finding as a message in the Common Event Format, inside syslog (RFC 5424).

Rules:

- In a file, one message a line. ``--output syslog://HOST:PORT`` sends them (UDP; ``syslog+tcp://`` for TCP
  with the octet counts of RFC 6587); the command line opens the connection.
- The header names rule and level: CEF severity 10 critical, 8 high, 6 medium, 4 low, 2 informational. The
  extension has the keys of the CEF dictionary, none longer than that allows; a longer value is cut.
- ``\`` and ``|`` are escaped in the header, ``\`` and ``=`` in the extension; a line break is ``\n`` in the
  extension and a blank in the header, so that no log can begin a message of its own.
- The syslog time and host are those of the event, ``-`` where it has none. The text is UTF-8 without a byte
  order mark, which collectors of CEF do not expect.

Values come from logs and are untrusted.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.events.times import parse_time
from haidang.findings.entities import base_name, entities
from haidang.findings.reasons import reasons
from haidang.findings.values import as_text
from haidang.findings.words import tactics, techniques

if TYPE_CHECKING:
    from haidang.findings.model import Finding, ScanSummary

__all__ = ["OUTPUT", "CefOutput", "CefWriter", "cef_message"]

_SEVERITIES = {"critical": 10, "high": 8, "medium": 6, "low": 4, "informational": 2}
_SYSLOG_SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
_FACILITY = 4
"""Security messages (RFC 5424, section 6.2.1)."""
_CONTROLS = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_BREAKS = re.compile(r"\r\n|\r|\n")
_NO_HOST = re.compile(r"[^\x21-\x7e]+")
_LONGEST = {"msg": 1023, "fname": 1023, "filePath": 1023, "request": 1023, "duser": 1023, "dproc": 1023}
_LONGEST_STRING = 4000
"""Characters of a custom string (cs1 …)."""
_LONGEST_NAME = 512


class CefWriter:
    """Writes a message for each finding, each with one call of ``write``."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        self._write = stream.write

    def write(self, finding: Finding) -> None:
        """Write one finding."""
        self._write(cef_message(finding) + b"\n")

    def close(self, summary: ScanSummary) -> None:
        """Write nothing more: every message is an event."""


class CefOutput:
    """``--format cef``."""

    name = "cef"
    title = "CEF in syslog messages (RFC 5424), to a file or to syslog://HOST:PORT"
    suffixes: tuple[str, ...] = (".cef",)
    things: bool = True
    """Findings should carry the fields that name process, user, addresses and the like."""

    def open(self, stream: IO[bytes], *, lang: str) -> CefWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return CefWriter(stream)


OUTPUT = CefOutput()


def cef_message(finding: Finding) -> bytes:
    """Return a finding as one syslog message, without a line end."""
    rule = finding.rule
    priority = _FACILITY * 8 + _SYSLOG_SEVERITIES.get(rule.level, 5)
    host = _NO_HOST.sub("_", finding.host)[:255] or "-"
    header = "|".join(
        (
            "CEF:0",
            "Hải Đăng",
            "haidang",
            __version__,
            _header(rule.id or rule.title),
            _header(rule.title),
            str(_SEVERITIES.get(rule.level, 0)),
        )
    )
    extension = " ".join(f"{key}={_value(key, value)}" for key, value in _extension(finding).items() if value)
    text = f"<{priority}>1 {_syslog_time(finding.time)} {host} haidang - finding - {header}|{extension}"
    return text.encode("utf-8", "backslashreplace")


def _syslog_time(time: str | None) -> str:
    """Return a time with at most six digits of a second (RFC 5424, section 6.2.3)."""
    if not time:
        return "-"
    whole, point, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}{point}{fraction[:6]}Z"


def _extension(finding: Finding) -> dict[str, Any]:
    things = entities(finding.event)
    nanoseconds = parse_time(finding.time) if finding.time else None
    rule = finding.rule
    matched = "; ".join(f"{m.field or 'keyword'}={as_text(m.value)}" for m in finding.matched)
    custom = (
        ("cs1", "matched", matched),
        ("cs2", "techniques", " ".join((*tactics(rule.tags), *techniques(rule.tags)))),
        ("cs3", "commandLine", things.command_line),
        ("cs4", "source", finding.source.path),
        ("cs5", "registryKey", things.registry_key),
        ("cn1", "record", finding.source.record),
    )
    labelled = {
        key: value
        for name, label, text in custom
        if text
        for key, value in ((f"{name}Label", label), (name, text))
    }
    return {
        "rt": None if nanoseconds is None else nanoseconds // 1_000_000,
        "dvchost": finding.host,
        "cat": finding.origin,
        "externalId": finding.id,
        "cnt": finding.count,
        "msg": reasons(finding),
        "src": things.source_ip,
        "spt": things.source_port,
        "dst": things.destination_ip,
        "dpt": things.destination_port,
        "dhost": things.destination_host,
        "proto": things.protocol,
        "duser": things.user,
        "dntdom": things.user_domain,
        "dproc": things.process,
        "dpid": things.pid,
        "fname": base_name(things.file) if things.file else "",
        "filePath": things.file,
        "fileHash": things.hashes[-1][1] if things.hashes else "",
        "request": things.url,
        **labelled,
    }


def _header(text: str) -> str:
    text = _CONTROLS.sub(" ", _BREAKS.sub(" ", text))[:_LONGEST_NAME]
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _value(key: str, value: object) -> str:
    longest = _LONGEST.get(key, _LONGEST_STRING if key.startswith("cs") else 255)
    text = str(value)[:longest].replace("\\", "\\\\").replace("=", "\\=")
    return text if text.isprintable() else _BREAKS.sub("\\\\n", _CONTROLS.sub(" ", text))
