"""What a service needs before its first request: tables that are up to date, and somebody who may sign in."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import secrets
import socket
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FIRST_NAME", "listen", "make_first_person", "migrate", "settle"]

FIRST_NAME = "admin"
_BACKLOG = 1024
_MIGRATING = 0x68616964616E67
"""PostgreSQL's name of the lock."""


def migrate() -> None:
    """Bring the tables up to date, and what is sealed in them to the key of now.

    Of parts that start together one does, and the others wait.

    Raises:
        ConfigurationError: The database cannot be reached or written.
    """
    from django.core.management import call_command
    from django.db import Error

    from haidang.console.service.resealing import reseal

    try:
        with _alone():
            call_command("migrate", interactive=False, verbosity=0)
            reseal()
    except Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigurationError(
            f"the database cannot be used: {reason}", hint="Check DATABASE_URL and the folder of the service."
        ) from None


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep out whoever does the same with the same database."""
    from django.conf import settings
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATING])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATING])
        return
    with (settings.DATA / "migrating").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_first_person(folder: Path) -> Path | None:
    """Make an administrator where nobody is known; return the file with the password, None for others.

    The password is for the first sign-in: it is in a file that this user alone can read, and in no log.
    """
    from haidang.console.people.models import User
    from haidang.console.people.roles import Role

    with _alone():
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(15)
        path = folder / "first-password"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password + "\n")
        User.objects.create_user(FIRST_NAME, password=password, role=Role.ADMINISTRATOR, password_given=True)
        return path


def settle(objects: int = 10_000) -> None:
    """Take what is loaded by now for good: the garbage collector looks at nothing of it again.

    Args:
        objects: New objects after which it looks at those.
    """
    gc.freeze()
    gc.set_threshold(objects, 50, 100)


def listen(host: str, port: int) -> socket.socket:
    """Open the HTTP port.

    Raises:
        ConfigurationError: It cannot be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise ConfigurationError(
            f"{host}:{port}: {error.strerror or error}", hint="Choose another address with --host and --port."
        ) from None
    return opened
