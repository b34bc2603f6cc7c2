"""The sample logs, sent to a running service as shippers would send them: for a demonstration.

They are sent over HTTP in the order of their files, some records at a time, so that alerts come in one after
another; what they tell happens as they are sent. The logs are of machines that do not exist.
"""

from __future__ import annotations

import gzip
import logging
import re
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import haidang

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Replay", "comes_live", "sample_logs"]

_LOG = logging.getLogger(__name__)
_FILES = (
    ("HV-VP", "VP-PC-017/sysmon.ndjson.gz"),
    ("HV-VP", "VP-PC-017/powershell.ndjson"),
    ("HV-VP", "VP-PC-017/security.ndjson"),
    ("HV-TTDL", "zeek/http.json"),
)
"""Unit and file of what is sent: the lines of JSON among the samples."""
_PIECES = 40
_MOMENT = re.compile(rb"20\d\d-[01]\d-[0-3]\d[ T][0-2]\d:[0-5]\d:[0-5]\d")


def sample_logs() -> Path | None:
    """Return the folder of the sample logs: those of the package, or of the checkout that it runs from."""
    package = Path(haidang.__file__).parent
    for folder in (package / "samples" / "logs", package.parent.parent / "samples" / "logs"):
        if folder.is_dir():
            return folder
    return None


def comes_live(path: str) -> bool:
    """Return whether a finding's file is one of those that are sent."""
    return any(path.replace("\\", "/").endswith(name) for _, name in _FILES)


class Replay:
    """Sends in a thread of its own; a context manager that ends it."""

    def __init__(self, logs: Path, address: str, tokens: Mapping[str, str], *, seconds: float = 120) -> None:
        """Send to ``address`` with each unit's token, in about so many seconds."""
        self._logs = logs
        self._address = address
        self._tokens = tokens
        self._pause = seconds / (_PIECES * len(_FILES))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send, name="haidang-replay", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, wherever it is."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _send(self) -> None:
        for unit, name in _FILES:
            for piece in self._pieces(self._logs / name):
                if self._ending.wait(self._pause):
                    return
                self._post(_as_of_now(piece), self._tokens[unit])

    def _pieces(self, path: Path) -> Iterator[bytes]:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines(keepends=True)
        size = max(1, len(lines) // _PIECES)
        for start in range(0, len(lines), size):
            yield b"".join(lines[start : start + size])

    def _post(self, data: bytes, token: str) -> None:
        request = urllib.request.Request(  # noqa: S310 -- our own service
            f"{self._address}/ingest", data, {"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30):  # noqa: S310 -- see above  # nosec B310
                pass
        except (urllib.error.URLError, OSError) as error:
            _LOG.warning("a piece of the demonstration was not taken", extra={"reason": str(error)})


def _as_of_now(piece: bytes) -> bytes:
    """Return records with their times moved, so that the first of them happens now."""
    first = _MOMENT.search(piece)
    if first is None:
        return piece
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    moved = now - datetime.fromisoformat(first[0].decode())

    def later(found: re.Match[bytes]) -> bytes:
        text = found[0].decode()
        return (datetime.fromisoformat(text) + moved).isoformat(sep=text[10]).encode()

    return _MOMENT.sub(later, piece)
