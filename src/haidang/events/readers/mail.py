"""Mail logs: what Postfix and Dovecot write to syslog, with the fields of their messages.

Rules of this module:

- It reads files that are syslog and mostly of these programs; each line has the fields of the syslog reader
  (origin ``syslog``), so that every rule for syslog sees it as well. In a file of many programs, where mail
  is only a part, the syslog reader reads all, and mail has its message alone.
- Postfix tells of one mail in several lines that share a queue id. What earlier lines of that id said of
  client, sender, authenticated user and message id is added to later ones, until the id is removed; the last
  ``limits.mail_queue_ids`` ids are remembered.
- A line that is no syslog line is handed over with its text alone, and noted.
- Input is untrusted; each pattern runs in linear time.

Fields besides those of syslog (a field that the line leaves out is absent; values are texts as written,
addresses without their angle brackets):

    queue_id        Postfix; NOQUEUE where a mail was refused before it had one
    client_ip       who connected (Dovecot: rip), client its name
    from, to, orig_to, relay, status, dsn, size, nrcpt, delay, helo, proto, message_id
    sasl_username, sasl_method
    action          Postfix: reject, warn, hold …; reply the code that the client got
    user, method, lip, session    Dovecot
    outcome         Dovecot: Login, Disconnected …; Postfix: auth_failed where a log-in failed
    reason          Dovecot: what is in brackets after the outcome
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM
from haidang.events.readers._years import Years
from haidang.events.readers.syslog import READER as SYSLOG
from haidang.events.readers.syslog import parse_line, parse_lines, sorted_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import EventBatch, Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "MailReader"]

_HEAD_LINES = 100
_LONGEST = 8192
"""Characters of a message that are looked into; a mail server's own lines are far shorter."""

_QUEUE_ID = expression(r"([0-9A-F]{6,16}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}|NOQUEUE): ", re.ASCII)
_PAIR = expression(r"(?<![^\s,;])([a-z][a-z_-]{1,15})=(?:<([^<>\s]{0,512}>?)>|([^\s,;<]{0,512}))", re.ASCII)
_CLIENT = expression(r"(?:client=|from |warning: )([^\s\[\],;]{1,255})\[([0-9A-Fa-f.:]{3,45})\]", re.ASCII)
_ACTION = expression(
    r"(reject|milter-reject|reject_warning|hold|discard|filter|redirect|warn|bcc): ", re.ASCII
)
_REPLY = expression(r"\]:?\d{0,5}: ([245]\d\d) ", re.ASCII)
_PASSWORD = expression(r"\w{2,32}\(([^,()\s]{1,256})(?:,([0-9A-Fa-f.:]{3,45}))?[,)]", re.ASCII)
_OUTCOME = expression(
    r"(?:[a-z0-9-]{2,32}(?:\([^()\s]{0,256}\))?: )?(?:Info: )?([A-Z][a-z]+(?: login)?)[: ]"
    r"(?:\(([^()]{1,256}(?:\([^()]*\))?)\))?"
)
_SESSION = expression(r"[a-z0-9-]{2,32}\(([^()\s]{1,256})\)<\d{1,10}><([^<>\s]{1,64})>", re.ASCII)
# fmt: off
_POSTFIX = frozenset((
    "from", "to", "orig_to", "relay", "status", "dsn", "size", "nrcpt", "delay", "helo", "proto",
    "message-id", "sasl_username", "sasl_method",
))
# fmt: on
_DOVECOT = {"user": "user", "method": "method", "rip": "client_ip", "lip": "lip", "session": "session"}
_JOINED = ("client", "client_ip", "from", "sasl_username", "message_id")


class _Queue:
    """What is known of the mails that are on their way, by queue id."""

    def __init__(self, limits: Limits) -> None:
        self._known: dict[str, Fields] = {}
        self._most = limits.mail_queue_ids

    def join(self, identifier: str, fields: Fields, *, done: bool) -> None:
        """Add to ``fields`` what is known of its mail, and remember what it adds."""
        known = self._known.get(identifier)
        if known is None:
            if done:
                return
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            known = self._known[identifier] = {}
        for name in _JOINED:
            if name in fields:
                known[name] = fields[name]
            elif name in known:
                fields[name] = known[name]
        if done:
            del self._known[identifier]


def _is_mail(program: str) -> bool:
    return program.startswith(("postfix", "dovecot"))


def add_fields(fields: Fields, queue: _Queue) -> None:
    """Add what the message of a mail server's line says."""
    program = fields.get("program", "")
    if program.startswith("postfix"):
        _add_postfix(fields, fields["message"][:_LONGEST], queue)
    elif program.startswith("dovecot"):
        _add_dovecot(fields, fields["message"][:_LONGEST])


def _add_postfix(fields: Fields, message: str, queue: _Queue) -> None:
    match = _QUEUE_ID.match(message)
    rest = message[match.end() :] if match else message
    for name, bracketed, plain in _PAIR.findall(rest):
        if name in _POSTFIX:
            fields.setdefault(name.replace("-", "_"), bracketed.strip("<>") or plain)
    client = _CLIENT.search(rest)
    if client is not None:
        fields["client"], fields["client_ip"] = client.groups()
    action = _ACTION.match(rest)
    if action is not None:
        fields["action"] = action[1]
        reply = _REPLY.search(rest)
        if reply is not None:
            fields["reply"] = reply[1]
    if "SASL" in rest and "authentication failed" in rest:
        fields["outcome"] = "auth_failed"
    if match is not None:
        fields["queue_id"] = match[1]
        if match[1] != "NOQUEUE":
            queue.join(match[1], fields, done=rest == "removed")


def _add_dovecot(fields: Fields, message: str) -> None:
    for name, bracketed, plain in _PAIR.findall(message):
        if name in _DOVECOT and (bracketed or plain):
            fields.setdefault(_DOVECOT[name], bracketed or plain)
    outcome = _OUTCOME.match(message)
    if outcome is not None:
        fields["outcome"] = outcome[1]
        if outcome[2]:
            fields["reason"] = outcome[2]
    session = _SESSION.match(message)
    if session is not None:
        fields.setdefault("user", session[1])
        fields.setdefault("session", session[2])
    elif "user" not in fields and (password := _PASSWORD.search(message, message.find(": ") + 1)):
        fields["user"] = password[1]
        if password[2]:
            fields["client_ip"] = password[2]


class MailReader:
    """Reads the logs of Postfix and Dovecot."""

    name = "mail"
    title = "Mail log (Postfix, Dovecot)"
    splittable = False
    """A line may be told about by an earlier one."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return syslog, and the families of logs that travel through it."""
        return SYSLOG.origins

    def recognises(self, head: Head) -> int:
        """Return 93 where most of the first lines are syslog lines of a mail server."""
        lines = head.lines[:_HEAD_LINES]
        programs = [(parse_line(line.removeprefix(BOM)) or {}).get("program", "") for line in lines]
        return 93 if lines and sum(map(_is_mail, programs)) * 3 >= len(lines) * 2 else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        queue = _Queue(limits)
        years = Years(stream.mtime)
        for first, lines in stream.line_batches(report, limits):
            events, records = parse_lines(first, lines, report, note_plain=False)
            years.place(events, records, report)
            for fields in events:
                add_fields(fields, queue)
            # A mail server's file may hold the lines of others, too.
            yield from sorted_out(events, records, report)


READER = MailReader()
