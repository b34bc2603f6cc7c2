r"""Log lines that collectors keep inside JSON: Splunk, Filebeat, Logstash, rsyslog, CloudWatch, Wazuh.

    {"preview":false,"result":{"_raw":"May 11 10:14:15 web01 sshd[123]: Failed password …","_time":"…"}}
    {"@timestamp":"…","message":"203.0.113.4 - - [11/May/2026:10:14:16 +0700] \"GET / HTTP/1.1\" …"}
    {"logGroup":"…","logEvents":[{"timestamp":1778469255000,"message":"{\"eventVersion\":\"1.09\", …}"}]}

Rules of this module:

- What is inside is read as what it is: a JSON object as one of JSON lines, an ``<Event>`` and what Splunk
  renders of Windows events as that, a line of syslog or of a product that travels through it as that.
- Records of the audit log are put together as :mod:`haidang.events.readers.auditd` does it, also those that
  Wazuh has joined to one line; an object of LAUREL, or one that is kept as text, is such an event as well.
- What a message of Google Pub/Sub, an event hook of Okta or an envelope of Splunk's collector holds is read
  so, too; objects may be in one another.
- An object that has the header of syslog in parts (program, process id, host) is a line of syslog.
- The rows of a table that an interface of Azure answers with (``columns`` and ``rows``), or CloudTrail Lake
  (``QueryResultRows``), are an object each.
- Any other object stays as it is: a line of which nothing is known says no more than the object around it.
- A time without a year is put into the year in which it is not later than the object's own time. Where that
  is the line's time with its zone, as Splunk keeps it, it counts.
- Input is untrusted. Where the lines are kept is in :mod:`haidang.events.readers._collected`.

Fields: those of what is inside. Of lines of syslog, the host is that of the object where they name none.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from haidang.events.json_splitting import JsonSplitter
from haidang.events.model import FileReport, Origin
from haidang.events.patterns import expression
from haidang.events.readers import auditd, json_documents, ndjson
from haidang.events.readers._opener import Opener, object_of
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Batch
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "CollectedReader"]

_HEAD_DOCUMENTS = 20
_SURE = 78
"""Surer than JSON as such, for what is inside says more."""
# A member that may hold a line, at the beginning of a file or behind another.
_MEMBER = expression(
    rb'[{,]\s*"(?:_raw|@message|full_log|@rawstring|log_s|message|MESSAGE|log|line|msg|short_message|original'
    rb'|event\.original|logEvents|data|receivedMessages|textPayload|jsonPayload|sourcetype)"\s*:'
)
_TABLE = expression(
    rb'\A\s*\{[^\[]{0,1000}(?:\[\s*\{[^\[]{0,200})?"columns"\s*:\s*\[\s*\{\s*"(?:name|ColumnName)"\s*:'
    rb'|\A\s*\{[^\[]{0,2000}"QueryResultRows"\s*:\s*\[\s*\['
)
"""How such an answer begins; its rows may be further on than is looked at."""


class CollectedReader:
    """Reads JSON in which lines of other logs are kept."""

    name = "collected"
    title = "Log lines in JSON (Splunk, Beats, Logstash, rsyslog, CloudWatch, Pub/Sub, Wazuh)"
    splittable = False
    """The whole may be one array."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return the families of logs that may be inside."""
        return tuple(dict.fromkeys((ndjson.ORIGIN, *auditd.READER.origins)))

    def recognises(self, head: Head) -> int:
        """Return 78 where at least half of the first objects carry a line of which something is known."""
        if _TABLE.search(head.data):
            return _SURE
        if not _MEMBER.search(head.data) or not _inner(head):
            return 0
        report = FileReport(head.name)
        opener = Opener(report, None, DEFAULT_LIMITS)
        splitter = JsonSplitter(report, DEFAULT_LIMITS)
        some = list(islice(splitter.feed(head.text.encode("utf-8", "replace")), _HEAD_DOCUMENTS))
        carrying = sum(bool(opener.opened(object_of(document), number)) for number, document in some)
        return _SURE if carrying and carrying * 2 >= len(some) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield what is inside each batch of objects."""
        opener = Opener(report, stream.mtime, limits)
        for batch in json_documents.READER.read(stream, report, limits):
            yield from opener.batches(batch.documents, batch.records)
        yield from opener.close()


def _inner(head: Head) -> bool:
    return bool(ndjson.READER.recognises(head) or json_documents.READER.recognises(head))


READER = CollectedReader()
