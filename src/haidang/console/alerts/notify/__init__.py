"""Telling people and programs of new alerts: by e-mail and by webhook.

- ``models``: to whom (``Channel``), and what waits to be told (``Outgoing``).
- ``queueing``: what of which alerts is to be told, and when; written in the transaction that makes the alert,
  so that none is forgotten.
- ``sending``: the worker, which tells, tries again, and keeps what could not be told.
"""

__all__: list[str] = []
