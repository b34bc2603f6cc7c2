"""What the service listens for, reads and looks for: from ``serve.toml`` in its folder, or the file named.

Example::

    rules = ["/etc/haidang/rules"]

    [[syslog]]
    kind = "tls"
    port = 6514
    certificate = "/etc/haidang/server.pem"
    key = "/etc/haidang/server.key"
    source = "firewalls"

    [[tail]]
    path = "/var/log/nginx/*.log"
    source = "web"

    [intel]
    update = "6h"

    [archive]
    days = 90
    gigabytes = 20

Paths are as seen from the folder of the file. What is not known is refused, by name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError
from haidang.ingest.archive import Retention
from haidang.ingest.syslog import SyslogListener
from haidang.ingest.tailing.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Configuration", "read_configuration"]

_TOP = frozenset({"rules", "builtin", "intel", "syslog", "tail", "archive"})
_SYSLOG = frozenset(
    {"kind", "host", "port", "certificate", "key", "authority", "by_certificate", "networks", "source"}
)
_TAIL = frozenset({"path", "source", "format", "existing"})
_ARCHIVE = frozenset({"enabled", "days", "gigabytes"})
_INTEL = frozenset({"enabled", "update"})
_EVERY = re.compile(r"(\d{1,5})(m|h|d)", re.ASCII)
_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_KEPT = Retention(days=90, most_bytes=20 << 30)
_KINDS: dict[str, type | tuple[type, ...]] = {
    "rules": list,
    "builtin": bool,
    "intel": (bool, dict),
    "syslog": list,
    "tail": list,
    "port": int,
    "by_certificate": bool,
    "existing": bool,
    "networks": dict,
    "archive": dict,
    "enabled": bool,
    "days": int,
    "gigabytes": int,
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is not in the database."""

    rules: tuple[Path, ...] = ()
    builtin: bool = False
    """Whether the built-in rules are looked for; they are where no others are named."""
    intel: bool = True
    """Whether the indicators that ``haidang intel`` keeps are looked for."""
    intel_update: float | None = None
    """Seconds between two updates of their sources, None for none."""
    syslog: tuple[SyslogListener, ...] = ()
    tail: tuple[Tail, ...] = ()
    archive: Retention | None = _KEPT
    """How long raw events are kept, None where they are not."""


def read_configuration(path: Path) -> Configuration:
    """Read a file.

    Raises:
        ConfigurationError: It cannot be read, or says what nobody knows.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", hint="Name a file that can be read.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}", hint="Correct the file; it is TOML.") from None
    _check(path, "", told, _TOP)
    folder = path.parent
    intel, update = _intel(path, told.get("intel", True))
    return Configuration(
        rules=tuple(folder / str(one) for one in told.get("rules", ())),
        builtin=told.get("builtin", False),
        intel=intel,
        intel_update=update,
        syslog=tuple(_listener(path, one) for one in told.get("syslog", ())),
        tail=tuple(_tail(path, one) for one in told.get("tail", ())),
        archive=_archive(path, told.get("archive", {})),
    )


def _intel(path: Path, told: Any) -> tuple[bool, float | None]:
    """Return whether indicators are looked for, and how often they are updated."""
    if isinstance(told, bool):
        return told, None
    _check(path, "intel", told, _INTEL)
    every = told.get("update")
    if every is None:
        return told.get("enabled", True), None
    found = _EVERY.fullmatch(every)
    if found is None or not int(found[1]):
        raise ConfigurationError(
            f"{path}: [intel] update = {every!r} is no length of time", hint='Write "6h", "30m" or "1d".'
        )
    return told.get("enabled", True), float(int(found[1]) * _UNITS[found[2]])


def _listener(path: Path, told: Any) -> SyslogListener:
    _check(path, "syslog", told, _SYSLOG)
    files = {
        name: path.parent / str(told[name]) for name in ("certificate", "key", "authority") if name in told
    }
    if "port" not in told or "kind" not in told:
        raise ConfigurationError(f"{path}: [[syslog]] has no kind or no port", hint="Give both.")
    return SyslogListener(
        host=str(told.get("host", "")),
        port=told["port"],
        kind=told["kind"],
        by_certificate=told.get("by_certificate", False),
        networks=tuple((str(net), str(name)) for net, name in told.get("networks", {}).items()),
        source=str(told.get("source", "")),
        **files,
    )


def _tail(path: Path, told: Any) -> Tail:
    _check(path, "tail", told, _TAIL)
    if not told.get("path") or not told.get("source"):
        raise ConfigurationError(f"{path}: [[tail]] has no path or no source", hint="Give both.")
    return Tail(
        str(path.parent / told["path"]),
        str(told["source"]),
        str(told.get("format", "")),
        existing=told.get("existing", True),
    )


def _archive(path: Path, told: Any) -> Retention | None:
    _check(path, "archive", told, _ARCHIVE)
    if not told.get("enabled", True):
        return None
    days, gigabytes = told.get("days", 90), told.get("gigabytes", 20)
    if days < 1 or gigabytes < 1:
        raise ConfigurationError(
            f"{path}: [archive] keeps nothing",
            hint="Give at least one day and one gigabyte, or write enabled = false.",
        )
    return Retention(days=days, most_bytes=gigabytes << 30)


def _check(path: Path, part: str, told: Any, known: frozenset[str]) -> None:
    where = f"[[{part}]] " if part else ""
    if not isinstance(told, dict):
        raise ConfigurationError(
            f"{path}: {where}is no table", hint=f"Write [[{part}]] on a line of its own."
        )
    _check_names(path, where, told, known)


def _check_names(path: Path, where: str, told: Mapping[str, Any], known: frozenset[str]) -> None:
    for name, value in told.items():
        if name not in known:
            raise ConfigurationError(
                f"{path}: {where}{name} is not known", hint=f"Known are: {', '.join(sorted(known))}."
            )
        kind = _KINDS.get(name, str)
        # A truth value is a whole number to Python.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ConfigurationError(f"{path}: {where}{name} has a value of the wrong kind")
