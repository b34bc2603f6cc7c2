"""The TLS side of a syslog listener (RFC 5425): TLS 1.2 and later, and certificates of clients.

A certificate that was renewed is used from the next connection on; while a new file cannot be used, the old
one goes on serving, and the log says so.
"""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.ingest.syslog.listener import SyslogListener

__all__ = ["Certificates"]

_LOG = logging.getLogger(__name__)


class Certificates:
    """The certificates of a listener, as its files hold them now."""

    def __init__(self, listener: SyslogListener) -> None:
        """Read them.

        Raises:
            ConfigurationError: They cannot be read, or do not belong together.
        """
        self._listener = listener
        self._stamps = _stamps(listener)
        self._context = _read(listener)

    def context(self) -> ssl.SSLContext:
        """Return what the next connection is served with."""
        stamps = _stamps(self._listener)
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._context = _read(self._listener)
            except ConfigurationError as error:
                _LOG.error(
                    "renewed certificate not used",
                    extra={"listener": str(self._listener), "reason": error.message},
                )
        return self._context


def _files(listener: SyslogListener) -> list[Path]:
    return [path for path in (listener.certificate, listener.key, listener.authority) if path is not None]


def _stamps(listener: SyslogListener) -> list[tuple[int, int] | None]:
    """Return what changes when a file does."""
    stamps: list[tuple[int, int] | None] = []
    for path in _files(listener):
        try:
            found = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((found.st_ino, found.st_mtime_ns))
    return stamps


def _read(listener: SyslogListener) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in _files(listener):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{listener}: {path}: {error.strerror or error}",
                hint="Name a file that the service may read.",
            ) from error
    try:
        # Without this, OpenSSL would ask for the password at the terminal.
        context.load_cert_chain(str(listener.certificate), listener.key, password=_refuse_password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"{listener}: {listener.certificate} and {listener.key} cannot be used: {_reason(error)}",
            hint="Give a certificate in PEM, and the key that belongs to it, without password.",
        ) from error
    if listener.authority is not None:
        try:
            context.load_verify_locations(listener.authority)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"{listener}: {listener.authority} holds no certificate: {_reason(error)}",
                hint="Give the certificates of the authorities in PEM.",
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _refuse_password() -> str:
    raise ValueError("the key has a password")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)
