"""A time line: what is notable in logs, in order, with logon sessions joined and findings among it.

Rules:

- What is notable is data (:mod:`haidang.inquiry.notability`). Events are put in order first, over all files,
  and only then looked at as a story: what is new on a host, and which session an event belongs to, depends
  on what came before it in time, not in the files.
- A session begins with its logon and ends with its logoff, on one host; in the cloud, where there is none, in
  one family of products. Events between that carry its id are said to be its user's, come from where its user
  came from. Shippers stamp events of one moment out of order, so a logon may come up to two seconds late.
- Events before ``since`` are not shown, but a session that they opened is known, and a place that they saw is
  not new. Events without a time cannot stand on a time line; they are counted.
- Sorting spills to disk (``Limits.sort_bytes``); open sessions, known places and texts are bounded.

Logs are untrusted.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.events.times import format_time, parse_time
from haidang.inquiry.notability import Notable, Product, products, windows_sieve
from haidang.inquiry.sorting import TimeSorter
from haidang.inquiry.templates import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.findings.model import Finding, ScanSummary
    from haidang.inquiry.questions import LogEvent, Question
    from haidang.limits import Limits
    from haidang.scanning import ScanOptions

__all__ = ["Entry", "Session", "Timeline", "timeline"]

FINDING = "finding"
_MOST_OTHERS = 1000
"""Users that are remembered to say who may have been meant."""
_LATE = 2 * 1_000_000_000
"""Nanoseconds that a logon may come after events of its session."""


class Session(msgspec.Struct, frozen=True):
    """A logon session on one host."""

    id: str
    user: str
    source: str
    """Where its user came from, "" where the log does not say."""
    opened: str
    """Time of the logon, RFC 3339."""


class Entry(msgspec.Struct, frozen=True):
    """One line of a time line."""

    time: str
    """RFC 3339, UTC."""
    host: str
    kind: str
    """Stable word: logon, process, service … or ``finding``."""
    titles: dict[str, str]
    """What happened, in words of each language; of a finding, the title of its rule."""
    level: str
    """Level of a finding, "" for events."""
    user: str
    text: str
    session: Session | None
    origin: str
    path: str
    record: int
    finding: str
    """Id of a finding, "" for events."""

    def title(self, lang: str) -> str:
        """Return what happened in the words of a language."""
        return self.titles.get(lang) or self.titles.get("en", self.kind)


class _Row(msgspec.Struct, array_like=True):
    """What is kept of an event while everything is sorted."""

    time: int
    host: str
    kind: str
    entry: int
    """Number of the entry in its product's list."""
    origin: str
    path: str
    record: int
    user: str
    text: str
    sessions: tuple[str, ...] = ()
    opens: str = ""
    closes: str = ""
    source: str = ""
    once: str = ""
    family: str = ""
    level: str = ""
    title: str = ""
    finding: str = ""
    rule: str = ""
    """Id of the rule of a finding, its title where it has none."""


class Timeline:
    """The entries, in order; iterate once."""

    def __init__(
        self, question: Question, users: tuple[str, ...] = (), scan: ScanOptions | None = None
    ) -> None:
        """Ask ``question``; ``scan`` says with which rules findings are looked for, None for none."""
        self._question = question
        self._asked_users = users
        self._users = frozenset(user.lower() for user in users)
        self._scan = scan
        self._products = products()
        self._numbers = {
            id(entry): number for each in self._products.values() for number, entry in enumerate(each.entries)
        }
        self._story = _Story(question.limits)
        self.other_users: dict[str, None] = {}
        """Users of entries that would have fitted but for their user, as many as are worth naming."""
        self._met_users: set[str] = set()
        self.untimed = 0
        """Notable events and findings that do not say when they happened."""
        self.summary: ScanSummary | None = None
        """The account of the search for findings."""

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in order of time.

        Raises:
            InputError: A path does not exist.
            ConfigurationError: The rules are wrong.
        """
        encode, decoder = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Row)
        with closing(TimeSorter(self._question.limits)) as sorter:
            for row in self._rows():
                sorter.add(row.time, encode(row))
            self._add_findings(sorter, encode)
            since = self._question.since
            for row, user, session in self._story.tell(map(decoder.decode, sorter.items())):
                if (since is None or row.time >= since) and self._wants(user, session):
                    yield self._entry(row, user, session)

    def unmet_users(self) -> list[str]:
        """Return the users that were asked about and of whom there is no entry."""
        return [user for user in self._asked_users if user.lower() not in self._met_users]

    def _rows(self) -> Iterator[_Row]:
        for event in self._question.events(windows_sieve(self._products)):
            product = self._products.get(event.origin)
            if product is None:
                continue
            for notable in product.entries_for(event.fields):
                fields = notable.accept(event.fields)
                if fields is not None:
                    row = self._row(event._replace(fields=fields), product, notable)
                    if row is not None:
                        yield row
                    break

    def _row(self, event: LogEvent, product: Product, notable: Notable) -> _Row | None:
        """Return what is kept of an event, None where it is not asked for."""
        question, fields = self._question, event.fields
        host = (notable.host.fill(fields) if notable.host else "") or question.host(event)
        if not question.wants_host(host):
            return None
        time = question.time(event)
        if time is None:
            self.untimed += 1
            return None
        early = question.since is not None and time < question.since
        if (question.until is not None and time > question.until) or (
            early and not (notable.opens or notable.closes or notable.once)
        ):
            return None
        return _Row(
            time,
            host,
            notable.kind,
            self._numbers[id(notable)],
            event.origin,
            event.report.path,
            event.record,
            _account(event.origin, notable.user.fill(fields)),
            notable.text.fill(fields)[: question.limits.timeline_text],
            product.sessions_of(fields),
            product.session_id(notable.opens.fill(fields)) if notable.opens else "",
            product.session_id(notable.closes.fill(fields)) if notable.closes else "",
            notable.source.fill(fields) if notable.opens else "",
            "\0".join(value_of(fields, name) for name in notable.once).lower(),
            product.session_family,
        )

    def _add_findings(self, sorter: TimeSorter, encode: Any) -> None:
        if self._scan is None:
            return
        from haidang.scanning import run

        def take(finding: Finding) -> None:
            row = self._finding_row(finding)
            if row is not None:
                sorter.add(row.time, encode(row))

        # The whole event tells the session; the finding itself is shortened here.
        self.summary = run(replace(self._scan, full_event=True), take)

    def _finding_row(self, finding: Finding) -> _Row | None:
        from haidang.findings.entities import entities
        from haidang.findings.reasons import reasons

        if not self._question.wants_host(finding.host):
            return None
        time = parse_time(finding.time) if finding.time else None
        if time is None:
            self.untimed += 1
            return None
        if not self._question.wants_time(time):
            return None
        things = entities(finding.event)
        product = self._products.get(finding.origin)
        domain = f"{things.user_domain}\\" if things.user_domain else ""
        return _Row(
            time,
            finding.host,
            FINDING,
            -1,
            finding.origin,
            finding.source.path,
            finding.source.record,
            domain + things.user if things.user else "",
            reasons(finding)[: self._question.limits.timeline_text],
            product.sessions_of(finding.event) if product else (),
            family=product.session_family if product else "",
            level=finding.rule.level,
            title=finding.rule.title,
            finding=finding.id,
            rule=finding.rule.id or finding.rule.title,
        )

    def _wants(self, user: str, session: Session | None) -> bool:
        if not self._users:
            return True
        names = [name for name in (user, session.user if session else "") if name]
        spellings = {one for name in names for one in (name.lower(), name.lower().rpartition("\\")[2])}
        met = spellings & self._users
        if met:
            self._met_users |= met
            return True
        if len(self.other_users) < _MOST_OTHERS:
            self.other_users.update(dict.fromkeys(names))
        return False

    def _entry(self, row: _Row, user: str, session: Session | None) -> Entry:
        if row.entry < 0:
            words = self.summary.words.get(row.rule, ()) if self.summary else ()
            titles = {"en": row.title} | {one.lang: one.title for one in words if one.title}
        else:
            titles = dict(self._products[row.origin].entries[row.entry].title)
        return Entry(
            format_time(row.time),
            row.host,
            row.kind,
            titles,
            row.level,
            user,
            row.text,
            session,
            row.origin,
            row.path,
            row.record,
            row.finding,
        )


def timeline(question: Question, *, users: tuple[str, ...] = (), scan: ScanOptions | None = None) -> Timeline:
    """Return the time line of what ``question`` asks about.

    Args:
        question: Logs, hosts and times.
        users: Only what these users did, or what was done in their sessions; with or without their domain.
        scan: How findings are looked for; None leaves them out.
    """
    return Timeline(question, users, scan)


def _account(origin: str, user: str) -> str:
    """Return a user as people know it: the audit log names some by number, or says that there is none."""
    if origin != "auditd":
        return user
    if user.isdecimal():
        return "root" if user == "0" else f"uid {user}"
    return "" if user == "unset" else user


def _place(row: _Row) -> tuple[str, str]:
    """Return within what the ids of sessions are unique: a host and its log, or a family of products."""
    return ("", row.family) if row.family else (row.host.lower(), row.origin)


class _Story:
    """What is known at a moment: open sessions and places that were seen, by host."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sessions: OrderedDict[tuple[str, str, str], Session] = OrderedDict()
        self._places: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def tell(self, rows: Iterable[_Row]) -> Iterator[tuple[_Row, str, Session | None]]:
        """Yield the rows that are new, each with its user and session."""
        held: deque[tuple[_Row, str, Session | None]] = deque()
        most = self._limits.timeline_held
        for row in rows:
            told = self._look_at(row)
            if told is None:
                continue
            while held and (row.time - held[0][0].time > _LATE or len(held) >= most):
                yield held.popleft()
            if row.opens:
                self._adopt(held, row, told[1])
            held.append((row, *told))
        yield from held

    def _adopt(
        self, held: deque[tuple[_Row, str, Session | None]], opened: _Row, session: Session | None
    ) -> None:
        """Give rows that came just before their logon their session."""
        for index, (row, user, known) in enumerate(held):
            mine = opened.opens in row.sessions and _place(row) == _place(opened)
            if mine and known is None and not (row.opens or row.closes):
                held[index] = (row, user or opened.user, session)

    def _look_at(self, row: _Row) -> tuple[str, Session | None] | None:
        """Return the user and the session of a row; None for what is not new."""
        host = row.host.lower()
        if row.once and self._known((host, row.kind, row.once)):
            return None
        place = _place(row)
        if row.opens:
            opened = Session(row.opens, row.user, row.source, format_time(row.time))
            self._keep(self._sessions, (*place, row.opens), opened, self._limits.timeline_sessions)
            return row.user, opened
        if row.closes:
            return self._named(row, self._sessions.pop((*place, row.closes), None))
        for identifier in row.sessions:
            session = self._sessions.get((*place, identifier))
            if session is not None:
                self._sessions.move_to_end((*place, identifier))
                return self._named(row, session)
        return row.user, None

    def _named(self, row: _Row, session: Session | None) -> tuple[str, Session | None]:
        return row.user or (session.user if session else ""), session

    def _known(self, place: tuple[str, str, str]) -> bool:
        known = place in self._places
        self._keep(self._places, place, None, self._limits.timeline_places)
        return known

    def _keep(self, kept: OrderedDict[Any, Any], key: tuple[str, str, str], value: Any, most: int) -> None:
        kept[key] = value
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)
