"""Full-text search over ``Alert.search`` and ``Alert.tags``: quick with a million rows on either database.

Rules:

- SQLite: an FTS5 table beside the alerts, kept in step by triggers. PostgreSQL: a tsvector that the database
  keeps in a column of its own (Django does not know it), and a GIN index over that. Common words it looks for
  in the newest rows, without the index: the column saves taking each text apart again.
- Words are beginnings of words, all of them must be there; ``evil.exe`` and ``"two words"`` stand side by
  side; ``-word`` must not be there. Letters with and without marks are the same.
- Tags are in it as well: ``attack.t1059.001`` is found as the words ``attack t1059 001`` side by side.
- What is searched comes newest first by id, because that is the order in which SQLite's index streams.

The words come from people and are untrusted: they are taken apart into letters and digits before they
become a query.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.core.exceptions import EmptyResultSet
from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from haidang.console.people.scope import VisibleQuerySet

__all__ = ["Words", "install", "matching", "parsed"]

_PIECE = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_MOST = 12
"""Pieces that are looked for."""

_MARKS = re.compile("[\u0300-\u036f]+")
_DOCUMENT = (
    "regexp_replace(regexp_replace(normalize(lower(search || ' ' || tags::text), NFD),"
    " U&'[\\0300-\\036f]+', '', 'g'), '[^[:alnum:]]+', ' ', 'g')"
)

_SQLITE = (
    """CREATE VIRTUAL TABLE alerts_search USING fts5(
        search, tags, content='alerts_alert', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2', prefix='2 3')""",
    """CREATE TRIGGER alerts_search_insert AFTER INSERT ON alerts_alert BEGIN
        INSERT INTO alerts_search(rowid, search, tags) VALUES (new.id, new.search, new.tags); END""",
    """CREATE TRIGGER alerts_search_delete AFTER DELETE ON alerts_alert BEGIN
        INSERT INTO alerts_search(alerts_search, rowid, search, tags)
        VALUES ('delete', old.id, old.search, old.tags); END""",
    """CREATE TRIGGER alerts_search_update AFTER UPDATE OF search, tags ON alerts_alert BEGIN
        INSERT INTO alerts_search(alerts_search, rowid, search, tags)
        VALUES ('delete', old.id, old.search, old.tags);
        INSERT INTO alerts_search(rowid, search, tags) VALUES (new.id, new.search, new.tags); END""",
)
_TRIGGERS = 3

_POSTGRESQL = (
    f"""ALTER TABLE alerts_alert ADD COLUMN words tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', {_DOCUMENT})) STORED""",
    "DROP INDEX IF EXISTS alerts_search",
    "CREATE INDEX alerts_words ON alerts_alert USING gin (words)",
)


class Words(NamedTuple):
    """What is looked for: each item stands side by side, the last of its words is a beginning."""

    wanted: tuple[tuple[str, ...], ...]
    unwanted: tuple[tuple[str, ...], ...]


def parsed(text: str) -> Words:
    """Take apart what somebody typed."""
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    for sign, quoted, bare in _PIECE.findall(unicodedata.normalize("NFC", text))[:_MOST]:
        words = tuple(_WORD.findall((quoted or bare).lower()))
        if words:
            (unwanted if sign else wanted).append(words)
    return Words(tuple(wanted), tuple(unwanted))


def matching(
    rows: VisibleQuerySet[Any], words: Words, tags: tuple[str, ...] = (), *, narrow: bool = True
) -> VisibleQuerySet[Any]:
    """Return the alerts that hold all ``words``, and any of ``tags``; newest first by id.

    Without a word that is wanted, what is unwanted does not matter. ``narrow`` says that ``rows``
    are few beside all alerts.
    """
    if not words.wanted and not tags:
        return rows
    if connections[rows.db].vendor == "sqlite":
        # The signs keep SQLite from walking alerts and asking the index for each. What else is asked for is
        # worked out once, out of an index of alerts; looking at each row that holds a common word takes long.
        where = ["alerts_search MATCH %s", "alerts_alert.id = +alerts_search.rowid"]
        params: list[Any] = [_fts5(words, tags)]
        if narrow:
            try:
                said, values = rows.order_by().values("pk").query.sql_with_params()
            except EmptyResultSet:
                return rows.none()
            where.append(f"+alerts_search.rowid IN ({said})")
            params += values
            rows = rows.model._default_manager.get_queryset()
        found: Any = rows.order_by().extra(  # noqa: S610 # nosec B610 -- what is compiled has its parameters beside it
            tables=["alerts_search"], where=where, params=params, order_by=["-alerts_search.rowid"]
        )
    else:
        found = rows.extra(
            where=["alerts_alert.words @@ to_tsquery('simple', %s)"], params=[_tsquery(words, tags)]
        ).order_by("-id")
    return cast("VisibleQuerySet[Any]", found)


def _fts5(words: Words, tags: tuple[str, ...]) -> str:
    parts = [f'"{" ".join(phrase)}" *' for phrase in words.wanted]
    if tags:
        said = " OR ".join(f'tags : "{" ".join(_WORD.findall(tag.lower()))}"' for tag in tags)
        parts.append(f"({said})")
    said = " AND ".join(parts)
    for phrase in words.unwanted:
        said = f'({said}) NOT "{" ".join(phrase)}" *'
    return said


def _tsquery(words: Words, tags: tuple[str, ...]) -> str:
    parts = [f"({' <-> '.join(_plain(phrase))}:*)" for phrase in words.wanted]
    if tags:
        parts.append(f"({' | '.join('(' + ' <-> '.join(_WORD.findall(tag.lower())) + ')' for tag in tags)})")
    parts += [f"!({' <-> '.join(_plain(phrase))}:*)" for phrase in words.unwanted]
    return " & ".join(parts)


def _plain(words: tuple[str, ...]) -> Iterator[str]:
    """Yield words without marks, as the column holds them; SQLite's index does so by itself."""
    for word in words:
        yield _MARKS.sub("", unicodedata.normalize("NFD", word)) or word


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the index where it is missing, and fill it.

    Django remakes a table of SQLite to alter it, and its triggers are gone with the old one: this is asked
    after every ``migrate``.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(
                "SELECT count(*) FROM pg_attribute"
                " WHERE attrelid = 'alerts_alert'::regclass AND attname = 'words' AND NOT attisdropped"
            )
            if not cursor.fetchone()[0]:
                for statement in _POSTGRESQL:
                    cursor.execute(statement)
            return
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'alerts_search_%%'"
        )
        if cursor.fetchone()[0] == _TRIGGERS:
            return
        cursor.execute("DROP TABLE IF EXISTS alerts_search")
        for name in ("insert", "delete", "update"):
            cursor.execute(f"DROP TRIGGER IF EXISTS alerts_search_{name}")
        for statement in _SQLITE:
            cursor.execute(statement)
        cursor.execute("INSERT INTO alerts_search(alerts_search) VALUES ('rebuild')")
