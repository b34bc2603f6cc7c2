"""What every action of ``haidang intel`` asks of its arguments and its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import Context
    from haidang.intel.store import Store

__all__ = ["DONE", "INCOMPLETE", "now_of", "only_one", "store_of", "write"]

DONE = 0
INCOMPLETE = 3


def store_of(context: Context) -> Store:
    """Return the store of whoever runs this.

    Raises:
        ConfigurationError: There is no place for it.
    """
    from haidang.intel.store import default_store

    store = default_store(context.environ)
    if store is None:
        raise ConfigurationError("there is no home folder to keep indicators in", hint="Set XDG_DATA_HOME.")
    return store


def now_of(context: Context) -> int:
    """Return the time in seconds."""
    return context.now() // 1_000_000_000


def write(context: Context, text: str) -> None:
    """Write one line to standard output."""
    context.answer(f"{text}\n")


def only_one(args: argparse.Namespace, what: str) -> str:
    """Return the only thing that an action is given.

    Raises:
        ConfigurationError: There is none, or more.
    """
    if len(args.what) != 1:
        raise ConfigurationError(f"haidang intel {args.action}: name one {what}")
    return str(args.what[0])
