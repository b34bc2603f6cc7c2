"""Whether the parts that the service needs are there."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from haidang.console.sources import stores
from haidang.errors import HaidangError

__all__ = ["checks"]


def checks() -> dict[str, str]:
    """Return for each part ``ok``, or what is wrong with it in a few words that give nothing away."""
    return {"database": _database(), "spool": _spool()}


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "not migrated"
    except DatabaseError:
        return "unavailable"
    return "ok"


def _spool() -> str:
    try:
        stores.spool().backlog()
    except HaidangError:
        return "unavailable"
    return "ok"
