"""The archive: every event as it was received, in Parquet files by source and day, while there is room.

    source=7/day=2026-11-30/0001796030520006436-0001796030520006501.parquet

Rules of this module:

- A file holds whole batches of the spool; its name has the numbers of the first and the last one. It appears
  when it is complete and on disk, and is never changed. Many small files that follow each other are joined
  into one, which takes their place by its name: it spans theirs.
- What is not safe in the archive stays in the spool. Batches that come again are skipped where a file of
  their source has them already.
- The day is that of reception, in UTC. A row is a record; where several lines make one event, its time and
  its fields are in the row of the first of them.
- The oldest files go when they are older than ``days``, or when all of them take more than ``most_bytes``.

Columns: ``time`` (of the event, else of reception; UTC), ``received``, ``batch``, ``record`` (its place in
the batch, from 1), ``format``, ``origin``, ``host``, ``raw`` (text), ``raw_bytes`` (where that text is not
what was received), ``fields`` (a map of field to text). ``source`` and ``day`` are in the path.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any

from haidang.errors import HaidangError, StorageError
from haidang.extras import needs
from haidang.ingest import _archive_rows
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning.decoding import EventDecoder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from haidang.ingest.spool import Spool, Spooled
    from haidang.limits import Limits

__all__ = ["Archive", "ArchiveFile", "ArchivePosition", "Retention", "archive_files", "run_archive"]

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"(\d{1,19})-(\d{1,19})\.parquet\Z", re.ASCII)
_SAFE = "through"
_FLUSH_BYTES = 32 << 20
_FLUSH_SECONDS = 30.0
_GROUP_ROWS = 65_536
_GROUP_BYTES = 8 << 20
"""Of what was received, in a group of rows: as rows they take twenty times as much memory for a moment."""
_JOINED_BYTES = 32 << 20
"""Of rows in memory, in a group of a joined file."""
_SMALL_BYTES = 32 << 20
_MANY = 64
"""Small files of a source's day that are joined into one."""
_IDLE_SECONDS = 1.0
_RETAIN_SECONDS = 60.0
"""How often what is too old or too much is looked for."""
_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive."""

    path: Path
    source: str
    day: date
    first: int
    """Number of its first batch."""
    last: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long events are kept."""

    days: int = 365
    most_bytes: int = 0
    """Bytes of all files, 0 for any."""


def archive_files(folder: Path, sources: Iterable[str] | None = None) -> list[ArchiveFile]:
    """Return the files of an archive in order of time; those that were joined into another are left out.

    Args:
        folder: The archive; one that is not there is empty.
        sources: Ids of the sources that are wanted; None for all.
    """
    wanted = None if sources is None else set(sources)
    found = []
    for path in folder.glob("source=*/day=*/*.parquet"):
        name = _NAME.match(path.name)
        source = path.parent.parent.name.removeprefix("source=")
        with contextlib.suppress(ValueError):
            day = date.fromisoformat(path.parent.name.removeprefix("day="))
            if name and (wanted is None or source in wanted):
                found.append(ArchiveFile(path, source, day, int(name[1]), int(name[2])))
    found.sort(key=lambda one: (one.source, one.day, one.first, -one.last))
    kept: list[ArchiveFile] = []
    for one in found:
        before = kept[-1] if kept else None
        if before is None or before.path.parent != one.path.parent or one.last > before.last:
            kept.append(one)
    return sorted(kept, key=lambda one: (one.first, one.last))


class Archive:
    """Writes one archive; there is one writer."""

    def __init__(
        self,
        folder: Path,
        *,
        retention: Retention | None = None,
        limits: Limits = DEFAULT_LIMITS,
        flush_seconds: float = _FLUSH_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Write below ``folder``, which is made.

        Raises:
            ConfigurationError: The library for Parquet is not installed.
            StorageError: The folder cannot be used.
        """
        with needs("parquet"):
            import pyarrow.parquet  # noqa: F401 -- whether it is there
        self._folder = folder
        self._retention = retention or Retention()
        self._limits = limits
        self._flush_seconds = flush_seconds
        self._clock = clock
        self._decoder = EventDecoder(limits)
        self._waiting: list[Spooled] = []
        self._bytes = 0
        self._since = 0.0
        with _storing(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for unfinished in folder.glob("source=*/day=*/.*.tmp"):
                unfinished.unlink(missing_ok=True)
            kept = archive_files(folder)
            for joined in set(folder.glob("source=*/day=*/*.parquet")) - {one.path for one in kept}:
                if _NAME.match(joined.name):
                    joined.unlink()
        self._has = {(one.source, one.day): one.last for one in kept}
        self._safe = self._taken = ArchivePosition(folder).safe()
        self._retained = -_RETAIN_SECONDS

    def take(self, batches: Sequence[Spooled]) -> None:
        """Take batches, in order; they are written when there are enough, or after some seconds.

        Raises:
            StorageError: They cannot be written; they stay here, to be written with the next.
        """
        new = [one for one in batches if one.number > self._taken]
        if new:
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting += new
            self._bytes += sum(len(one.arrival.data) for one in new)
            self._taken = new[-1].number
        if self._bytes >= _FLUSH_BYTES or time.monotonic() - self._since >= self._flush_seconds:
            self.flush()

    def safe(self) -> int:
        """Return the number up to which batches are on disk here; 0 for none."""
        return self._safe

    def forget(self) -> None:
        """Let go of what waits; it comes again from the spool."""
        self._waiting, self._bytes, self._taken = [], 0, self._safe

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StorageError: It cannot be written; it stays here.
        """
        if not self._waiting:
            return
        last = self._waiting[-1].number
        with _storing(self._folder):
            for (source, day), batches in _by_place(self._waiting):
                new = [one for one in batches if one.number > self._has.get((source, day), 0)]
                if new:
                    self._write(source, day, new)
                    self._has[source, day] = new[-1].number
                    self._join(self._place(source, day))
            _replace(self._folder / _SAFE, str(last).encode())
            self._safe = last
            self._waiting, self._bytes = [], 0
            self._retain()

    def _place(self, source: str, day: date) -> Path:
        return self._folder / f"source={source}" / f"day={day}"

    def _write(self, source: str, day: date, batches: Sequence[Spooled]) -> None:
        tables = (
            _archive_rows.table(some, self._decoder, self._limits) for some in _by_size(batches, _GROUP_BYTES)
        )
        path = self._place(source, day) / _name(batches[0].number, batches[-1].number)
        _write_tables(path, (table for table in tables if table.num_rows))

    def _join(self, place: Path) -> None:
        """Join the newest files once many small ones follow each other."""
        small: list[ArchiveFile] = []
        for one in archive_files(self._folder, [place.parent.name.removeprefix("source=")]):
            if one.path.parent == place:
                small = [*small, one] if one.path.stat().st_size < _SMALL_BYTES else []
        if len(small) >= _MANY:
            _write_tables(place / _name(small[0].first, small[-1].last), _regrouped(small))
            for one in small:
                one.path.unlink()

    def _retain(self) -> None:
        """Remove what is too old or too much."""
        now = time.monotonic()
        if now - self._retained < _RETAIN_SECONDS:
            return
        self._retained = now
        oldest = datetime.fromtimestamp(self._clock(), UTC).date() - timedelta(days=self._retention.days)
        found = archive_files(self._folder)
        sizes = {one.path: one.path.stat().st_size for one in found}
        total, most = sum(sizes.values()), self._retention.most_bytes
        for one in found:
            if one.day < oldest or (most and total > most):
                one.path.unlink()
                total -= sizes[one.path]
                with contextlib.suppress(OSError):  # A folder with other files stays.
                    one.path.parent.rmdir()


class ArchivePosition:
    """How far an archive is that another process writes: a follower that only asks."""

    def __init__(self, folder: Path) -> None:
        """Ask the archive in ``folder``."""
        self._path = folder / _SAFE

    def take(self, batches: Sequence[Spooled]) -> None:
        """Leave them to the other process."""

    def safe(self) -> int:
        """Return the number up to which batches are safe in the archive; 0 for none."""
        try:
            return int(self._path.read_bytes())
        except (OSError, ValueError):
            return 0


def run_archive(spool: Spool, archive: Archive, stop: threading.Event) -> None:
    """Follow a spool until ``stop`` is set; what waits then, here and in the spool, is written first.

    Of the spool that is as much as is taken at once; the rest stays there.
    """
    after, pause = archive.safe(), _IDLE_SECONDS
    while not stop.is_set():
        try:
            taken = spool.take(after, _FLUSH_BYTES)
            if taken:
                after = taken[-1].number
            archive.take(taken)
        except HaidangError as error:
            _LOG.warning("the archive waits: %s", error.diagnostics())
            after = archive.safe()
            archive.forget()
            stop.wait(pause)
            pause = min(pause * 2, 15.0)
            continue
        pause = _IDLE_SECONDS
        if not taken:
            stop.wait(_IDLE_SECONDS)
    with contextlib.suppress(HaidangError):  # It stays in the spool.
        archive.take(spool.take(after, _FLUSH_BYTES))
        archive.flush()


def _by_place(batches: Sequence[Spooled]) -> Iterator[tuple[tuple[str, date], list[Spooled]]]:
    """Yield the batches of each source and day, in order."""

    def place(one: Spooled) -> tuple[str, date]:
        return _folder_name(one.arrival.source), datetime.fromtimestamp(
            one.arrival.received / 1e9, UTC
        ).date()

    for key, ones in groupby(sorted(batches, key=lambda one: (place(one), one.number)), key=place):
        yield key, list(ones)


def _by_size(batches: Sequence[Spooled], most: int) -> Iterator[list[Spooled]]:
    """Yield them in order, together up to ``most`` bytes; one that has more is alone."""
    some: list[Spooled] = []
    size = 0
    for one in batches:
        if some and size + len(one.arrival.data) > most:
            yield some
            some, size = [], 0
        some.append(one)
        size += len(one.arrival.data)
    if some:
        yield some


def _folder_name(source: str) -> str:
    """Return a source's id where it can be a folder's name, else its bytes in hexadecimal digits."""
    return source if _SOURCE.match(source) else "x" + source.encode("utf-8", "surrogatepass").hex()[:128]


def _name(first: int, last: int) -> str:
    return f"{first:019d}-{last:019d}.parquet"


def _regrouped(files: Iterable[ArchiveFile]) -> Iterator[Any]:
    """Yield the rows of files in groups of no more than :data:`_JOINED_BYTES`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    some: list[Any] = []
    size = 0
    for one in files:
        # A file by itself is read without the partitions of its path.
        with pq.ParquetFile(one.path) as file:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                if some and size + group.nbytes > _JOINED_BYTES:
                    yield pa.concat_tables(some)
                    some, size = [], 0
                some.append(group)
                size += group.nbytes
    if some:
        yield pa.concat_tables(some)


def _write_tables(path: Path, tables: Iterable[Any]) -> None:
    """Write a file that appears when it is complete; none where there are no tables."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = next(tables := iter(tables), None)
    if first is None:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        with (
            _begun(unfinished) as stream,
            pq.ParquetWriter(stream, _archive_rows.schema(), compression="zstd") as writer,
        ):
            writer.write_table(first, row_group_size=_GROUP_ROWS)
            del first  # One table at a time.
            for table in tables:
                writer.write_table(table, row_group_size=_GROUP_ROWS)
                del table
        _settle(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
        pa.default_memory_pool().release_unused()


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.tmp")
    with _begun(unfinished) as stream:
        stream.write(data)
    _settle(unfinished, path)


def _begun(path: Path) -> IO[bytes]:
    """Begin a file that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def _settle(unfinished: Path, path: Path) -> None:
    """Give a file its name when all of it is on disk."""
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _storing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the archive {folder} cannot be written: {error.strerror or error}",
            hint="Make room on the disk, or let the archive keep less.",
        ) from error
