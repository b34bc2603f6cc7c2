"""Exim's main log and reject log: which mail came from whom and went where, and what was turned away.

    2026-11-11 21:58:57 1r0abc-0001Xy-2z <= lan@xa.example H=mx.xa.example [203.0.113.9] P=esmtps S=2048
    id=… 2026-11-11 21:59:00 login authenticator failed for (User) [203.0.113.9]: 535 Incorrect
    authentication data (set_id=hoa)

Rules of this module:

- In a file of its own, each line that begins with Exim's time is an event; in syslog, each line of a
  program named ``exim``, and of others what begins with the time and then a message's id or words that Exim
  uses.
- A time without a zone is local and is taken for UTC.
- Fields are called as those of other mail servers (:mod:`haidang.events.readers.mail`).
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``exim``; all text, absent where the line does not say):

    time            when it happened pid             process id, where it is logged queue_id        Exim's
    id of the message flag            ``<=`` arrived, ``=>`` delivered, ``->`` delivered as well, ``**``
    failed, ``==`` put off … from to         sender; recipient (of ``**`` and ``==`` too) client client_ip
    helo
                    who connected or was connected to: name, address, what it calls itself
    proto size message_id subject local_user router transport
                    P, S, id, T of an arrival, U, R, T of a delivery
    sasl_method sasl_username
                    A: how somebody signed in, and who
    status          sent, bounced, deferred, of a delivery
    action          reject, where something was refused
    outcome         auth_failed, where a log-in failed
    message raw     what follows the time; the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import EventBatch, Fields, FileReport
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "EximReader"]

ORIGIN = Origin("exim", time_fields=("time", "timestamp"), host_fields=("hostname",))

_LONGEST = 8192
"""Characters of a message that are looked into; Exim's own lines are far shorter."""
_TIME = expression(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?) (?:\[(\d{1,10})\] )?", re.ASCII
)
_ID = expression(r"([0-9A-Za-z]{6}-[0-9A-Za-z]{6}(?:[0-9A-Za-z]{5})?-[0-9A-Za-z]{2,4}) ", re.ASCII)
_FLAG = expression(r"(<=|=>|->|>>|\*>|\*\*|==) (\S{1,512})(?: <([^<>\s]{1,512})>)?")
_WORDS = expression(
    r"[\w-]{1,40} authenticator failed |SMTP (?:connection|protocol|command|syntax|call|data|timeout)"
    r"|(?:Start|End) queue run|exim \d|H=\S|no (?:host name|IP address) found|TLS (?:error|session|client)"
    r"|unexpected disconnection|rejected (?:\w{4} |connection)|cwd=/|daemon: |ident connection|Remote host "
    r"|SMTP>>|Connection from ",
    re.ASCII,
)
_HOST = expression(
    r"(?:\bH=|authenticator failed for |[Cc]onnection from )"
    r"(?:([^\s()\[\]]{1,255}) )?(?:\(([^()\s]{0,255})\) )?\[([0-9A-Fa-f.:]{3,45})\]",
    re.ASCII,
)
_PAIR = expression(r"(?<= )(P|S|id|U|R|A|F)=(?:<([^<>\s]{0,512})>|(\S{1,512}))")
_TAGGED = expression(r"(?<= )T=(?:\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"|([\w-]{1,64}))")
_NAMES = {"P": "proto", "S": "size", "id": "message_id", "U": "local_user", "R": "router", "F": "from"}
_STATUS = {"=>": "sent", "->": "sent", ">>": "sent", "*>": "sent", "**": "bounced", "==": "deferred"}
_REJECTED = expression(
    r"(?:\A| )(?:temporarily )?rejected (?:(?:RCPT|MAIL|EXPN|VRFY) <?([^<>\s:]{1,512})>?)?"
)
_REFUSED = expression(r"[\w-]{1,40} authenticator failed ", re.ASCII)
_SIGNED = expression(r"\(set_id=([^()\s]{1,256})\)")


class EximReader(ProductReader):
    """Reads the logs of Exim."""

    name = "exim"
    title = "Exim (main log, reject log)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the programs of Exim, and for what may begin with its time."""
        return program.startswith("exim") or (not program and start.isdigit())

    def parse_message(self, event: Fields) -> Fields | None:
        """Return what a line says."""
        return _parsed(event, sure="program" in event)

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the records of each batch of lines, then what else is there."""
        yield from syslog.read_lines(stream, report, limits, (_Own(),))


class _Own(EximReader):
    """Takes whatever has Exim's time, in a file that is known to be Exim's."""

    def parse_message(self, event: Fields) -> Fields | None:
        return _parsed(event, sure=True)


def _parsed(event: Fields, *, sure: bool) -> Fields | None:
    text: str = event["message"]
    time = _TIME.match(text)
    message = text[time.end() :] if time else text
    identifier = _ID.match(message)
    if time is None and "program" not in event:
        return None
    if not sure and identifier is None and _WORDS.match(message) is None:
        return None
    fields = envelope(event)
    fields["message"] = message
    if time is not None:
        fields["time"] = time[1]
        if time[2]:
            fields["pid"] = time[2]
    if identifier is not None:
        fields["queue_id"] = identifier[1]
        message = message[identifier.end() :]
    _add_meaning(fields, message[:_LONGEST])
    return fields


def _add_meaning(fields: Fields, message: str) -> None:
    """Add what a line tells of a mail or of a connection."""
    flag = _FLAG.match(message)
    if flag is not None:
        fields["flag"] = flag[1]
        # Of a delivery, what is in brackets is the address before it was rewritten.
        fields["from" if flag[1] == "<=" else "to"] = flag[3] or flag[2]
        if flag[1] in _STATUS:
            fields["status"] = _STATUS[flag[1]]
    # A subject is the sender's own text, and stands behind all of these.
    told = message.partition(' T="')[0]
    if (host := _HOST.search(told)) is not None:
        given = zip(("client", "helo", "client_ip"), host.groups(), strict=True)
        fields.update((name, value) for name, value in given if value)
    _add_pairs(fields, told, message)
    if _REFUSED.match(message) is not None:
        fields["outcome"] = "auth_failed"
        if (signed := _SIGNED.search(message)) is not None:
            fields["sasl_username"] = signed[1]
        fields["sasl_method"] = message.partition(" ")[0]
    elif flag is None and (rejected := _REJECTED.search(told)) is not None:
        fields["action"] = "reject"
        if rejected[1]:
            fields["to"] = rejected[1]


def _add_pairs(fields: Fields, told: str, message: str) -> None:
    for name, bracketed, plain in _PAIR.findall(told):
        value = bracketed or plain
        if name == "A":
            fields["sasl_method"], _, user = value.partition(":")
            if user:
                fields["sasl_username"] = user
        elif value:
            fields.setdefault(_NAMES[name], value)
    if (tagged := _TAGGED.search(message)) is not None:
        if tagged[1] is not None:
            fields["subject"] = tagged[1]
        elif tagged[2]:
            fields["transport"] = tagged[2]


READER = EximReader()
