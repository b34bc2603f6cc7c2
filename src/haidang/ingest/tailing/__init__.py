"""Following files and folders: what is written to them is taken once, whatever becomes of the files.

    patterns ─▶ Follower (which content is where, what comes next) ─▶ portions of whole lines ─▶ intake
                        ▲                                                                          │
                        └────────────── marks of the spool: how far each was taken ◀───────────────┘

    receiver = TailReceiver([Tail("/var/log/nginx/*.log", "web-1")], intake, spool, book)
    await receiver.start()
    ...
    await receiver.close()

Files are looked at every ``limits.tail_poll_seconds``; that works on every file system, on shared ones too.
They hold lines of text in an encoding that keeps ASCII (UTF-8, not UTF-16). What they hold is untrusted.
"""

from __future__ import annotations

from haidang.ingest.tailing.counts import TailCounts
from haidang.ingest.tailing.receiver import MarkStore, TailReceiver
from haidang.ingest.tailing.tail import Tail

__all__ = ["MarkStore", "Tail", "TailCounts", "TailReceiver"]
