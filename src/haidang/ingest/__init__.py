"""Live logs: from ordinary shippers to a durable spool, and from it to findings.

- A receiver (``http/`` …) knows its protocol, and hands what it read to an
  :class:`~haidang.ingest.intake.Intake`.
- What the intake has acknowledged is on disk (:class:`~haidang.ingest.spool.Spool`); lines that are broken
  are in the :class:`~haidang.ingest.quarantine.Quarantine`.
- Detection takes batches from the spool, keeps what they did together with their number, and then says so.

A plain library: no Django, and nothing of it is loaded by ``import haidang``.
"""

__all__: list[str] = []
