"""A PostgreSQL of one's own: in a temporary folder, reached through a socket in it, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["own_database", "postgresql", "programs"]

_DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name.split(".")[0]))
    return folders[-1] if folders else None


@contextlib.contextmanager
def postgresql(kept: Path | None = None) -> Iterator[str]:
    """Give the URL of a database on a server that is stopped at the end.

    Args:
        kept: A folder that the database is in, or is made in, and stays in. Such a server writes through to
            the disk, as a real one does. Without it the database is new, and gone afterwards.
    """
    folder = programs()
    if folder is None:
        message = "no PostgreSQL here; on Debian: apt install postgresql"
        raise RuntimeError(message)
    if kept is None:
        home = Path(tempfile.mkdtemp(prefix="haidang-pg-"))
    else:
        home = kept.resolve()
        home.mkdir(parents=True, exist_ok=True)
    # The server refuses to run as root.
    runner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if runner:
        shutil.chown(home, "postgres")
    data = home / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c max_connections=50"
    if kept is None:
        options += " -c fsync=off"

    def run(*command: str) -> None:
        subprocess.run(
            [*runner, *command], check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    try:
        if not data.exists():
            run(
                f"{folder}/initdb", "-D", str(data), "-U", "haidang", "-A", "trust", "-E", "UTF8", "--no-sync"
            )
        run(f"{folder}/pg_ctl", "-D", str(data), "-l", f"{home}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql://haidang@/postgres?host={quote(str(home))}"
        finally:
            run(f"{folder}/pg_ctl", "-D", str(data), "-m", "fast" if kept else "immediate", "-w", "stop")
    finally:
        if kept is None:
            shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def own_database(url: str) -> Iterator[str]:
    """Give the URL of an empty database beside the one at ``url``, removed with whoever still uses it."""
    import psycopg

    name = f"haidang_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
