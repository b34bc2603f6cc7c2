"""Where the schemas into which shippers bring events, ECS and OCSF, keep the facts of a process.

Events are untrusted; texts are cut by whoever reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMAS", "Process", "process_of"]


class Process(NamedTuple):
    """What an event says of a process; "" for what it does not."""

    starts: bool
    """Whether it was started just then."""
    pid: str
    parent_pid: str
    image: str
    command: str
    parent_image: str
    parent_command: str


class Schema(NamedTuple):
    """Where a schema keeps the facts of a process."""

    event: tuple[str, ...]
    starts: frozenset[str]
    pid: tuple[str, ...]
    parent_pid: tuple[str, ...]
    image: tuple[str, ...]
    command: tuple[str, ...]
    parent_image: tuple[str, ...]
    parent_command: tuple[str, ...]


SCHEMAS = {
    "ecs": Schema(
        ("event.type",),
        frozenset({"start"}),
        ("process.pid",),
        ("process.parent.pid",),
        ("process.executable", "process.name"),
        ("process.command_line",),
        ("process.parent.executable", "process.parent.name"),
        ("process.parent.command_line",),
    ),
    "ocsf": Schema(
        ("type_uid",),
        frozenset({"100701"}),
        ("process.pid",),
        ("process.parent_process.pid", "actor.process.pid"),
        ("process.file.path", "process.name"),
        ("process.cmd_line",),
        ("process.parent_process.file.path", "actor.process.file.path"),
        ("process.parent_process.cmd_line", "actor.process.cmd_line"),
    ),
}
"""Origin to where its schema keeps them."""


def process_of(origin: str, get: Callable[..., str]) -> Process:
    """Return what an event in a schema says; ``get`` returns the text of the first field that is present."""
    names = SCHEMAS[origin]
    return Process(
        get(*names.event).lower() in names.starts,
        get(*names.pid),
        get(*names.parent_pid),
        get(*names.image),
        get(*names.command),
        get(*names.parent_image),
        get(*names.parent_command),
    )
