"""Looking back into the archive: with rules, with SQL, and for one name.

Example::

    hunt = Hunt(folder)
    for finding in hunt.findings(load_rules("new-rule.yml"), since=...): ...
    answer = hunt.ask("SELECT host, count(*) FROM events GROUP BY host ORDER BY 2 DESC")
    for record in hunt.records_of("dc01.example.vn", since=...): ...

Rules of this module:

- Rules see the records as they were received, and findings have the ids that detection gave them when the
  events came.
- SQL reads: one SELECT, over the view ``events`` (see :mod:`haidang.ingest.archive` for its columns, and
  ``source`` and ``day``). It reaches no file but those of the sources that are asked for, writes none,
  changes no setting, and ends after a time. ``fields['Image']`` is a field.
- Times are UTC.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.errors import InputError
from haidang.extras import needs
from haidang.findings.model import ScanSummary
from haidang.ingest.archive import ArchiveFile, archive_files
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning.live import LiveMatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    import duckdb

    from haidang.findings.model import Finding
    from haidang.limits import Limits
    from haidang.scanning import Ruleset

__all__ = ["Answer", "Archived", "Hunt", "written"]

_COLUMNS = ("batch", "record", "format", "raw", "raw_bytes")
_ROWS = 20_000
"""Rows that are read at once."""
_BATCHES = 1_000_000
"""Batches that are looked at by their numbers."""
_EMPTY = """CREATE VIEW events AS SELECT NULL::TIMESTAMP AS "time", NULL::TIMESTAMP AS received,
    NULL::BIGINT AS batch, NULL::INTEGER AS record, '' AS format, '' AS origin, '' AS host, '' AS raw,
    NULL::BLOB AS raw_bytes, MAP {'': ''} AS fields, '' AS source, NULL::DATE AS day WHERE false"""


class Archived(NamedTuple):
    """A record of the archive."""

    time: datetime
    """Of the event, else of its reception."""
    received: datetime
    source: str
    """Id of the source."""
    batch: int
    record: int
    format: str
    host: str
    raw: str
    fields: dict[str, str]


class Answer(NamedTuple):
    """What a query gave."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    complete: bool
    """Whether these are all rows."""


class Hunt:
    """Looks back into one archive."""

    def __init__(
        self, folder: Path, *, sources: Iterable[str] | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """Look into the archive in ``folder``, at ``sources`` (their ids) or all of them.

        Raises:
            ConfigurationError: The libraries for it are not installed.
        """
        with needs("console"):
            import duckdb  # noqa: F401 -- whether it is there
            import pyarrow.parquet  # noqa: F401
        self._folder = folder.resolve()
        self._sources = None if sources is None else sorted(set(sources))
        self._limits = limits

    def findings(
        self,
        ruleset: Ruleset,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        naming: Iterable[str] = (),
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
        summary: ScanSummary | None = None,
    ) -> Iterator[Finding]:
        """Yield what rules find in the records that were received in a stretch of time.

        Args:
            ruleset: The rules; their correlations look back from ``since`` on.
            since: When the first records were received; None for the oldest.
            until: When the last were.
            naming: Look only at batches that hold one of these texts, without regard to case; they are
                looked at in whole, so that findings keep their ids. Empty for all.
            on_progress: Gets the files gone through, and how many there are, before each batch too; what it
                raises ends the look.
            summary: Filled in meanwhile: what was read, what of it could not be, counts.
        """
        matcher = LiveMatcher(ruleset)
        told = ScanSummary() if summary is None else summary
        told.rules, told.refused = len(ruleset), list(ruleset.refused)
        told.words = {info.id or info.title: info.words for info in ruleset if info.words}
        wanted = self._naming(naming, since, until)
        found = [one for one in self._files(since, until) if wanted is None or one.source in wanted]
        for done, one in enumerate(found):
            on_progress(done, len(found))
            some = None if wanted is None else wanted[one.source]
            if some is not None and not any(one.first <= number <= one.last for number in some):
                continue
            for number, format_, data in self._batches(one, since, until, some):
                on_progress(done, len(found))
                piece = matcher.match(data, format_, path=f"{one.source}/{number}")
                told.events += piece.report.records
                told.size += len(data)
                if not piece.report.complete:
                    told.files.append(piece.report)
                for finding in piece.findings:
                    told.findings += 1
                    yield finding
        on_progress(len(found), len(found))
        for finding in matcher.finish():
            told.findings += 1
            yield finding

    def days(self, *, since: datetime | None = None, until: datetime | None = None) -> list[date]:
        """Return the days of which there is something in a stretch of time."""
        return sorted({one.day for one in self._files(since, until)})

    def ask(
        self,
        query: str,
        *,
        parameters: list[Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        most: int | None = None,
    ) -> Answer:
        """Return what a SELECT over ``events`` gives, up to ``most`` rows.

        Raises:
            InputError: It is no single SELECT, is wrong, reaches elsewhere, or takes too long.
        """
        import duckdb

        most = self._limits.hunt_rows if most is None else most
        with self._connected(since, until) as connection:
            try:
                statements = connection.extract_statements(query)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise InputError("This is no single SELECT.", hint="Write one SELECT … FROM events …")
                with self._timed(connection):
                    cursor = connection.execute(query, parameters or [])
                    columns = _distinct(str(column[0]) for column in cursor.description or ())
                    rows = cursor.fetchmany(most + 1)
            except duckdb.InterruptException:
                seconds = self._limits.hunt_seconds
                raise InputError(
                    f"The query took longer than {seconds:g} seconds.",
                    hint="Ask for fewer days or sources.",
                ) from None
            except (duckdb.Error, OverflowError, ValueError) as error:
                raise InputError(f"The query cannot be answered: {error}") from None
        return Answer(columns, rows[:most], complete=len(rows) <= most)

    def records_of(
        self, entity: str, *, since: datetime | None = None, until: datetime | None = None, most: int = 100
    ) -> list[Archived]:
        """Return the newest records that name an entity: their host, or anywhere, without regard to case.

        Raises:
            InputError: It takes too long.
        """
        answer = self.ask(
            """SELECT "time", received, source, batch, record, format, host, raw, fields FROM events
               WHERE lower(host) = $1 OR contains(lower(raw), $1)
               ORDER BY "time" DESC, batch DESC, record DESC LIMIT $2""",
            parameters=[entity.lower(), most],
            since=since,
            until=until,
            most=most,
        )
        return [
            Archived(time.replace(tzinfo=UTC), received.replace(tzinfo=UTC), *rest)
            for time, received, *rest in answer.rows
        ]

    def _files(self, since: datetime | None, until: datetime | None) -> list[ArchiveFile]:
        first = since.astimezone(UTC).date() if since else date.min
        last = until.astimezone(UTC).date() if until else date.max
        return [one for one in archive_files(self._folder, self._sources) if first <= one.day <= last]

    def _naming(
        self, texts: Iterable[str], since: datetime | None, until: datetime | None
    ) -> dict[str, set[int]] | None:
        """Return the batches, by source, that hold one of some texts; None where none is given.

        Raises:
            InputError: It takes too long.
        """
        wanted = sorted({form for text in texts for form in written(text)})
        if not wanted:
            return None
        held = " OR ".join(f"contains(lower(raw), ${at})" for at in range(1, len(wanted) + 1))
        answer = self.ask(
            "SELECT DISTINCT source, batch FROM events "  # noqa: S608 -- numbers alone  # nosec B608
            f"WHERE {held} OR list_contains(${len(wanted) + 1}::VARCHAR[], lower(host))",
            parameters=[*wanted, wanted],
            since=since,
            until=until,
            most=_BATCHES,
        )
        found: dict[str, set[int]] = {}
        for source, batch in answer.rows:
            found.setdefault(source, set()).add(batch)
        return found

    def _batches(
        self,
        one: ArchiveFile,
        since: datetime | None,
        until: datetime | None,
        some: Collection[int] | None = None,
    ) -> Iterator[tuple[int, str, bytes]]:
        """Yield the batches of a file (or some) as they were received: number, format, records."""
        import pyarrow.parquet as pq

        def rows() -> Iterator[tuple[Any, ...]]:
            columns = ("received", *_COLUMNS)
            for batch in pq.ParquetFile(one.path).iter_batches(_ROWS, columns=list(columns)):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)

        for (number, format_), group in groupby(rows(), key=lambda row: (row[1], row[3])):
            if some is not None and number not in some:
                continue
            kept = list(group)
            received = kept[0][0].replace(tzinfo=UTC)
            if (since is None or received >= since) and (until is None or received <= until):
                # Records keep their place, so that findings keep their ids: empty lines were left out.
                lines = [b""] * kept[-1][2]
                for _, _, record, _, raw, raw_bytes in kept:
                    lines[record - 1] = raw.encode() if raw_bytes is None else raw_bytes
                yield number, format_, b"\n".join(lines)

    @contextmanager
    def _connected(
        self, since: datetime | None, until: datetime | None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection that can read the files of ``events`` and nothing else."""
        import duckdb

        found = self._files(since, until)
        places = sorted({f"{one.path.parent.parent}/" for one in found})
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "memory_limit": f"{self._limits.hunt_memory_bytes}B",
                "temp_directory": "",
            }
        )
        try:
            connection.execute(f"SET allowed_directories = [{', '.join(map(_quoted, places))}]")
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            connection.execute(_view(found, since, until) if found else _EMPTY)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _timed(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        timer = threading.Timer(self._limits.hunt_seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def written(text: str) -> tuple[str, ...]:
    """Return how a text is written in records, in lower case: as it is, and in JSON."""
    low = text.lower()
    forms = (low, *(json.dumps(low, ensure_ascii=ascii_)[1:-1] for ascii_ in (False, True)))
    return tuple(dict.fromkeys(form for form in forms if form))


def _view(found: list[ArchiveFile], since: datetime | None, until: datetime | None) -> str:
    files = ", ".join(_quoted(str(one.path)) for one in found)
    bounds = [
        f"received {sign} TIMESTAMP {_quoted(moment.astimezone(UTC).replace(tzinfo=None).isoformat(' '))}"
        for sign, moment in ((">=", since), ("<=", until))
        if moment is not None
    ]
    types = "{'source': VARCHAR, 'day': DATE}"
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    return (
        f"CREATE VIEW events AS SELECT * FROM read_parquet([{files}], hive_partitioning = true, "  # noqa: S608  # nosec B608
        f"hive_types = {types}){where}"
    )


def _distinct(names: Iterable[str]) -> list[str]:
    """Return names of columns of which no two are the same."""
    found: list[str] = []
    for name in names:
        other, number = name, 1
        while other in found:
            number += 1
            other = f"{name}_{number}"
        found.append(other)
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
