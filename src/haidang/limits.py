"""Every limit that protects a run from hostile or broken input, with its unit.

The defaults hold memory under 400 MB for a process whatever it is fed. A caller passes its own
``Limits`` (``dataclasses.replace(DEFAULT_LIMITS, line_bytes=...)``); nothing else in the package
hard-codes a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on size, depth and time. Each has a test of its own."""

    line_bytes: int = 16 * MIB
    """Longest line or JSON document that is decoded; a longer one is skipped and counted."""
    json_depth: int = 256
    """Deepest nesting of a JSON document that is decoded."""
    batch_events: int = 2048
    """Most events handed from a reader to a detector at once."""
    batch_bytes: int = 4 * MIB
    """Most bytes of undecoded documents handed over at once."""
    read_bytes: int = MIB // 4
    """Size of one read from a file; what fits the processor's cache is split into lines fastest."""
    decoder_bytes: int = 128 * MIB
    """Most memory that a decompressor may take for its window (``xz -9`` takes 65 MiB)."""
    archive_depth: int = 4
    """How many containers may be nested (a gzip inside a zip inside a zip is 3)."""
    archive_members: int = 100_000
    """Most members of one archive."""
    expanded_bytes: int = 64 << 30
    """Most bytes that one compressed file or archive member may expand to."""
    expansion_ratio: int = 2_000
    """Largest expanded : compressed ratio, looked at once ``expansion_floor_bytes`` came out."""
    expansion_floor_bytes: int = 256 * MIB
    """Expanded bytes below which the ratio is not looked at."""
    spool_bytes: int = 32 * MIB
    """Most bytes of one seekable member (EVTX inside an archive) held in memory before it goes to a
    temporary file."""
    columns: int = 4096
    """Most columns of a table (CSV, Zeek) that are read; a longer row is skipped and counted."""
    column_rows: int = 65_536
    """Most rows of a file kept by column (Parquet) that are looked at together."""
    column_bytes: int = 32 * MIB
    """About how many bytes of such rows, as the file declares their size; of columns that are large because
    their texts are long, a small part of it at a time."""
    audit_records: int = 10_000
    """Audit records of unfinished events held at once while they are merged by serial."""
    audit_bytes: int = 32 * MIB
    """Bytes of audit records held at once while they are merged by serial."""
    mail_queue_ids: int = 20_000
    """Mails on their way whose client and sender are remembered while a mail log is read."""
    rule_file_bytes: int = 4 * MIB
    """Largest rule file that is read."""
    test_events: int = 100_000
    """Most events of one sequence in the examples of a rule."""
    regex_seconds: float = 0.25
    """Time that one look-around regular expression may take on one value."""
    regex_timeouts: int = 20
    """Values on which one such expression may hit that limit before it is given up for the run."""
    value_chars: int = 1 * MIB
    """Longest field value that rules look at; a longer one is cut and counted."""
    memo_chars: int = 8 * MIB
    """Characters of field values remembered by one field's memo before it is dropped and rebuilt."""
    memo_entries: int = 100_000
    """Entries of one memo before it is dropped and rebuilt."""
    correlation_events: int = 200_000
    """Events held by one correlation rule over all groups; the oldest go first, and are counted."""
    correlation_groups: int = 100_000
    """Groups held by one correlation rule; the least recently touched go first, and are counted."""
    correlation_members: int = 100
    """Hits that one correlation finding carries as evidence, spread evenly over its rules; its count is
    the true number."""
    summary_hosts: int = 1_000
    """Host names that the terminal summary remembers for one rule; more are only said to be there."""

    stats_groups: int = 10_000
    """Sources on hosts that ``haidang stats`` tells apart; more are counted together, and said to be so."""
    stats_ids: int = 50_000
    """Event ids that it tells apart, over all sources."""
    stats_slots: int = 1_000_000
    """Stretches of time that it remembers over all sources and hosts; the stretches grow to fit."""
    sort_bytes: int = 32 * MIB
    """Memory that sorting a time line may take before it goes to a temporary file."""
    timeline_sessions: int = 50_000
    """Logon sessions that a time line holds open at once; the least recently seen go first."""
    timeline_held: int = 2_000
    """Lines that a time line holds back for a moment, in case that the logon of their session comes late."""
    timeline_places: int = 200_000
    """Places that a time line remembers as seen; the least recently seen go first, and may be new again."""
    timeline_text: int = 4_096
    """Longest text of one line of a time line (a script, a command line); a longer one is cut."""

    stix_objects: int = 200_000
    """Ids of objects that a STIX bundle remembers so as to write each once; beyond, one may come again."""
    intel_file_bytes: int = 512 * MIB
    """Largest file, or answer of a server, with indicators that is read."""
    intel_indicators: int = 5_000_000
    """Most indicators of one source; further ones are counted as refused."""
    intel_pattern_chars: int = 65_536
    """Longest STIX pattern that is read."""
    intel_pattern_depth: int = 64
    """Deepest nesting of a STIX pattern."""
    intel_pages: int = 10_000
    """Most pages that are taken from a TAXII collection, and most events of a MISP feed, in one update."""
    intel_seconds: float = 30.0
    """Time in which a server must answer, and go on answering."""
    intel_pack_files: int = 10_000
    """Most files of a pack of rules and indicators."""
    intel_pack_bytes: int = 1024 * MIB
    """Most bytes of all files of a pack, expanded."""

    ingest_body_bytes: int = 32 * MIB
    """Largest body of a request with events, before and after decompression, where its source sets none."""
    ingest_otlp_bytes: int = 16 * MIB
    """The same for OTLP, whose messages take many times their size in memory."""
    ingest_request_events: int = 500_000
    """Most events of one request of more than 4 MiB."""
    ingest_body_seconds: float = 60.0
    """Time in which the whole body of a request must come."""
    ingest_held_bytes: int = 256 * MIB
    """Most bytes of events that are in memory, on their way to the spool; beyond, senders must wait."""
    ingest_commit_bytes: int = 16 * MIB
    """Bytes of waiting events that are written to the spool in one transaction."""
    ingest_batch_bytes: int = 1 * MIB
    """Bytes up to which small requests of one source are kept together as one batch."""
    spool_file_bytes: int = 16 * 1024 * MIB
    """Largest file of the spool; beyond, new events are refused until detection catches up."""
    spool_reserve_bytes: int = 256 * MIB
    """Room on the disk that the spool leaves free, so that what it holds can still be worked off."""
    spool_wait_seconds: float = 10.0
    """Time that a database file may be held by another process before an operation is given up."""
    quarantine_lines: int = 10_000
    """Broken lines that are kept of each source; the oldest go first."""
    quarantine_line_bytes: int = 8_192
    """Longest broken line that is kept in whole; a longer one is cut, and says so."""
    quarantine_request_lines: int = 1_000
    """Broken lines of one request that are kept; the rest is counted."""

    hunt_rows: int = 10_000
    """Rows that a query over the archive gives at most; more are only said to be there."""
    hunt_seconds: float = 60.0
    """Time that a query over the archive may take."""
    hunt_memory_bytes: int = 512 * MIB
    """Memory that a query over the archive may take."""
    hunt_rule_seconds: float = 300.0
    """Time that rules may take over the archive, asked from the console; what they found by then is shown."""
    hunt_shown: int = 500
    """Rows, records or findings of a hunt that the console shows; all of them are counted."""
    hunt_answer_bytes: int = 4 * MIB
    """Size of what a hunt may hand to the console."""
    hunt_process_bytes: int = 6 * 1024 * MIB
    """Address space of the process of a hunt from the console; most of it is never touched."""

    page_rows: int = 4_096
    """Findings of one block of the HTML page."""
    page_bytes: int = 4 * MIB
    """Bytes of evidence of one block of the HTML page, before compression."""
    page_value_chars: int = 32_768
    """Longest text shown in the HTML page; a longer one is cut, and says so."""
    trail_starts: int = 20_000
    """Process starts that a run keeps for the process trees of the page; the rest is counted."""
    trail_moves: int = 5_000
    """Moves between hosts that differ (whence, whither, how, by whom) that a run keeps; more are
    counted."""
    trail_chars: int = 600
    """Longest text of a process start or a move; a longer one is cut."""

    syslog_message_bytes: int = MIB // 4
    """Longest syslog message; a longer one is passed on cut to this length, and counted."""
    syslog_connections: int = 1_000
    """Connections that one syslog listener holds open at once."""
    syslog_host_connections: int = 100
    """Connections that it holds open at once with one address."""
    syslog_handshake_seconds: float = 20.0
    """Time that the TLS handshake of a syslog connection may take."""
    syslog_partial_seconds: float = 60.0
    """Time without a byte in the midst of a syslog message after which its connection is closed."""
    syslog_idle_seconds: float = 24 * 3600.0
    """Time without a message after which a syslog connection is closed. Many senders lose the message that
    finds it closed, so this is long."""
    syslog_close_seconds: float = 10.0
    """Time that a listener which stops may take to hand over what has arrived."""
    syslog_pending_bytes: int = 8 * MIB
    """Bytes of datagrams of one source that wait for the intake; more are dropped, and counted."""

    tail_read_bytes: int = MIB
    """Bytes of one followed file that are taken at once."""
    tail_turn_bytes: int = 8 * MIB
    """Bytes of all followed files of one source that are on their way to the spool at once, about."""
    tail_files: int = 10_000
    """Files of one source that are followed; more are left out, and said to be."""
    tail_open: int = 200
    """Files of one source that are held open; those that rest longest are opened again when they change."""
    tail_poll_seconds: float = 0.25
    """Time between two looks at the files that are followed."""
    tail_scan_seconds: float = 1.0
    """Time between two looks for new files."""
    tail_settle_seconds: float = 10.0
    """Time without a change after which a file that was rotated away is complete, and after which a file that
    may be a copy in the making is not."""
    tail_missing_seconds: float = 3600.0
    """Time for which the rest of a file that was truncated, or is gone after a restart, is looked for in its
    folder."""
    tail_remembered_days: float = 60.0
    """Time after which a file that is gone is forgotten; a copy of it that turns up later is read anew."""


DEFAULT_LIMITS = Limits()
